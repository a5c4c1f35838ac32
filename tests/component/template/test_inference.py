"""Inference in the template: no resources where it is off, and two queues that share the endpoint's concurrency."""

from __future__ import annotations

from typing import Any

import pytest

from .images import IMAGE
from .stack import Stack, broken_rules, template
from .test_intake import matches
from .test_permissions import granted, statements

BY_NAME = {"InferenceMode": "endpoint", "EndpointName": "mine"}
OWN = {"InferenceMode": "endpoint", "EndpointImageUri": IMAGE}
SMALL = {"InferenceMode": "lambda"}
MODES = {"lambda": SMALL, "endpoint": BY_NAME, "own endpoint": OWN}
SHARES = template()["Parameters"]["EndpointConcurrency"]["AllowedValues"]


def test_nothing_of_it_is_there_where_it_is_off() -> None:
    stack = Stack()
    assert not [name for name in stack.resources if name.startswith("Infer") and "Layer" not in name]


@pytest.mark.parametrize("mode", [SMALL, BY_NAME], ids=["lambda", "existing endpoint"])
def test_an_endpoint_is_made_only_of_an_image(mode: dict[str, str]) -> None:
    assert "InferenceStack" not in Stack(**mode).resources


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    ("parameters", "broken"),
    [(SMALL, 0), (BY_NAME, 0), (OWN, 0), ({"InferenceMode": "endpoint"}, 1), ({"EndpointImageUri": IMAGE}, 0)],
)
def test_an_endpoint_has_an_image_or_a_name(parameters: dict[str, str], broken: int) -> None:
    assert len(broken_rules(**parameters)) == broken


@pytest.mark.parametrize(
    ("mode", "name"), [(SMALL, ""), (BY_NAME, "mine"), (OWN, "<Endpoint.EndpointName>")], ids=MODES
)
def test_the_function_gets_the_name_of_the_endpoint(mode: dict[str, str], name: str) -> None:
    variables = Stack(**mode).variables("InferFunction")
    assert (variables["INFERENCE_MODE"], variables["ENDPOINT_NAME"]) == (mode["InferenceMode"], name)


def test_the_other_functions_get_the_same_settings() -> None:
    stack = Stack(**BY_NAME, SourceBucket="photos")
    infer = stack.variables("InferFunction")
    for function in ("IngestFunction", "TransformFunction", "SimilarFunction"):
        other = stack.variables(function)
        ours_alone = {"POWERTOOLS_SERVICE_NAME", "MAX_RECEIVES"}
        same = (infer.keys() & other.keys()) - ours_alone
        assert {name: infer[name] for name in same} == {name: other[name] for name in same}
        assert same & {"INDEX_TABLE", "SOURCE_BUCKET"}


OURS = {"stack": "stack", "key": "a"}
READY: dict[str, Any] = {"source": "darkroom", "detail-type": "ImageReady", "detail": OURS | {"priority": False}}
TARGETS = {
    "ready": (READY, "InferQueue"),
    "urgent": (READY | {"detail": OURS | {"priority": True}}, "InferPriorityQueue"),
    "removed": (READY | {"detail-type": "ImageRemoved", "detail": OURS}, "InferQueue"),
    "held": (READY | {"detail-type": "ImageHeld", "detail": OURS}, "InferPriorityQueue"),
    "analysed": (READY | {"detail-type": "ImageAnalysed"}, ""),
    **{
        f"{detail_type} of another stack": (
            READY | {"detail-type": detail_type, "detail": {"stack": "stack2", "key": "a", "priority": priority}},
            "",
        )
        for detail_type, priority in (
            ("ImageReady", False),
            ("ImageReady", True),
            ("ImageRemoved", False),
            ("ImageHeld", True),
        )
    },
    "another source": (READY | {"source": "another"}, ""),
}


def own_rules(stack: Stack) -> dict[str, dict[str, Any]]:
    found = stack.of_type("AWS::Events::Rule").items()
    return {name: rule for name, rule in found if rule.get("EventPattern", {}).get("source") == ["darkroom"]}


@pytest.mark.parametrize(("event", "queue"), TARGETS.values(), ids=TARGETS)
def test_each_event_goes_to_one_queue(event: dict[str, Any], queue: str) -> None:
    rules = [rule for rule in own_rules(Stack(**BY_NAME)).values() if matches(rule["EventPattern"], event)]
    assert [rule["Targets"][0]["Arn"] for rule in rules] == ([f"<{queue}.Arn>"] if queue else [])


def test_rules_may_send_to_their_queues_and_dlqs() -> None:
    stack = Stack(**BY_NAME)
    rules = own_rules(stack)
    assert len(rules) == 4
    senders: dict[str, list[str]] = {}
    for name, rule in rules.items():
        [target] = rule["Targets"]
        assert target["DeadLetterConfig"]["Arn"] == "<InferDeadLetters.Arn>"
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
        senders.setdefault(target["Arn"], []).append(f"<{name}.Arn>")
    senders["<InferDeadLetters.Arn>"] = [f"<{name}.Arn>" for name in rules]
    for queue in ("InferQueue", "InferPriorityQueue", "InferDeadLetters"):
        [statement] = stack.properties(f"{queue}Policy")["PolicyDocument"]["Statement"]
        assert statement["Resource"] == f"<{queue}.Arn>"
        assert sorted(statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == sorted(senders[statement["Resource"]])


@pytest.mark.parametrize("name", ["InferQueue", "InferPriorityQueue"])
def test_messages_outlive_their_worker_six_times_and_then_lie_among_the_dead(name: str) -> None:
    stack = Stack(**BY_NAME)
    queue, dead_letters = stack.properties(name), stack.properties("InferDeadLetters")
    timeout_s = stack.properties("InferFunction")["Timeout"]
    assert queue["VisibilityTimeout"] >= 6 * timeout_s
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == "<InferDeadLetters.Arn>"
    most = int(queue["RedrivePolicy"]["maxReceiveCount"])
    assert stack.variables("InferFunction")["MAX_RECEIVES"] == str(most)
    assert most * queue["VisibilityTimeout"] < queue["MessageRetentionPeriod"] < dead_letters["MessageRetentionPeriod"]
    sources = dead_letters["RedriveAllowPolicy"]["sourceQueueArns"]
    assert f"arn:aws:sqs:eu-central-1:111122223333:{queue['QueueName']}" in sources
    assert queue["SqsManagedSseEnabled"] is dead_letters["SqsManagedSseEnabled"] is True


@pytest.mark.sample(3)
@pytest.mark.parametrize("share", SHARES)
def test_both_queues_together_use_the_concurrency_of_the_endpoint(share: int) -> None:
    stack = Stack(**BY_NAME, EndpointConcurrency=str(share))
    sources = [stack.properties(f"InferFunction{name}") for name in ("Pictures", "UrgentPictures")]
    assert [source["EventSourceArn"] for source in sources] == ["<InferQueue.Arn>", "<InferPriorityQueue.Arn>"]
    counts = [int(source["ScalingConfig"]["MaximumConcurrency"]) for source in sources]
    assert sum(counts) == share
    assert min(counts) >= 2
    for source in sources:
        assert (source["BatchSize"], source["FunctionResponseTypes"]) == (1, ["ReportBatchItemFailures"])


ENDPOINTS = {
    "lambda": [],
    "endpoint": ["arn:aws:sagemaker:eu-central-1:111122223333:endpoint/mine"],
    "own endpoint": ["arn:aws:sagemaker:eu-central-1:111122223333:endpoint/darkroom-3f2504e0-*"],
}


@pytest.mark.parametrize("mode", MODES)
def test_infer_asks_its_own_endpoint_alone(mode: str) -> None:
    asks = ("sagemaker:InvokeEndpoint", "sagemaker:DescribeEndpoint")
    grants = granted(Stack(**MODES[mode]), "Infer")
    found = {action: resources for action, resources in grants.items() if action.startswith("sagemaker:")}
    assert found == (dict.fromkeys(asks, ENDPOINTS[mode]) if ENDPOINTS[mode] else {})


def test_infer_writes_items_of_its_own_alone() -> None:
    [statement] = [s for s in statements(Stack(**BY_NAME), "Infer") if s["Sid"] == "KeepOwnItems"]
    keys = statement["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"]
    assert keys == ["findings#*", "sample#*", "breaker#endpoint"]


def test_s3_vectors_take_the_place_of_the_table() -> None:
    grants = granted(Stack(**BY_NAME, SimilarityStore="s3vectors"), "Infer")
    indexes = ("<VectorIndex.IndexArn>", "<LikenessIndex.IndexArn>")
    vectors = {action for action, resources in grants.items() if {*indexes} <= {*resources}}
    assert vectors == {"s3vectors:PutVectors", "s3vectors:GetVectors", "s3vectors:DeleteVectors"}
    of_table = {action for action, resources in grants.items() if "<VectorTable.Arn>" in resources}
    assert of_table == {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"}, "tags"
