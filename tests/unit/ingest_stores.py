"""In-memory replacements of the bucket, the index and the queue of ingest."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from darkroom.errors import ObjectChanged, SourceChanged, Unavailable
from darkroom.image_keys import HELD_MASTERS, MASTERS
from darkroom_pipeline.aws.record import CLAIMED, READY, Record, pad_sequencer
from darkroom_pipeline.aws.s3 import ObjectHead
from darkroom_pipeline.services.ingest.claims import HOW, SEQUENCER, SHA256, VERSION_ID, Claims, Lease
from darkroom_pipeline.services.ingest.context import IngestContext
from darkroom_pipeline.services.ingest.stores import MasterStore

KEY = "photo.jpg"
NOW_S = 1_795_600_000.0
EARLIER, CURRENT, LATER = pad_sequencer("0A"), pad_sequencer("0B"), pad_sequencer("0C")
LEASE = Lease(KEY, CURRENT, "token")


def build_marks(sequencer: str, version_id: str = "v1") -> dict[str, str]:
    """Return the metadata of a master that ingest wrote."""
    return {SEQUENCER: sequencer, SHA256: f"sha256 of {version_id}", VERSION_ID: version_id, HOW: "cleaned"}


def build_record(state: str = READY, sequencer: str = CURRENT, token: str = LEASE.token, **fields: Any) -> Record:
    return Record(KEY, state, sequencer, token, **fields)


@dataclass
class Bucket:
    """Objects by key. ``interfere`` runs before each conditional write, as another worker would."""

    objects: dict[str, ObjectHead] = field(default_factory=dict)
    puts: list[dict[str, Any]] = field(default_factory=list)
    copies: list[dict[str, Any]] = field(default_factory=list)
    deleted_versions: set[str] = field(default_factory=set)
    interfere: Callable[[], None] = lambda: None
    _numbers: Any = field(default_factory=itertools.count)

    def store(self, key: str, metadata: Mapping[str, str], size_bytes: int = 3) -> str:
        """Store an object without a condition; return its entity tag."""
        etag = f'"{next(self._numbers)}"'
        self.objects[key] = ObjectHead(key, etag, size_bytes, "", NOW_S, {"Content-Type": "image/jpeg"}, metadata, {})
        return etag

    def head(self, key: str) -> ObjectHead | None:
        return self.objects.get(key)

    def put(self, key: str, body: bytes, *, metadata: Mapping[str, str], replaces: str, **further: Any) -> str:
        self.puts.append({"key": key, **further})
        self.interfere()
        found = self.objects.get(key)
        if (found.etag if found else "") != replaces:
            raise ObjectChanged
        return self.store(key, metadata, len(body))

    def copy(
        self,
        source: Bucket,
        source_key: str,
        key: str,
        *,
        source_etag: str = "",
        replaces: str | None = None,
        **further: Any,
    ) -> str | None:
        self.copies.append({"key": key, **further})
        found = source.objects.get(source_key)
        if found is None:
            return None
        if source_etag and found.etag != source_etag:
            raise SourceChanged
        there = self.objects.get(key)
        if replaces is not None and (there.etag if there else "") != replaces:
            raise ObjectChanged
        return self.store(key, further["metadata"])

    def delete(self, key: str, etag: str) -> None:
        self.interfere()
        found = self.objects.get(key)
        if found is not None and found.etag != etag:
            raise ObjectChanged
        self.objects.pop(key, None)

    def is_deleted(self, key: str, version_id: str) -> bool:
        return version_id in self.deleted_versions


@dataclass
class Table:
    """The one record of the index. ``lost_after`` is the number of checks after which a newer claim takes over."""

    record: Record | None = field(default_factory=lambda: build_record(CLAIMED))
    lost_after: int | None = None
    checks: int = 0
    released: list[tuple[str, str]] = field(default_factory=list)
    reachable: bool = True

    def get(self, key: str) -> Record | None:
        return self.record

    def has_lease(self, key: str, token: str) -> bool:
        self.checks += 1
        lost = self.lost_after is not None and self.checks > self.lost_after
        return not lost and self.record is not None and self.record.token == token

    def put_record(self, record: Record) -> bool:
        if self.record is None or self.record.token != record.token:
            return False
        self.record = replace(record)
        return True

    def release_lease(self, key: str, token: str) -> None:
        if not self.reachable:
            raise Unavailable(detail="no answer")
        self.released.append((key, token))


@dataclass
class Messages:
    """Sent messages, with the delay of each."""

    sent: list[tuple[Mapping[str, object], int]] = field(default_factory=list)

    def send(self, body: Mapping[str, object], *, delay_s: int = 0) -> None:
        self.sent.append((body, delay_s))


@dataclass
class Stores:
    """Stores of one test, and the claims on them."""

    table: Table = field(default_factory=Table)
    queue: Messages = field(default_factory=Messages)
    purges: Messages = field(default_factory=Messages)
    media: Bucket = field(default_factory=Bucket)
    lease_s: float = 60
    holds_images: bool = False

    @property
    def claims(self) -> Claims:
        index: Any = self.table
        queue: Any = self.queue
        media: Any = self.media
        holding = media if self.holds_images else None
        return Claims(index, queue, media, MASTERS, self.lease_s, lambda: NOW_S, holding)


def build_context(**parts: Any) -> IngestContext:
    """Return a context with ``parts``, and None for all others."""
    return IngestContext(**{**{one.name: None for one in fields(IngestContext)}, **parts})


def build_stored_context(stores: Stores, **parts: Any) -> IngestContext:
    """Return a context with the claims and master stores of ``stores``, ``parts``, and None for all others."""
    media: Any = stores.media
    masters, held = MasterStore(stores.claims, media, MASTERS), MasterStore(stores.claims, media, HELD_MASTERS)
    return build_context(claims=stores.claims, media=media, masters=masters, held_masters=held, **parts)
