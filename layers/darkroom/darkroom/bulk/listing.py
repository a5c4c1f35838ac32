"""The first step of a run: which keys there are, in batches, and which of them are still to be done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import batched

from ..aws.s3 import S3Bucket
from ..aws.telemetry import Observer
from ..errors import BadKey, BadRun
from ..services.s3_keys import UPLOADS, ObjectNames
from .inventory import read_inventory, read_key_list
from .job import Batch, BatchResults, BulkJob
from .messages import BulkRequest, JobSpec, Operation, spec_document
from .results import KeyResult

PARALLEL_READS = 32
"""Outcomes that are read at the same time: each is small, and 30 ms away."""


@dataclass(frozen=True)
class Lister:
    """``uploads`` is what ingest takes in; masters are in ``source`` by ``source_names``.

    ``vault`` opens a bucket by its name. ``most``: workers at a time, whatever a run asks for.
    """

    uploads: S3Bucket
    source: S3Bucket
    source_names: ObjectNames
    vault: Callable[[str], S3Bucket]
    max_concurrency: int
    observer: Observer

    def run(self, run: BulkJob, request: BulkRequest) -> dict[str, object]:
        """List, unless that was done under this name before; what the state machine goes on with. Raises BadRun."""
        known = run.read_document(run.spec_key)
        order = spec_document(request.spec)
        if known is not None and known != order:
            raise BadRun(f"The run {run.name} is another one: {known}", field="run")
        batches = run.read_batches()
        if batches is None:
            run.put_document(run.spec_key, order)
            batches = [*_split_batches(self.list_keys(request.spec), request.batch_size)]
            run.put_batches(run.listing_key, batches)
        todo = [*_unsettled_batches(run, batches)]
        run.put_batches(run.todo_key, todo)
        self.observer.log("INFO", "listed", run=run.name, batches=len(batches), todo=len(todo))
        return {
            "run": run.name,
            "order": order,
            "todo": run.todo_key,
            "batches": len(todo),
            "concurrency": min(request.concurrency or self.max_concurrency, self.max_concurrency),
            "tolerated": request.tolerated_percent,
        }

    def list_keys(self, order: JobSpec) -> Iterator[str]:
        """The keys that ``order`` is about, each once. Raises BadRun, Unavailable."""
        return iter(dict.fromkeys(self._keys(order)))

    def _keys(self, order: JobSpec) -> Iterator[str]:
        bucket, names = self._place(order)
        if order.keys:
            yield from (key for key in read_key_list(order.keys, self.vault) if key.startswith(order.prefix))
            return
        for name in self._names(order, bucket, names):
            if name.startswith(names.prefix) and not name.endswith("/"):
                yield from (key for key in self._key(name, names) if key.startswith(order.prefix))

    def _place(self, order: JobSpec) -> tuple[S3Bucket, ObjectNames]:
        """Where the pictures of ``order`` are, and by which names."""
        if order.operation is not Operation.INGEST:
            return self.source, self.source_names
        return (self.vault(order.source) if order.source else self.uploads), UPLOADS

    def _names(self, order: JobSpec, bucket: S3Bucket, names: ObjectNames) -> Iterator[str]:
        if order.inventory:
            return read_inventory(order.inventory, bucket.bucket, self.vault)
        return (one.key for page in bucket.list_pages(names.name(order.prefix)) for one in page)

    def _key(self, name: str, names: ObjectNames) -> Iterator[str]:
        """The key of the object ``name``; none if it was put there by hand under a name that no key has."""
        try:
            yield names.key(name)
        except BadKey:
            self.observer.log("WARNING", "name is not an encoded key", name=name)


def _split_batches(keys: Iterable[str], size: int) -> Iterator[Batch]:
    for number, some in enumerate(batched(keys, size, strict=False)):
        yield Batch(f"{number:06}", some)


def _unsettled_batches(run: BulkJob, batches: list[Batch]) -> Iterator[Batch]:
    """What is left of ``batches``. What has failed, or was left in the middle, is forgotten, and so tried anew."""
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        found = pool.map(run.read_results, (batch.number for batch in batches))
        for batch, fates in zip(batches, found, strict=True):
            settled = {key: entry for key, entry in fates.results.items() if entry.is_settled}
            if len(settled) == len(batch.keys):
                continue
            if fates.starts:
                _reset_results(run, batch, fates, settled)
            yield replace(batch, keys=tuple(key for key in batch.keys if key not in settled))


def _reset_results(run: BulkJob, batch: Batch, fates: BatchResults, settled: dict[str, KeyResult]) -> None:
    run.put_results(batch.number, BatchResults(settled, 0, fates.etag))
