"""Upload events: how they reach their function, their retries, and the triggers of the other functions."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.services.deadline import limit_for_lease, limit_for_timeout
from darkroom_pipeline.operations.messages import SCHEDULE_MINUTES
from darkroom_pipeline.operations.sweep import LEASE_GRACE_S

from .functions import FUNCTIONS, full_stack, id_of
from .stack import Stack, template
from .test_recursion import sends

SIZES = template()["Mappings"]["Sizes"]
S3_EVENT: dict[str, Any] = {
    "source": "aws.s3",
    "detail-type": "Object Created",
    "detail": {"bucket": {"name": "<UploadsBucket>"}, "object": {"key": "a.jpg"}, "reason": "PutObject"},
}


def rules(stack: Stack) -> dict[str, dict[str, Any]]:
    """Those of uploads."""
    found = stack.of_type("AWS::Events::Rule").items()
    return {name: rule for name, rule in found if name.startswith("Upload")}


def matches(pattern: dict[str, Any], event: dict[str, Any]) -> bool:
    """EventBridge's matching, as far as the template uses it: every field is, or begins like, one that is listed."""
    return all(
        matches(wanted, event.get(name, {}))
        if isinstance(wanted, dict)
        else any(_is(one, event.get(name)) for one in wanted)
        for name, wanted in pattern.items()
    )


def _is(wanted: str | dict[str, str], value: Any) -> bool:
    if isinstance(wanted, dict) and "anything-but" in wanted:
        return value != wanted["anything-but"]
    return str(value).startswith(wanted["prefix"]) if isinstance(wanted, dict) else value == wanted


def deleted(reason: str) -> dict[str, Any]:
    return S3_EVENT | {"detail-type": "Object Deleted", "detail": S3_EVENT["detail"] | {"reason": reason}}


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        (S3_EVENT, True),
        (S3_EVENT | {"detail": S3_EVENT["detail"] | {"reason": "CopyObject"}}, True),
        (deleted("DeleteObject"), True),
        (deleted("Lifecycle Expiration"), False),
        (S3_EVENT | {"detail-type": "Object Tags Added"}, False),
        (S3_EVENT | {"source": "another"}, False),
        (S3_EVENT | {"detail": S3_EVENT["detail"] | {"bucket": {"name": "<MediaBucket>"}}}, False),
    ],
)
def test_rules_match_uploads_and_requested_deletions(event: dict[str, Any], heard: bool) -> None:
    found = [rule for rule in rules(Stack()).values() if matches(rule["EventPattern"], event)]
    assert len(found) == heard


def test_rules_send_to_the_queue_and_on_failure_to_its_dlq() -> None:
    stack = Stack()
    for rule in rules(stack).values():
        [target] = rule["Targets"]
        assert (target["Arn"], target["DeadLetterConfig"]["Arn"]) == ("<IngestQueue.Arn>", "<IngestDeadLetters.Arn>")
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    for queue in ("IngestQueue", "IngestDeadLetters"):
        policy = stack.properties(f"{queue}Policy")
        assert policy["Queues"] == [f"<{queue}>"]
        [statement] = policy["PolicyDocument"]["Statement"]
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", f"<{queue}.Arn>")
        senders = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
        assert senders == [f"<{name}.Arn>" for name in rules(stack)]


@pytest.mark.parametrize("name", ["Ingest", "Purge", "Refine"])
def test_a_dlq_retains_longer_and_accepts_its_queue_alone(name: str) -> None:
    stack = Stack()
    queue = stack.properties(f"{name}Queue")
    dead_letters = stack.properties(f"{name}DeadLetters")  # terms: allow
    assert queue["RedrivePolicy"]["deadLetterTargetArn"] == f"<{name}DeadLetters.Arn>"  # terms: allow
    queues = [queue["QueueName"], *(f"{queue['QueueName']}-priority" for _ in range(name == "Ingest"))]
    assert dead_letters["RedriveAllowPolicy"] == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [f"arn:aws:sqs:eu-central-1:111122223333:{one}" for one in queues],
    }
    assert dead_letters["MessageRetentionPeriod"] == 14 * 86_400 > queue["MessageRetentionPeriod"]
    assert queue["SqsManagedSseEnabled"] is dead_letters["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("size", SIZES)
def test_a_claim_outlives_its_worker_and_a_message_six_of_them(size: str) -> None:
    stack = Stack(Size=size)
    timeout = int(stack.properties("IngestFunction")["Timeout"])
    assert timeout == int(SIZES[size]["IngestS"])
    hidden_s = int(stack.properties("IngestQueue")["VisibilityTimeout"])
    assert hidden_s >= 6 * timeout
    lease_s = int(stack.variables("IngestFunction")["LEASE_S"])
    assert (
        timeout < lease_s < hidden_s < lease_s + LEASE_GRACE_S
    )  # the message is back before a sweep checks its upload
    most = int(stack.properties("IngestQueue")["RedrivePolicy"]["maxReceiveCount"])
    assert int(stack.variables("IngestFunction")["MAX_RECEIVES"]) == most
    assert hidden_s * most < stack.properties("IngestQueue")["MessageRetentionPeriod"]


def test_purges_are_hidden_for_six_times_the_function_and_its_window() -> None:
    stack = Stack()
    source = stack.properties("PurgeFunctionPurges")
    timeout_s, window_s = stack.properties("PurgeFunction")["Timeout"], source["MaximumBatchingWindowInSeconds"]
    assert stack.properties("PurgeQueue")["VisibilityTimeout"] >= 6 * timeout_s + window_s


def test_both_functions_take_their_queue_and_answer_for_single_messages() -> None:
    stack = Stack(IngestConcurrency="7")
    ingest, purge = stack.properties("IngestFunctionUploads"), stack.properties("PurgeFunctionPurges")
    assert (ingest["EventSourceArn"], purge["EventSourceArn"]) == ("<IngestQueue.Arn>", "<PurgeQueue.Arn>")
    assert ingest["FunctionResponseTypes"] == purge["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert ingest["ScalingConfig"] == {"MaximumConcurrency": "7"}
    assert purge["ScalingConfig"] == {"MaximumConcurrency": 2}
    assert (ingest["BatchSize"], purge["BatchSize"]) == (1, 10)


def test_urgent_uploads_have_a_queue_and_workers_of_their_own() -> None:
    stack = Stack(IngestConcurrency="7")
    source = stack.properties("IngestPrioritySource")
    assert (source["EventSourceArn"], source["FunctionName"]) == ("<IngestPriorityQueue.Arn>", "<IngestFunction>")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert (source["BatchSize"], source["ScalingConfig"]) == (1, {"MaximumConcurrency": 2})
    ordinary, urgent = stack.properties("IngestQueue"), stack.properties("IngestPriorityQueue")
    assert urgent == ordinary | {"QueueName": f"{ordinary['QueueName']}-priority"}
    senders = {name for name, queues in sends(stack).items() if queues & {"<IngestPriorityQueue.Arn>"}}
    assert senders == {"ExpediteFunction", "IngestFunction"}
    policies = stack.of_type("AWS::SQS::QueuePolicy").values()
    assert not [policy for policy in policies if "<IngestPriorityQueue>" in policy["Queues"]], "no service sends to it"


def test_without_urgent_uploads_nothing_is_queued_twice() -> None:
    stack = Stack(UrgentUploads="off")
    assert not [name for name in stack.resources if name.startswith(("Expedite", "IngestPriority"))]
    assert stack.variables("IngestFunction")["INGEST_PRIORITY_QUEUE_URL"] == ""


@pytest.mark.parametrize(
    ("event", "heard"),
    [
        (S3_EVENT | {"detail": S3_EVENT["detail"] | {"reason": "POST Object"}}, True),
        (S3_EVENT, False),
        (S3_EVENT | {"detail": S3_EVENT["detail"] | {"reason": "CompleteMultipartUpload"}}, False),
        (deleted("POST Object"), False),
    ],
)
def test_only_uploads_by_forms_are_expedited(event: dict[str, Any], heard: bool) -> None:
    stack = Stack()
    rule = stack.properties("ExpediteFunctionPosted")
    assert matches(rule["EventPattern"], event) is heard
    [target] = rule["Targets"]
    assert target["RetryPolicy"]["MaximumEventAgeInSeconds"] == 300
    found = [one for one in rules(stack).values() if matches(one["EventPattern"], event)]
    assert len(found) == 1, "the event is in the ingest queue in any case"


def test_no_role_and_no_service_may_send_decisions_about_held_images() -> None:
    stack = Stack(InferenceMode="endpoint", EndpointName="mine", Refine="on", AccessLogDays="30")
    review = {"<ReviewQueue.Arn>", "<ReviewQueue>"}
    assert {name for name, queues in sends(stack).items() if queues & review} == set()
    policies = stack.of_type("AWS::SQS::QueuePolicy").values()
    assert not [policy for policy in policies if set(policy["Queues"]) & review]
    source = stack.properties("ReviewSource")
    assert (source["EventSourceArn"], source["FunctionName"]) == ("<ReviewQueue.Arn>", "<IngestFunction>")
    assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stack.properties("ReviewQueue")["VisibilityTimeout"] >= 6 * stack.properties("IngestFunction")["Timeout"]


def test_a_sweep_is_run_every_hour_and_never_twice() -> None:
    rule = Stack().properties("SweepFunctionHourly")
    assert rule["ScheduleExpression"] == "rate(1 hour)"
    [target] = rule["Targets"]
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 0}
    assert retries()["<SweepFunction>"] == 0


def retries() -> dict[str, int]:
    """Declared retries of asynchronous invocations, by function. Without a declaration, Lambda makes two."""
    declared = full_stack().of_type("AWS::Lambda::EventInvokeConfig").values()
    return {one["FunctionName"]: one["MaximumRetryAttempts"] for one in declared}


def test_a_function_that_a_rule_invokes_declares_its_retries() -> None:
    targets = [
        target["Arn"] for rule in full_stack().of_type("AWS::Events::Rule").values() for target in rule["Targets"]
    ]
    invoked = {f"<{id_of(name)}>" for name in FUNCTIONS if f"<{id_of(name)}.Arn>" in targets}
    assert len(invoked) >= 3
    assert invoked - retries().keys() == set(), "template.yaml: EventInvokeConfig with MaximumRetryAttempts"


@pytest.mark.parametrize("function", ["Library", "Scene", "Monitor"])
def test_a_function_whose_caller_repeats_it_is_not_retried(function: str) -> None:
    assert retries()[f"<{function}Function>"] == 0


def test_the_monitor_runs_every_five_minutes() -> None:
    stack = Stack()
    assert stack.properties("MonitorFunctionRegularly")["ScheduleExpression"] == "rate(5 minutes)"
    assert SCHEDULE_MINUTES == 5


def test_ingest_lives_in_a_vpc_when_asked_to() -> None:
    assert "VpcConfig" not in Stack().properties("IngestFunction")
    asked = Stack(VpcSubnetIds="subnet-0a,subnet-0b", VpcSecurityGroupIds="sg-0a")
    assert asked.properties("IngestFunction")["VpcConfig"] == {
        "SubnetIds": ["subnet-0a", "subnet-0b"],
        "SecurityGroupIds": ["sg-0a"],
    }


def test_every_function_is_traced() -> None:
    functions = full_stack().of_type("AWS::Lambda::Function")
    untraced = [name for name, function in functions.items() if function.get("TracingConfig") != {"Mode": "Active"}]
    assert untraced == []


def test_the_upload_api_has_its_routes_a_rate_and_named_origins() -> None:
    stack = Stack(CorsOrigins="https://a.example")
    routes = stack.of_type("AWS::ApiGatewayV2::Route").values()
    assert {route["RouteKey"]: route["Target"] for route in routes} == {
        "POST /uploads": "integrations/<UploadIntegration>",
        "GET /uploads/{key+}": "integrations/<UploadIntegration>",
        "POST /uploads/report": "integrations/<UploadIntegration>",
        "GET /_similar/{key+}": "integrations/<SimilarIntegration>",
        "GET /_tagged/{tag+}": "integrations/<SimilarIntegration>",
    }
    for name in ("Upload", "Similar"):
        integration = stack.properties(f"{name}Integration")
        target = f"<{name}FunctionAliaslive>"
        assert (integration["IntegrationUri"], integration["PayloadFormatVersion"]) == (target, "2.0")
    stage = stack.properties("UploadStage")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert stage["DefaultRouteSettings"] == {"ThrottlingRateLimit": 200, "ThrottlingBurstLimit": 400}
    cors = stack.properties("UploadApi")["CorsConfiguration"]
    assert (cors["AllowOrigins"], cors["AllowMethods"]) == (["https://a.example"], ["GET", "POST"])
    assert set(cors["AllowHeaders"]) == {"authorization", "content-type"}
    assert "CorsConfiguration" not in Stack(CorsOrigins="").properties("UploadApi")


def test_the_cpu_limit_of_an_upload_follows_the_timeout_of_ingest() -> None:
    """Functions recognise it by the lease."""
    for sizes in SIZES.values():
        assert limit_for_lease(float(sizes["LeaseS"])) == limit_for_timeout(float(sizes["IngestS"]))
