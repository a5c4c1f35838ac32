"""Calls of a SageMaker endpoint by a real client, and what each way to fail is taken for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from darkroom.aws.clients import client
from darkroom.aws.model import Endpoint
from darkroom.errors import ModelUnavailable
from darkroom.findings import ENDPOINT, FACES, MODERATION, SIMILARITY, TEXT, Finding

from . import sagemaker
from .sagemaker import Call, Reply, Runtime

TASKS = (FACES, TEXT, MODERATION, SIMILARITY)
CALL_S = 0.5


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with sagemaker.serving() as serving:
        yield serving


@pytest.fixture
def endpoint(runtime: Runtime) -> Endpoint:
    made = client("sagemaker-runtime", runtime.environment, read_s=CALL_S, attempts=1)
    return Endpoint(made, sagemaker.NAME)


def test_what_the_endpoint_is_asked_and_answers(runtime: Runtime, endpoint: Endpoint) -> None:
    found = endpoint.find(b"jpeg", TASKS, "id-1")
    assert set(found) == set(TASKS)
    for task in (FACES, TEXT, MODERATION):
        assert found[task] == sagemaker.found(task)
    assert found[SIMILARITY].vector == pytest.approx(sagemaker.VECTOR)
    [call] = runtime.calls
    assert (call.endpoint, call.tasks, call.body) == (sagemaker.NAME, TASKS, b"jpeg")
    assert call.headers["content-type"] == "image/jpeg"
    assert call.headers["x-amzn-sagemaker-inference-id"] == "id-1"


def test_whatever_the_answer_says_it_is_the_endpoint_that_found_it(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.behave = lambda _: (200, b'{"tasks": {"faces": {"model": "m", "version": "1", "by": "client"}}}')
    assert endpoint.find(b"jpeg", [FACES], "id")[FACES].by == ENDPOINT


def test_a_picture_that_the_models_cannot_read_is_a_finding(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.behave = sagemaker.unreadable
    found = endpoint.find(b"jpeg", TASKS, "id")
    assert {finding.error for finding in found.values()} == {"unreadable"}


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "bad-picture", "bad-picture"),
        (400, "", "unreadable"),
        (413, "", "unreadable"),
        (422, "damaged", "damaged"),
    ],
)
def test_a_refusal_of_the_container_is_one_too(
    runtime: Runtime, endpoint: Endpoint, status: int, code: str, error: str
) -> None:
    runtime.behave = sagemaker.refusing(status, code)
    assert endpoint.find(b"jpeg", [FACES], "id") == {FACES: Finding(FACES, sagemaker.NAME, "", error=error)}


FAULTS: dict[str, Callable[[Call], Reply]] = {
    "container fault": sagemaker.refusing(500),
    "container busy": sagemaker.refusing(429),
    "task not configured": sagemaker.refusing(400, "unknown-task"),
    "service unavailable": sagemaker.failing(503, "ServiceUnavailable"),
    "internal failure": sagemaker.failing(500, "InternalFailure"),
    "no such endpoint": sagemaker.failing(400, "ValidationError"),
    "throttled": sagemaker.failing(429, "ThrottlingException"),
    "not ready": sagemaker.failing(429, "ModelNotReadyException"),
    "not allowed": sagemaker.failing(403, "AccessDeniedException"),
    "hangs up": sagemaker.dead,
    "too slow": sagemaker.slow(2 * CALL_S),
    "no json": lambda _: (200, b"<html>"),
    "not ours": lambda _: (200, b"[]"),
    "a task is missing": lambda _: (200, b'{"tasks": {}}'),
    "half a vector": lambda _: (200, b'{"tasks": {"faces": {"model": "m", "version": "1", "vector": "AAA="}}}'),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_anything_else_is_unavailable_after_one_call(
    runtime: Runtime, endpoint: Endpoint, fault: Callable[[Call], Reply]
) -> None:
    runtime.behave = fault
    started = time.monotonic()
    with pytest.raises(ModelUnavailable) as raised:
        endpoint.find(b"jpeg", [FACES], "id")
    assert time.monotonic() - started < 2 * CALL_S
    assert len(runtime.calls) == 1
    assert raised.value.retryable
    assert "secret" not in raised.value.message


def test_nobody_there() -> None:
    nowhere: dict[str, Any] = Runtime("http://127.0.0.1:9").environment
    with pytest.raises(ModelUnavailable):
        Endpoint(client("sagemaker-runtime", nowhere, attempts=1), sagemaker.NAME).find(b"jpeg", [FACES], "id")
