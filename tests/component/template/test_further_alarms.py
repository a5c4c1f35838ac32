"""Alarms of the further stacks: as the tables are, on functions and queues that exist, with what raises them."""

from __future__ import annotations

import functools

import pytest

from extensions import Extension, list_extensions
from local.emulation.alarms import find_error
from observability.alarm_states import Alarm, evaluate
from observability.extension_alarms import insert_alarms, insert_page, stack_alarms
from observability.metric_math import Series

from .stack import ROOT, Stack, template
from .watching import ALARM

NOW_S = 1_000_000 * 60
HOUR_S = 3600
STACKS = list_extensions()
NAMES = [stack.name for stack in STACKS]
BY_NAME = {stack.name: stack for stack in STACKS}


@functools.cache
def deployed(name: str) -> Stack:
    path = BY_NAME[name].template
    required = {key: "x" for key, one in template(path)["Parameters"].items() if "Default" not in one}
    return Stack(path, **{**required, "StackName": "stack"})


def alarms(name: str) -> dict[str, Alarm]:
    """By their names without that of the further stack."""
    read = (Alarm.read(key, properties) for key, properties in deployed(name).of_type(ALARM).items())
    return {alarm.name.partition("-")[2]: alarm for alarm in read}


def faulty(name: str, **counts: float) -> str:
    """The state of the alarm on faults, with counts by metric for the first function that has it."""
    alarm, metrics = alarms(name)["faults"], dict[str, Series]()
    for metric, value in counts.items():
        query = next(one for one in alarm.queries if one.metric == metric)
        metrics[query.id] = {NOW_S - alarm.period_s: value}
    return evaluate(alarm, metrics, NOW_S, "OK").state


@pytest.mark.parametrize("stack", STACKS, ids=NAMES)
def test_a_template_is_as_the_tables_are(stack: Extension) -> None:
    text = stack.template.read_text(encoding="utf-8")
    assert insert_alarms(text, stack) == text, "make alarms"
    assert {alarm.name for alarm in stack_alarms(stack)} <= alarms(stack.name).keys()


def test_every_stack_with_functions_or_queues_has_alarms() -> None:
    working = {
        name
        for name, path in ((one.name, one.template) for one in STACKS)
        if any(
            one["Type"] in ("AWS::Serverless::Function", "AWS::SQS::Queue")
            for one in template(path)["Resources"].values()
        )
    }
    assert working == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_function_and_queue_of_a_stack_is_watched(name: str) -> None:
    stack = deployed(name)
    functions, queues = stack.of_type("AWS::Lambda::Function"), stack.of_type("AWS::SQS::Queue")
    watched = [query for alarm in alarms(name).values() for query in alarm.queries]
    assert {
        query.dimensions["FunctionName"].strip("<>") for query in watched if "FunctionName" in query.dimensions
    } == (set(functions))
    assert {query.dimensions["QueueName"].strip("<>") for query in watched if "QueueName" in query.dimensions} == (
        {f"{logical_id}.QueueName" for logical_id in queues}
    )
    services = {
        one["Environment"]["Variables"].get("POWERTOOLS_SERVICE_NAME")
        for one in functions.values()
        if "Environment" in one
    }
    for query in watched:
        if query.metric == "Faults":
            assert query.namespace == "Darkroom/stack"
            assert query.dimensions["service"] == query.dimensions["function"]
            assert query.dimensions["service"] in services


@pytest.mark.parametrize("name", NAMES)
def test_cloudwatch_accepts_the_alarms(name: str) -> None:
    every = deployed(name).of_type(ALARM).values()
    math = [properties for properties in every if "Metrics" in properties]
    assert math
    assert [find_error(properties) for properties in math] == [""] * len(math)
    assert len({properties["AlarmName"] for properties in every}) == len(every)
    assert all(len(properties["AlarmDescription"]) <= 1024 for properties in every)


@pytest.mark.parametrize("name", NAMES)
def test_faults_are_a_ticket_also_if_all_of_few_events_fail(name: str) -> None:
    assert faulty(name, Errors=3, Invocations=3) == "ALARM"
    assert faulty(name, Errors=2, Invocations=2) == "OK"
    assert faulty(name, Errors=3, Invocations=30) == "OK"
    assert faulty(name, Errors=4, Invocations=30) == "ALARM"
    assert evaluate(alarms(name)["faults"], {}, NOW_S, "ALARM").state == "OK"
    if any(function.service for function in BY_NAME[name].functions):
        assert faulty(name, Faults=3, Invocations=4) == "ALARM"
    topic = "arn:aws:sns:eu-central-1:111122223333:stack-tickets"
    assert {action for alarm in alarms(name).values() for action in alarm.actions} == {topic}


@pytest.mark.parametrize(
    ("name", "queue", "age_s"),
    [(one.name, queue.logical_id, queue.age_s) for one in STACKS for queue in one.queues],
)
def test_an_old_message_is_a_ticket(name: str, queue: str, age_s: int) -> None:
    alarm = alarms(name)[f"{queue.removesuffix('Queue').lower()}-age"]
    late: Series = {NOW_S - minutes * 60: age_s + 1.0 for minutes in range(1, 5)}
    assert evaluate(alarm, {alarm.queries[0].id: late}, NOW_S).state == "ALARM"
    assert evaluate(alarm, {alarm.queries[0].id: {time: float(age_s) for time in late}}, NOW_S).state == "OK"


def test_the_page_has_the_cost() -> None:
    page = (ROOT / "docs" / "reference" / "slo.md").read_text(encoding="utf-8")
    assert insert_page(page) == page, "make alarms"
