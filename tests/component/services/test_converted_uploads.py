"""Uploads of further formats, end to end: converted, refused, or not accepted."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from darkroom.errors import BadUpload
from darkroom.plan.limits import Limits
from darkroom.services.upload_requests import Grant, parse_upload_request
from darkroom_pipeline.aws.record import READY, REFUSED
from darkroom_pipeline.conversion.converter import Converter
from darkroom_pipeline.services.ingest.context import IngestOutcome
from tests.component.conversion.files import bitmap, photograph, samples
from tests.waiting import HANG_S

from .ingest_environment import IngestEnvironment


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    env = IngestEnvironment.build(aws)
    env.converter = Converter(("bmp", "jp2"), wall_s=HANG_S)
    return env


def test_a_bitmap_becomes_a_master(env: IngestEnvironment) -> None:
    """The master has the pixels of the upload, the record describes the upload."""
    body = samples()["bmp palette"]
    assert env.created("drawings/a.bmp", body) is IngestOutcome.READY
    record = env.record("drawings/a.bmp")
    assert record.state == READY
    assert record.facts["format"] == "bmp"
    assert (record.facts["width"], record.facts["height"], record.facts["size_bytes"]) == (96, 64, len(body))
    master = Image.open(io.BytesIO(env.body("media", "masters/drawings/a.bmp")))
    assert master.format == "PNG"
    assert master.convert("RGB").tobytes() == photograph("P").convert("RGB").tobytes()
    [(kind, detail)] = env.published()
    assert (kind, detail["picture"]["format"]) == ("ImageReady", "bmp")  # terms: allow


@pytest.mark.slow
def test_equal_uploads_are_converted_once(env: IngestEnvironment) -> None:
    body = samples()["jp2 lossy"]
    assert env.created("a.jp2", body) is IngestOutcome.READY
    assert env.created("b.jp2", body) is IngestOutcome.DUPLICATE
    assert env.body("media", "masters/a.jp2") == env.body("media", "masters/b.jp2")


@pytest.mark.parametrize(
    ("body", "limits", "code"),
    [
        (bitmap(5000, 5000, 24, b"few"), Limits(), "damaged"),
        (bitmap(4, 4, 24, bytes(48), compression=5), Limits(), "type-not-allowed"),
        (
            bitmap(400, 400, 8, bytes([0, 1]), palette=[(0, 0, 0)], compression=1),
            Limits(max_pixels=1000),
            "over-limits",
        ),
        (b"\0\0\1\0\1\0", Limits(), "type-not-allowed"),
    ],
)
def test_what_is_refused(env: IngestEnvironment, body: bytes, limits: Limits, code: str) -> None:
    env.limits = limits
    assert env.created("a.bmp", body) is IngestOutcome.REFUSED
    record = env.record("a.bmp")
    assert (record.state, record.refusal.code) == (REFUSED, code)


def test_scanners_see_the_upload_before_it_is_decoded(env: IngestEnvironment) -> None:
    seen = list[bytes]()

    class Recorder:
        def scan(self, data: bytes) -> str:
            seen.append(data)
            return "Eicar"

    env.scanner = Recorder()  # type: ignore[assignment]
    body = samples()["bmp"]
    assert env.created("a.bmp", body) is IngestOutcome.REFUSED
    assert seen == [body]


def test_presigned_posts_accept_configured_types() -> None:
    request = {"key": "a.bmp", "type": "image/bmp", "size": 9, "sha256": "0" * 64}
    body, grant = json.dumps(request).encode(), Grant("a.bmp", 0)
    assert parse_upload_request(body, grant, 100, ("bmp",)).media_type == "image/bmp"
    with pytest.raises(BadUpload, match="image/jpeg") as refusal:
        parse_upload_request(body, grant, 100, ("jp2",))
    assert "image/jp2" in refusal.value.message
