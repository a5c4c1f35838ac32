"""The first step of a bulk job: list the keys in batches, and find those that are not finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import batched

from darkroom.aws.telemetry import Observer
from darkroom.errors import BadKey, BadRun
from darkroom.image_keys import UPLOADS, ObjectNames

from ..aws.s3 import S3Bucket
from .inventory import read_inventory, read_key_list
from .job import Batch, BatchResults, BulkJob
from .messages import BulkRequest, JobSpec, Operation, spec_document
from .results import KeyResult

PARALLEL_READS = 32
"""Parallel reads of results: each is small and takes 30 ms."""


@dataclass(frozen=True)
class JobKeys:
    """The keys that a job is about. ``uploads`` is the bucket of ingest; masters are in ``source`` by ``source_names``.

    ``vault`` opens a bucket by name. ``skip`` is called with the names of objects that no key has.
    """

    uploads: S3Bucket
    source: S3Bucket
    source_names: ObjectNames
    vault: Callable[[str], S3Bucket]
    skip: Callable[[str], object]

    def list_keys(self, spec: JobSpec) -> Iterator[str]:
        """Yield the keys of ``spec``, each once. Raises BadRun, Unavailable."""
        return iter(dict.fromkeys(self._keys(spec)))

    def _keys(self, spec: JobSpec) -> Iterator[str]:
        bucket, names = self._place(spec)
        if spec.keys:
            yield from (key for key in read_key_list(spec.keys, self.vault) if key.startswith(spec.prefix))
            return
        for name in self._names(spec, bucket, names):
            if name.startswith(names.prefix) and not name.endswith("/"):
                yield from (key for key in self._key(name, names) if key.startswith(spec.prefix))

    def _place(self, spec: JobSpec) -> tuple[S3Bucket, ObjectNames]:
        """Return the bucket of the keys of ``spec``, and their names in it."""
        if spec.operation is not Operation.INGEST:
            return self.source, self.source_names
        return (self.vault(spec.source) if spec.source else self.uploads), UPLOADS

    def _names(self, spec: JobSpec, bucket: S3Bucket, names: ObjectNames) -> Iterator[str]:
        if spec.inventory:
            return read_inventory(spec.inventory, bucket.bucket, self.vault)
        return (one.key for page in bucket.list_pages(names.name(spec.prefix)) for one in page)

    def _key(self, name: str, names: ObjectNames) -> Iterator[str]:
        """Yield the key of the object ``name``; nothing if no key has this name."""
        try:
            yield names.key(name)
        except BadKey:
            self.skip(name)


@dataclass(frozen=True)
class Lister:
    """Lists ``keys``. ``max_concurrency`` limits the workers of a job."""

    keys: JobKeys
    max_concurrency: int
    observer: Observer

    def run(self, job: BulkJob, request: BulkRequest) -> dict[str, object]:
        """List the keys unless the job has a listing; return the output of the state. Raises BadRun."""
        known = job.read_document(job.spec_key)
        spec = spec_document(request.spec)
        if known is not None and known != spec:
            raise BadRun(f"The run {job.name} has another specification: {known}", field="run")
        batches = job.read_batches()
        if batches is None:
            job.put_document(job.spec_key, spec)
            batches = [*_split_batches(self.keys.list_keys(request.spec), request.batch_size)]
            job.put_batches(job.listing_key, batches)
        todo = [*_unsettled_batches(job, batches)]
        job.put_batches(job.todo_key, todo)
        self.observer.log("INFO", "bulk job listed", run=job.name, batches=len(batches), todo=len(todo))
        return {
            "run": job.name,
            "order": spec,
            "todo": job.todo_key,
            "batches": len(todo),
            "concurrency": min(request.concurrency or self.max_concurrency, self.max_concurrency),
            "tolerated": request.tolerated_percent,
        }


def _split_batches(keys: Iterable[str], size: int) -> Iterator[Batch]:
    for number, some in enumerate(batched(keys, size, strict=False)):
        yield Batch(f"{number:06}", some)


def _unsettled_batches(job: BulkJob, batches: list[Batch]) -> Iterator[Batch]:
    """Yield the unfinished part of ``batches``. Failed and interrupted keys are reset, and so tried again."""
    with ThreadPoolExecutor(PARALLEL_READS) as pool:
        found = pool.map(job.read_results, (batch.number for batch in batches))
        for batch, fates in zip(batches, found, strict=True):
            settled = {key: entry for key, entry in fates.results.items() if entry.is_settled}
            if len(settled) == len(batch.keys):
                continue
            if fates.starts:
                _reset_results(job, batch, fates, settled)
            yield replace(batch, keys=tuple(key for key in batch.keys if key not in settled))


def _reset_results(job: BulkJob, batch: Batch, fates: BatchResults, settled: dict[str, KeyResult]) -> None:
    job.put_results(batch.number, BatchResults(settled, 0, fates.etag))
