"""Call a SageMaker endpoint with a real client; map each failure to an error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from darkroom.errors import ModelUnavailable
from darkroom.findings import ENDPOINT, FACES, MODERATION, SIMILARITY, TEXT, Finding
from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.sagemaker import Endpoint, parse_stages_ms
from tests.waiting import HANG_S, wait_until

from . import sagemaker
from .sagemaker import Call, Reply, Runtime

TASKS = (FACES, TEXT, MODERATION, SIMILARITY)
TOO_LONG_S = 0.5
"""The read timeout of a client, for a response that never comes."""


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    with sagemaker.serving() as serving:
        yield serving


@pytest.fixture
def endpoint(runtime: Runtime) -> Endpoint:
    made = create_client("sagemaker-runtime", runtime.environment, read_s=HANG_S, attempts=1)
    return Endpoint(made, sagemaker.NAME)


def test_requests_and_responses_of_the_endpoint(runtime: Runtime, endpoint: Endpoint) -> None:
    found = endpoint.invoke(b"jpeg", TASKS, "id-1").found
    assert set(found) == set(TASKS)
    for task in (FACES, TEXT, MODERATION):
        assert found[task] == sagemaker.found(task)
    assert found[SIMILARITY].vector == pytest.approx(sagemaker.VECTOR)
    [call] = runtime.calls
    assert (call.endpoint, call.tasks, call.body) == (sagemaker.NAME, TASKS, b"jpeg")
    assert call.headers["content-type"] == "image/jpeg"
    assert call.headers["x-amzn-sagemaker-inference-id"] == "id-1"
    assert (call.trace, call.target) == ("", "")


def test_the_container_gets_the_trace_and_returns_its_stages(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.attributes = "batch=2;timing=queue:3.0,decode:12.1,infer:80.2"
    result = endpoint.invoke(b"jpeg", [FACES, TEXT], "id", trace="1-5759e988-bd862e3fe1be46a994272793")
    [call] = runtime.calls
    assert (call.trace, call.tasks) == ("1-5759e988-bd862e3fe1be46a994272793", (FACES, TEXT))
    assert list(result.stages_ms.items()) == [("queue", 3.0), ("decode", 12.1), ("infer", 80.2)]
    assert result.duration_ms > 0


def test_the_container_is_told_how_long_the_call_waits(runtime: Runtime) -> None:
    for seconds in (20.0, 0.5):
        client = create_client("sagemaker-runtime", runtime.environment, read_s=seconds, attempts=1)
        Endpoint(client, sagemaker.NAME).invoke(b"jpeg", [FACES], "id")
    sent = [call.headers["x-amzn-sagemaker-custom-attributes"] for call in runtime.calls]
    assert sent == ["tasks=faces;timeout=20000", "tasks=faces;timeout=500"]


def test_the_variant_is_drawn_by_sagemaker_or_chosen(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.drawn = "canary"
    assert endpoint.invoke(b"jpeg", [FACES], "id").variant == "canary"
    assert endpoint.invoke(b"jpeg", [FACES], "id", variant="main").variant == "main"
    assert [call.target for call in runtime.calls] == ["", "main"]


def test_what_is_refused_has_neither_stages_nor_a_variant(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.behave = sagemaker.refusing(422, "damaged")
    result = endpoint.invoke(b"jpeg", [FACES], "id")
    assert (result.variant, result.stages_ms) == ("", {})


@pytest.mark.parametrize(
    ("attributes", "stages"),
    [
        ("", {}),
        ("batch=7", {}),
        ("timing=", {}),
        ("timing=queue:3.0", {"queue": 3.0}),
        ("batch=7; timing=infer:80,queue:0.5;more=1", {"infer": 80.0, "queue": 0.5}),
        ("timing=queue,:1,decode:fast,infer:nan,x:-1,store:1e9,y:2.5", {"y": 2.5}),
    ],
)
def test_stages_are_read_from_any_attribute_of_a_container(attributes: str, stages: dict[str, float]) -> None:
    assert parse_stages_ms(attributes) == stages


def test_the_origin_is_always_the_endpoint(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.behave = lambda _: (200, b'{"tasks": {"faces": {"model": "m", "version": "1", "by": "client"}}}')
    assert endpoint.invoke(b"jpeg", [FACES], "id").found[FACES].origin == ENDPOINT


def test_an_image_that_the_models_cannot_read_is_a_finding(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.behave = sagemaker.unreadable
    found = endpoint.invoke(b"jpeg", TASKS, "id").found
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
    assert endpoint.invoke(b"jpeg", [FACES], "id").found == {FACES: Finding(FACES, sagemaker.NAME, "", error=error)}


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
    with pytest.raises(ModelUnavailable) as raised:
        endpoint.invoke(b"jpeg", [FACES], "id")
    assert len(runtime.calls) == 1
    assert raised.value.retryable
    assert "secret" not in raised.value.message


def test_an_endpoint_that_does_not_answer_is_waited_for_only_so_long(runtime: Runtime) -> None:
    runtime.behave = sagemaker.hanging
    impatient = create_client("sagemaker-runtime", runtime.environment, read_s=TOO_LONG_S, attempts=1)
    with pytest.raises(ModelUnavailable) as raised:
        Endpoint(impatient, sagemaker.NAME).invoke(b"jpeg", [FACES], "id")
    assert raised.value.retryable
    wait_until(lambda: runtime.calls, "the call has come")
    assert len(runtime.calls) == 1


def test_no_endpoint() -> None:
    nowhere: dict[str, Any] = Runtime("http://127.0.0.1:9").environment
    with pytest.raises(ModelUnavailable):
        Endpoint(create_client("sagemaker-runtime", nowhere, attempts=1), sagemaker.NAME).invoke(b"jpeg", [FACES], "id")


def test_an_explanation_is_requested_and_read(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.behave = sagemaker.explaining
    assert endpoint.invoke(b"jpeg", [MODERATION], "id").found[MODERATION].explanation is None
    found = endpoint.invoke(b"jpeg", [MODERATION], "id", explains=True).found[MODERATION]
    assert found.explanation == sagemaker.EXPLANATION
    assert [call.explains for call in runtime.calls] == [False, True]


def test_a_malformed_explanation_is_no_answer(runtime: Runtime, endpoint: Endpoint) -> None:
    runtime.behave = lambda call: sagemaker.explaining(call, grid=5)
    with pytest.raises(ModelUnavailable):
        endpoint.invoke(b"jpeg", [MODERATION], "id", explains=True)
