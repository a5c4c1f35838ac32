"""Analyse images again: the queue that is used and the results that are reported."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import NoInference
from darkroom.findings import ENDPOINT, FALLBACK
from darkroom_pipeline.aws.findings_store import FindingsRecord
from darkroom_pipeline.bulk.analyse import AnalyseOperation
from darkroom_pipeline.bulk.messages import JobSpec, Operation
from darkroom_pipeline.bulk.results import KeyOutcome, KeyResult
from darkroom_pipeline.services.analysis_requests import parse_request
from tests.component.aws import sagemaker
from tests.component.services.inference.harness import ALL, SMALL, InferEnvironment
from tests.images.photographs import jpeg_photo

INFER, AGAIN = JobSpec(Operation.INFER), JobSpec(Operation.INFER, again=True)


@pytest.fixture
def env(aws: Callable[[str], Any]) -> Any:
    with sagemaker.serving() as runtime:
        yield InferEnvironment.build(aws, runtime)


def analysis(env: InferEnvironment, generation: str = "1", best: str = ENDPOINT) -> AnalyseOperation:
    return AnalyseOperation(env.archive, env.masters, env.queue("normal"), generation, lambda _: ALL, best)


def worked_off(env: InferEnvironment) -> None:
    """Run the infer function on its queue."""
    for message in env.messages("normal"):
        request = parse_request(json.dumps(message))
        assert request is not None
        env.infer.handle(request)


def test_an_image_is_analysed_and_its_findings_are_reported_once_stored(env: InferEnvironment) -> None:
    env.master("a.jpg", jpeg_photo())
    asked = analysis(env).start("a.jpg", INFER)
    assert (asked.outcome, asked.mark) == (KeyOutcome.PENDING, "0")
    assert analysis(env).poll("a.jpg", asked.mark) is None
    worked_off(env)
    assert analysis(env).poll("a.jpg", asked.mark) == KeyResult(KeyOutcome.DONE)
    assert analysis(env).start("a.jpg", INFER) == KeyResult(KeyOutcome.UNCHANGED)
    assert not env.messages("normal")


@pytest.mark.slow
def test_again_and_another_generation_request_the_findings(env: InferEnvironment) -> None:
    env.ready("a.jpg", jpeg_photo())
    version = env.noted("a.jpg").version
    again = analysis(env).start("a.jpg", AGAIN)
    assert again == KeyResult(KeyOutcome.PENDING, mark=str(version))
    assert analysis(env).poll("a.jpg", again.mark) is None  # earlier findings are no answer
    assert analysis(env, "2").start("a.jpg", INFER).outcome is KeyOutcome.PENDING
    env.generation = "2"
    worked_off(env)
    assert analysis(env, "2").poll("a.jpg", again.mark) == KeyResult(KeyOutcome.DONE)


def test_fallback_results_are_reported_and_requested_again_next_time(env: InferEnvironment) -> None:
    env.master("a.jpg", jpeg_photo())
    env.mode = "lambda"
    mark = analysis(env, best=FALLBACK).start("a.jpg", INFER).mark
    worked_off(env)
    assert analysis(env, best=FALLBACK).poll("a.jpg", mark) == KeyResult(KeyOutcome.DONE, FALLBACK)
    assert analysis(env, best=FALLBACK).start("a.jpg", INFER) == KeyResult(KeyOutcome.UNCHANGED, FALLBACK)
    assert analysis(env).start("a.jpg", INFER).outcome is KeyOutcome.PENDING
    assert set(SMALL) <= set(env.findings("a.jpg").found)


def test_an_image_that_no_model_can_read_is_refused(env: InferEnvironment) -> None:
    env.master("a.jpg", b"no image")
    mark = analysis(env).start("a.jpg", INFER).mark
    worked_off(env)
    assert analysis(env).poll("a.jpg", mark) == KeyResult(KeyOutcome.REFUSED, "unreadable")


def test_a_deleted_image_is_missing(env: InferEnvironment) -> None:
    assert analysis(env).start("a.jpg", INFER) == KeyResult(KeyOutcome.MISSING)
    env.master("a.jpg", jpeg_photo())
    mark = analysis(env).start("a.jpg", INFER).mark
    env.media.delete("masters/a.jpg")
    worked_off(env)
    assert analysis(env).poll("a.jpg", mark) == KeyResult(KeyOutcome.MISSING)
    assert env.noted("a.jpg") == FindingsRecord()


def test_a_stack_without_inference_is_reported(env: InferEnvironment) -> None:
    with pytest.raises(NoInference):
        AnalyseOperation(env.archive, env.masters, None, "1", lambda _: ALL).start("a.jpg", INFER)
