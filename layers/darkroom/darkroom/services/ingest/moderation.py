"""The moderation policy: which uploads wait for a verdict."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ...aws.record import READY, Record
from ...aws.verdicts import Verdict

OFF, LABEL, BLOCK = "off", "label", "block"
"""Policies: no moderation; verdicts are recorded; uploads wait for their verdict."""


class Verdicts(Protocol):
    """Source of verdicts."""

    def get(self, key: str) -> Verdict | None:
        """Return the newest verdict on the image ``key``, if there is one."""


class ReviewState(StrEnum):
    """Whether an upload may be served, must wait for a verdict, or must not be served."""

    PASSED = "passed"
    WAITING = "waiting"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Moderation:
    """The policy. ``blocks``: uploads wait for their verdict."""

    verdicts: Verdicts
    blocks: bool

    def get_review_state(self, key: str, known: Record | None, sha256: str) -> ReviewState:
        """Return the state of an upload of ``key`` with these bytes. ``known`` is the record of the key before."""
        if not self.blocks:
            return ReviewState.PASSED
        same = known is not None and known.sha256 == sha256
        if same and known is not None and known.released:
            return ReviewState.PASSED
        if (verdict := self.get_verdict(key, sha256)) is not None:
            return ReviewState.FLAGGED if verdict.flagged else ReviewState.PASSED
        served = same and known is not None and known.state == READY
        return ReviewState.PASSED if served else ReviewState.WAITING  # the verdict of what is served is on its way

    def find_verdict(self, key: str) -> Verdict | None:
        """Return the newest verdict on ``key``."""
        return self.verdicts.get(key)

    def get_verdict(self, key: str, sha256: str) -> Verdict | None:
        """Return the verdict on ``key`` if it is about these bytes."""
        found = self.find_verdict(key)
        return found if found is not None and found.sha256_of == sha256 else None

    def allows_copy(self, donor: Record, state: ReviewState) -> bool:
        """Whether an upload of the same bytes as ``donor``, which is served, may be served."""
        if state is ReviewState.PASSED or donor.released:
            return True
        if state is ReviewState.FLAGGED:
            return False
        verdict = self.get_verdict(donor.key, donor.sha256)
        return verdict is not None and not verdict.flagged
