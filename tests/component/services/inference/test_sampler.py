"""Sample analysed images; a failed sample never fails the analysis."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from PIL import Image

from darkroom.errors import DarkroomError
from darkroom.findings import ENDPOINT, FACES, FALLBACK, LIKENESS, MODERATION, SIMILARITY, TAGS, TEXT
from darkroom.image_keys import MASTERS
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_analysis.mlops.sample import SAMPLED, TaskSummary
from darkroom_analysis.mlops.sampler import LOG_EVERY_S
from darkroom_pipeline.aws.record import HELD, HeldUpload, Record, to_item
from darkroom_pipeline.aws.sample_slots import SAMPLE
from darkroom_pipeline.imaging.views import mean_luma
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind
from tests.component.aws import sagemaker
from tests.images.photographs import jpeg_photo

from .harness import InferEnvironment

KEY = "a.jpg"


def index(env: InferEnvironment, key: str, **fields: Any) -> None:
    """Put the index record of ``key``."""
    record = env.index.get(key)
    assert record is not None
    known = {"state": record.state, "sequencer": record.sequencer, "sha256": record.sha256} | fields
    env.clients["dynamodb"].put_item(TableName=env.names["index"], Item=to_item(Record(key, **known)))


def ready(env: InferEnvironment, key: str, body: bytes, **fields: Any) -> AnalysisOutcome:
    sequencer = env.master(key, body)
    index(env, key, **fields)
    return env.infer.handle(AnalysisRequest(RequestKind.READY, key, sequencer))


def test_an_analysed_image_is_sampled(env: InferEnvironment) -> None:
    ready(env, KEY, jpeg_photo(), facts={"format": "heic", "width": 400, "height": 300})
    [sample] = env.samples.recent()
    assert (sample.key, sample.source_etag, sample.at_s) == (KEY, env.etag(KEY), env.now_s)
    assert (sample.format, sample.pixels, sample.by, sample.variant) == ("heic", 120_000, ENDPOINT, "main")
    assert sample.brightness == pytest.approx(mean_luma(env.runtime.calls[0].body))
    assert sample.tasks == {
        FACES: TaskSummary(0.99, False),
        TEXT: TaskSummary(0.9, False),
        MODERATION: TaskSummary(0.9, False),
        SIMILARITY: TaskSummary(None, False),
        TAGS: TaskSummary(0.9, False),
        LIKENESS: TaskSummary(None, False),
    }
    assert sample.embedding == bytes([95, 127, *bytes(510)])
    assert sample.trial is None


def test_findings_of_small_models_are_sampled_with_their_origin(env: InferEnvironment) -> None:
    env.runtime.behave = sagemaker.dead
    env.ready(KEY, jpeg_photo())
    [sample] = env.samples.recent()
    assert (sample.by, sample.variant, sample.format, sample.pixels) == (FALLBACK, "in-process", "", 0)


def test_an_image_that_waits_for_moderation_is_described_as_it_is(env: InferEnvironment) -> None:
    sequencer = env.master(KEY, jpeg_photo(), prefix="held/")
    index(env, KEY, state=HELD, held=HeldUpload(facts={"format": "png", "width": 3, "height": 2}))
    env.infer.handle(AnalysisRequest(RequestKind.HELD, KEY, sequencer))
    [sample] = env.samples.recent()
    assert (sample.format, sample.pixels) == ("png", 6)


def test_an_image_without_analysis_is_not_sampled(env: InferEnvironment) -> None:
    env.ready("first.jpg", jpeg_photo(), sha256="the same")
    assert env.ready("copy.jpg", jpeg_photo(), sha256="the same") is AnalysisOutcome.COPIED
    assert env.ready("broken.jpg", b"no image") is AnalysisOutcome.ANALYSED
    assert [sample.key for sample in env.samples.recent()] == ["first.jpg"]


@pytest.mark.slow
def test_some_samples_are_logged_without_what_is_in_the_image(
    env: InferEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    process = env.infer

    def lines(key: str, body: bytes) -> list[dict[str, Any]]:
        sequencer = env.master(key, body)
        index(env, key, facts={"format": "heic", "width": 400, "height": 300})
        process.handle(AnalysisRequest(RequestKind.READY, key, sequencer))
        written = map(json.loads, capsys.readouterr().out.splitlines())
        return [line for line in written if line.get("message") == SAMPLED]

    [line] = lines(KEY, jpeg_photo())
    of_invocation = {"cold_start", "function_request_id"}  # stays if another test called a handler in this process
    assert set(line) - of_invocation == {
        *("level", "message", "timestamp", "service"),
        *("key", "format", "pixels", "brightness", "tasks", "by", "variant"),
    }
    assert (line["key"], line["format"], line["pixels"], line["variant"]) == (KEY, "heic", 120_000, "main")
    assert line["tasks"][FACES] == {"confidence": 0.99, "empty": False}
    assert all(summary.keys() == {"confidence", "empty"} for summary in line["tasks"].values())
    env.now_s += LOG_EVERY_S - 1
    assert lines("soon.jpg", jpeg_photo((90, 60))) == []
    env.now_s += 1
    assert [line["key"] for line in lines("later.jpg", jpeg_photo((60, 90)))] == ["later.jpg"]
    assert len(env.samples.recent()) == 3


def broken_puts(env: InferEnvironment) -> None:
    """No sample can be put from now on."""

    def refuse(params: dict[str, Any], **_: Any) -> None:
        if str(params["Item"]["pk"].get("S")).startswith(SAMPLE):
            params["TableName"] = "no-such-table"

    env.clients["dynamodb"].meta.events.register("provide-client-params.dynamodb.PutItem", refuse, unique_id="refuse")


def test_a_sample_that_cannot_be_written_is_counted_and_nothing_else_is_lost(
    env: InferEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    broken_puts(env)
    try:
        assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.ANALYSED
    finally:
        env.clients["dynamodb"].meta.events.unregister("provide-client-params.dynamodb.PutItem", unique_id="refuse")
    assert env.noted(KEY).announced
    assert env.samples.recent() == []
    env.observer.flush()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["SamplesLost"] for line in lines if "SamplesLost" in line] == [[1.0]]
    assert [line["code"] for line in lines if line.get("message") == "sample not recorded"] == ["unavailable"]


def test_a_deleted_image_leaves_no_sample(env: InferEnvironment) -> None:
    env.ready(KEY, jpeg_photo())
    env.ready("other.jpg", jpeg_photo((90, 60)))
    env.removed(KEY)
    assert [sample.key for sample in env.samples.recent()] == ["other.jpg"]


def test_a_sample_of_an_image_deleted_meanwhile_is_withdrawn(env: InferEnvironment) -> None:
    """Its deletion has been dealt with when the sample is put."""
    env.ready("other.jpg", jpeg_photo((90, 60)))

    def overtake(params: dict[str, Any], **_: Any) -> None:
        if str(params["Item"]["pk"].get("S")).startswith(SAMPLE):
            env.media.delete(MASTERS.name(KEY))
            env.infer.handle(AnalysisRequest(RequestKind.REMOVED, KEY, env.next_sequencer()))

    events = env.clients["dynamodb"].meta.events
    events.register("provide-client-params.dynamodb.PutItem", overtake, unique_id="overtake")
    try:
        env.ready(KEY, jpeg_photo())
    finally:
        events.unregister("provide-client-params.dynamodb.PutItem", unique_id="overtake")
    assert [sample.key for sample in env.samples.recent()] == ["other.jpg"]


def jpeg(colour: int | tuple[int, int, int], mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (100, 60), colour).save(file, "JPEG", quality=95)
    return file.getvalue()


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (jpeg((0, 0, 0)), 0.0),
        (jpeg((255, 255, 255)), 1.0),
        (jpeg((255, 0, 0)), 0.299),
        (jpeg((0, 255, 0)), 0.587),
        (jpeg((0, 0, 255)), 0.114),
        (jpeg(128, "L"), 0.502),
    ],
)
def test_brightness_is_the_mean_luma(image: bytes, expected: float) -> None:
    assert mean_luma(image) == pytest.approx(expected, abs=0.01)


def test_brightness_of_no_image() -> None:
    with pytest.raises(DarkroomError):
        mean_luma(b"no image")
