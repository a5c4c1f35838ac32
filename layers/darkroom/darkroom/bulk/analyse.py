"""Pictures that models are to look at: infer is asked through its queue, and its findings are waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..aws.findings_store import FindingsRecord, FindingsStore
from ..aws.sagemaker import UNREADABLE
from ..aws.sqs import Queue
from ..errors import NoInference
from ..findings import ENDPOINT, FALLBACK
from ..services.inference.masters import Masters
from ..services.inference.merge import RANKS, rank
from ..services.inference.messages import AnalysisRequest, RequestKind
from .messages import JobSpec
from .results import KeyOutcome, KeyResult


@dataclass(frozen=True)
class AnalyseOperation:
    """The operation. ``queue`` is infer's, None where nothing looks at pictures; ``best`` is who looks at them here."""

    findings: FindingsStore
    masters: Masters
    queue: Queue | None
    generation: str
    tasks: Sequence[str]
    best_source: str = ENDPOINT

    def start(self, key: str, order: JobSpec) -> KeyResult:
        """Ask for ``key``, unless all has been found of its master in this generation. Raises DarkroomError."""
        if self.queue is None:
            raise NoInference
        present = self.masters.find_current(key)
        if present is None:
            return KeyResult(KeyOutcome.MISSING)
        noted = self.findings.read_record(key)
        if not order.again and self._is_complete(noted, present.etag):
            return _result_of(noted, KeyOutcome.UNCHANGED)
        self.queue.send(AnalysisRequest(RequestKind.ANALYSE, key, again=True).message)
        return KeyResult(KeyOutcome.PENDING, mark=str(noted.version))

    def poll(self, key: str, mark: str) -> KeyResult | None:
        """What was found since ``mark``, a version of the index item."""
        noted = self.findings.read_record(key)
        present = self.masters.find_current(key)
        if present is None:
            return KeyResult(KeyOutcome.MISSING)
        if noted.version <= int(mark) or not noted.announced or not noted.matches(self.generation, present.etag):
            return None
        return _result_of(noted, KeyOutcome.DONE)

    def _is_complete(self, noted: FindingsRecord, etag: str) -> bool:
        if not noted.announced or not noted.matches(self.generation, etag) or noted.findings is None:
            return False
        found = noted.findings.found
        wanted = self.tasks if self.best_source == ENDPOINT else found  # the small models cannot do all of it
        return bool(found) and all(rank(found.get(task)) >= RANKS[self.best_source] for task in wanted)


def _result_of(noted: FindingsRecord, outcome: KeyOutcome) -> KeyResult:
    """The reason says what is less than it should be: who stood in for the endpoint, or that nobody can read it."""
    found = noted.findings.found.values() if noted.findings else ()
    if any(finding.error == UNREADABLE for finding in found):
        return KeyResult(KeyOutcome.REFUSED, UNREADABLE)
    return KeyResult(outcome, FALLBACK if any(finding.origin == FALLBACK for finding in found) else "")
