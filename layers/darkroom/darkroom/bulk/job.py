"""The objects of a run in the media bucket: what was listed, what is left, what became of each key, the report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..aws.s3 import S3Bucket
from ..errors import BadRun, ObjectChanged, SourceMissing
from ..services.s3_keys import LIBRARY
from .results import KeyResult, furthest, parse_result

NAME_PATTERN = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
"""A run's name is part of an execution's, which has 80 characters, and of keys."""

_JSON, _LINES = {"Content-Type": "application/json"}, {"Content-Type": "application/jsonl"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Keys that one worker takes in one go. ``number`` names it within its run."""

    number: str
    keys: tuple[str, ...]

    @property
    def to_line(self) -> str:
        """As a line of a listing, which Step Functions hands to a worker."""
        return json.dumps({"batch": self.number, "keys": self.keys}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class BatchResults:
    """What became of the keys of a batch. ``begun``: how many workers have begun with it. ``etag``: of the object."""

    results: Mapping[str, KeyResult] = field(default_factory=dict)
    starts: int = 0
    etag: str = ""


@dataclass(frozen=True)
class BulkJob:
    """One run. Faults are Unavailable; its name is checked when it is made, and BadRun raised for a wrong one."""

    media: S3Bucket
    name: str

    def __post_init__(self) -> None:
        if not NAME_PATTERN.fullmatch(self.name):
            raise BadRun(
                "A run's name has up to 40 characters of a-z, 0-9 and -, none of those at either end", field="run"
            )

    @property
    def listing_key(self) -> str:
        """The object with all batches, a JSON line each. Once written, it is what the run is about."""
        return f"{LIBRARY}{self.name}/listing.jsonl"

    @property
    def todo_key(self) -> str:
        """The object with those batches that an execution is to work on."""
        return f"{LIBRARY}{self.name}/todo.jsonl"

    @property
    def spec_key(self) -> str:
        """The object with what the run was asked to do."""
        return f"{LIBRARY}{self.name}/orders.json"

    @property
    def report_lines_key(self) -> str:
        """The object with one JSON line a key."""
        return f"{LIBRARY}{self.name}/report.jsonl"

    @property
    def report_key(self) -> str:
        """The object with the report's figures."""
        return f"{LIBRARY}{self.name}/report.json"

    def read_batches(self) -> list[Batch] | None:
        """What was listed; None if nothing has been yet."""
        text = self._read(self.listing_key)
        return None if text is None else [*parse_batches(text)]

    def put_batches(self, name: str, batches: Iterable[Batch]) -> None:
        """Write a listing under ``name``."""
        body = "".join(f"{batch.to_line}\n" for batch in batches).encode()
        self.media.put(name, body, headers=_LINES, metadata={})

    def put_report_lines(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Write the report's lines."""
        body = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
        self.media.put(self.report_lines_key, body, headers=_LINES, metadata={})

    def put_document(self, name: str, document: Mapping[str, object]) -> None:
        """Write a small JSON object under ``name``."""
        body = json.dumps(document, ensure_ascii=False, indent=1).encode()
        self.media.put(name, body, headers=_JSON, metadata={})

    def read_document(self, name: str) -> dict[str, Any] | None:
        """What was written under ``name``; None if nothing was."""
        text = self._read(name)
        return None if text is None else dict(json.loads(text))

    def read_results(self, number: str) -> BatchResults:
        """What became of a batch so far."""
        opened = self.media.open(self._results_key(number))
        if opened is None:
            return BatchResults()
        with opened.body as body:
            document = json.loads(body.read())
        entries = {key: parse_result(entry) for key, entry in document["entries"].items()}
        return BatchResults(entries, int(document["begun"]), opened.head.etag)

    def put_results(self, number: str, fates: BatchResults) -> BatchResults:
        """Write what became of a batch, together with what another worker has written since; as it is then."""
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

    def _read(self, name: str) -> str | None:
        opened = self.media.open(name)
        if opened is None:
            return None
        with opened.body as body:
            return body.read().decode()


def merge_results(ours: BatchResults, theirs: BatchResults) -> BatchResults:
    """What two workers at one batch know together, to be put over what the second has written."""
    both = {key: furthest(theirs.results[key], entry) for key, entry in ours.results.items() if key in theirs.results}
    return BatchResults({**theirs.results, **ours.results, **both}, max(ours.starts, theirs.starts), theirs.etag)


def parse_batches(text: str) -> Iterator[Batch]:
    """The batches of a listing; raises BadRun for what is none."""
    for line in text.split("\n"):  # a key may hold what else ends a line
        if line:
            document = json.loads(line)
            yield Batch(str(document["batch"]), tuple(map(str, document["keys"])))


def require_batches(batches: list[Batch] | None, run: BulkJob) -> list[Batch]:
    """``batches``, unless there are none; raises SourceMissing."""
    if batches is None:
        raise SourceMissing(f"Nothing was listed for a run named {run.name}")
    return batches
