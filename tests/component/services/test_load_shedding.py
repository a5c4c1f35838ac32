"""Load shedding: only named presets are rendered; stored derivatives are served."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.aws.switches import LOAD_SHEDDING, Switch
from darkroom.services.serve.negative_cache import marker_key
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.switch_store import SwitchStore
from tests.images.photographs import jpeg_photo

from .functions import Function, load

BUCKET = "in-hard-times"
PRESET, LADDER, BARE = "/photo.jpg/_/w-640.webp", "/photo.jpg/_/w-800.auto-webp", "/photo.jpg/_/h-2560_w-2560.auto-avif"


@pytest.fixture(scope="module")
def media(aws: Callable[[str], Any]) -> S3Bucket:
    aws("s3").create_bucket(Bucket=BUCKET)
    found = S3Bucket(aws("s3"), BUCKET)
    found.put("masters/photo.jpg", jpeg_photo(), headers={"Content-Type": "image/jpeg"}, metadata={})
    return found


@pytest.fixture
def start(media: S3Bucket, aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Callable[[], Function]:
    """Starts a process that has not read the switch yet. Nothing is stored."""
    for page in media.list_pages("derivatives/"):
        for found in page:
            media.delete(found.key)
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)  # credentials are read when they are needed
    environment = aws_environment | {"MEDIA_BUCKET": BUCKET, "SIGNING_KEYS_ARN": "arn:of:keys"}
    return lambda: load("transform", environment)


def ask(function: Function, path: str) -> dict[str, Any]:
    return dict(function.invoke({"rawPath": path, "headers": {}, "requestContext": {"http": {"method": "GET"}}}))


def turn(media: S3Bucket, *, on: bool, until_s: float = 0) -> None:
    SwitchStore(media).write(LOAD_SHEDDING, Switch(on, "ada", "a storm", until_s=until_s))


def test_only_presets_are_rendered(media: S3Bucket, start: Callable[[], Function]) -> None:
    turn(media, on=True)
    function = start()
    assert ask(function, PRESET)["statusCode"] == 200
    refused = ask(function, LADDER)
    assert (refused["statusCode"], "presets-only" in refused["body"]) == (503, True)
    assert int(refused["headers"]["retry-after"]) > 0
    assert refused["headers"]["cache-control"] == "no-store"
    assert media.head("derivatives" + LADDER) is None
    assert media.head(marker_key("derivatives/", "photo.jpg")) is None, "it is no fault of the image"


def test_what_is_stored_is_answered(media: S3Bucket, start: Callable[[], Function]) -> None:
    turn(media, on=False)
    assert ask(start(), LADDER)["statusCode"] == 200
    turn(media, on=True)
    function = start()
    assert ask(function, LADDER)["statusCode"] == 200
    assert ask(function, BARE)["statusCode"] == 503
    assert ask(function, "/none.jpg/_/h-2560_w-2560.auto-avif")["statusCode"] == 404


def test_it_is_no_fault(media: S3Bucket, start: Callable[[], Function], capsys: pytest.CaptureFixture[str]) -> None:
    turn(media, on=True)
    ask(start(), BARE)
    counted: dict[str, Any] = {}
    for line in capsys.readouterr().out.splitlines():
        counted |= json.loads(line)
    assert counted["Requests"] == [1.0]
    assert "Faults" not in counted


@pytest.mark.slow
def test_a_switch_whose_time_is_over_is_off(media: S3Bucket, start: Callable[[], Function]) -> None:
    turn(media, on=True, until_s=1.0)
    assert ask(start(), BARE)["statusCode"] == 200


def test_without_a_switch_everything_is_rendered(media: S3Bucket, start: Callable[[], Function]) -> None:
    media.delete("switches/presets-only.json")
    assert ask(start(), BARE)["statusCode"] == 200
