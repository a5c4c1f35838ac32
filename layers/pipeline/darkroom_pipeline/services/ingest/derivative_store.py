"""Derivatives in S3 that ingest stores: of the present master, each once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from darkroom.aws.telemetry import log
from darkroom.errors import ObjectChanged, SourceChanged, Unavailable
from darkroom.image_keys import DERIVATIVES, mezzanine_name
from darkroom.imaging.render.output import MezzanineOf, RenderedImage
from darkroom.plan.canonical import derivative_name
from darkroom.plan.model import Plan
from darkroom.plan.variants import MEZZANINE_FROM_PIXELS, MEZZANINE_SIDES_PX
from darkroom.services.caching import (
    MASTER_HEADER,
    PACE,
    SOURCE_ETAG,
    CachePolicy,
    derivative_headers,
    derivative_metadata,
    describe_mezzanine,
    source_version,
)

from ...aws.record import Record
from ...aws.s3 import ObjectHead, S3Bucket
from ...aws.s3_objects import md5_etag
from ...aws.sqs import Queue
from ..manifests import MANIFEST_TYPE, SIGNED, DerivativeSigner, Parent, SignedFile, read_parent
from ..purge.stale_derivatives import DerivativePurge, purge_message
from .examine import Rendition
from .stores import TRIES, StoredMaster

_PUTS_AT_ONCE = 4


@dataclass(frozen=True)
class DerivativeStore:
    """Derivatives in ``media``. ``purges`` is the queue of CDN purges. ``signer`` signs presets, if they are signed."""

    media: S3Bucket
    purger: DerivativePurge
    purges: Queue
    caching: CachePolicy
    signer: DerivativeSigner | None = None

    def purge(self, key: str) -> Mapping[str, str]:
        """Delete what was made from an earlier master: in S3 at once, at the CDN by a message.

        Returns the entity tags of the derivatives that were made from the present one, by name.
        """
        found = self.purger.delete_stale(key)
        self.purges.send(purge_message(key, cleared=found.complete))
        return found.etags

    def has_all(self, record: Record) -> bool:
        """Whether the presets that ``record`` names exist. A worker that was superseded may have deleted them.

        It deletes what it has listed, and a newer event with the same bytes has the same entity tags.
        """
        return all(self.media.head(DERIVATIVES + name) is not None for name in record.derivatives)

    def put_all(
        self,
        key: str,
        master: StoredMaster,
        images: Iterable[Rendition],
        require_master: Callable[[], None],
        sha256: str = "",
    ) -> list[str]:
        """Store ``images`` of ``key``, each while the next is rendered; return the names of presets.

        What an earlier attempt has stored is not stored again. ``require_master`` is called before an object is
        replaced; it raises if ``master`` is not the present one any more. ``sha256``: of the upload that the master was
        made from. Raises DamagedSource, ObjectChanged, Unavailable, and what ``require_master`` raises.
        """
        put_object, master_ref = partial(self._put, master.etags, require_master), master.ref
        signs = self.signer is not None
        parent = read_parent(self.media.read, key, sha256, master_ref.content_type) if signs else None

        def put(plan: Plan | MezzanineOf, image: RenderedImage) -> str:
            if isinstance(plan, MezzanineOf):
                put_object(mezzanine_name(key, plan.side_px), image.body, *describe_mezzanine(plan, master_ref.etag))
                return ""
            signed, name = self._sign(plan, image, parent), derivative_name(plan)
            headers = derivative_headers(plan, image.content_type, self.caching, unrefined=True)
            metadata = derivative_metadata(source_version(plan, master_ref.etag, master_ref.rights), "quick")
            if signed.manifest_name:
                put_object(signed.manifest_name, signed.manifest, headers | {"Content-Type": MANIFEST_TYPE}, metadata)
            put_object(DERIVATIVES + name, signed.body, headers, metadata | signed.metadata)
            return name

        with ThreadPoolExecutor(_PUTS_AT_ONCE) as pool:
            stored = [pool.submit(put, plan, image) for plan, image in images]
            return [name for one in stored if (name := one.result())]

    def copy_all(
        self,
        key: str,
        master: StoredMaster,
        plans: Sequence[Plan],
        donor: Record,
        require_master: Callable[[], None],
    ) -> list[str] | None:
        """Copy the presets of ``donor``; return their names, or None if one of them does not exist.

        Its mezzanines, as many as there are, are copied too. What an earlier attempt has copied is not copied again.
        ``require_master``: see :meth:`put_all`.
        """
        copy_object, master_ref = partial(self._copy, master.etags, require_master), master.ref

        def copy(plan: Plan) -> str | None:
            name, original = derivative_name(plan), DERIVATIVES + derivative_name(replace(plan, key=donor.key))
            if DERIVATIVES + name in master.etags:
                return name
            found = self.media.head(original)
            wanted = source_version(plan, donor.master.etag, donor.master.rights)
            if found is None or found.metadata.get(SOURCE_ETAG) != wanted or not self._can_copy(found):
                return None
            refined = found.metadata.get(PACE) == "thorough"
            headers = derivative_headers(plan, found.headers["Content-Type"], self.caching, unrefined=not refined)
            version = source_version(plan, master_ref.etag, master_ref.rights)
            metadata = derivative_metadata(version, "thorough" if refined else "quick")
            metadata |= {name: text for name, text in found.metadata.items() if name == SIGNED}
            return name if copy_object(found, DERIVATIVES + name, headers, metadata) else None

        def copy_mezzanine(side_px: int) -> None:
            found = self.media.head(mezzanine_name(donor.key, side_px))
            if found is not None and found.metadata.get(SOURCE_ETAG) == donor.master.bare_etag:
                mezzanine = MezzanineOf(side_px, found.metadata.get(MASTER_HEADER, ""))
                copy_object(found, mezzanine_name(key, side_px), *describe_mezzanine(mezzanine, master_ref.etag))

        sides_px = MEZZANINE_SIDES_PX if _may_have_mezzanines(donor) else ()
        with ThreadPoolExecutor(_PUTS_AT_ONCE) as pool:
            mezzanines = pool.map(copy_mezzanine, sides_px)
            names = [name for name in pool.map(copy, plans) if name is not None]
            list(mezzanines)  # raises what a copy raised
        return names if len(names) == len(plans) else None

    def _sign(self, plan: Plan, image: RenderedImage, parent: Parent | None) -> SignedFile:
        """Sign ``image``. Without a valid key it is served unsigned: only what is made of it is missing, not itself."""
        if self.signer is None or parent is None:
            return SignedFile(image.body)
        try:
            return self.signer(plan, image.body, image.content_type, parent)
        except Unavailable as error:
            log("ERROR", "derivative not signed", key=plan.key, code=error.code, detail=error.detail)
            return SignedFile(image.body)

    def _can_copy(self, found: ObjectHead) -> bool:
        """Return whether a derivative is signed as one of another key would be, with the manifest in the file."""
        signed = found.metadata.get(SIGNED, "")
        return signed.isdigit() if self.signer is not None else not signed

    def _put(
        self,
        stored: Mapping[str, str],
        require_master: Callable[[], None],
        name: str,
        body: bytes,
        headers: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> None:
        """Store ``body`` unless it is one of ``stored``, which an earlier attempt has left."""
        if name in stored and stored[name] == md5_etag(body):
            return

        def write(replaces: str) -> bool:
            self.media.put(name, body, headers=headers, metadata=metadata, replaces=replaces)
            return True

        self._write(name, require_master, lambda found: found.is_made_of(body, headers, metadata), write)

    def _copy(
        self,
        stored: Mapping[str, str],
        require_master: Callable[[], None],
        original: ObjectHead,
        name: str,
        headers: Mapping[str, str],
        metadata: Mapping[str, str],
    ) -> bool:
        """Copy ``original`` unless an earlier attempt has; return whether it exists and is what it was."""
        if stored.get(name) == original.etag:
            return True

        def write(replaces: str) -> bool:
            with suppress(SourceChanged):
                done = self.media.copy(
                    self.media,
                    original.key,
                    name,
                    headers=headers,
                    metadata=metadata,
                    source_head=original,
                    replaces=replaces,
                )
                return done is not None
            return False

        def is_same(found: ObjectHead) -> bool:
            return (found.etag, found.metadata) == (original.etag, metadata)

        return self._write(name, require_master, is_same, write)

    def _write(
        self,
        name: str,
        require_master: Callable[[], None],
        is_same: Callable[[ObjectHead], bool],
        write: Callable[[str], bool],
    ) -> bool:
        """Call ``write`` with the entity tag that it replaces, until it succeeds or the object ``is_same``.

        An object that is replaced is an older one, because the master is still the one that this one was made from: a
        newer master is stored before its derivatives.
        """
        etag = ""
        for _ in range(TRIES):
            with suppress(ObjectChanged):
                return write(etag)
            found = self.media.head(name)
            etag = found.etag if found is not None else ""
            if found is not None:
                if is_same(found):
                    return True
                require_master()
        raise ObjectChanged(detail=f"{name} changed {TRIES} times")


def _may_have_mezzanines(donor: Record) -> bool:
    """Whether the image has the pixels of a master with mezzanines; True if its size is not known."""
    facts = donor.facts
    return float(facts.get("width", math.inf) * facts.get("height", math.inf)) >= MEZZANINE_FROM_PIXELS
