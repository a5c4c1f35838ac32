"""Findings in S3 and in the index, replaced by optimistic concurrency."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from darkroom.errors import ObjectChanged
from darkroom.findings import FACES, TEXT, Face, Finding, Findings, Region, TextLine
from darkroom_pipeline.aws.documents import Document, DocumentStore
from darkroom_pipeline.aws.findings_store import (
    FindingsRecord,
    FindingsStore,
    Verdict,
    VerdictTable,
    item_name,
    sidecar_name,
)
from darkroom_pipeline.aws.s3 import S3Bucket
from tests.component.services.ingest_environment import make_table

from .stored import keys, put

_numbers = itertools.count(1)
KEY = "trips/Rom 2026.jpg"
FOUND = Findings(
    "1", "e", {FACES: Finding(FACES, "m", "1", faces=(Face(Region(0.1, 0.2, 0.3, 0.4), 0.9),))}, (TEXT,), "2026-11-25"
)


@pytest.fixture
def table(aws: Callable[[str], Any]) -> str:
    name = f"entries-{next(_numbers)}"
    make_table(aws("dynamodb"), name)
    return name


@pytest.fixture
def entries(aws: Callable[[str], Any], table: str) -> DocumentStore:
    return DocumentStore(aws("dynamodb"), table)


@pytest.fixture
def archive(vault: S3Bucket, entries: DocumentStore) -> FindingsStore:
    return FindingsStore(vault, entries)


def test_replacing_an_entry_needs_its_current_version(entries: DocumentStore) -> None:
    assert entries.get("a") == Document({}, 0)
    assert entries.put("a", {"text": "x", "number": 0.5, "count": 3, "set": True}, replaces=0)
    assert entries.get("a") == Document({"text": "x", "number": 0.5, "count": 3, "set": True}, 1)
    assert not entries.put("a", {"text": "y"}, replaces=0)
    assert entries.put("a", {"text": "z"}, replaces=1)
    assert not entries.put("a", {"text": "y"}, replaces=1)
    assert entries.get("a") == Document({"text": "z"}, 2)


def test_deleting_an_entry_needs_its_current_version(entries: DocumentStore) -> None:
    entries.put("a", {"text": "x"}, replaces=0)
    entries.put("a", {"text": "y"}, replaces=1)
    assert not entries.delete("a", seen=1)
    assert entries.delete("a", seen=2)
    assert not entries.delete("a", seen=2)
    assert entries.get("a").version == 0


def test_replacing_a_sidecar_needs_its_current_version(archive: FindingsStore) -> None:
    assert archive.read_sidecar("1", KEY) is None
    archive.put_sidecar(KEY, FOUND, replaces=None)
    seen = archive.read_sidecar("1", KEY)
    assert seen is not None
    assert seen.findings == FOUND
    with pytest.raises(ObjectChanged):
        archive.put_sidecar(KEY, FOUND, replaces=None)
    archive.put_sidecar(KEY, replace(FOUND, pending=()), replaces=seen)
    with pytest.raises(ObjectChanged):
        archive.put_sidecar(KEY, FOUND, replaces=seen)
    assert keys(archive.media) == ["findings/1/trips/Rom.-202026.jpg.json"]


def test_a_sidecar_that_is_none_can_be_replaced(archive: FindingsStore) -> None:
    put(archive.media, sidecar_name("1", KEY), b"{")
    seen = archive.read_sidecar("1", KEY)
    assert seen is not None
    assert seen.findings is None
    archive.put_sidecar(KEY, FOUND, replaces=seen)
    again = archive.read_sidecar("1", KEY)
    assert again is not None
    assert again.findings == FOUND


def test_the_item_has_the_recorded_fields(archive: FindingsStore) -> None:
    assert archive.read_record(KEY) == FindingsRecord()
    first = FindingsRecord(FOUND, "id", "digest", True, False)
    written = archive.write_record(KEY, first)
    assert written == replace(first, version=1) == archive.read_record(KEY)
    assert archive.write_record(KEY, first) is None
    assert archive.write_record(KEY, replace(written, flagged=None, announced=True)) is not None
    assert archive.read_record(KEY) == FindingsRecord(FOUND, "id", "digest", None, True, 2)


def test_ingest_reads_the_verdict_from_it(archive: FindingsStore, aws: Callable[[str], Any], table: str) -> None:
    verdicts = VerdictTable(aws("dynamodb"), table)
    written = archive.write_record(KEY, FindingsRecord(FOUND, "id", "digest", False))
    assert verdicts.get(KEY) == Verdict("digest", "e", False)
    assert written is not None
    archive.write_record(KEY, replace(written, flagged=None))
    assert verdicts.get(KEY) is None


def test_a_book_fits_into_the_item_and_is_whole_in_the_sidecar(archive: FindingsStore) -> None:
    corners = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2))
    book = Finding(TEXT, "m", "1", lines=tuple(TextLine(corners, f"{number} ÄÖÜ" * 20, 0.9) for number in range(4000)))
    findings = Findings("1", "e", {TEXT: book})
    archive.put_sidecar(KEY, findings, replaces=None)
    archive.write_record(KEY, FindingsRecord(findings, "id", "digest"))
    seen, noted = archive.read_sidecar("1", KEY), archive.read_record(KEY).findings
    assert seen is not None
    assert seen.findings == findings
    assert noted is not None
    assert 300 < len(noted.found[TEXT].lines) < 4000
    assert noted.found[TEXT].lines == book.lines[: len(noted.found[TEXT].lines)]


def test_forgetting_takes_what_was_seen_of_every_generation_and_nothing_else(archive: FindingsStore) -> None:
    for generation in ("1", "2", "b"):
        archive.put_sidecar(KEY, replace(FOUND, generation=generation), replaces=None)
        archive.put_sidecar(KEY + ".json", replace(FOUND, generation=generation), replaces=None)
    archive.write_record(KEY, FindingsRecord(FOUND))
    seen, noted = archive.list_sidecars(KEY), archive.read_record(KEY)
    assert len(seen) == 3
    newer = archive.read_sidecar("2", KEY)
    archive.put_sidecar(KEY, replace(FOUND, generation="2", analysed_at="later"), replaces=newer)
    assert archive.delete(KEY, seen, noted) == 3
    assert [name for name in keys(archive.media) if not name.endswith(".json.json")] == [sidecar_name("2", KEY)]
    assert len(keys(archive.media)) == 4
    assert archive.read_record(KEY) == FindingsRecord()


def test_an_item_that_was_written_meanwhile_stays(archive: FindingsStore) -> None:
    archive.write_record(KEY, FindingsRecord(FOUND))
    noted = archive.read_record(KEY)
    archive.write_record(KEY, noted)
    assert archive.delete(KEY, [], noted) == 0
    assert archive.read_record(KEY).version == 2
    assert item_name(KEY) == f"findings#{KEY}"
