"""Functions in a loop of queues: Lambda stops such a loop after about 16 invocations unless that is disabled."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from .stack import Stack
from .test_permissions import listed, statements

BOUNDED = {"InferFunction", "IngestFunction", "PurgeFunction"}
"""Functions whose code bounds their loops, by count (decision 30)."""

DEPLOYMENTS = {
    "default": {},
    "inference": {"InferenceMode": "lambda", "Refine": "on"},
    "endpoint": {"InferenceMode": "endpoint", "EndpointName": "models", "Refine": "on", "AccessLogDays": "30"},
}


def sends(stack: Stack) -> dict[str, set[str]]:
    """The queues that each function may send to, by their ARNs."""
    found: dict[str, set[str]] = {}
    for function, properties in stack.of_type("AWS::Lambda::Function").items():
        role = properties["Role"].removeprefix("<").removesuffix("Role.Arn>")
        found[function] = {
            queue
            for statement in statements(stack, role)
            if {"sqs:SendMessage", "sqs:*", "*"} & set(listed(statement["Action"]))
            for queue in listed(statement["Resource"])
        }
    return found


def consumes(stack: Stack) -> dict[str, set[str]]:
    """The functions that consume each queue, by its ARN."""
    found: dict[str, set[str]] = {}
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        function = mapping["FunctionName"].removeprefix("<").partition(">")[0].removesuffix("Aliaslive")
        found.setdefault(mapping["EventSourceArn"], set()).add(function)
    return found


def loops(sent: Mapping[str, set[str]], consumers: Mapping[str, set[str]]) -> set[str]:
    """The functions whose messages can return to them, directly or through other functions."""
    follows = {
        function: {consumer for queue in queues for consumer in consumers.get(queue, ())}
        for function, queues in sent.items()
    }

    def reached(function: str) -> set[str]:
        found: set[str] = set()
        waiting = list(follows.get(function, ()))
        while waiting:
            if (one := waiting.pop()) not in found:
                found.add(one)
                waiting += follows.get(one, ())
        return found

    return {function for function in follows if function in reached(function)}


def test_a_loop_is_found_directly_and_through_others() -> None:
    sent = {"a": {"q-b"}, "b": {"q-c"}, "c": {"q-a", "dead"}, "d": {"q-a"}, "e": {"q-e"}, "f": set()}
    consumers = {f"q-{name}": {name} for name in "abcde"}
    assert loops(sent, consumers) == {"a", "b", "c", "e"}


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_every_function_in_a_loop_is_allowed_to_and_no_other(parameters: dict[str, str]) -> None:
    stack = Stack(**parameters)
    sent, consumers = sends(stack), consumes(stack)
    assert {function for found in consumers.values() for function in found} <= set(sent)
    found = loops(sent, consumers)
    assert found == BOUNDED & set(sent)
    allowed = {
        name
        for name, function in stack.of_type("AWS::Lambda::Function").items()
        if function.get("RecursiveLoop", "Terminate") == "Allow"
    }
    assert allowed == found
