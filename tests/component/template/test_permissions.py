"""Who may do what, in the template as SAM transforms it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .grants import (
    DISTRIBUTION,
    GRANTS,
    INDEX,
    KEY_USES,
    LOGS,
    MASTERS,
    OF_NO_RESOURCE,
    TRACES,
    VECTOR_INDEX,
    Grants,
    each,
)
from .stack import Stack

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
DEPLOYMENTS: dict[str, dict[str, str]] = {
    "default": {},
    "own source": {"SourceBucket": "photos", "SourcePrefix": "originals/"},
    "own key": {"KmsKeyArn": KEY},
    "vpc": {"VpcSubnetIds": "subnet-0a,subnet-0b", "VpcSecurityGroupIds": "sg-0a", "ClamdAddress": "clamd:3310"},
    "vectors": {"SimilarityStore": "s3vectors", "KmsKeyArn": KEY},
    "all": {"SourceBucket": "photos", "SourcePrefix": "", "KmsKeyArn": KEY, "AccessLogDays": "30", "CorsOrigins": ""},
}

type Statement = dict[str, Any]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_each_function_has_a_role_of_its_own_with_inline_policies_alone(parameters: dict[str, str]) -> None:
    stack = Stack(**parameters)
    names = [*GRANTS, *(["Popular"] if "AccessLogDays" in parameters else [])]
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


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
@pytest.mark.parametrize("role", GRANTS)
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


@pytest.mark.parametrize("role", GRANTS)
def test_a_function_touches_only_what_it_needs(role: str) -> None:
    assert granted(Stack(), role) == GRANTS[role] | each(TRACES, "*") | each(LOGS, f"<{role}Logs.Arn>")


@pytest.mark.parametrize("role", ["Transform", "Ingest", "Purge", "Forget"])
def test_a_source_bucket_takes_the_place_of_masters(role: str) -> None:
    for deployment, own, bucket in (
        ("own source", "arn:aws:s3:::photos/originals/*", "arn:aws:s3:::photos"),
        ("all", "arn:aws:s3:::photos/*", "arn:aws:s3:::photos"),
    ):
        expected = {
            action: [{MASTERS: own, "arn:aws:s3:::<MediaBucket>": bucket}.get(name, name) for name in resources]
            for action, resources in GRANTS[role].items()
        }
        found = granted(Stack(**DEPLOYMENTS[deployment]), role)
        assert {action: found[action] for action in expected} == expected


def test_ingest_puts_into_quarantine_and_forget_lists_and_deletes_there() -> None:
    stack = Stack()
    for role in GRANTS:
        grants = granted(stack, role).items()
        actions = {action for action, names in grants if any("QuarantineBucket" in name for name in names)}
        assert actions == {
            "Ingest": {"s3:PutObject"},
            "Forget": {"s3:ListBucket", "s3:ListBucketVersions", "s3:DeleteObject", "s3:DeleteObjectVersion"},
        }.get(role, set())


def test_similar_searches_the_one_store_that_there_is() -> None:
    found = granted(Stack(SimilarityStore="s3vectors"), "Similar")
    searches = {action: resources for action, resources in found.items() if action.startswith("s3vectors:")}
    assert searches == each(("s3vectors:GetVectors", "s3vectors:QueryVectors"), VECTOR_INDEX)
    assert "dynamodb:Query" not in found
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


def test_nobody_reads_or_changes_the_audit_log() -> None:
    stack = Stack()
    for role in GRANTS:
        actions = {a for a, names in granted(stack, role).items() if any("AuditBucket" in name for name in names)}
        assert actions == ({"s3:PutObject"} if role in ("Ingest", "Forget", "Monitor") else set())


def test_forget_deletes_nothing_of_the_index_but_findings_and_samples() -> None:
    deletes = [s for s in statements(Stack(), "Forget") if "dynamodb:DeleteItem" in listed(s["Action"])]
    [statement] = [s for s in deletes if s["Resource"] == INDEX]
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["findings#*", "sample#*"]}}


@pytest.mark.parametrize("role", KEY_USES)
def test_a_key_is_used_only_through_the_services_that_keep_data_with_it(role: str) -> None:
    actions, services = KEY_USES[role]
    [statement] = [s for s in statements(Stack(KmsKeyArn=KEY), role) if s["Resource"] == KEY]
    assert set(listed(statement["Action"])) == {f"kms:{action}" for action in actions}
    through = listed(statement["Condition"]["StringEquals"]["kms:ViaService"])
    assert set(through) == {f"{service}.eu-central-1.amazonaws.com" for service in services}


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
    assert similar["SourceArn"] == "arn:aws:execute-api:eu-central-1:111122223333:<UploadApi>/*/*/_similar*"
    [sweep] = permissions(stack, "Sweep")
    assert (sweep["Principal"], sweep["SourceArn"]) == ("events.amazonaws.com", "<SweepFunctionHourly.Arn>")
    monitor = permissions(stack, "Monitor")
    assert {(p["Principal"], p["SourceArn"]) for p in monitor} == {
        ("events.amazonaws.com", f"<MonitorFunction{schedule}.Arn>")
        for schedule in ("Regularly", "Daily", "Deployments")
    }
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
def test_nobody_is_let_into_uploads_and_quarantine_by_their_policies(bucket: str) -> None:
    found = Stack().properties(f"{bucket}BucketPolicy")["PolicyDocument"]["Statement"]
    assert [s["Effect"] for s in found] == ["Deny"]


def test_the_monitor_hears_of_this_stacks_deployments_of_code() -> None:
    pattern = Stack().properties("MonitorFunctionDeployments")["EventPattern"]
    assert pattern["source"] == ["aws.codedeploy"]
    assert pattern["detail"] == {"application": [{"prefix": "stack-ServerlessDeploymentApplication-"}]}
