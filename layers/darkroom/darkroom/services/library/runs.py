"""The objects of a run in the media bucket: what was listed, what is left, what became of each key, the report."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...aws.s3 import S3Bucket
from ...errors import BadRun, ObjectChanged, SourceMissing
from ..s3_keys import LIBRARY
from .outcomes import Entry, further, read_entry

NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
"""A run's name is part of an execution's, which has 80 characters, and of keys."""

_JSON, _LINES = {"Content-Type": "application/json"}, {"Content-Type": "application/jsonl"}


@dataclass(frozen=True, slots=True)
class Batch:
    """Keys that one worker takes in one go. ``number`` names it within its run."""

    number: str
    keys: tuple[str, ...]

    @property
    def line(self) -> str:
        """As a line of a listing, which Step Functions hands to a worker."""
        return json.dumps({"batch": self.number, "keys": self.keys}, ensure_ascii=False, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class Fates:
    """What became of the keys of a batch. ``begun``: how many workers have begun with it. ``etag``: of the object."""

    entries: Mapping[str, Entry] = field(default_factory=dict)
    begun: int = 0
    etag: str = ""


@dataclass(frozen=True)
class Run:
    """One run. Faults are Unavailable; its name is checked when it is made, and BadRun raised for a wrong one."""

    media: S3Bucket
    name: str

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise BadRun(
                "A run's name has up to 40 characters of a-z, 0-9 and -, none of those at either end", field="run"
            )

    @property
    def listing(self) -> str:
        """The object with all batches, a JSON line each. Once written, it is what the run is about."""
        return f"{LIBRARY}{self.name}/listing.jsonl"

    @property
    def todo(self) -> str:
        """The object with those batches that an execution is to work on."""
        return f"{LIBRARY}{self.name}/todo.jsonl"

    @property
    def orders(self) -> str:
        """The object with what the run was asked to do."""
        return f"{LIBRARY}{self.name}/orders.json"

    @property
    def lines(self) -> str:
        """The object with one JSON line a key."""
        return f"{LIBRARY}{self.name}/report.jsonl"

    @property
    def summary(self) -> str:
        """The object with the report's figures."""
        return f"{LIBRARY}{self.name}/report.json"

    def batches(self) -> list[Batch] | None:
        """What was listed; None if nothing has been yet."""
        text = self._read(self.listing)
        return None if text is None else [*read_batches(text)]

    def put_batches(self, name: str, batches: Iterable[Batch]) -> None:
        """Write a listing under ``name``."""
        body = "".join(f"{batch.line}\n" for batch in batches).encode()
        self.media.put(name, body, headers=_LINES, metadata={})

    def put_lines(self, lines: Iterable[Mapping[str, object]]) -> None:
        """Write the report's lines."""
        body = b"".join(json.dumps(line, ensure_ascii=False).encode() + b"\n" for line in lines)
        self.media.put(self.lines, body, headers=_LINES, metadata={})

    def put_document(self, name: str, document: Mapping[str, object]) -> None:
        """Write a small JSON object under ``name``."""
        body = json.dumps(document, ensure_ascii=False, indent=1).encode()
        self.media.put(name, body, headers=_JSON, metadata={})

    def document(self, name: str) -> dict[str, Any] | None:
        """What was written under ``name``; None if nothing was."""
        text = self._read(name)
        return None if text is None else dict(json.loads(text))

    def fates(self, number: str) -> Fates:
        """What became of a batch so far."""
        opened = self.media.open(self._fates(number))
        if opened is None:
            return Fates()
        with opened.body as body:
            document = json.loads(body.read())
        entries = {key: read_entry(entry) for key, entry in document["entries"].items()}
        return Fates(entries, int(document["begun"]), opened.head.etag)

    def put_fates(self, number: str, fates: Fates) -> Fates:
        """Write what became of a batch, together with what another worker has written since; as it is then."""
        while True:
            entries = {key: entry.document for key, entry in fates.entries.items()}
            document = {"begun": fates.begun, "entries": entries}
            body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
            try:
                etag = self.media.put(self._fates(number), body, headers=_JSON, metadata={}, replaces=fates.etag)
            except ObjectChanged:
                fates = merged(fates, self.fates(number))
            else:
                return Fates(fates.entries, fates.begun, etag)

    def _fates(self, number: str) -> str:
        return f"{LIBRARY}{self.name}/outcomes/{number}.json"

    def _read(self, name: str) -> str | None:
        opened = self.media.open(name)
        if opened is None:
            return None
        with opened.body as body:
            return body.read().decode()


def merged(ours: Fates, theirs: Fates) -> Fates:
    """What two workers at one batch know together, to be put over what the second has written."""
    both = {key: further(theirs.entries[key], entry) for key, entry in ours.entries.items() if key in theirs.entries}
    return Fates({**theirs.entries, **ours.entries, **both}, max(ours.begun, theirs.begun), theirs.etag)


def read_batches(text: str) -> Iterator[Batch]:
    """The batches of a listing; raises BadRun for what is none."""
    for line in text.split("\n"):  # a key may hold what else ends a line
        if line:
            document = json.loads(line)
            yield Batch(str(document["batch"]), tuple(map(str, document["keys"])))


def required(batches: list[Batch] | None, run: Run) -> list[Batch]:
    """``batches``, unless there are none; raises SourceMissing."""
    if batches is None:
        raise SourceMissing(f"Nothing was listed for a run named {run.name}")
    return batches
