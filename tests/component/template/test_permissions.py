"""Permissions of each role, in the template as SAM transforms it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tools.api_calls import Call, read_table

from .functions import FUNCTIONS as FOLDERS
from .functions import id_of
from .grants import UNRECORDED
from .policies import allows, listed, matches, same_name
from .stack import PSEUDO, Stack

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
LIBRARY = "stack-library"
DEPLOYMENTS: dict[str, dict[str, str]] = {
    "default": {},
    "own source": {"SourceBucket": "photos", "SourcePrefix": "originals/"},
    "own key": {"KmsKeyArn": KEY},
    "vpc": {"VpcSubnetIds": "subnet-0a,subnet-0b", "VpcSecurityGroupIds": "sg-0a"},
    "vectors": {"SimilarityStore": "s3vectors", "KmsKeyArn": KEY},
    "library": {"LibraryBucket": LIBRARY},
    "inference": {"InferenceMode": "endpoint", "EndpointName": "mine"},
    "all": {"SourceBucket": "photos", "SourcePrefix": "", "KmsKeyArn": KEY, "AccessLogDays": "30", "CorsOrigins": ""},
}

type Statement = dict[str, Any]
type Grants = dict[str, list[str]]
"""Resources by action."""

DISTRIBUTION = "arn:aws:cloudfront::111122223333:distribution/<Distribution>"
MASTERS = "<MediaBucket.Arn>/masters/*"
CALLS = read_table()
"""Calls of the local stack's functions, which enforces these roles: see ``stop_stack`` in tests/stack/conftest.py."""

FUNCTIONS = [name.removesuffix("Function") for name in Stack().of_type("AWS::Lambda::Function")]
"""Those of the default deployment."""

OTHERS = {"Infer": DEPLOYMENTS["inference"], "Popular": {"AccessLogDays": "30"}}
"""Calls of other deployments, with their parameters."""

EACH = [*((name, dict[str, str]()) for name in FUNCTIONS), *OTHERS.items()]

OF_NO_RESOURCE = {
    "xray:PutTraceSegments",
    "xray:PutTelemetryRecords",
    "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics",
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
}
"""Actions without resources in IAM, or that Lambda requires on all resources."""

TRACES = ("xray:PutTraceSegments", "xray:PutTelemetryRecords")
LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
LAMBDAS_OWN = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes")
"""Calls of Lambda by a function's role to each queue that it polls (Lambda developer guide, "Using Lambda with
Amazon SQS")."""


def statements(stack: Stack, role: str) -> Iterator[Statement]:
    for policy in stack.properties(f"{role}Role")["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def granted(stack: Stack, role: str) -> Grants:
    """Resources by action, of everything that the role may do."""
    result: Grants = {}
    for statement in statements(stack, role):
        for action in listed(statement["Action"]):
            result.setdefault(action, []).extend(listed(statement["Resource"]))
    return result


@pytest.mark.parametrize("function", ["Ingest", "Refine"])
def test_no_function_reads_the_key_of_content_credentials_without_them(function: str) -> None:
    for choice, name in (("on", "stack-content-credentials"), ("off", "")):
        stack = Stack(ContentCredentials=choice)
        assert stack.variables(f"{function}Function")["CREDENTIALS_SECRET"] == name
        found = granted(stack, function)
        assert ("kms:Sign" in found) == bool(name)
        secrets = found.get("secretsmanager:GetSecretValue", [])
        assert any("-content-credentials-" in secret for secret in secrets) == bool(name)


def test_every_function_is_in_a_deployment() -> None:
    assert set(map(id_of, FOLDERS)) == {f"{name}Function" for name, _ in EACH}, (
        "a function with a condition is in OTHERS of tests/component/template/test_permissions.py"
    )


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_each_function_has_a_role_of_its_own_with_inline_policies_alone(parameters: dict[str, str]) -> None:
    stack = Stack(**parameters)
    names = [*FUNCTIONS, *(name for name, needed in OTHERS.items() if needed.items() <= parameters.items())]
    roles = stack.of_type("AWS::IAM::Role")
    for machine in ("Library", "Scene"):  # tests/component/template/test_library.py and test_scenes.py have them
        del roles[f"{machine}MachineRole"]
    functions = stack.of_type("AWS::Lambda::Function")
    assert {name: function["Role"] for name, function in functions.items()} == {
        f"{name}Function": f"<{name}Role.Arn>" for name in names
    }
    assert set(roles) == {f"{name}Role" for name in names}
    for role in roles.values():
        assert "ManagedPolicyArns" not in role
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Principal"], trust["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")
    assert not stack.of_type("AWS::IAM::Policy")
    assert not stack.of_type("AWS::IAM::ManagedPolicy")


@pytest.mark.sample(3)
@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
@pytest.mark.parametrize("role", FUNCTIONS)
def test_no_statement_of_a_role_is_wider_than_a_prefix(role: str, parameters: dict[str, str]) -> None:
    for statement in statements(Stack(**parameters), role):
        assert statement["Effect"] == "Allow"
        actions = set(listed(statement["Action"]))
        assert all(action.partition(":")[2].isalpha() for action in actions)
        if statement["Resource"] == "*":
            assert actions <= OF_NO_RESOURCE
            continue
        for resource in listed(statement["Resource"]):
            assert resource.rstrip("*") not in (
                "",
                "arn:aws:s3:::",
                "<MediaBucket.Arn>/",
                "arn:aws:s3:::<MediaBucket>/",
            )
            assert "*" not in resource.removesuffix("*")


OF_MASTERS_BUCKET = {Call("Sweep", "s3:ListBucket", "<MediaBucket.Arn>")}
"""Calls on the bucket that has the masters, whichever it is; others list derivatives as well."""


def in_deployment(stack: Stack, call: Call) -> tuple[str, str]:
    """The action and the resource of a recorded call in another deployment."""
    resource = call.resource
    for name, value in PSEUDO.items():
        resource = resource.replace(f"<{name}>", value)
    if (bucket := stack.values["SourceBucket"]) and resource == MASTERS:
        resource = f"arn:aws:s3:::{bucket}/{stack.values['SourcePrefix']}*"
    elif bucket and call in OF_MASTERS_BUCKET:
        resource = f"arn:aws:s3:::{bucket}"
    return call.action, resource


OF_LIBRARY_BUCKET = {Call("Library", "s3:PutObject", "<UploadsBucket.Arn>/*")}
"""Calls that are made and allowed only with a bucket to copy from."""


def allowed(stack: Stack, call: Call) -> bool:
    context = {"dynamodb:LeadingKeys": call.keys} if call.keys else {}
    return allows(list(statements(stack, call.function)), *in_deployment(stack, call), context)


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_a_role_allows_each_call_of_its_function(parameters: dict[str, str]) -> None:
    stack = Stack(**parameters)

    def exists(call: Call) -> bool:
        if call.resource.startswith("arn:aws:s3:::<AWS::StackName>-library") or call in OF_LIBRARY_BUCKET:
            return stack.values["LibraryBucket"] == LIBRARY
        if call.resource == "<VectorTable.Arn>" and stack.values["SimilarityStore"] != "table":
            return False
        own = re.match(r"<(\w+)[.>]", call.resource)
        return f"{call.function}Role" in stack.resources and (own is None or own[1] in stack.resources)

    calls = [call for call in CALLS if exists(call)]
    unrecorded = set(FUNCTIONS) - {call.function for call in calls}
    assert unrecorded == set(), "no calls in tests/cases/api-calls.json: run tests/stack with WRITE_API_CALLS=1"
    assert [call for call in calls if not allowed(stack, call)] == []


def used(stack: Stack, role: str) -> Iterator[tuple[str, str]]:
    """Actions and resources of all that the function does, and Lambda on its behalf."""
    yield from (in_deployment(stack, call) for call in CALLS if call.function == role)
    yield from ((action, "*") for action in TRACES)
    yield from ((action, f"<{role}Logs.Arn>") for action in LOGS)
    for mapping in stack.of_type("AWS::Lambda::EventSourceMapping").values():
        if mapping["FunctionName"].startswith(f"<{role}Function"):
            yield from ((action, mapping["EventSourceArn"]) for action in LAMBDAS_OWN)


def unused(stack: Stack, role: str) -> dict[str, list[str]]:
    """Actions by resource that a role has and its function does not use."""
    uses = [*used(stack, role)]
    pairs = {(action, same_name(one)) for action, resources in granted(stack, role).items() for one in resources}
    found: dict[str, list[str]] = {}
    for action, resource in sorted(pairs):
        if not any(matches(action, used_action) and matches(resource, on) for used_action, on in uses):
            found.setdefault(resource, []).append(action)
    return found


@pytest.mark.parametrize(("role", "parameters"), EACH)
def test_each_grant_is_used(role: str, parameters: dict[str, str]) -> None:
    assert unused(Stack(**parameters), role) == UNRECORDED.get(role, {})


def test_ingest_puts_into_quarantine_and_forget_lists_and_deletes_there() -> None:
    stack = Stack()
    for role in FUNCTIONS:
        grants = granted(stack, role).items()
        actions = {action for action, names in grants if any("QuarantineBucket" in name for name in names)}
        assert actions == {
            "Ingest": {"s3:PutObject"},
            "Forget": {"s3:ListBucket", "s3:ListBucketVersions", "s3:DeleteObject", "s3:DeleteObjectVersion"},
        }.get(role, set())


def test_similar_searches_the_one_store_of_embeddings_that_there_is() -> None:
    found = granted(Stack(SimilarityStore="s3vectors"), "Similar")
    searches = {action: resources for action, resources in found.items() if action.startswith("s3vectors:")}
    assert set(searches) == {"s3vectors:GetVectors", "s3vectors:QueryVectors"}
    indexes = ["<VectorIndex.IndexArn>", "<LikenessIndex.IndexArn>"]
    assert all(resources == indexes for resources in searches.values())
    assert found["dynamodb:Query"] == ["<VectorTable.Arn>"], "tags"
    assert found["dynamodb:GetItem"] == ["<IndexTable.Arn>"]
    [key] = [
        s for s in statements(Stack(SimilarityStore="s3vectors", KmsKeyArn=KEY), "Similar") if s["Resource"] == KEY
    ]
    assert "s3vectors.eu-central-1.amazonaws.com" in key["Condition"]["StringEquals"]["kms:ViaService"]


def test_a_sweep_writes_down_its_place_and_nothing_else() -> None:
    [statement] = [s for s in statements(Stack(), "Sweep") if s["Action"] == "dynamodb:PutItem"]
    assert statement["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["sweep#cursor"]}}


def test_the_monitor_writes_down_its_place_and_nothing_else() -> None:
    [statement] = [s for s in statements(Stack(), "Monitor") if s["Action"] == "dynamodb:PutItem"]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["rollout#*"]}}


def test_no_function_reads_or_changes_the_audit_log() -> None:
    stack = Stack()
    for role in FUNCTIONS:
        actions = {a for a, names in granted(stack, role).items() if any("AuditBucket" in name for name in names)}
        assert actions == ({"s3:PutObject"} if role in ("Ingest", "Forget", "Monitor") else set())


def test_forget_deletes_nothing_of_the_index_but_findings_and_samples() -> None:
    deletes = [s for s in statements(Stack(), "Forget") if "dynamodb:DeleteItem" in listed(s["Action"])]
    [statement] = [s for s in deletes if s["Resource"] == "<IndexTable.Arn>"]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["findings#*", "sample#*"]}}


@pytest.mark.parametrize("role", ["Purge", "Forget"])
def test_erasures_are_all_that_purge_and_forget_write_into_the_index(role: str) -> None:
    [statement] = [s for s in statements(Stack(), role) if s["Action"] == "dynamodb:UpdateItem"]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["erasure#*"]}}


KEY_ACTIONS = {
    "s3:GetObject": {"kms:Decrypt"},
    "s3:GetObjectVersion": {"kms:Decrypt"},
    "s3:PutObject": {"kms:GenerateDataKey"},
    "dynamodb:": {"kms:Decrypt", "kms:DescribeKey"},
    "secretsmanager:GetSecretValue": {"kms:Decrypt"},
}
"""Permissions on the encryption key of a call's data, by the prefix of its action (AWS KMS developer
guide, "How Amazon S3 uses AWS KMS" and the same of the other services)."""


@pytest.mark.parametrize(("role", "parameters"), EACH)
def test_a_key_is_used_only_through_the_services_that_keep_data_with_it(role: str, parameters: dict[str, str]) -> None:
    stack = Stack(KmsKeyArn=KEY, **parameters)
    needed = {
        (action, f"{call.action.partition(':')[0]}.eu-central-1.amazonaws.com")
        for call in CALLS
        if call.function == role
        for beginning, actions in KEY_ACTIONS.items()
        if call.action.startswith(beginning)
        for action in actions
    }
    of_key = [one for one in statements(stack, role) if one["Resource"] == KEY]
    assert [one for one in needed if not allows(of_key, one[0], KEY, {"kms:ViaService": [one[1]]})] == []
    assert {action for one in of_key for action in listed(one["Action"])} <= set().union(*KEY_ACTIONS.values())
    services = {action.partition(":")[0] for action in granted(stack, role)}
    through = {name for one in of_key for name in listed(one["Condition"]["StringEquals"]["kms:ViaService"])}
    assert through <= {f"{service}.eu-central-1.amazonaws.com" for service in services}


def permissions(stack: Stack, function: str) -> list[dict[str, Any]]:
    found = stack.of_type("AWS::Lambda::Permission").values()
    return [permission for permission in found if permission["FunctionName"].startswith(f"<{function}Function")]


def test_only_the_distribution_calls_transform_and_by_its_url() -> None:
    stack = Stack()
    found = permissions(stack, "Transform")
    assert {p["Action"] for p in found} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    for permission in found:
        assert permission["Principal"] == "cloudfront.amazonaws.com"
        assert permission["SourceArn"] == DISTRIBUTION
        assert permission["FunctionName"] == "<TransformFunctionAliaslive>"
        assert permission.get("FunctionUrlAuthType") == "AWS_IAM" or permission.get("InvokedViaFunctionUrl") is True
    url = stack.properties("TransformFunctionUrl")
    assert (url["AuthType"], url["TargetFunctionArn"]) == ("AWS_IAM", "<TransformFunctionAliaslive>")


def test_the_other_functions_are_called_by_what_is_in_the_template_alone() -> None:
    stack = Stack()
    [upload] = permissions(stack, "Upload")
    assert (upload["Action"], upload["Principal"]) == ("lambda:InvokeFunction", "apigateway.amazonaws.com")
    assert upload["SourceArn"] == "arn:aws:execute-api:eu-central-1:111122223333:<UploadApi>/*/*/uploads*"
    [similar] = permissions(stack, "Similar")
    assert (similar["Action"], similar["Principal"]) == ("lambda:InvokeFunction", "apigateway.amazonaws.com")
    assert similar["SourceArn"] == "arn:aws:execute-api:eu-central-1:111122223333:<UploadApi>/*/*/_*"
    [sweep] = permissions(stack, "Sweep")
    assert (sweep["Principal"], sweep["SourceArn"]) == ("events.amazonaws.com", "<SweepFunctionHourly.Arn>")
    monitor = permissions(stack, "Monitor")
    assert {(p["Principal"], p["SourceArn"]) for p in monitor} == {
        ("events.amazonaws.com", "<MonitorFunctionRegularly.Arn>")
    }
    gradual = permissions(Stack(Deployments="Canary10Percent5Minutes"), "Monitor")
    assert {p["SourceArn"] for p in gradual} == {"<MonitorFunctionRegularly.Arn>", "<DeploymentRule.Arn>"}
    assert not [role for role in ("Ingest", "Purge", "Forget") if permissions(stack, role)]
    assert len(stack.of_type("AWS::Lambda::Url")) == 1


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_buckets_are_private_and_speak_tls_alone(parameters: dict[str, str]) -> None:
    stack = Stack(**parameters)
    buckets = stack.of_type("AWS::S3::Bucket")
    policies = {p["Bucket"]: p["PolicyDocument"]["Statement"] for p in stack.of_type("AWS::S3::BucketPolicy").values()}
    for logical_id, bucket in buckets.items():
        assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
        [denied] = [s for s in policies[f"<{logical_id}>"] if s["Effect"] == "Deny"]
        assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        assert (denied["Action"], denied["Principal"]) == ("s3:*", "*")
        assert denied["Resource"] == [f"<{logical_id}.Arn>", f"<{logical_id}.Arn>/*"]


def test_the_cdn_reads_derivatives_and_cannot_list() -> None:
    statements = Stack().properties("MediaBucketPolicy")["PolicyDocument"]["Statement"]
    [allowed] = [s for s in statements if s["Effect"] == "Allow"]
    assert allowed == {
        "Sid": "CdnReadsDerivatives",
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": "<MediaBucket.Arn>/derivatives/*",
        "Condition": {"StringEquals": {"aws:SourceArn": DISTRIBUTION}},
    }


@pytest.mark.parametrize("bucket", ["Uploads", "Quarantine"])
def test_policies_of_uploads_and_quarantine_grant_no_access(bucket: str) -> None:
    found = Stack().properties(f"{bucket}BucketPolicy")["PolicyDocument"]["Statement"]
    assert [s["Effect"] for s in found] == ["Deny"]


def test_the_monitor_receives_code_deployments_of_this_stack() -> None:
    pattern = Stack(Deployments="Canary10Percent5Minutes").properties("DeploymentRule")["EventPattern"]
    assert pattern["source"] == ["aws.codedeploy"]
    assert pattern["detail"] == {"application": [{"prefix": "stack-ServerlessDeploymentApplication-"}]}
