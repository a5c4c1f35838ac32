"""A place with one object for each key, of which that of a newer event always wins."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from ...aws.s3 import ObjectHead, S3Bucket
from ...errors import ObjectChanged
from ..s3_keys import ObjectNames
from .claims import SEQUENCER, Claims, Lease, StaleIndex, Superseded

TRIES = 4
"""For replacing or removing an object that changes between looking and writing."""


@dataclass(frozen=True)
class MasterStore:
    """The objects of ``vault`` by ``names``."""

    claims: Claims
    vault: S3Bucket
    names: ObjectNames

    def name(self, key: str) -> str:
        """Where the object of ``key`` is."""
        return self.names.name(key)

    def head(self, key: str) -> ObjectHead | None:
        """The head of the object of ``key``."""
        return self.vault.head(self.name(key))

    def replace[E: str | None](self, hold: Lease, write: Callable[[ObjectHead | None], E]) -> tuple[E, bool]:
        """Write over what is there now, between two looks at the claim; what ``write`` returned, and if anything was.

        Raises Superseded, Outranked, or Changed where the object does not hold still.
        """
        replaced, tries = False, 0
        while True:
            existing = self.head(hold.key)
            self.claims.require(hold, wrote=False)
            if existing is not None and existing.metadata.get(SEQUENCER, "") > hold.sequencer:
                raise StaleIndex(existing.metadata[SEQUENCER])
            replaced, tries = replaced or existing is not None, tries + 1
            try:
                etag = write(existing)
            except ObjectChanged:
                if tries == TRIES:
                    raise
                continue
            break
        if etag is not None:
            self.claims.require(hold, wrote=True)
        return etag, replaced

    def remove(self, hold: Lease) -> bool:
        """Delete the object; whether there was one. What was put there by hand is left alone.

        Raises Superseded, Changed, Unavailable.
        """
        for _ in range(TRIES):
            existing = self.head(hold.key)
            marks = existing.metadata if existing is not None else {}
            if marks.get(SEQUENCER, "") > hold.sequencer:
                raise Superseded
            self.claims.require(hold, wrote=False)
            if existing is None or SEQUENCER not in marks:
                return False
            with suppress(ObjectChanged):
                self.vault.delete(self.name(hold.key), existing.etag)
                self.claims.require(hold, wrote=True)
                return True
        raise ObjectChanged(detail=f"{self.name(hold.key)} does not hold still")
