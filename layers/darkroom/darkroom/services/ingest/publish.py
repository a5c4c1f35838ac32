"""Writing masters and their derivatives such that a newer event always wins."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from ...aws.record import Record
from ...aws.s3 import ObjectHead, S3Bucket
from ...aws.sqs import Queue
from ...errors import ObjectChanged
from ...imaging.master import Master
from ...imaging.rendered_image import RenderedImage
from ...plan.canonical import derivative_name
from ...plan.model import Plan
from ..caching import MASTER_SHA256, PACE, SOURCE_ETAG, CachePolicy, derivative_headers, derivative_metadata
from ..purge.messages import purge_message
from ..s3_keys import DERIVATIVES, HELD_MASTERS
from .claims import HOW, SEQUENCER, SHA256, VERSION_ID, Claims, Lease, Superseded
from .examine import FetchedUpload
from .master_store import TRIES, MasterStore

TIERED_FROM_BYTES = 131_072
"""Smaller objects never tier, and are billed as this many bytes (S3 Intelligent-Tiering, user guide)."""

INDEXED_SHA256 = "master_sha256"
"""Field of a master in the index that has the value of the metadata :data:`MASTER_SHA256`."""

_PUTS_AT_ONCE = 4


class Clearing(Protocol):
    """The half of a purge that concerns S3."""

    def delete_stale(self, key: str) -> Any:
        """Delete the derivatives of ``key`` that were not made from its present master."""


@dataclass(frozen=True)
class Publisher:
    """Where masters and derivatives go. ``purges`` is the queue of purges that reach the CDN."""

    claims: Claims
    media: S3Bucket
    purge: Clearing
    purges: Queue
    caching: CachePolicy

    @property
    def masters(self) -> MasterStore:
        """Where masters are that are served."""
        return MasterStore(self.claims, self.claims.source, self.claims.names)

    @property
    def held(self) -> MasterStore:
        """Where masters are that wait."""
        return MasterStore(self.claims, self.media, HELD_MASTERS)

    def put_master(self, hold: Lease, upload: FetchedUpload, master: Master) -> dict[str, Any]:
        """Write the master, then purge what was made from an earlier one; its description for the index.

        Raises Superseded, Outranked, Changed, Unavailable.
        """
        marks = marked(hold, upload, master.method, digest(master))
        etag = self.replace_master(hold, _writing(self.masters, hold, master, marks))
        return described(marks, etag, master.content_type, len(master.body))

    def put_held(self, hold: Lease, upload: FetchedUpload, master: Master) -> dict[str, Any]:
        """The same where masters wait, and nothing is served from."""
        marks = marked(hold, upload, master.method, digest(master))
        etag, _ = self.held.replace(hold, _writing(self.held, hold, master, marks))
        return described(marks, etag, master.content_type, len(master.body))

    def copy_master(self, hold: Lease, upload: FetchedUpload, donor: Record) -> dict[str, Any] | None:
        """The same by a server-side copy of the master of ``donor``; None if that has changed or gone."""
        source, original = self.claims.source, donor.master
        marks = marked(hold, upload, original["how"], original.get(INDEXED_SHA256, ""))

        def write(_: ObjectHead | None) -> str | None:
            try:
                return source.copy(
                    source,
                    self.claims.names.name(donor.key),
                    self.claims.names.name(hold.key),
                    headers={"Content-Type": original["content_type"]},
                    metadata=marks,
                    tiered=original["size_bytes"] >= TIERED_FROM_BYTES,
                    source_etag=original["etag"],
                )
            except ObjectChanged:
                return None

        etag = self.replace_master(hold, write)
        if etag is None:
            return None
        return described(marks, etag, original["content_type"], original["size_bytes"])

    def replace_master[E: str | None](self, hold: Lease, write: Callable[[ObjectHead | None], E]) -> E:
        """Have ``write`` write the master, and purge if there was one. Raises Superseded, Outranked, Changed."""
        etag, replaced = self.masters.replace(hold, write)
        if etag is not None and replaced:
            self.clear(hold.key)
        return etag

    def remove_master(self, hold: Lease, *, purge: bool) -> bool:
        """Delete the master and all that was made from it; whether there was one.

        ``purge``: even if there is none. A master that was put there by hand is left alone. Raises Superseded, Changed,
        Unavailable.
        """
        removed = self.masters.remove(hold)
        if purge or removed:
            self.clear(hold.key)
        return removed

    def adopted(self, hold: Lease, known: Record, uploads: S3Bucket) -> Record:
        """``known`` with the master that is there, if it is another than that of which ``known`` speaks.

        Whoever put it was overtaken before it could write that down. Nobody else knows of it, so it stays only if the
        version in ``uploads`` that it was made of has not been deleted since. Raises Superseded, Changed, Unavailable.
        """
        there = self.claims.master(hold.key)
        marks = there.metadata if there is not None else {SEQUENCER: ""}
        if marks.get(SEQUENCER) in (None, known.master.get("sequencer", "")):
            return known
        bare = Record(hold.key, known.state, hold.sequencer, hold.token)
        if there is None or uploads.is_deleted(hold.key, marks[VERSION_ID]):
            self.remove_master(hold, purge=True)
            return bare
        self.clear(hold.key)
        master = described(marks, there.etag, there.headers.get("Content-Type", ""), there.size_bytes)
        return replace(bare, sha256=marks[SHA256], master=master)

    def end_waiting(self, hold: Lease, known: Record | None) -> None:
        """Delete what waits under the key, if anything may: it ends otherwise."""
        if self.claims.holding is not None or (known is not None and known.held):
            self.held.remove(hold)

    def taken_down(self, hold: Lease, record: Record) -> Record:
        """``record`` of a key whose picture is served no more. Raises as remove_master does."""
        self.remove_master(hold, purge=True)
        return Record(record.key, record.state, hold.sequencer, hold.token, refusal=record.refusal, held=record.held)

    def clear(self, key: str) -> None:
        """Purge what was made from an earlier master: here at once, at the CDN by way of the queue."""
        self.purge.delete_stale(key)
        self.purges.send(purge_message(key))

    def put_presets(self, hold: Lease, master_etag: str, pictures: Iterable[tuple[Plan, RenderedImage]]) -> list[str]:
        """Store ``pictures`` while the next is made; their names. Raises Superseded, Damaged, Changed, Unavailable."""

        def put(plan: Plan, picture: RenderedImage) -> str:
            name = derivative_name(plan)
            headers = derivative_headers(plan, picture.content_type, self.caching, unrefined=True)
            self._put_over(DERIVATIVES + name, picture.body, headers, derivative_metadata(master_etag, "quick"))
            return name

        with ThreadPoolExecutor(_PUTS_AT_ONCE) as pool:
            stored = [pool.submit(put, plan, picture) for plan, picture in pictures]
            names = [one.result() for one in stored]
        self._require_master(hold, master_etag)
        return names

    def _put_over(self, name: str, body: bytes, headers: Mapping[str, str], metadata: Mapping[str, str]) -> None:
        """Put over what is there now, and over nothing later: a put that is carried out late must not win."""
        there = ""
        for _ in range(TRIES):
            with suppress(ObjectChanged):
                self.media.put(name, body, headers=headers, metadata=metadata, replaces=there)
                return
            found = self.media.head(name)
            there = found.etag if found is not None else ""
        raise ObjectChanged(detail=f"{name} does not hold still")

    def copy_presets(self, hold: Lease, master_etag: str, plans: Sequence[Plan], donor: Record) -> list[str] | None:
        """The same by server-side copies of those of ``donor``; None if one of them is not there."""
        donor_etag = donor.master["etag"].strip('"')

        def copy(plan: Plan) -> str | None:
            name, original = derivative_name(plan), DERIVATIVES + derivative_name(replace(plan, key=donor.key))
            found = self.media.head(original)
            if found is None or found.metadata.get(SOURCE_ETAG) != donor_etag:
                return None
            refined = found.metadata.get(PACE) == "thorough"
            headers = derivative_headers(plan, found.headers["Content-Type"], self.caching, unrefined=not refined)
            marks = derivative_metadata(master_etag, "thorough" if refined else "quick")
            done = self.media.copy(self.media, original, DERIVATIVES + name, headers=headers, metadata=marks)
            return None if done is None else name

        with ThreadPoolExecutor(_PUTS_AT_ONCE) as pool:
            names = [name for name in pool.map(copy, plans) if name is not None]
        self._require_master(hold, master_etag)
        return names if len(names) == len(plans) else None

    def _require_master(self, hold: Lease, etag: str) -> None:
        """Raise Superseded if the master is not the one that derivatives were just stored for, and remove those."""
        found = self.claims.master(hold.key)
        if found is None or found.etag != etag:
            self.clear(hold.key)
            raise Superseded(wrote=True)


def digest(master: Master) -> str:
    """Compute the SHA-256 of the bytes of ``master``, in hexadecimal."""
    return hashlib.sha256(master.body).hexdigest()


def marked(hold: Lease, upload: FetchedUpload, how: str, master_sha256: str = "") -> dict[str, str]:
    """The metadata of a master of ``upload``; ``master_sha256`` is of the master itself, empty if not known."""
    marks = {SEQUENCER: hold.sequencer, SHA256: upload.sha256, VERSION_ID: upload.head.version_id, HOW: how}
    return marks | ({MASTER_SHA256: master_sha256} if master_sha256 else {})


def _writing(
    shelf: MasterStore, hold: Lease, master: Master, marks: Mapping[str, str]
) -> Callable[[ObjectHead | None], str]:
    """Puts ``master`` on ``shelf`` over what is there."""

    def write(existing: ObjectHead | None) -> str:
        return shelf.vault.put(
            shelf.name(hold.key),
            master.body,
            headers={"Content-Type": master.content_type},
            metadata=marks,
            tiered=len(master.body) >= TIERED_FROM_BYTES,
            replaces=existing.etag if existing else "",
        )

    return write


def described(marks: Mapping[str, str], etag: str, content_type: str, size_bytes: int) -> dict[str, Any]:
    """A master in the index. ``marks`` is its metadata."""
    master = {
        "etag": etag,
        "sequencer": marks[SEQUENCER],
        "version_id": marks[VERSION_ID],
        "content_type": content_type,
        "size_bytes": size_bytes,
        "how": marks[HOW],
    }
    return master | ({INDEXED_SHA256: marks[MASTER_SHA256]} if MASTER_SHA256 in marks else {})
