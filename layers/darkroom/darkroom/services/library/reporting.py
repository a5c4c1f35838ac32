"""The last step of a run: every key that was listed, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ...aws.telemetry.protocol import Observer
from .listing import READS_AT_ONCE
from .outcomes import NOT_TRIED, Entry, Outcome, tally
from .requests import Request, written
from .runs import Batch, Fates, Run, required

SHOWN = 100
"""Keys that the figures name of those that have failed. All are in the lines."""


@dataclass(frozen=True)
class Reporter:
    """Writes reports."""

    observer: Observer

    def run(self, run: Run, request: Request) -> dict[str, object]:
        """Write the report; its figures. Raises SourceMissing if nothing was listed.

        ``keys`` is the sum of ``outcomes``: what has no outcome is among those that failed, as ``not-tried``.
        ``stopped`` is the error that ended the run before its end, "" if none did.
        """
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            batches = required(run.batches(), run)
            found = [*_fates(batches, [*pool.map(run.fates, (batch.number for batch in batches))])]
        run.put_lines({"key": key, **entry.document} for key, entry in found)
        entries = [entry for _, entry in found]
        failed = [key for key, entry in found if entry.outcome is Outcome.FAILED]
        figures: dict[str, object] = {
            "run": run.name,
            "order": run.document(run.orders) or written(request.order),
            "keys": len(found),
            "outcomes": tally(entries),
            "reasons": dict(Counter(f"{entry.outcome}: {entry.reason}" for entry in entries if entry.reason)),
            "attempts": sum(entry.attempts for entry in entries),
            "ms": sum(entry.ms for entry in entries),
            "unaccounted": sum(entry is NOT_TRIED for entry in entries),
            "failed": failed[:SHOWN],
            "stopped": request.stopped,
            "lines": f"s3://{run.media.bucket}/{run.lines}",
        }
        run.put_document(run.summary, figures)
        self.observer.log(
            "INFO", "reported", **{name: figures[name] for name in ("run", "keys", "outcomes", "stopped")}
        )
        return {**figures, "failed": len(failed), "report": f"s3://{run.media.bucket}/{run.summary}"}


def _fates(batches: list[Batch], fates: list[Fates]) -> Iterator[tuple[str, Entry]]:
    for batch, known in zip(batches, fates, strict=True):
        for key in batch.keys:
            entry = known.entries.get(key)
            yield key, NOT_TRIED if entry is None else entry.reported
