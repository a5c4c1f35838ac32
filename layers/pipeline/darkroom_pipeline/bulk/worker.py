"""The second step of a bulk job: process one batch, key by key. After a crash the next worker continues."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from darkroom.aws.telemetry import Observer
from darkroom.errors import DarkroomError, GaveUp, Unfinished, Unsettled
from darkroom.services.deadline import INGEST, CpuLimit, is_abandoned

from .job import BatchResults, BulkJob
from .messages import BulkRequest, JobSpec, Operation
from .results import MAX_ATTEMPTS, WORKER_DIED, KeyOutcome, KeyResult, count_outcomes, result_of_error

_SAVE_S = 5.0


def reserve_s(limit: CpuLimit) -> float:
    """Time left in an invocation below which no further key is begun: the slowest takes as long as its limit."""
    return limit.wall_s + _SAVE_S


RESERVE_S = reserve_s(INGEST)

SAVE_INTERVAL_S = 2.0
"""Work that a crash may lose. Each save costs a PUT."""

POLL_TIMEOUT_S, POLL_INTERVAL_S = 12.0, 1.0
"""How long a worker polls pending keys before it leaves the wait to the state machine, which costs nothing."""


class OperationHandler(Protocol):
    """An operation on one key: carried out by the worker, or requested from another function and polled."""

    def start(self, key: str, spec: JobSpec) -> KeyResult:
        """Carry it out, or request it and return a PENDING result. Raises DarkroomError.

        It may be started again for the same key, at any time and by two workers at once.
        """

    def poll(self, key: str, mark: str) -> KeyResult | None:
        """Return the result of a PENDING key with ``mark``; None if it is unknown. Raises Unavailable."""


@dataclass(slots=True)
class _BatchProgress:
    """Results of a batch, and when they were last saved."""

    job: BulkJob
    number: str
    results: BatchResults
    saved_s: float

    @property
    def pending_keys(self) -> list[str]:
        """The keys that other functions process."""
        return [key for key, entry in self.results.results.items() if entry.outcome is KeyOutcome.PENDING]

    def record(self, key: str, entry: KeyResult) -> None:
        self.results = replace(self.results, results={**self.results.results, key: entry})

    def save(self) -> None:
        self.results = self.job.put_results(self.number, self.results)
        self.saved_s = time.monotonic()

    def save_if_due(self) -> None:
        if time.monotonic() - self.saved_s >= SAVE_INTERVAL_S:
            self.save()


@dataclass(frozen=True)
class Worker:
    """Processes batches with ``operations``."""

    operations: Mapping[Operation, OperationHandler]
    observer: Observer
    sleep: Callable[[float], None] = time.sleep
    reserve_s: float = RESERVE_S

    def run(self, job: BulkJob, request: BulkRequest, remaining_s: Callable[[], float]) -> dict[str, object]:
        """Process the keys of the batch, or as many as there is time for.

        Raises Unfinished if the rest is to be tried at once, Unsettled if keys are pending, GaveUp if keys have failed
        too often. Results are saved before.
        """
        progress = self._open_batch(job, request)
        careful = progress.results.starts > 1  # a worker may have crashed at one of them
        for key in request.keys:
            known = progress.results.results.get(key)
            if known is not None and (known.is_final or known.outcome is KeyOutcome.PENDING):
                continue
            if (
                remaining_s() < self.reserve_s or is_abandoned()
            ):  # the CPU time of such a render would count for the next key
                break
            self._process(progress, key, known, request.spec, careful=careful)
            progress.save_if_due()
        self._poll_pending(progress, request, remaining_s)
        progress.save()
        return self._finish(progress, request)

    def _open_batch(self, job: BulkJob, request: BulkRequest) -> _BatchProgress:
        known = job.read_results(request.number)
        progress = _BatchProgress(job, request.number, replace(known, starts=known.starts + 1), time.monotonic())
        progress.save()
        return progress

    def _process(
        self, progress: _BatchProgress, key: str, known: KeyResult | None, spec: JobSpec, *, careful: bool
    ) -> None:
        attempts = known.attempts if known is not None else 0
        if known is not None and known.outcome is KeyOutcome.STARTED and attempts >= MAX_ATTEMPTS:
            progress.record(key, KeyResult(KeyOutcome.FAILED, WORKER_DIED, attempts))
            return
        if careful:
            progress.record(key, KeyResult(KeyOutcome.STARTED, attempts=attempts + 1))
            progress.save()
        started = time.monotonic()
        entry = self._start(key, spec)
        spent_ms = round((time.monotonic() - started) * 1000)
        progress.record(key, replace(entry, attempts=attempts + 1, ms=spent_ms))

    def _start(self, key: str, spec: JobSpec) -> KeyResult:
        try:
            return self.operations[spec.operation].start(key, spec)
        except Exception as error:  # other keys are not affected
            detail = error.detail if isinstance(error, DarkroomError) else traceback.format_exc()
            entry = result_of_error(error)
            self.observer.log("WARNING", "key failed", key=key, code=entry.reason, detail=detail)
            return entry

    def _poll_pending(self, progress: _BatchProgress, request: BulkRequest, remaining_s: Callable[[], float]) -> None:
        """Poll pending keys until all are settled or the timeout.

        They are saved first: only this job knows their marks.
        """
        if not progress.pending_keys:
            return
        progress.save()
        until = time.monotonic() + POLL_TIMEOUT_S
        while asked := progress.pending_keys:
            for key in asked:
                entry = progress.results.results[key]
                found = self.operations[request.spec.operation].poll(key, entry.mark)
                if found is not None:
                    progress.record(key, replace(found, attempts=entry.attempts, ms=entry.ms))
            progress.save_if_due()
            if time.monotonic() >= until or remaining_s() < self.reserve_s:
                return
            if progress.pending_keys:
                self.sleep(POLL_INTERVAL_S)

    def _finish(self, progress: _BatchProgress, request: BulkRequest) -> dict[str, object]:
        entries = [progress.results.results.get(key) for key in request.keys]
        self._count(request, [entry for entry in entries if entry is not None])
        where = f"batch {request.number} of {request.job}"
        if any(entry is None or not (entry.is_final or entry.outcome is KeyOutcome.PENDING) for entry in entries):
            raise Unfinished(detail=where)
        if any(entry is not None and entry.outcome is KeyOutcome.PENDING for entry in entries):
            raise Unsettled(detail=where)
        if any(entry is not None and not entry.is_settled for entry in entries):
            raise GaveUp(detail=where)
        return {"batch": request.number, **count_outcomes(entry for entry in entries if entry is not None)}

    def _count(self, request: BulkRequest, entries: list[KeyResult]) -> None:
        counts = count_outcomes(entries)
        self.observer.log(
            "INFO", "batch processed", run=request.job, batch=request.number, keys=len(request.keys), **counts
        )
        for outcome, number in counts.items():
            self.observer.count("LibraryKeys", number, outcome=outcome, operation=request.spec.operation.value)
