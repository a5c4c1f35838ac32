"""Automatic remedies: DLQ redrives, endpoint fallback, load shedding; each is written to the audit log."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from darkroom.aws.switches import FALLBACK, LOAD_SHEDDING, Switch, Switches
from darkroom.errors import Unavailable
from darkroom_pipeline.operations.dead_letter_queue import DeadLetterQueue
from darkroom_pipeline.operations.functions import QueueUrls
from darkroom_pipeline.operations.remedies import (
    FallbackRemedy,
    LoadShedding,
    RedriveRemedy,
    RedriveTarget,
    RemedyCheck,
    redrive_targets,
)
from darkroom_pipeline.operations.remedy_rules import FALLBACK_S, OVERRIDE_S, PRESETS_ONLY_S, SwitchAction
from tests.component.services.emf_metrics import counted, of

from .environment import MINUTE_S, MonitorEnvironment

EVENT = json.dumps({"detail-type": "Object Created", "source": "aws.s3", "detail": {"object": {"key": "a.jpg"}}})


def redrive(stack: MonitorEnvironment) -> RedriveRemedy:
    env = stack.env
    letters = DeadLetterQueue(env.clients["sqs"], env.names["dead"], wait_s=0)
    station = RedriveTarget(stack.functions["ingest"], letters, env.names["changes"])
    return RedriveRemedy([station], stack.metrics, stack.namespace, stack.audit, stack.observer)


def die(stack: MonitorEnvironment, **attributes: str) -> None:
    named = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    stack.env.clients["sqs"].send_message(QueueUrl=stack.env.names["dead"], MessageBody=EVENT, MessageAttributes=named)


def test_dlq_messages_are_redriven_to_a_recovered_function(
    stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    stack.own("ingest", "Requests", {1: 100, 9: 10})
    stack.own("ingest", "Faults", {12: 50})
    for code in ("unavailable", "unavailable", "defect"):
        die(stack, code=code)
    watch = redrive(stack)
    assert watch.run(stack.now_s) == {"ingest": 3}
    watch.observer.flush()
    assert of(counted(capsys.readouterr().out), "Redriven") == {"": 3}
    sent = stack.env.messages("changes")
    assert [("redriven" in one["attributes"], one["detail"]["object"]["key"]) for one in sent] == [(True, "a.jpg")] * 3
    [entry] = stack.written
    assert (entry["subject"], entry["facts"]) == (
        "ingest dead letters",
        {"redriven": 3, "left": 0, "codes": {"unavailable": 2, "defect": 1}},
    )
    assert watch.run(stack.now_s) == {}


URGENT = {
    "ready": ({"detail-type": "ImageReady", "detail": {"key": "a", "priority": False}}, False),
    "ready and urgent": ({"detail-type": "ImageReady", "detail": {"key": "b", "priority": True}}, True),
    "held": ({"detail-type": "ImageHeld", "detail": {"key": "c"}}, True),
    "removed": ({"detail-type": "ImageRemoved", "detail": {"key": "d"}}, False),
    "no event": ({"key": "e"}, False),
    "no object": (["f"], False),
}


def test_urgent_dlq_messages_are_redriven_to_the_priority_queue(stack: MonitorEnvironment) -> None:
    env = stack.env
    sqs = env.clients["sqs"]
    urgent = sqs.create_queue(QueueName=f"urgent-{stack.number}")["QueueUrl"]
    for body, _ in URGENT.values():
        sqs.send_message(QueueUrl=env.names["dead"], MessageBody=json.dumps(body))
    letters = DeadLetterQueue(sqs, env.names["dead"], wait_s=0)
    station = RedriveTarget(stack.functions["infer"], letters, env.names["changes"], urgent)
    watch = RedriveRemedy([station], stack.metrics, stack.namespace, stack.audit, stack.observer)
    assert watch.run(stack.now_s) == {"infer": len(URGENT)}

    def bodies(url: str) -> list[str]:
        return sorted(
            message["Body"] for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
        )

    for url, is_urgent in ((urgent, True), (env.names["changes"], False)):
        assert bodies(url) == sorted(json.dumps(body) for body, wanted in URGENT.values() if wanted is is_urgent)


@pytest.mark.parametrize(
    ("minutes", "goes"),
    [({}, 1), ({1: 1}, 0), ({10: 1}, 0), ({11: 1}, 1)],
    ids=["none", "just now", "ten minutes ago", "before"],
)
def test_a_redrive_waits_for_ten_minutes_without_faults(
    stack: MonitorEnvironment, minutes: Mapping[int, float], goes: int
) -> None:
    stack.own("ingest", "Requests", {1: 5})
    stack.own("ingest", "Faults", minutes)
    die(stack, code="unavailable")
    assert redrive(stack).run(stack.now_s) == {"ingest": goes}
    assert len(stack.env.messages("changes")) == goes


def test_a_function_that_does_not_answer_at_all_has_not_recovered(stack: MonitorEnvironment) -> None:
    stack.of_lambda("ingest", "Errors", {3: 1})
    die(stack)
    assert redrive(stack).run(stack.now_s) == {"ingest": 0}


def test_what_was_sent_back_before_or_cannot_be_read_stays_to_be_seen(stack: MonitorEnvironment) -> None:
    die(stack, code="unavailable", redriven="2026-11-25T12:00:00+00:00")
    die(stack, code="bad-upload")
    die(stack)
    assert redrive(stack).run(stack.now_s) == {"ingest": 1}
    assert len(stack.env.messages("dead")) == 2


def test_only_functions_with_queues_of_this_deployment_are_redriven(stack: MonitorEnvironment) -> None:
    opened: list[str] = []

    def letters(url: str) -> DeadLetterQueue:
        opened.append(url)
        return DeadLetterQueue(None, url)

    addresses = {"ingest": QueueUrls("dead", "queue"), "sweep": QueueUrls("x", "y")}
    [station] = redrive_targets(stack.functions, addresses, letters)
    assert (station.name, station.queue_url, opened) == ("ingest", "queue", ["dead"])
    [infer] = redrive_targets(stack.functions, {"infer": QueueUrls("dead", "queue", "urgent")}, letters)
    assert (infer.queue_url, infer.urgent_url) == ("queue", "urgent")


def switched_on(stack: MonitorEnvironment, name: str) -> bool:
    """As functions see it."""
    return Switches(stack.env.vault("media").read, clock=lambda: stack.now_s).is_on(name)


type Answer = Callable[[], bool]


def stand_in(stack: MonitorEnvironment, answers: Answer) -> FallbackRemedy:
    return FallbackRemedy(
        stack.metrics, f"endpoint-{stack.number}", lambda: ["canary", "main"], answers, stack.switches
    )


def fail(stack: MonitorEnvironment, calls: float, errors: float, variant: str = "main") -> None:
    dimensions = {"EndpointName": f"endpoint-{stack.number}", "VariantName": variant}
    stack.put_metric("AWS/SageMaker", "Invocations", dimensions, calls)
    stack.put_metric("AWS/SageMaker", "Invocation5XXErrors", dimensions, errors)


def never() -> bool:
    raise AssertionError("the endpoint was asked")


def test_an_endpoint_that_works_is_left_alone_and_not_asked(stack: MonitorEnvironment) -> None:
    fail(stack, 100, 10)
    assert stand_in(stack, never).run(stack.now_s) == {"calls": 100, "errors": 10, "move": SwitchAction.LEAVE}
    assert (switched_on(stack, FALLBACK), stack.written) == (False, [])


def test_small_models_stand_in_for_an_endpoint_until_it_answers(
    stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    fail(stack, 10, 8)
    fail(stack, 10, 4, "canary")
    watch = stand_in(stack, lambda: False)
    assert watch.run(stack.now_s) == {"calls": 20, "errors": 12, "move": SwitchAction.ON}
    watch.switches.observer.flush()
    assert of(counted(capsys.readouterr().out), "SwitchedOn") == {FALLBACK: 1}
    assert switched_on(stack, FALLBACK)
    stack.now_s += 60
    assert watch.run(stack.now_s)["move"] == SwitchAction.LEAVE
    stack.now_s += FALLBACK_S / 2
    assert watch.run(stack.now_s)["move"] == SwitchAction.ON  # it would have ended soon
    stack.now_s += 1  # entries of one moment are in no order
    assert stand_in(stack, lambda: True).run(stack.now_s)["move"] == SwitchAction.OFF
    assert not switched_on(stack, FALLBACK)
    assert [(one["subject"], one["facts"]["move"]) for one in reversed(stack.written)] == [
        (FALLBACK, "on"),
        (FALLBACK, "on"),
        (FALLBACK, "off"),
    ]


def test_a_switch_without_a_monitor_expires(stack: MonitorEnvironment) -> None:
    fail(stack, 10, 10)
    stand_in(stack, lambda: False).run(stack.now_s)
    stack.now_s += FALLBACK_S - 1
    assert switched_on(stack, FALLBACK)
    stack.now_s += 2
    assert not switched_on(stack, FALLBACK)


def test_a_switch_set_by_an_operator_stays(stack: MonitorEnvironment) -> None:
    stack.switches.board.write(FALLBACK, Switch(on=True, by="ada", reason="maintenance"))
    assert stand_in(stack, never).run(stack.now_s)["move"] == SwitchAction.LEAVE
    assert stack.switches.board.read(FALLBACK).by == "ada"


def storm(stack: MonitorEnvironment, limit: float = 100) -> LoadShedding:
    return LoadShedding(stack.metrics, stack.namespace, limit, stack.switches)


def test_load_shedding_ends_after_a_quiet_quarter_of_an_hour(stack: MonitorEnvironment) -> None:
    stack.own("transform", "Rendered", {5: 101, 1: 3})
    stack.own("transform", "Rendered", {5: 101}, format="webp")  # the same ones
    assert storm(stack).run(stack.now_s) == {"peak": 101, "move": SwitchAction.ON}
    assert switched_on(stack, LOAD_SHEDDING)
    stack.now_s += 11 * MINUTE_S
    assert storm(stack).run(stack.now_s) == {"peak": 3, "move": SwitchAction.OFF}


@pytest.mark.parametrize(
    ("by", "ago_s", "at_s", "move"),
    [
        ("ada", OVERRIDE_S - 60, None, SwitchAction.LEAVE),
        ("ada", OVERRIDE_S + 60, None, SwitchAction.ON),
        ("monitor", 60, None, SwitchAction.ON),
        ("ada", 0, "yesterday", SwitchAction.ON),
    ],
)
def test_a_switch_turned_off_by_an_operator_stays_off_for_a_time(
    stack: MonitorEnvironment, by: str, ago_s: float, at_s: str | None, move: SwitchAction
) -> None:
    stack.own("transform", "Rendered", {1: 101})
    at = at_s or datetime.fromtimestamp(stack.now_s - ago_s, UTC).isoformat(timespec="seconds")
    stack.switches.board.write(LOAD_SHEDDING, Switch(on=False, by=by, at=at))
    assert storm(stack).run(stack.now_s)["move"] == move


def test_requests_refused_by_load_shedding_count_for_it(stack: MonitorEnvironment) -> None:
    stack.switches.board.write(LOAD_SHEDDING, Switch(on=True, by="monitor", until_s=stack.now_s + PRESETS_ONLY_S / 3))
    stack.own("transform", "Rendered", {2: 40})
    stack.own("transform", "Errors", {2: 70}, code="presets-only")
    assert storm(stack).run(stack.now_s) == {"peak": 110, "move": SwitchAction.ON}


def test_without_a_limit_load_shedding_stays_off(stack: MonitorEnvironment) -> None:
    stack.own("transform", "Rendered", 10**6)
    assert storm(stack, 0).run(stack.now_s)["move"] == SwitchAction.LEAVE


def test_a_turn_that_cannot_be_written_down_is_not_made(stack: MonitorEnvironment) -> None:
    stack.own("transform", "Rendered", 101)
    stack.env.names = dict(stack.env.names) | {"audit": "no-such-bucket"}
    with pytest.raises(Unavailable):
        storm(stack).run(stack.now_s)
    assert not switched_on(stack, LOAD_SHEDDING)


def test_a_remedy_out_of_reach_keeps_no_other(stack: MonitorEnvironment) -> None:
    looked: list[float] = []

    def unreachable(_: float) -> Mapping[str, Any]:
        raise Unavailable(detail="x")

    def look(now_s: float) -> Mapping[str, Any]:
        looked.append(now_s)
        return {}

    watch = RemedyCheck({"a": unreachable, "b": look}, stack.observer)
    with pytest.raises(Unavailable):
        watch.run(5.0)
    assert looked == [5.0]
    assert replace(watch, remedies={"b": look}).run(6.0) == {"b": {}}
