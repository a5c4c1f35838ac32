"""Masters on their way between where they wait and where they are served."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ...aws.record import Record
from ...aws.s3 import ObjectHead
from ...errors import ObjectChanged
from ..caching import MASTER_SHA256
from .claims import HOW, SEQUENCER, SHA256, VERSION_ID, Lease
from .master_store import MasterStore
from .publish import INDEXED_SHA256, TIERED_FROM_BYTES, Publisher


@dataclass(frozen=True)
class Moving:
    """Copies inside S3, under a claim. What is left behind is for the caller to remove."""

    publisher: Publisher

    def release(self, hold: Lease, held: Mapping[str, Any]) -> dict[str, Any] | None:
        """Copy the master that waits, ``held["master"]`` in the index, to where it is served; None if it is not there.

        One that is served already was copied by a worker that came no further. Raises as put_master does.
        """
        marks = _marked(hold, held)
        there = self.publisher.masters.head(hold.key)
        if there is not None and marks.items() <= there.metadata.items():
            self.publisher.clear(hold.key)
            return {**held["master"], "etag": there.etag}
        etag = self.publisher.replace_master(
            hold, _copying(self.publisher.held, self.publisher.masters, hold, held["master"], marks)
        )
        return None if etag is None else {**held["master"], "etag": etag}

    def hold_back(self, hold: Lease, record: Record) -> dict[str, Any]:
        """Copy the master that is served to where it waits; what waits, for the index. Raises Changed if it is gone."""
        held = _as_held(hold, record)
        write = _copying(self.publisher.masters, self.publisher.held, hold, record.master, _marked(hold, held))
        etag, _ = self.publisher.held.replace(hold, write)
        if etag is None:
            self.publisher.claims.require(hold, wrote=False)
            raise ObjectChanged(detail=f"the master of {hold.key} is not that of the index")
        return {**held, "master": {**held["master"], "etag": etag}}

    def held_back(self, hold: Lease, record: Record) -> dict[str, Any]:
        """What waits, for the index, after a worker that came no further than to copy it. Raises Changed."""
        there, held = self.publisher.held.head(hold.key), _as_held(hold, record)
        if there is None:
            raise ObjectChanged(detail=f"nothing waits under {hold.key}")
        return {**held, "master": {**held["master"], "etag": there.etag}}


def _as_held(hold: Lease, record: Record) -> dict[str, Any]:
    """What is served by ``record``, as the index describes it where it waits, flagged."""
    kept = {name: getattr(record, name) for name in ("sha256", "facts", "provenance")}
    return {**kept, "master": {**record.master, "sequencer": hold.sequencer}, "flagged": True}


def _marked(hold: Lease, held: Mapping[str, Any]) -> dict[str, str]:
    """The metadata of a master that the index describes."""
    master = held["master"]
    marks = {
        SEQUENCER: hold.sequencer,
        SHA256: held["sha256"],
        VERSION_ID: master["version_id"],
        HOW: master["how"],
    }
    return marks | ({MASTER_SHA256: master[INDEXED_SHA256]} if INDEXED_SHA256 in master else {})


def _copying(
    source: MasterStore, target: MasterStore, hold: Lease, master: Mapping[str, Any], marks: Mapping[str, str]
) -> Callable[[ObjectHead | None], str | None]:
    """Copies the ``master`` of the key from one shelf to the other; to None if it is another, or gone."""

    def write(_: ObjectHead | None) -> str | None:
        with suppress(ObjectChanged):
            return target.vault.copy(
                source.vault,
                source.name(hold.key),
                target.name(hold.key),
                headers={"Content-Type": master["content_type"]},
                metadata=marks,
                tiered=master["size_bytes"] >= TIERED_FROM_BYTES,
                source_etag=master["etag"],
            )
        return None

    return write
