"""The objects of a bulk job in the media bucket: specification, listing, pending batches, results and report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from darkroom.errors import BadRun, ObjectChanged, SourceMissing
from darkroom.image_keys import LIBRARY

from ..aws.s3 import S3Bucket
from .results import KeyResult, furthest, parse_result

NAME_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
"""A job's name is part of the execution's name, of at most 80 characters, and of keys."""

_JSON, _LINES = {"Content-Type": "application/json"}, {"Content-Type": "application/jsonl"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Keys that one worker processes. ``number`` identifies it within the job."""

    number: str
    keys: tuple[str, ...]

    @property
    def to_line(self) -> str:
        """The batch as a line of a listing, which Step Functions passes to a worker."""
        return json.dumps({"batch": self.number, "keys": self.keys}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class BatchResults:
    """Results of a batch. ``starts``: how many workers have started it. ``etag``: that of the object."""

    results: Mapping[str, KeyResult] = field(default_factory=dict)
    starts: int = 0
    etag: str = ""


@dataclass(frozen=True)
class BulkJob:
    """One bulk job. Raises BadRun for an invalid name, and Unavailable for failures of the bucket."""

    media: S3Bucket
    name: str

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise BadRun("A run's name has up to 40 characters of a-z, 0-9 and -, and no - at either end", field="run")

    @property
    def listing_key(self) -> str:
        """The object with all batches, one JSON line each. It is never changed."""
        return f"{LIBRARY}{self.name}/listing.jsonl"

    @property
    def todo_key(self) -> str:
        """The object with the batches of the current execution."""
        return f"{LIBRARY}{self.name}/todo.jsonl"

    @property
    def spec_key(self) -> str:
        """The object with the specification."""
        return f"{LIBRARY}{self.name}/orders.json"

    @property
    def report_lines_key(self) -> str:
        """The object with one JSON line per key."""
        return f"{LIBRARY}{self.name}/report.jsonl"

    @property
    def report_key(self) -> str:
        """The object with the summary of the report."""
        return f"{LIBRARY}{self.name}/report.json"

    def read_batches(self) -> list[Batch] | None:
        """Return the listing; None before it is written."""
        listing = self.media.read(self.listing_key)
        return None if listing is None else [*parse_batches(listing.decode())]

    def put_batches(self, name: str, batches: Iterable[Batch]) -> None:
        """Write batches to the object ``name``."""
        body = "".join(f"{batch.to_line}\n" for batch in batches).encode()
        self.media.put(name, body, headers=_LINES, metadata={})

    def put_report_lines(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Write the lines of the report."""
        body = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
        self.media.put(self.report_lines_key, body, headers=_LINES, metadata={})

    def put_document(self, name: str, document: Mapping[str, object]) -> None:
        """Write a JSON document to the object ``name``."""
        body = json.dumps(document, ensure_ascii=False, indent=1).encode()
        self.media.put(name, body, headers=_JSON, metadata={})

    def read_document(self, name: str) -> dict[str, Any] | None:
        """Return the JSON document ``name``; None if it does not exist."""
        document = self.media.read(name)
        return None if document is None else dict(json.loads(document))

    def read_results(self, number: str) -> BatchResults:
        """Return the results of a batch so far."""
        opened = self.media.open(self._results_key(number))
        if opened is None:
            return BatchResults()
        with opened.body as body:
            document = json.loads(body.read())
        entries = {key: parse_result(entry) for key, entry in document["entries"].items()}
        return BatchResults(entries, int(document["begun"]), opened.head.etag)

    def put_results(self, number: str, fates: BatchResults) -> BatchResults:
        """Write the results of a batch, merged with those that another worker has written; return them as stored."""
        while True:
            entries = {key: entry.to_document for key, entry in fates.results.items()}
            document = {"begun": fates.starts, "entries": entries}
            body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
            try:
                etag = self.media.put(self._results_key(number), body, headers=_JSON, metadata={}, replaces=fates.etag)
            except ObjectChanged:
                fates = merge_results(fates, self.read_results(number))
            else:
                return BatchResults(fates.results, fates.starts, etag)

    def _results_key(self, number: str) -> str:
        return f"{LIBRARY}{self.name}/outcomes/{number}.json"


def merge_results(ours: BatchResults, theirs: BatchResults) -> BatchResults:
    """Merge the results of two workers at one batch, to be written over those of the second."""
    both = {key: furthest(theirs.results[key], entry) for key, entry in ours.results.items() if key in theirs.results}
    return BatchResults({**theirs.results, **ours.results, **both}, max(ours.starts, theirs.starts), theirs.etag)


def parse_batches(text: str) -> Iterator[Batch]:
    """Parse the batches of a listing."""
    for line in text.split("\n"):  # a key may contain other line separators
        if line:
            document = json.loads(line)
            yield Batch(str(document["batch"]), tuple(map(str, document["keys"])))


def require_batches(batches: list[Batch] | None, job: BulkJob) -> list[Batch]:
    """Return ``batches``. Raises SourceMissing if nothing was listed."""
    if batches is None:
        raise SourceMissing(f"Nothing was listed for a run named {job.name}")
    return batches
