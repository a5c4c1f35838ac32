"""Moderation of uploads: the policy, verdicts of the model, and decisions of people."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ...aws.record import READY, Record
from .events import IngestEvent, decision_name

if TYPE_CHECKING:
    from ...aws.documents import DocumentStore
    from ...aws.findings_store import Verdict, VerdictTable

OFF, LABEL, BLOCK = "off", "label", "block"
"""Policies: no moderation; verdicts are recorded; uploads wait for their verdict."""


class ReviewState(StrEnum):
    """Whether an upload may be served, must wait for a verdict, or must not be served."""

    PASSED = "passed"
    WAITING = "waiting"
    FLAGGED = "flagged"


@dataclass(frozen=True)
class Moderation:
    """The policy. ``blocks``: uploads wait for their verdict. The decisions of people are documents.

    ``open_verdicts`` and ``open_decisions`` make the stores, on first use: most workers need neither.
    """

    open_verdicts: Callable[[], VerdictTable]
    open_decisions: Callable[[], DocumentStore]
    blocks: bool

    @cached_property
    def verdicts(self) -> VerdictTable:
        """Verdicts by key."""
        return self.open_verdicts()

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

    def get_verdict(self, key: str, sha256: str) -> Verdict | None:
        """Return the verdict on ``key`` if it is about these bytes."""
        found = self.verdicts.get(key)
        return found if found is not None and found.sha256_of == sha256 else None

    def is_superseded(self, event: IngestEvent) -> bool:
        """Whether the decision in ``event`` is not the last one. Without ``seen`` it cannot be known, and is false."""
        if not event.seen:
            return False
        last = self.open_decisions().get(decision_name(event.key)).fields
        return (last.get("seen"), last.get("decision"), last.get("by")) != (event.seen, event.kind, event.by)

    def get_explanation(self, record: Record) -> dict[str, Any]:
        """Return the document of the explanation of why the held upload of ``record`` is flagged; {} without one."""
        verdict = self.get_verdict(record.key, record.held.sha256) if record.held.flagged else None
        return json.loads(verdict.explanation) if verdict is not None and verdict.explanation else {}

    def allows_copy(self, donor: Record, state: ReviewState) -> bool:
        """Whether an upload of the same bytes as ``donor``, which is served, may be served."""
        if state is ReviewState.PASSED or donor.released:
            return True
        if state is ReviewState.FLAGGED:
            return False
        verdict = self.get_verdict(donor.key, donor.sha256)
        return verdict is not None and not verdict.flagged
