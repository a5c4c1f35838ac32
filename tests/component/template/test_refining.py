"""The trigger of background re-encoding, and its absence where it is off."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.services.caching import UNREFINED_S

from .stack import Stack
from .test_intake import matches
from .test_permissions import granted

EVENT: dict[str, Any] = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {
        "bucket": {"name": "<MediaBucket>"},
        "object": {"key": "derivatives/a.jpg/_/w-320.webp"},
        "reason": "PutObject",
    },
}


def about(**changed: Any) -> dict[str, Any]:
    return EVENT | {"detail": EVENT["detail"] | changed}


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        (EVENT, True),
        (about(reason="CopyObject"), True),
        (about(object={"key": "masters/a.jpg"}), False),
        (about(object={"key": "masters/derivatives/a.jpg"}), False),
        (about(bucket={"name": "<UploadsBucket>"}), False),
        (EVENT | {"detail-type": "Object Deleted"}, False),
    ],
)
def test_events_of_stored_derivatives_match(event: dict[str, Any], heard: bool) -> None:
    assert matches(Stack().properties("DerivativeCreatedRule")["EventPattern"], event) == heard


def test_the_rule_sends_to_the_queue_and_on_failure_to_its_dlq() -> None:
    stack = Stack()
    [target] = stack.properties("DerivativeCreatedRule")["Targets"]
    assert (target["Arn"], target["DeadLetterConfig"]["Arn"]) == ("<RefineQueue.Arn>", "<RefineDeadLetters.Arn>")
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    for queue in ("RefineQueue", "RefineDeadLetters"):
        [statement] = stack.properties(f"{queue}Policy")["PolicyDocument"]["Statement"]
        assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", f"<{queue}.Arn>")
        assert statement["Condition"]["ArnEquals"]["aws:SourceArn"] == ["<DerivativeCreatedRule.Arn>"]


def test_the_media_bucket_sends_events() -> None:
    configuration = Stack().properties("MediaBucket")["NotificationConfiguration"]
    assert configuration == {"EventBridgeConfiguration": {"EventBridgeEnabled": True}}


def test_a_message_waits_five_minutes_and_is_hidden_for_six_timeouts() -> None:
    stack = Stack()
    queue, source = stack.properties("RefineQueue"), stack.properties("RefineFunctionDerivatives")
    assert queue["DelaySeconds"] == 300
    assert queue["VisibilityTimeout"] >= 6 * stack.properties("RefineFunction")["Timeout"]
    assert source["EventSourceArn"] == "<RefineQueue.Arn>"
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (source["BatchSize"], source["ScalingConfig"]) == (1, {"MaximumConcurrency": 2})


LONGEST_DELAY_S = 900
"""SQS's longest delay, which the local stack has (local/intervals.py)."""


def test_the_cdn_asks_again_after_the_longest_delay() -> None:
    assert LONGEST_DELAY_S + 3_600 <= UNREFINED_S


def test_off_renders_nothing_and_reports_it() -> None:
    on, off = Stack(), Stack(Refine="off")
    made = on.resources.keys() - off.resources.keys()
    assert {on.resources[name]["Type"] for name in made} >= {
        "AWS::SQS::Queue",
        "AWS::Lambda::Function",
        "AWS::Events::Rule",
        "AWS::IAM::Role",
    }
    assert not [name for name in off.resources if "Refine" in name]
    assert "NotificationConfiguration" not in off.properties("MediaBucket")
    for function in ("TransformFunction", "IngestFunction"):
        assert (on.variables(function)["REFINE"], off.variables(function)["REFINE"]) == ("on", "off")
    assert "refine=" not in off.variables("MonitorFunction")["FUNCTIONS"]
    variables = off.variables("MonitorFunction")
    assert variables["REFINE_QUEUE_URL"] == variables["REFINE_DLQ_URL"] == ""


def test_it_may_call_the_endpoint_of_a_deployment_that_has_one() -> None:
    found = []
    for parameters in ({}, {"InferenceMode": "endpoint", "EndpointName": "mine"}):
        stack = Stack(**parameters)
        calls = {action: names for action, names in granted(stack, "Refine").items() if "sagemaker" in action}
        found.append((calls, stack.properties("RefineFunction")["Environment"]["Variables"]["ENDPOINT_NAME"]))
    endpoint = "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/mine"
    assert found == [({}, ""), ({"sagemaker:InvokeEndpoint": [endpoint]}, "mine")]
