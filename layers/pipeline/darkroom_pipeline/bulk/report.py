"""The last step of a bulk job: a report with the result of every listed key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from darkroom.aws.telemetry import Observer

from .job import Batch, BatchResults, BulkJob, require_batches
from .listing import PARALLEL_READS
from .messages import BulkRequest, spec_document
from .results import NOT_TRIED, KeyOutcome, KeyResult, count_outcomes

MAX_FAILED_KEYS = 100
"""Failed keys in the summary. All are in the lines."""


@dataclass(frozen=True)
class Reporter:
    """Writes the report."""

    observer: Observer

    def run(self, job: BulkJob, request: BulkRequest) -> dict[str, object]:
        """Write the report; return its summary. Raises SourceMissing if nothing was listed.

        ``keys`` is the sum of ``outcomes``; a key without a result counts as failed, with the reason ``not-tried``.
        ``stopped`` is the error that stopped the job, "" without one.
        """
        with ThreadPoolExecutor(PARALLEL_READS) as pool:
            batches = require_batches(job.read_batches(), job)
            found = [*_all_results(batches, [*pool.map(job.read_results, (batch.number for batch in batches))])]
        job.put_report_lines({"key": key, **entry.to_document} for key, entry in found)
        entries = [entry for _, entry in found]
        failed = [key for key, entry in found if entry.outcome is KeyOutcome.FAILED]
        figures: dict[str, object] = {
            "run": job.name,
            "order": job.read_document(job.spec_key) or spec_document(request.spec),
            "keys": len(found),
            "outcomes": count_outcomes(entries),
            "reasons": dict(Counter(f"{entry.outcome}: {entry.reason}" for entry in entries if entry.reason)),
            "attempts": sum(entry.attempts for entry in entries),
            "ms": sum(entry.ms for entry in entries),
            "unaccounted": sum(entry is NOT_TRIED for entry in entries),
            "failed": failed[:MAX_FAILED_KEYS],
            "stopped": request.stopped,
            "lines": f"s3://{job.media.bucket}/{job.report_lines_key}",
        }
        job.put_document(job.report_key, figures)
        self.observer.log(
            "INFO", "reported", **{name: figures[name] for name in ("run", "keys", "outcomes", "stopped")}
        )
        return {**figures, "failed": len(failed), "report": f"s3://{job.media.bucket}/{job.report_key}"}


def _all_results(batches: list[Batch], fates: list[BatchResults]) -> Iterator[tuple[str, KeyResult]]:
    for batch, known in zip(batches, fates, strict=True):
        for key in batch.keys:
            entry = known.results.get(key)
            yield key, NOT_TRIED if entry is None else entry.for_report
