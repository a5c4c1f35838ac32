"""An analysis that fails for good is reported: to reviewers, to redaction, and to readers of findings."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from darkroom.errors import Unanalysable
from darkroom.findings import FACES, FAILED, MODERATION, Finding
from darkroom.imaging import fonts
from darkroom.plan.limits import Limits
from darkroom_analysis.inference.consumer import InferenceConsumer
from darkroom_analysis.review.held_images import HeldImages
from darkroom_pipeline.aws.record import HELD, READY
from darkroom_pipeline.aws.sagemaker import UNREADABLE
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind
from darkroom_pipeline.services.ingest.events import build_verdict_message, read_event
from darkroom_pipeline.services.queue_consumer import SqsMessage
from tests.component.aws.sagemaker import Runtime
from tests.component.services.kill_points import Killed
from tests.images.photographs import jpeg_photo
from tests.images.rendering import made

from .harness import SMALL, InferEnvironment
from .test_moderation import KEY, Pipeline

MAX_RECEIVES = 6


class DeadlyModels:
    """Models that end their process, as one that runs out of memory does."""

    tasks: Sequence[str] = SMALL

    def detect(self, jpeg: bytes, tasks: Sequence[str]) -> dict[str, Finding]:
        raise Killed

    def explain(self, jpeg: bytes) -> None:
        """Never reached."""


def consume(env: InferEnvironment, body: dict[str, Any], receives: int = MAX_RECEIVES) -> None:
    """Process ``body`` as infer does, without the endpoint."""
    env.mode = "in-process"
    dead = Queue(env.clients["sqs"], env.names["dead"])
    consumer = InferenceConsumer(env.observer, dead, MAX_RECEIVES, env.infer, {})
    consumer.receive(SqsMessage("normal", json.dumps(body), "", receives), lambda: 900.0)


@pytest.fixture
def pipeline(aws: Callable[[str], Any], runtime: Runtime) -> Pipeline:
    return Pipeline(aws, runtime)


def list_reasons(env: InferEnvironment) -> dict[str, str]:
    """Return the keys of the review list with the errors that the review page shows."""
    images = HeldImages(env.index, env.archive, env.masters, Limits(), 64)
    return {one["key"]: images.explain(one["key"])["error"] for one in images.list_waiting()}


def test_a_message_that_is_given_up_puts_its_image_on_the_review_list(pipeline: Pipeline) -> None:
    env = pipeline.looked
    env.models.broken = True
    pipeline.taken.created(KEY, jpeg_photo())
    [event] = pipeline.taken.messages("published")
    consume(env, event)
    assert [message["attributes"]["code"]["StringValue"] for message in env.messages("dead")] == ["defect"]
    pipeline.hear()
    assert (pipeline.state, list_reasons(env)) == (HELD, {KEY: FAILED})
    env.models.broken = False
    consume(env, event, receives=1)
    pipeline.hear()
    assert (pipeline.state, list_reasons(env)) == (READY, {})


@pytest.mark.slow
def test_an_image_that_kills_its_worker_is_on_the_review_list_after_the_sweep(pipeline: Pipeline) -> None:
    env = pipeline.looked
    env.finder = DeadlyModels()
    pipeline.taken.created(KEY, jpeg_photo())
    [event] = pipeline.taken.messages("published")
    with pytest.raises(Killed):
        consume(env, event)
    assert (pipeline.hear(), list_reasons(env)) == ([], {})
    swept = read_event(json.dumps(build_verdict_message(KEY)))
    assert swept is not None
    pipeline.taken.handle(swept)
    assert (pipeline.state, list_reasons(env)) == (HELD, {KEY: FAILED})


@pytest.mark.slow
def test_a_served_image_is_not_withdrawn_because_a_new_model_fails(pipeline: Pipeline) -> None:
    env = pipeline.looked
    pipeline.taken.created(KEY, jpeg_photo())
    pipeline.look()
    pipeline.hear()
    assert pipeline.state == READY
    env.generation, env.models.broken = "2", True
    consume(env, AnalysisRequest(RequestKind.ANALYSE, KEY).message)
    assert env.noted(KEY).findings.found[MODERATION].error == FAILED
    pipeline.hear()
    assert pipeline.state == READY


def test_redaction_after_a_failure_is_refused_until_an_analysis_succeeds(env: InferEnvironment) -> None:
    env.models.broken = True
    env.master(KEY, jpeg_photo())
    request = AnalysisRequest(RequestKind.ANALYSE, KEY).message
    consume(env, request)
    with pytest.raises(Unanalysable):
        made(jpeg_photo(), known=env.findings(KEY), redact="faces")
    assert {event["tasks"][FACES]["error"] for event in env.published()} == {FAILED}
    env.derivative(KEY, "refusal.json")
    env.models.broken = False
    consume(env, request, receives=1)
    assert made(jpeg_photo(), known=env.findings(KEY), redact="faces").body
    assert env.keys("derivatives/") == []
    assert len(env.messages("purges")) == 1


@pytest.mark.parametrize(("element", "error"), [("text", UNREADABLE), ("g", "")])
def test_the_text_of_an_svg_is_unreadable_without_fonts(
    element: str, error: str, env: InferEnvironment, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv(fonts.VARIABLE, raising=False)
    monkeypatch.setenv(fonts.FOLDER_VARIABLE, str(tmp_path / "absent"))
    monkeypatch.setattr(fonts, "PACKAGES", ())
    fonts.use_fonts.cache_clear()
    drawing = f'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40"><{element} y="30">Ada</{element}></svg>'
    env.ready("drawing.svg", drawing.encode())
    assert {finding.error for finding in env.findings("drawing.svg").found.values()} == {error}


def test_a_failed_repetition_keeps_what_was_found(env: InferEnvironment) -> None:
    env.mode = "in-process"
    env.ready(KEY, jpeg_photo())
    before = env.findings(KEY).found
    env.models.broken = True
    consume(env, AnalysisRequest(RequestKind.ANALYSE, KEY, again=True).message)
    assert env.findings(KEY).found == before
