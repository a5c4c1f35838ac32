"""The second step of a run: one batch, key by key. Killed at any line, it is done again from where it was."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ...aws.telemetry.protocol import Observer
from ...errors import DarkroomError, GaveUp, Unfinished, Unsettled
from ..deadline import INGEST, CpuLimit, is_abandoned
from .operations import Operation
from .outcomes import TRIES, WORKER_DIED, Entry, Outcome, of_error, tally
from .requests import Doing, Order, Request
from .runs import Fates, Run

_STORING_S = 5.0


def spare_of(limit: CpuLimit) -> float:
    """Time left in an invocation below which no further key is begun: the slowest takes as long as its limit."""
    return limit.wall_s + _STORING_S


SPARE_S = spare_of(INGEST)

SAVED_EVERY_S = 2.0
"""How much work a worker that dies may lose. Each time costs a PUT."""

LOOKED_FOR_S, LOOK_EVERY_S = 12.0, 1.0
"""How long a worker waits for others before it leaves that to the state machine, which waits for nothing."""


@dataclass(slots=True)
class _Sheet:
    """The fates of a batch, and when they were written last."""

    run: Run
    number: str
    fates: Fates
    saved_s: float

    @property
    def asked(self) -> list[str]:
        """The keys that others are at."""
        return [key for key, entry in self.fates.entries.items() if entry.outcome is Outcome.ASKED]

    def note(self, key: str, entry: Entry) -> None:
        self.fates = replace(self.fates, entries={**self.fates.entries, key: entry})

    def save(self) -> None:
        self.fates = self.run.put_fates(self.number, self.fates)
        self.saved_s = time.monotonic()

    def save_at_times(self) -> None:
        if time.monotonic() - self.saved_s >= SAVED_EVERY_S:
            self.save()


@dataclass(frozen=True)
class Worker:
    """Carries out ``operations``."""

    operations: Mapping[Doing, Operation]
    observer: Observer
    sleep: Callable[[float], None] = time.sleep
    spare_s: float = SPARE_S

    def run(self, run: Run, request: Request, remaining_s: Callable[[], float]) -> dict[str, object]:
        """Settle the keys of the batch, or as many as there is time for.

        Raises Unfinished where the rest is to be tried at once, Unsettled where others are still at it, GaveUp where
        keys have failed too often. Before it does, what became of each is stored.
        """
        sheet = self._opened(run, request)
        careful = sheet.fates.begun > 1  # somebody may have died at one of them
        for key in request.keys:
            known = sheet.fates.entries.get(key)
            if known is not None and (known.over or known.outcome is Outcome.ASKED):
                continue
            if (
                remaining_s() < self.spare_s or is_abandoned()
            ):  # the CPU time of such a render would count for the next key
                break
            self._take(sheet, key, known, request.order, careful=careful)
            sheet.save_at_times()
        self._wait(sheet, request, remaining_s)
        sheet.save()
        return self._ended(sheet, request)

    def _opened(self, run: Run, request: Request) -> _Sheet:
        known = run.fates(request.number)
        sheet = _Sheet(run, request.number, replace(known, begun=known.begun + 1), time.monotonic())
        sheet.save()
        return sheet

    def _take(self, sheet: _Sheet, key: str, known: Entry | None, order: Order, *, careful: bool) -> None:
        attempts = known.attempts if known is not None else 0
        if known is not None and known.outcome is Outcome.STARTED and attempts >= TRIES:
            sheet.note(key, Entry(Outcome.FAILED, WORKER_DIED, attempts))
            return
        if careful:
            sheet.note(key, Entry(Outcome.STARTED, attempts=attempts + 1))
            sheet.save()
        started = time.monotonic()
        entry = self._begun(key, order)
        spent_ms = round((time.monotonic() - started) * 1000)
        sheet.note(key, replace(entry, attempts=attempts + 1, ms=spent_ms))

    def _begun(self, key: str, order: Order) -> Entry:
        try:
            return self.operations[order.doing].begin(key, order)
        except Exception as error:  # one key's defect is no other's
            detail = error.detail if isinstance(error, DarkroomError) else traceback.format_exc()
            entry = of_error(error)
            self.observer.log("WARNING", "not done", key=key, code=entry.reason, detail=detail)
            return entry

    def _wait(self, sheet: _Sheet, request: Request, remaining_s: Callable[[], float]) -> None:
        """Look for what others were asked for, until all is settled or it takes too long.

        What that was is stored first: nobody else could tell whether it was asked for by this run.
        """
        if not sheet.asked:
            return
        sheet.save()
        until = time.monotonic() + LOOKED_FOR_S
        while asked := sheet.asked:
            for key in asked:
                entry = sheet.fates.entries[key]
                found = self.operations[request.order.doing].look(key, entry.mark)
                if found is not None:
                    sheet.note(key, replace(found, attempts=entry.attempts, ms=entry.ms))
            sheet.save_at_times()
            if time.monotonic() >= until or remaining_s() < self.spare_s:
                return
            if sheet.asked:
                self.sleep(LOOK_EVERY_S)

    def _ended(self, sheet: _Sheet, request: Request) -> dict[str, object]:
        entries = [sheet.fates.entries.get(key) for key in request.keys]
        self._count(request, [entry for entry in entries if entry is not None])
        where = f"batch {request.number} of {request.run}"
        if any(entry is None or not (entry.over or entry.outcome is Outcome.ASKED) for entry in entries):
            raise Unfinished(detail=where)
        if any(entry is not None and entry.outcome is Outcome.ASKED for entry in entries):
            raise Unsettled(detail=where)
        if any(entry is not None and not entry.settled for entry in entries):
            raise GaveUp(detail=where)
        return {"batch": request.number, **tally(entry for entry in entries if entry is not None)}

    def _count(self, request: Request, entries: list[Entry]) -> None:
        counts = tally(entries)
        self.observer.log("INFO", "worked", run=request.run, batch=request.number, keys=len(request.keys), **counts)
        for outcome, number in counts.items():
            self.observer.count("LibraryKeys", number, outcome=outcome, operation=request.order.doing.value)
