"""Bulk operation ``infer``: request analyses through the infer queue, and poll for the findings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from darkroom.errors import NoInference
from darkroom.findings import ENDPOINT, FAILED, FALLBACK, RANKS, rank

from ..aws.findings_store import FindingsRecord, FindingsStore
from ..aws.sqs import Queue
from ..services.analysis_requests import AnalysisRequest, RequestKind
from ..services.masters import Masters
from .messages import JobSpec
from .results import KeyOutcome, KeyResult


@dataclass(frozen=True)
class AnalyseOperation:
    """``queue`` is that of infer, None without inference; ``best_source`` is the best origin of findings here.

    ``list_tasks`` returns the tasks of the image with a key.
    """

    findings: FindingsStore
    masters: Masters
    queue: Queue | None
    generation: str
    list_tasks: Callable[[str], Sequence[str]]
    best_source: str = ENDPOINT

    def start(self, key: str, spec: JobSpec) -> KeyResult:
        """Request an analysis of ``key``, unless its findings of this generation are complete. Raises DarkroomError."""
        if self.queue is None:
            raise NoInference
        master = self.masters.find_current(key)
        if master is None:
            return KeyResult(KeyOutcome.MISSING)
        record = self.findings.read_record(key)
        if not spec.again and self._is_complete(key, record, master.etag):
            return _result_of(record, KeyOutcome.UNCHANGED)
        self.queue.send(AnalysisRequest(RequestKind.ANALYSE, key, again=True).message)
        return KeyResult(KeyOutcome.PENDING, mark=str(record.version))

    def poll(self, key: str, mark: str) -> KeyResult | None:
        """Return the result if findings are newer than ``mark``, a version of the index item."""
        record = self.findings.read_record(key)
        master = self.masters.find_current(key)
        if master is None:
            return KeyResult(KeyOutcome.MISSING)
        if record.version <= int(mark) or not record.announced or not record.matches(self.generation, master.etag):
            return None
        return _result_of(record, KeyOutcome.DONE)

    def _is_complete(self, key: str, record: FindingsRecord, etag: str) -> bool:
        if not record.announced or not record.matches(self.generation, etag) or record.findings is None:
            return False
        found = record.findings.found
        wanted = self.list_tasks(key) if self.best_source == ENDPOINT else found  # the small models cannot do all of it
        return bool(found) and all(rank(found.get(task)) >= RANKS[self.best_source] for task in wanted)


def _result_of(record: FindingsRecord, outcome: KeyOutcome) -> KeyResult:
    """Return the result; the reason names the fallback, or why the image was not analysed."""
    found = record.findings.found.values() if record.findings else ()
    if error := next((finding.error for finding in found if finding.error), ""):
        return KeyResult(KeyOutcome.FAILED if error == FAILED else KeyOutcome.REFUSED, error)
    return KeyResult(outcome, FALLBACK if any(finding.origin == FALLBACK for finding in found) else "")
