"""Which pictures have to wait for moderation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ...aws.record import READY, Record
from ...aws.verdicts import Verdict

OFF, LABEL, BLOCK = "off", "label", "block"
"""Policies: no moderation; what it says is written down; and pictures wait for it."""


class Verdicts(Protocol):
    """Where verdicts come from."""

    def get(self, key: str) -> Verdict | None:
        """The newest verdict on the picture ``key``, if there is one."""


class ReviewState(StrEnum):
    """What is known of an upload: it may be served, it has to wait, or it must not be served."""

    PASSED = "passed"
    WAITING = "waiting"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Moderation:
    """The policy. ``blocks``: pictures wait until a verdict lets them pass."""

    verdicts: Verdicts
    blocks: bool

    def get_review_state(self, key: str, known: Record | None, sha256: str) -> ReviewState:
        """That of an upload of ``key`` with these bytes. ``known`` is the record of the key before."""
        if not self.blocks:
            return ReviewState.PASSED
        same = known is not None and known.sha256 == sha256
        if same and known is not None and known.released:
            return ReviewState.PASSED
        if (verdict := self.get_verdict(key, sha256)) is not None:
            return ReviewState.FLAGGED if verdict.flagged else ReviewState.PASSED
        served = same and known is not None and known.state == READY
        return (
            ReviewState.PASSED if served else ReviewState.WAITING
        )  # what is served already has its verdict on the way

    def get_verdict(self, key: str, sha256: str) -> Verdict | None:
        """The verdict on ``key`` if it is one on these very bytes."""
        found = self.verdicts.get(key)
        return found if found is not None and found.sha256_of == sha256 else None

    def allows_copy(self, donor: Record, standing: ReviewState) -> bool:
        """Whether an upload of the bytes of ``donor``, which is served, may be served too."""
        if standing is ReviewState.PASSED or donor.released:
            return True
        if standing is ReviewState.FLAGGED:
            return False
        verdict = self.get_verdict(donor.key, donor.sha256)
        return verdict is not None and not verdict.flagged
