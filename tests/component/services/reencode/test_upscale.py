"""Upscaling in the background: from the first response to the derivative that replaces it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import pyvips
from skimage import data

from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.aws.telemetry import LightObserver
from darkroom.errors import BadOption, ModelUnavailable, Unsigned
from darkroom.findings import UPSCALE, Finding, finding_to_document
from darkroom.services.caching import PACE, RESAMPLED_S, CachePolicy
from darkroom.services.serve.answers import Failed, Rendered
from darkroom.services.serve.transform import Transform
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.sagemaker import Endpoint
from darkroom_pipeline.reencode.service import ReencodeMessage, ReencodeOutcome, Reencoder
from tests.component.aws import sagemaker
from tests.component.services.emf_metrics import counted, of
from tests.component.services.test_transform import Keys, request
from tests.images.upscaling import to_vips

ORIGINAL = to_vips(np.ascontiguousarray(data.astronaut()[:256, 100:356]))
URL = "/shop/a.png?w=256&up=ai&f=png"
NAME = "derivatives/shop/a.png/_/up-ai_w-256.png"
CACHING = CachePolicy(refines=True)
PREFIXES = ("shop/",)


@pytest.fixture
def transform(bucket: FastBucket) -> Transform:
    bucket.put("masters/shop/a.png", ORIGINAL.resize(0.25).pngsave_buffer(), {})
    bucket.put("masters/a.png", ORIGINAL.pngsave_buffer(), {})
    service = Transform(source=bucket, media=bucket, keys=Keys(), caching=CACHING, clock=lambda: 0.0)
    return replace(service, upscale_prefixes=PREFIXES)


@pytest.fixture
def runtime() -> Iterator[sagemaker.Runtime]:
    """A runtime whose container returns the original, as an ideal model would."""
    with sagemaker.serving() as started:
        started.behave = answering(Finding(UPSCALE, "ideal", "1", raster=ORIGINAL.pngsave_buffer()))
        yield started


def answering(finding: Finding) -> Callable[[sagemaker.Call], sagemaker.Reply]:
    return lambda _: (200, json.dumps({"tasks": {UPSCALE: finding_to_document(finding)}}).encode())


@pytest.fixture
def service(bucket: FastBucket, runtime: sagemaker.Runtime) -> Reencoder:
    client = create_client("sagemaker-runtime", runtime.environment, read_s=5.0, attempts=1)
    made = Reencoder(source=bucket, media=bucket, observer=LightObserver("refine"), caching=CACHING)
    return replace(made, endpoint=Endpoint(client, sagemaker.NAME), upscale_prefixes=PREFIXES)


@pytest.fixture
def stored(transform: Transform, bucket: FastBucket) -> StoredObject:
    """The resampled image, as it is stored."""
    assert isinstance(transform.answer(request(URL, key="key")), Rendered)
    return opened(bucket)


def opened(bucket: FastBucket) -> StoredObject:
    found = bucket.open(NAME)
    assert found is not None
    return found


def error(stored: StoredObject) -> float:
    """Mean error against the original."""
    image = pyvips.Image.new_from_buffer(stored.read(), "")
    return float((((image - ORIGINAL) ** 2).avg()) ** 0.5)


def test_the_first_response_is_resampled_for_a_short_time(transform: Transform, bucket: FastBucket) -> None:
    answer = transform.answer(request(URL, key="key"))
    assert isinstance(answer, Rendered)
    short = f"public, max-age={RESAMPLED_S}, s-maxage={RESAMPLED_S}"
    assert answer.derivative.headers["Cache-Control"] == short
    assert opened(bucket).attributes["Cache-Control"] == short


@pytest.mark.parametrize("stores", [False, "presets", "auto"])
def test_it_is_stored_in_any_case(transform: Transform, bucket: FastBucket, stores: bool | str) -> None:
    assert isinstance(replace(transform, stores=stores).answer(request(URL, key="key")), Rendered)
    assert opened(bucket).attributes[PACE] == "quick"


def test_other_keys_are_refused(transform: Transform) -> None:
    answer = transform.answer(request("/a.png?w=800&up=ai&f=png", key="key"))
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, BadOption)
    assert answer.error.message == "up: images with this prefix are not enlarged by a model"


def test_strangers_are_refused(transform: Transform) -> None:
    answer = transform.answer(request(URL))
    assert isinstance(answer, Failed)
    assert isinstance(answer.error, Unsigned)


def test_a_better_image_replaces_it(
    service: Reencoder,
    stored: StoredObject,
    bucket: FastBucket,
    runtime: sagemaker.Runtime,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = error(stored)
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.UPSCALED
    found = opened(bucket)
    assert (found.attributes[PACE], found.attributes["Content-Type"]) == ("thorough", "image/png")
    assert found.attributes["Cache-Control"] == CACHING.cache_control("shop/a.png")
    assert error(found) < before / 2
    [call] = runtime.calls
    assert call.tasks == (UPSCALE,)
    assert call.headers["content-type"] == "image/png"
    sent = pyvips.Image.new_from_buffer(call.body, "")
    assert (sent.width, sent.height) == (64, 64)
    assert service.handle(ReencodeMessage(NAME)) is ReencodeOutcome.THOROUGH
    assert len(runtime.calls) == 1
    service.observer.flush()
    observed = counted(capsys.readouterr().out)
    assert of(observed, "UpscaleResults") == {"model": 1}


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "finding",
    [
        Finding(UPSCALE, "m", "1", error="too-large"),
        Finding(UPSCALE, "m", "1", raster=ORIGINAL.fliphor().pngsave_buffer()),
    ],
)
def test_a_worse_image_leaves_the_resampled_one(
    service: Reencoder, stored: StoredObject, bucket: FastBucket, runtime: sagemaker.Runtime, finding: Finding
) -> None:
    before = error(stored)
    runtime.behave = answering(finding)
    assert service.handle(ReencodeMessage(NAME)) in (ReencodeOutcome.KEPT, ReencodeOutcome.REFINED)
    found = opened(bucket)
    assert found.attributes["Cache-Control"] == CACHING.cache_control("shop/a.png")
    assert error(found) == before


def test_an_endpoint_without_answer_is_tried_again_until_the_last_message(
    service: Reencoder,
    stored: StoredObject,
    bucket: FastBucket,
    runtime: sagemaker.Runtime,
    capsys: pytest.CaptureFixture[str],
) -> None:
    runtime.behave = sagemaker.dead
    with pytest.raises(ModelUnavailable):
        service.handle(ReencodeMessage(NAME))
    assert service.handle(ReencodeMessage(NAME), is_last=True) is ReencodeOutcome.NO_MODEL
    assert opened(bucket).etag == stored.etag
    assert opened(bucket).attributes[PACE] == "quick"
    service.observer.flush()
    output = capsys.readouterr().out
    assert of(counted(output), "UpscaleFailures") == {"": 2}
    assert output.count("upscaling failed") == 2


@pytest.mark.slow
def test_without_an_endpoint_the_resampled_image_gets_the_usual_age(
    service: Reencoder, stored: StoredObject, bucket: FastBucket, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = replace(service, endpoint=None).handle(ReencodeMessage(NAME))
    assert outcome in (ReencodeOutcome.KEPT, ReencodeOutcome.REFINED)
    assert opened(bucket).attributes["Cache-Control"] == CACHING.cache_control("shop/a.png")
    assert "upscaling without endpoint" in capsys.readouterr().out


def test_other_prefixes_are_not_sent(
    service: Reencoder, stored: StoredObject, bucket: FastBucket, runtime: sagemaker.Runtime
) -> None:
    assert replace(service, upscale_prefixes=()).handle(ReencodeMessage(NAME)) is ReencodeOutcome.SIGNED
    assert (runtime.calls, opened(bucket).etag) == ([], stored.etag)
