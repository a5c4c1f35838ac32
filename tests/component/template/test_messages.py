"""Queues, rules and asynchronous invocations of every template: no event is lost, and none is handled twice at once.

Sources, AWS's documentation: the visibility timeout of a queue is at least six times the function's timeout, plus the
batching window (Lambda Developer Guide, "Creating and configuring an Amazon SQS event source mapping"). The maximum
concurrency of an event source is 2 to 1,000 ("ScalingConfig" in the API reference). Events that a rule cannot deliver
are dropped without a dead letter queue (EventBridge User Guide, "Using dead-letter queues to process undelivered
events").
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest

from extensions import list_extensions, list_templates

from .further_stacks import build_further
from .images import CANARY, IMAGE
from .stack import ROOT, TEMPLATE, TEMPLATES, Stack, name_template, template
from .test_schemas import OUTPUTS

SOURCE = {"SourceBucket": "photos", "SourcePrefix": "originals/"}
ENDPOINT = {"InferenceMode": "endpoint", "EndpointImageUri": IMAGE, "CanaryImageUri": CANARY}
DEPLOYMENTS: dict[str, tuple[Path, dict[str, str]]] = {
    "endpoint": (
        TEMPLATE,
        ENDPOINT | {"Alarms": "all", "Dialects": "on", "Deployments": "Canary10Percent5Minutes"},
    ),
    "large, own source": (TEMPLATE, {"Size": "large", "InferenceMode": "lambda"} | SOURCE),
    "small": (TEMPLATE, {"Size": "small"}),
    **{one.flag: (one.template, build_further(one.flag, OUTPUTS, {})) for one in list_extensions()},
}
NESTED = {ROOT / "stacks" / f"{name}.yaml" for name in ("alarms", "inference", "source", "sources")}
"""Templates that are parts of template.yaml."""

DISPENSABLE = {
    "ExpediteFunctionPosted": "a second copy of a message about an upload, which is of no use later",
    "DeploymentRule": "an annotation of dashboards",
}
"""Rules whose events may be lost."""


@functools.cache
def deployed(name: str) -> Stack:
    path, parameters = DEPLOYMENTS[name]
    return Stack(path, **parameters)


def logical_id(reference: str) -> str:
    return reference.strip("<>").split(".")[0].removesuffix("Aliaslive")


def sends_to(stack: Stack, queue: str, service: str) -> bool:
    """Whether the policies of queues allow ``service`` to send to ``queue``."""
    return any(
        statement["Principal"] == {"Service": service}
        and f"<{queue}.Arn>" in str(statement["Resource"])
        and any(queue in str(one) for one in policy["Queues"])
        for policy in stack.of_type("AWS::SQS::QueuePolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
    )


def test_every_template_is_examined() -> None:
    assert {*TEMPLATES} == {path for path, _ in DEPLOYMENTS.values()} | NESTED


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_a_message_is_hidden_for_six_times_the_timeout(name: str) -> None:
    stack = deployed(name)
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        queue = stack.properties(logical_id(mapping["EventSourceArn"]))
        timeout_s = int(stack.properties(logical_id(mapping["FunctionName"]))["Timeout"])
        window_s = int(mapping.get("MaximumBatchingWindowInSeconds", 0))
        assert int(queue["VisibilityTimeout"]) >= 6 * timeout_s + window_s, mapping["EventSourceArn"]
        assert 2 <= int(mapping["ScalingConfig"]["MaximumConcurrency"]) <= 1000, mapping["EventSourceArn"]


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_messages_that_fail_are_kept(name: str) -> None:
    stack = deployed(name)
    queues = stack.of_type("AWS::SQS::Queue")
    redrives = [queue["RedrivePolicy"]["deadLetterTargetArn"] for queue in queues.values() if "RedrivePolicy" in queue]
    rules = [target["DeadLetterConfig"]["Arn"] for target in targets(stack).values() if "DeadLetterConfig" in target]
    kept = set(map(logical_id, [*redrives, *rules, *failure_destinations(stack).values()]))
    assert {key for key, queue in queues.items() if "RedrivePolicy" not in queue} == kept
    for queue in queues.values():
        if "RedrivePolicy" in queue:
            tries = int(queue["RedrivePolicy"]["maxReceiveCount"])
            assert tries * int(queue["VisibilityTimeout"]) < int(queue.get("MessageRetentionPeriod", 345_600)), "4 days"


def targets(stack: Stack) -> dict[str, dict[str, Any]]:
    """The targets of rules that events start, by the rules."""
    return {
        key: target
        for key, rule in stack.of_type("AWS::Events::Rule").items()
        if "ScheduleExpression" not in rule
        for target in rule["Targets"]
    }


def failure_destinations(stack: Stack) -> dict[str, str]:
    """The destinations of failed asynchronous invocations, by function."""
    return {
        logical_id(config["FunctionName"]): config["DestinationConfig"]["OnFailure"]["Destination"]
        for config in stack.of_type("AWS::Lambda::EventInvokeConfig").values()
        if config["DestinationConfig"]
    }


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_events_that_cannot_be_delivered_are_kept(name: str) -> None:
    stack = deployed(name)
    for rule, target in targets(stack).items():
        if rule in DISPENSABLE:
            continue
        queue = logical_id(target["DeadLetterConfig"]["Arn"])
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}, rule
        assert queue == "PurgeDeadLetters" or sends_to(stack, queue, "events.amazonaws.com"), rule


@pytest.mark.parametrize("name", DEPLOYMENTS)
def test_invocations_by_events_that_fail_are_kept(name: str) -> None:
    stack = deployed(name)
    invoked = {logical_id(target["Arn"]) for rule, target in targets(stack).items() if rule not in DISPENSABLE}
    assert invoked & stack.of_type("AWS::Lambda::Function").keys() == failure_destinations(stack).keys()


@pytest.mark.parametrize("path", ["template.yaml", "stacks/inference.yaml"])
@pytest.mark.parametrize(
    ("scaling", "is_allowed"),
    [
        ("1,1", True),
        ("1,2,600", True),
        ("2,1", False),
        ("2,1,600", False),
        ("9,10", True),
        ("10,9", False),
        ("19,20", True),
        ("20,19", False),
        ("21,20", False),
        ("99,100", True),
        ("100,99", False),
        ("199,200", True),
        ("200,199", False),
        ("999,999", True),
        ("0,1", False),
        ("1,01", False),
        ("1000,1000", False),
        ("1", False),
    ],
)
def test_the_least_number_of_instances_is_at_most_the_greatest(path: str, scaling: str, is_allowed: bool) -> None:
    parameters = template(ROOT / path)["Parameters"]
    pattern = next(one["AllowedPattern"] for key, one in parameters.items() if key.endswith("Scaling"))
    assert bool(re.fullmatch(pattern, scaling)) is is_allowed


def test_every_pair_of_least_and_greatest_is_one_parameter() -> None:
    """A range of two parameters could be the wrong way round."""
    found = {
        path: {
            key for key in template(path).get("Parameters", {}) if re.search("Min(?!utes)|Max|Least|Most|Scaling", key)
        }
        for path in TEMPLATES
    }
    for path, names in found.items():
        roots = [re.sub("Min|Max|Least|Most", "", key) for key in names]
        assert len(roots) == len(set(roots)), path
    of_core = {(name_template(path), key) for path in {*TEMPLATES} - {*list_templates()} for key in found[path]}
    assert of_core == {
        ("template.yaml", "EndpointScaling"),
        ("template.yaml", "MaxCostPerPicture"),
        ("stacks/alarms.yaml", "MaxCostPerPicture"),
        ("stacks/inference.yaml", "Scaling"),
    }
