"""Who may do what, in the template as SAM transforms it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from .stack import Stack

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
DEPLOYMENTS: dict[str, dict[str, str]] = {
    "default": {},
    "own source": {"SourceBucket": "photos", "SourcePrefix": "originals/"},
    "own key": {"KmsKeyArn": KEY},
    "all": {"SourceBucket": "photos", "SourcePrefix": "", "KmsKeyArn": KEY, "AccessLogDays": "30", "CorsOrigins": ""},
}
DISTRIBUTION = "arn:aws:cloudfront::111122223333:distribution/<Distribution>"

type Statement = dict[str, Any]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def granted(stack: Stack) -> dict[str, list[str]]:
    """Resources by action, of everything that the function's role may do."""
    result: dict[str, list[str]] = {}
    for statement in role_statements(stack):
        for action in listed(statement["Action"]):
            result.setdefault(action, []).extend(listed(statement["Resource"]))
    return result


def role_statements(stack: Stack) -> Iterator[Statement]:
    for role in stack.of_type("AWS::IAM::Role").values():
        for policy in role["Policies"]:
            yield from policy["PolicyDocument"]["Statement"]


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_the_function_has_one_role_with_inline_policies_alone(parameters: dict[str, str]) -> None:
    stack = Stack(**parameters)
    [(logical_id, role)] = stack.of_type("AWS::IAM::Role").items()
    assert "ManagedPolicyArns" not in role
    assert stack.properties("TransformFunction")["Role"] == f"<{logical_id}.Arn>"
    [trust] = role["AssumeRolePolicyDocument"]["Statement"]
    assert (trust["Principal"], trust["Action"]) == ({"Service": "lambda.amazonaws.com"}, "sts:AssumeRole")
    assert not stack.of_type("AWS::IAM::Policy")
    assert not stack.of_type("AWS::IAM::ManagedPolicy")


@pytest.mark.parametrize("parameters", DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_no_statement_of_the_role_is_wider_than_a_prefix(parameters: dict[str, str]) -> None:
    for statement in role_statements(Stack(**parameters)):
        assert statement["Effect"] == "Allow"
        assert all(action.partition(":")[2].isalpha() for action in listed(statement["Action"]))
        for resource in listed(statement["Resource"]):
            assert resource.rstrip("*") not in (
                "",
                "arn:aws:s3:::",
                "<MediaBucket.Arn>/",
                "arn:aws:s3:::<MediaBucket>/",
            )
            assert "*" not in resource.removesuffix("*")


def test_the_function_touches_only_the_prefixes_it_needs() -> None:
    assert granted(Stack()) == {
        "s3:GetObject": [
            "arn:aws:s3:::<MediaBucket>/masters/*",
            "<MediaBucket.Arn>/watermarks/*",
            "<MediaBucket.Arn>/derivatives/*",
        ],
        "s3:PutObject": ["<MediaBucket.Arn>/derivatives/*"],
        "s3:DeleteObject": ["<MediaBucket.Arn>/derivatives/*"],
        "secretsmanager:GetSecretValue": ["<SigningKeys.Id>"],
        "logs:CreateLogStream": ["<TransformLogs.Arn>"],
        "logs:PutLogEvents": ["<TransformLogs.Arn>"],
    }


def test_a_source_bucket_is_read_below_its_prefix_instead_of_masters() -> None:
    read = granted(Stack(**DEPLOYMENTS["own source"]))["s3:GetObject"]
    assert read == [
        "arn:aws:s3:::photos/originals/*",
        "<MediaBucket.Arn>/watermarks/*",
        "<MediaBucket.Arn>/derivatives/*",
    ]
    assert granted(Stack(**DEPLOYMENTS["all"]))["s3:GetObject"][0] == "arn:aws:s3:::photos/*"


def test_a_key_is_used_only_through_the_two_services_that_keep_data_with_it() -> None:
    [statement] = [s for s in role_statements(Stack(KmsKeyArn=KEY)) if s["Resource"] == KEY]
    assert statement["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert statement["Condition"] == {
        "StringEquals": {
            "kms:ViaService": ["s3.eu-central-1.amazonaws.com", "secretsmanager.eu-central-1.amazonaws.com"]
        }
    }


def test_only_the_distribution_calls_the_function_and_by_its_url() -> None:
    stack = Stack()
    permissions = stack.of_type("AWS::Lambda::Permission").values()
    assert {p["Action"] for p in permissions} == {"lambda:InvokeFunctionUrl", "lambda:InvokeFunction"}
    for permission in permissions:
        assert permission["Principal"] == "cloudfront.amazonaws.com"
        assert permission["SourceArn"] == DISTRIBUTION
        assert permission["FunctionName"] == "<TransformFunctionAliaslive>"
        assert permission.get("FunctionUrlAuthType") == "AWS_IAM" or permission.get("InvokedViaFunctionUrl") is True
    url = stack.properties("TransformFunctionUrl")
    assert (url["AuthType"], url["TargetFunctionArn"]) == ("AWS_IAM", "<TransformFunctionAliaslive>")


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
