"""Which images are in a manifest, and which labels a reviewer gave them."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from darkroom.findings import MODERATION, Finding, Findings, Label
from darkroom.image_keys import MASTERS
from darkroom_analysis.mlops.manifests import Manifests
from darkroom_pipeline.aws.findings_store import FindingsRecord
from darkroom_pipeline.aws.record import HELD, READY, HeldUpload, MasterRef, Record

FOUND = {MODERATION: Finding(MODERATION, "nsfw", "1", labels=(Label("unsafe", 0.9),), flagged=True)}
SERVED, WAITING = MasterRef(etag='"served"'), MasterRef(etag='"held"')


def write(record: Record, analysed_etag: str) -> list[dict[str, Any]]:
    """Write manifests with the image of ``record``; return their lines."""
    bodies: list[bytes] = []
    media: Any = SimpleNamespace(bucket="media", put=lambda key, body, **_: bodies.append(body))
    noted = FindingsRecord(Findings("1", analysed_etag, FOUND))
    findings: Any = SimpleNamespace(read_record=lambda key: noted)
    index: Any = SimpleNamespace(get_many=lambda keys: {record.key: record})
    sample: Any = SimpleNamespace(key=record.key)
    Manifests(media, findings, index, "media", MASTERS).write(date(2026, 11, 29), [sample], 0.0)
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def held(*, released: bool, reviewed: bool) -> Record:
    upload = HeldUpload("b" * 64, master=WAITING, flagged=True, reviewed=reviewed)
    return Record("a.jpg", HELD, "2", sha256="a" * 64, master=SERVED, held=upload, released=released)


def ready(*, released: bool) -> Record:
    return Record("a.jpg", READY, "1", sha256="a" * 64, master=SERVED, released=released)


@pytest.mark.parametrize(
    ("record", "etag", "label", "human"),
    [
        (ready(released=False), "served", 1, "no"),
        (ready(released=True), "served", 0, "yes"),
        (held(released=False, reviewed=False), "held", 1, "no"),
        (held(released=False, reviewed=True), "held", 1, "yes"),
        (held(released=True, reviewed=False), "held", 1, "no"),
        (held(released=True, reviewed=True), "held", 1, "yes"),
    ],
)
def test_the_release_of_an_earlier_upload_is_no_label_of_a_held_one(
    record: Record, etag: str, label: int, human: str
) -> None:
    [line] = write(record, etag)
    assert line["source-ref"] == f"s3://media/{'held' if record.state == HELD else 'masters'}/a.jpg"
    assert (line["moderation"], line["moderation-metadata"]["human-annotated"]) == (label, human)


@pytest.mark.parametrize("record", [ready(released=True), held(released=False, reviewed=True)])
def test_findings_about_an_earlier_image_are_no_labels(record: Record) -> None:
    other = "served" if record.state == HELD else "held"
    assert write(record, other) == []
