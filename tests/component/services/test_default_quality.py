"""The setting ``default_quality``: which functions render by it, and what a change does to stored derivatives."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from darkroom.aws.s3_fast import FastBucket
from darkroom.plan.model import DefaultQuality
from darkroom.services.serve.answers import Rendered, Stored
from darkroom.services.serve.rendering import Prefetch
from darkroom.services.serve.transform import Transform
from darkroom.settings import Settings
from darkroom_pipeline.bulk.messages import Operation
from tests.images.photographs import jpeg_photo

from .functions import load
from .test_transform import Keys, request

URL, NAME = "/photo.jpg?w=320&f=webp", "derivatives/photo.jpg/_/w-320.webp"
QUEUE = "http://localhost/000000000000/queue"
FUNCTIONS: dict[str, tuple[dict[str, str], Callable[[Any, Settings], Any]]] = {
    "transform": (
        {"SIGNING_KEYS_ARN": "arn:of:keys"},
        lambda module, settings: module["_build"](settings, Prefetch()),
    ),
    "refine": (
        {"REFINE_QUEUE_URL": QUEUE, "REFINE_DLQ_URL": QUEUE, "MAX_RECEIVES": "3"},
        lambda module, settings: module["_open_inbox"](settings).reencoder,
    ),
    "ingest": (
        {
            **{f"{name}_BUCKET": "bucket" for name in ("UPLOADS", "QUARANTINE", "AUDIT")},
            **{f"{name}_QUEUE_URL": QUEUE for name in ("INGEST", "INGEST_PRIORITY", "REVIEW", "PURGE")},
            **{f"{name}_DLQ_URL": QUEUE for name in ("INGEST", "REVIEW")},
            **{"INDEX_TABLE": "index", "MAX_RECEIVES": "3", "REVIEW_MAX_RECEIVES": "3", "LEASE_S": "60"},
            **{"SIGNING_KEYS_ARN": "arn:of:keys", "STACK_NAME": "darkroom"},
        },
        lambda module, settings: module["_build_context"](settings).examiner,
    ),
    "library": (
        {"UPLOADS_BUCKET": "bucket", "INDEX_TABLE": "index", "INGEST_QUEUE_URL": QUEUE, "LEASE_S": "60"},
        lambda module, settings: module["_open_library"](settings).worker.operations[Operation.PRESETS].examiner,
    ),
}
"""Functions that store derivatives: their variables, and what of them has the default quality."""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_that_store_derivatives_render_by_the_setting(
    name: str, aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in aws_environment.items():
        monkeypatch.setenv(variable, value)
    variables, find = FUNCTIONS[name]
    function = load(name, aws_environment | variables | {"MEDIA_BUCKET": "bucket"})
    wanted = DefaultQuality(webp=31)
    found = find(inspect.unwrap(function.handler).__globals__, Settings(default_quality=wanted))
    assert found.default_quality == wanted


def test_a_change_leaves_stored_derivatives_until_they_are_deleted(bucket: FastBucket) -> None:
    bucket.put("masters/photo.jpg", jpeg_photo(), {})
    before = Transform(source=bucket, media=bucket, keys=Keys())
    after = replace(before, default_quality=DefaultQuality(webp=30))
    first = before.answer(request(URL))
    assert isinstance(first, Rendered)
    kept = after.answer(request(URL))
    assert isinstance(kept, Stored)
    assert kept.body == first.body
    bucket.delete(NAME)
    second = after.answer(request(URL))
    named = after.answer(request(URL + "&q=30", key="key"))
    assert isinstance(second, Rendered)
    assert isinstance(named, Rendered)
    assert second.body == named.body != first.body
