"""The last step of a run: every key that was listed, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from ..aws.telemetry import Observer
from .job import Batch, BatchResults, BulkJob, require_batches
from .listing import PARALLEL_READS
from .messages import BulkRequest, spec_document
from .results import NOT_TRIED, KeyOutcome, KeyResult, count_outcomes

MAX_FAILED_KEYS = 100
"""Keys that the figures name of those that have failed. All are in the lines."""


@dataclass(frozen=True)
class Reporter:
    """Writes reports."""

    observer: Observer

    def run(self, run: BulkJob, request: BulkRequest) -> dict[str, object]:
        """Write the report; its figures. Raises SourceMissing if nothing was listed.

        ``keys`` is the sum of ``outcomes``: what has no outcome is among those that failed, as ``not-tried``.
        ``stopped`` is the error that ended the run before its end, "" if none did.
        """
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            batches = require_batches(run.read_batches(), run)
            found = [*_all_results(batches, [*pool.map(run.read_results, (batch.number for batch in batches))])]
        run.put_report_lines({"key": key, **entry.to_document} for key, entry in found)
        entries = [entry for _, entry in found]
        failed = [key for key, entry in found if entry.outcome is KeyOutcome.FAILED]
        figures: dict[str, object] = {
            "run": run.name,
            "order": run.read_document(run.spec_key) or spec_document(request.spec),
            "keys": len(found),
            "outcomes": count_outcomes(entries),
            "reasons": dict(Counter(f"{entry.outcome}: {entry.reason}" for entry in entries if entry.reason)),
            "attempts": sum(entry.attempts for entry in entries),
            "ms": sum(entry.ms for entry in entries),
            "unaccounted": sum(entry is NOT_TRIED for entry in entries),
            "failed": failed[:MAX_FAILED_KEYS],
            "stopped": request.stopped,
            "lines": f"s3://{run.media.bucket}/{run.report_lines_key}",
        }
        run.put_document(run.report_key, figures)
        self.observer.log(
            "INFO", "reported", **{name: figures[name] for name in ("run", "keys", "outcomes", "stopped")}
        )
        return {**figures, "failed": len(failed), "report": f"s3://{run.media.bucket}/{run.report_key}"}


def _all_results(batches: list[Batch], fates: list[BatchResults]) -> Iterator[tuple[str, KeyResult]]:
    for batch, known in zip(batches, fates, strict=True):
        for key in batch.keys:
            entry = known.results.get(key)
            yield key, NOT_TRIED if entry is None else entry.for_report
