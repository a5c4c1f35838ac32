"""The second step of a run: one batch, key by key. Killed at any line, it is done again from where it was."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ..aws.telemetry import Observer
from ..errors import DarkroomError, GaveUp, Unfinished, Unsettled
from ..services.deadline import INGEST, CpuLimit, is_abandoned
from .job import BatchResults, BulkJob
from .messages import BulkRequest, JobSpec, Operation
from .operations import OperationHandler
from .results import MAX_ATTEMPTS, WORKER_DIED, KeyOutcome, KeyResult, count_outcomes, result_of_error

_SAVE_S = 5.0


def reserve_s(limit: CpuLimit) -> float:
    """Time left in an invocation below which no further key is begun: the slowest takes as long as its limit."""
    return limit.wall_s + _SAVE_S


RESERVE_S = reserve_s(INGEST)

SAVE_INTERVAL_S = 2.0
"""How much work a worker that dies may lose. Each time costs a PUT."""

POLL_TIMEOUT_S, POLL_INTERVAL_S = 12.0, 1.0
"""How long a worker waits for others before it leaves that to the state machine, which waits for nothing."""


@dataclass(slots=True)
class _BatchProgress:
    """The fates of a batch, and when they were written last."""

    job: BulkJob
    number: str
    results: BatchResults
    saved_s: float

    @property
    def pending_keys(self) -> list[str]:
        """The keys that others are at."""
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
    """Carries out ``operations``."""

    operations: Mapping[Operation, OperationHandler]
    observer: Observer
    sleep: Callable[[float], None] = time.sleep
    reserve_s: float = RESERVE_S

    def run(self, run: BulkJob, request: BulkRequest, remaining_s: Callable[[], float]) -> dict[str, object]:
        """Settle the keys of the batch, or as many as there is time for.

        Raises Unfinished where the rest is to be tried at once, Unsettled where others are still at it, GaveUp where
        keys have failed too often. Before it does, what became of each is stored.
        """
        sheet = self._open_batch(run, request)
        careful = sheet.results.starts > 1  # somebody may have died at one of them
        for key in request.keys:
            known = sheet.results.results.get(key)
            if known is not None and (known.is_final or known.outcome is KeyOutcome.PENDING):
                continue
            if (
                remaining_s() < self.reserve_s or is_abandoned()
            ):  # the CPU time of such a render would count for the next key
                break
            self._process(sheet, key, known, request.spec, careful=careful)
            sheet.save_if_due()
        self._poll_pending(sheet, request, remaining_s)
        sheet.save()
        return self._finish(sheet, request)

    def _open_batch(self, run: BulkJob, request: BulkRequest) -> _BatchProgress:
        known = run.read_results(request.number)
        sheet = _BatchProgress(run, request.number, replace(known, starts=known.starts + 1), time.monotonic())
        sheet.save()
        return sheet

    def _process(
        self, sheet: _BatchProgress, key: str, known: KeyResult | None, order: JobSpec, *, careful: bool
    ) -> None:
        attempts = known.attempts if known is not None else 0
        if known is not None and known.outcome is KeyOutcome.STARTED and attempts >= MAX_ATTEMPTS:
            sheet.record(key, KeyResult(KeyOutcome.FAILED, WORKER_DIED, attempts))
            return
        if careful:
            sheet.record(key, KeyResult(KeyOutcome.STARTED, attempts=attempts + 1))
            sheet.save()
        started = time.monotonic()
        entry = self._start(key, order)
        spent_ms = round((time.monotonic() - started) * 1000)
        sheet.record(key, replace(entry, attempts=attempts + 1, ms=spent_ms))

    def _start(self, key: str, order: JobSpec) -> KeyResult:
        try:
            return self.operations[order.operation].start(key, order)
        except Exception as error:  # one key's defect is no other's
            detail = error.detail if isinstance(error, DarkroomError) else traceback.format_exc()
            entry = result_of_error(error)
            self.observer.log("WARNING", "not done", key=key, code=entry.reason, detail=detail)
            return entry

    def _poll_pending(self, sheet: _BatchProgress, request: BulkRequest, remaining_s: Callable[[], float]) -> None:
        """Look for what others were asked for, until all is settled or it takes too long.

        What that was is stored first: nobody else could tell whether it was asked for by this run.
        """
        if not sheet.pending_keys:
            return
        sheet.save()
        until = time.monotonic() + POLL_TIMEOUT_S
        while asked := sheet.pending_keys:
            for key in asked:
                entry = sheet.results.results[key]
                found = self.operations[request.spec.operation].poll(key, entry.mark)
                if found is not None:
                    sheet.record(key, replace(found, attempts=entry.attempts, ms=entry.ms))
            sheet.save_if_due()
            if time.monotonic() >= until or remaining_s() < self.reserve_s:
                return
            if sheet.pending_keys:
                self.sleep(POLL_INTERVAL_S)

    def _finish(self, sheet: _BatchProgress, request: BulkRequest) -> dict[str, object]:
        entries = [sheet.results.results.get(key) for key in request.keys]
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
        self.observer.log("INFO", "worked", run=request.job, batch=request.number, keys=len(request.keys), **counts)
        for outcome, number in counts.items():
            self.observer.count("LibraryKeys", number, outcome=outcome, operation=request.spec.operation.value)
