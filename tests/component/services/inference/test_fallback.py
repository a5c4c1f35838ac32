"""The endpoint is unavailable: small models, delayed messages and the circuit breaker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from darkroom.aws import switches
from darkroom.aws.switches import Switch
from darkroom.findings import ENDPOINT, FALLBACK, TEXT
from darkroom.image_keys import MASTERS
from darkroom_analysis.inference.analysis import AnalysisOutcome
from darkroom_analysis.inference.breaker import NAME, Circuit, CircuitBreaker, CircuitSettings, CircuitState
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.switch_store import SwitchStore
from darkroom_pipeline.services.analysis_requests import (
    MAX_DELAY_S,
    AnalysisRequest,
    RequestKind,
    backoff_s,
    parse_request,
)
from tests.component.aws import sagemaker
from tests.images.photographs import jpeg_photo
from tests.waiting import HANG_S, wait_until

from .harness import ALL, SMALL, TOO_LONG_S, InferEnvironment
from .test_analysis import metrics

KEY = "a.jpg"
FAULTS = {
    "dead": sagemaker.dead,
    "500": sagemaker.refusing(500),
    "503": sagemaker.failing(503, "ServiceUnavailable"),
    "throttled": sagemaker.failing(429, "ThrottlingException"),
    "hangs": sagemaker.hanging,
}


def put_off(env: InferEnvironment) -> AnalysisRequest:
    """The one message that was sent for later."""
    [message] = env.sent
    env.sent.clear()
    request = parse_request(message)
    assert request is not None
    return request


@pytest.mark.sample(12)
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_small_models_analyse_and_the_endpoint_is_called_again_later(
    env: InferEnvironment, fault: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    env.runtime.behave = fault
    env.wait_for_answers(TOO_LONG_S if fault is sagemaker.hanging else HANG_S)
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.FALLBACK
    wait_until(lambda: len(env.runtime.calls) >= 3, "the third call has come")
    assert len(env.runtime.calls) == 3
    env.wait_for_answers(HANG_S)
    findings = env.findings(KEY)
    assert {task: finding.origin for task, finding in findings.found.items()} == dict.fromkeys(SMALL, FALLBACK)
    assert findings.pending == (TEXT,)
    [event] = env.published()
    assert (event["by"], event["pending"]) == (FALLBACK, [TEXT])
    env.observer.flush()
    counted = metrics(capsys.readouterr().out)
    assert counted["Fallback"] == 1
    assert "UploadToAnalysed" not in counted

    env.runtime.behave, later = sagemaker.answer, put_off(env)
    assert (later.attempt, later.kind) == (1, RequestKind.ANALYSE)
    assert env.infer.handle(later) is AnalysisOutcome.ANALYSED
    findings = env.findings(KEY)
    assert {task: finding.origin for task, finding in findings.found.items()} == dict.fromkeys(ALL, ENDPOINT)
    assert (findings.pending, env.sent) == ((), [])
    again = env.published()[0]
    assert (again["by"], again["pending"], again["image_id"]) == (ENDPOINT, [], event["image_id"])
    assert again["id"] != event["id"]


@pytest.mark.slow
def test_the_endpoint_is_retried_and_small_models_analyse_once(env: InferEnvironment) -> None:
    env.runtime.behave = sagemaker.dead
    env.ready(KEY, jpeg_photo())
    for attempt in range(1, 5):
        request = put_off(env)
        assert request.attempt == attempt
        env.now_s += 1000
        assert env.infer.handle(request) is AnalysisOutcome.FALLBACK
    assert len(env.models.seen) == 1
    assert len(env.published()) == 1


def test_one_answer_in_three_is_enough(env: InferEnvironment) -> None:
    replies = [sagemaker.answer, sagemaker.refusing(500), sagemaker.dead]

    def behave(call: sagemaker.Call) -> sagemaker.Reply:
        return replies.pop()(call)

    env.runtime.behave = behave
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.ANALYSED
    assert (len(env.runtime.calls), env.models.seen, env.sent) == (3, [], [])
    assert Circuit.from_document(env.entries.get(NAME).fields) == Circuit()


def test_no_try_is_begun_that_could_end_too_late(env: InferEnvironment) -> None:
    service = env.infer
    assert service.models is not None
    caller, now_s, call_s = service.models.client, [0.0], 20.0
    for name, value in {"deadline_s": 2.4 * call_s, "call_timeout_s": call_s, "monotonic": lambda: now_s[0]}.items():
        object.__setattr__(caller, name, value)

    def slow(call: sagemaker.Call) -> sagemaker.Reply:
        now_s[0] += call_s
        return sagemaker.refusing(500)(call)

    env.runtime.behave = slow
    assert (
        service.handle(AnalysisRequest(RequestKind.READY, KEY, env.master(KEY, jpeg_photo())))
        is AnalysisOutcome.FALLBACK
    )
    assert len(env.runtime.calls) == 2


def test_without_any_analysis_the_message_is_retried(env: InferEnvironment) -> None:
    env.runtime.behave, env.models.broken = sagemaker.dead, True
    with pytest.raises(RuntimeError):
        env.ready(KEY, jpeg_photo())
    assert (env.keys("findings/"), env.sent) == ([], [])


def test_an_overwritten_upload_is_not_delayed_for_ever(env: InferEnvironment) -> None:
    env.runtime.behave = sagemaker.dead
    env.ready(KEY, jpeg_photo())
    request = put_off(env)
    env.master(KEY, jpeg_photo((90, 60)))
    assert env.infer.handle(request) is AnalysisOutcome.DROPPED
    env.media.delete(MASTERS.name(KEY))
    assert env.infer.handle(request) is AnalysisOutcome.REMOVED
    assert env.sent == []


def test_waits_grow_and_are_left_to_chance() -> None:
    longest = [30, 60, 120, 240, 480, MAX_DELAY_S, MAX_DELAY_S, MAX_DELAY_S]
    for attempt, most in enumerate(longest, start=1):
        waits = {backoff_s(attempt) for _ in range(200)}
        assert most // 2 <= min(waits) < max(waits) <= most
        assert len(waits) > 5


@pytest.mark.slow
def test_while_the_breaker_is_open_the_endpoint_is_not_called(env: InferEnvironment) -> None:
    env.circuit = CircuitSettings(max_failures=4, open_s=30, probe_s=60)
    env.runtime.behave = sagemaker.dead
    outcomes = [env.ready(f"{number}.jpg", jpeg_photo((90, 60 + number))) for number in range(8)]
    assert outcomes == [AnalysisOutcome.FALLBACK] * 8
    assert len(env.runtime.calls) == 4, "one worker after the other knew that it was open"
    assert len(env.opened) == 1
    env.now_s += 29
    env.ready("8.jpg", jpeg_photo((91, 60)))
    assert len(env.runtime.calls) == 4


@pytest.mark.slow
def test_one_probe_and_then_everything(env: InferEnvironment) -> None:
    env.circuit = CircuitSettings(max_failures=3, open_s=30, probe_s=60)
    env.runtime.behave = sagemaker.dead
    env.ready("0.jpg", jpeg_photo((90, 60)))
    env.now_s += 31
    env.ready("1.jpg", jpeg_photo((90, 61)))
    assert len(env.runtime.calls) == 4, "the one probe failed, and its second try was no probe"
    env.now_s += 31
    env.ready("2.jpg", jpeg_photo((90, 62)))
    assert len(env.runtime.calls) == 4, "open for twice as long"
    env.now_s += 31
    env.runtime.behave = sagemaker.answer
    assert env.ready("3.jpg", jpeg_photo((90, 63))) is AnalysisOutcome.ANALYSED
    assert env.ready("4.jpg", jpeg_photo((90, 64))) is AnalysisOutcome.ANALYSED
    assert len(env.runtime.calls) == 6


@pytest.fixture
def hire(env: InferEnvironment) -> Callable[[], CircuitBreaker]:
    env.circuit = CircuitSettings(max_failures=2, open_s=30, probe_s=60)
    return lambda: env.breaker


def test_workers_share_their_failures(env: InferEnvironment, hire: Callable[[], CircuitBreaker]) -> None:
    first, second = hire(), hire()
    assert first.allows_call()
    assert second.allows_call()
    first.record_failure()
    second.record_failure()
    assert not first.allows_call()
    assert not hire().allows_call()
    assert env.opened == [env.now_s]


def test_of_many_only_one_probes(env: InferEnvironment, hire: Callable[[], CircuitBreaker]) -> None:
    workers = [hire() for _ in range(5)]
    for worker in workers[:2]:
        worker.record_failure()
    env.now_s += 31
    assert [worker.allows_call() for worker in workers] == [True, False, False, False, False]
    env.now_s += 61
    assert [worker.allows_call() for worker in workers] == [True, False, False, False, False], "the first one has died"
    workers[0].record_success()
    assert all(worker.allows_call() for worker in workers)


@pytest.fixture
def reads(env: InferEnvironment) -> Iterator[list[str]]:
    """Names that are read of the index."""
    seen: list[str] = []
    events = env.clients["dynamodb"].meta.events
    events.register(
        "provide-client-params.dynamodb.GetItem",
        lambda params, **_: seen.append(params["Key"]["pk"]["S"]),
        unique_id="r",
    )
    yield seen
    events.unregister("provide-client-params.dynamodb.GetItem", unique_id="r")


def test_an_open_circuit_is_not_read_again_before_its_time(
    env: InferEnvironment, hire: Callable[[], CircuitBreaker], reads: list[str]
) -> None:
    worker = hire()
    worker.record_failure()
    worker.record_failure()
    reads.clear()
    assert [worker.allows_call() for _ in range(10)] == [False] * 10
    assert reads == []
    env.now_s += 31
    assert worker.allows_call()
    assert reads == [NAME]


def test_successes_write_nothing_where_nothing_has_failed(
    env: InferEnvironment, hire: Callable[[], CircuitBreaker]
) -> None:
    worker = hire()
    for _ in range(3):
        assert worker.allows_call()
        worker.record_success()
    assert env.entries.get(NAME).version == 0


def test_an_unavailable_table_stops_no_analysis(env: InferEnvironment) -> None:
    worker = CircuitBreaker(DocumentStore(env.clients["dynamodb"], "no-such-table"), clock=lambda: env.now_s)
    assert worker.allows_call()
    worker.record_failure()
    assert worker.allows_call()


def test_a_change_by_another_worker_is_not_written_over(
    env: InferEnvironment, hire: Callable[[], CircuitBreaker]
) -> None:
    """Between its read and its write, two others fail."""
    worker, others = hire(), [hire(), hire()]

    def interfere(**_: Any) -> None:
        events.unregister("before-send.dynamodb.PutItem", unique_id="i")
        for other in others:
            other.record_failure()

    events = env.clients["dynamodb"].meta.events
    events.register("before-send.dynamodb.PutItem", interfere, unique_id="i")
    worker.record_failure()
    assert Circuit.from_document(env.entries.get(NAME).fields).state(env.now_s) is CircuitState.OPEN
    assert not worker.allows_call()


@pytest.mark.slow
def test_a_switch_leaves_the_endpoint_alone(env: InferEnvironment) -> None:
    SwitchStore(env.media).write(switches.FALLBACK, Switch(True, "ada", until_s=env.now_s + 600))
    assert env.ready(KEY, jpeg_photo()) is AnalysisOutcome.FALLBACK
    assert env.runtime.calls == []
    later = put_off(env)
    assert env.entries.get(NAME).version == 0, "the circuit has nothing to do with it"

    env.now_s += 601
    assert env.infer.handle(later) is AnalysisOutcome.ANALYSED
    assert {finding.origin for finding in env.findings(KEY).found.values()} == {ENDPOINT}
