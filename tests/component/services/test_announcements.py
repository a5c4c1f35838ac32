"""Published events match docs/reference/events.md and docs/reference/schemas/."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import skimage
from jsonschema import Draft202012Validator

from darkroom.plan.forced_options import ForcedOptions
from darkroom.plan.limits import Limits
from darkroom_pipeline.aws.record import REMOVED
from darkroom_pipeline.aws.s3_objects import DECLARED_SHA256, PRIORITY, URGENT
from darkroom_pipeline.services.ingest.context import IngestOutcome
from local.event_samples import make_photograph
from local.paths import ROOT
from tests.announcements import CORE, SCHEMAS, complaints
from tests.images.photographs import jpeg_photo

from .ingest_environment import IngestEnvironment

DATA = Path(skimage.__file__).parent / "data"
DRAWING = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="30"><rect width="40" height="20"/></svg>'

TAKEN = {
    "photo.jpg": lambda: make_photograph(DATA / "chelsea.png"),
    "Rom & Cäsar 100%.jpg": jpeg_photo,
    "clock.gif": (DATA / "no_time_for_that_tiny.gif").read_bytes,
    "cells.tif": (DATA / "multipage.tif").read_bytes,
    "drawing.svg": lambda: DRAWING,
}

REFUSED: dict[str, tuple[str, bytes, Limits]] = {
    "damaged": ("a.jpg", jpeg_photo()[:-4000], Limits()),
    "type-not-allowed": ("a.pdf", b"%PDF-1.7", Limits()),
    "over-limits": ("a.jpg", jpeg_photo(), Limits(max_bytes=100)),
    "bad-key": ("a/_/b.jpg", jpeg_photo(), Limits()),
}


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


def only(env: IngestEnvironment) -> tuple[str, dict[str, Any]]:
    """The one announcement since the last time, which is as documented."""
    ((detail_type, detail),) = env.published()
    assert complaints(detail_type, detail) == []
    return detail_type, detail


def test_the_schemas_are_schemas() -> None:
    of_images = {"ImageReady", "ImageHeld", "ImageRefused", "ImageRemoved", "ImageAnalysed"}
    assert of_images | {"ModelRolledBack", "ModelPromoted", "DriftFound", "ExperimentDecided"} == CORE
    for name, schema in SCHEMAS.items():
        Draft202012Validator.check_schema(schema)
        assert (schema["title"], schema["$id"]) == (name, f"urn:darkroom:event:{name}")
        optional = {"explanation"} if name == "ImageHeld" else set[str]()
        assert set(schema["required"]) == set(schema["properties"]) - optional


@pytest.mark.sample(9)
@pytest.mark.parametrize("key", TAKEN)
def test_ready(env: IngestEnvironment, key: str) -> None:
    assert env.created(key, TAKEN[key]()) is IngestOutcome.READY
    detail_type, detail = only(env)
    assert (detail_type, detail["key"], detail["same_as"]) == ("ImageReady", key, "")
    assert len(detail["presets"]) == 6


@pytest.mark.slow
def test_the_location_is_published_with_keep_gps_alone(env: IngestEnvironment) -> None:
    body = make_photograph(DATA / "chelsea.png")
    env.created("without.jpg", body)
    assert set(only(env)[1]["provenance"]) == {"camera", "captured_at"}
    env.keep_gps = True
    env.created("with.jpg", body + b"\0")
    assert only(env)[1]["provenance"]["gps"] == {"latitude": 48.8583333, "longitude": 2.2944444}


@pytest.mark.slow
def test_a_copy_is_marked_as_one(env: IngestEnvironment) -> None:
    env.created("first.jpg", jpeg_photo())
    first = only(env)[1]
    env.created("second.jpg", jpeg_photo())
    second = only(env)[1]
    assert second["same_as"] == "first.jpg"
    assert second["picture"] == first["picture"]
    assert second["id"] != first["id"]


@pytest.mark.parametrize("code", REFUSED)
def test_refused(env: IngestEnvironment, code: str) -> None:
    key, body, env.limits = REFUSED[code]
    env.created(key, body)
    detail_type, detail = only(env)
    assert (detail_type, detail["code"], detail["key"]) == ("ImageRefused", code, key)
    assert env.keys("quarantine") == [detail["quarantined"]]


def test_refused_by_the_virus_scanner(env: IngestEnvironment) -> None:
    class EicarScanner:
        def scan(self, data: bytes) -> str:
            return "Eicar-Signature"

    env.scanner = EicarScanner()
    env.created("a.jpg", jpeg_photo())
    detail = only(env)[1]
    assert detail["code"] == "infected"
    assert "Eicar" not in json.dumps(detail)


def test_refused_for_its_checksum(env: IngestEnvironment) -> None:
    env.created("a.jpg", jpeg_photo(), Metadata={DECLARED_SHA256: "A" * 43 + "="})
    assert only(env)[1]["code"] == "checksum-mismatch"


@pytest.mark.slow
def test_removed(env: IngestEnvironment) -> None:
    env.created("a.jpg", jpeg_photo())
    only(env)
    env.deleted("a.jpg")
    detail_type, detail = only(env)
    assert (detail_type, detail["key"]) == ("ImageRemoved", "a.jpg")
    assert env.record("a.jpg").state == REMOVED


@pytest.mark.slow
def test_held_flagged_and_released(env: IngestEnvironment) -> None:
    """Each is published by itself, with its own id: consumers that remember ids must not confuse them."""
    body, env.blocks = jpeg_photo(), True
    assert env.created("a.jpg", body) is IngestOutcome.HELD
    held = only(env)
    assert env.judged("a.jpg", flagged=True, body=body) is IngestOutcome.HELD
    flagged = only(env)
    assert env.released("a.jpg") is IngestOutcome.RELEASED
    released = only(env)
    assert [kind for kind, _ in (held, flagged, released)] == ["ImageHeld", "ImageHeld", "ImageReady"]
    assert [detail.get("flagged") for _, detail in (held, flagged, released)] == [False, True, None]
    assert len({detail["id"] for _, detail in (held, flagged, released)}) == 3


def test_what_is_always_redacted_comes_first(env: IngestEnvironment) -> None:
    env.always = ForcedOptions.parse("people/=faces")
    env.created("people/a.jpg", jpeg_photo())
    assert only(env)[1]["priority"] is True
    env.created("b.jpg", jpeg_photo((60, 40)))
    assert only(env)[1]["priority"] is False


@pytest.mark.slow
def test_an_urgent_upload_comes_first_with_bytes_that_are_known_too(env: IngestEnvironment) -> None:
    def announced(key: str, body: bytes, **metadata: str) -> dict[str, Any]:
        env.created(key, body, Metadata=metadata)
        detail = only(env)[1]
        assert env.record(key).urgent is detail["priority"]
        return detail

    assert announced("a.jpg", jpeg_photo(), **{PRIORITY: URGENT})["priority"] is True
    assert announced("b.jpg", jpeg_photo((60, 40)))["priority"] is False
    copied = announced("c.jpg", jpeg_photo((60, 40)), **{PRIORITY: URGENT})
    assert (copied["same_as"], copied["priority"]) == ("b.jpg", True)


@pytest.mark.slow
def test_a_repeated_event_has_the_same_id(env: IngestEnvironment) -> None:
    """As after a worker that was killed before it had noted that it published."""
    sequencer = env.upload("a.jpg", jpeg_photo())
    change = env.change("a.jpg", sequencer)
    env.handle(change)
    first = only(env)[1]
    record = env.record("a.jpg")
    assert env.index.put_record(replace(record, announced=False))
    assert env.handle(change) is IngestOutcome.DROPPED
    assert only(env)[1] == first


def test_the_examples_on_the_page_are_as_documented() -> None:
    page = (ROOT / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
    examples = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)]
    events = [example for example in examples if "detail-type" in example and isinstance(example["detail-type"], str)]
    assert {event["detail-type"] for event in events} == CORE
    for event in events:
        assert event["source"] == "darkroom"
        assert complaints(event["detail-type"], event["detail"]) == []
