"""The policy evaluator that checks the template's permissions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.component.template.policies import allows

READ = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "<Media.Arn>/masters/*"}
LIST = {"Effect": "Allow", "Action": ["s3:List*", "s3:GetBucket?ocation"], "Resource": "arn:aws:s3:::<Media>"}
DENY = {"Effect": "Deny", "Action": "s3:*", "Resource": "<Media.Arn>/masters/secret/*"}
OTHERS = {"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}
ELSEWHERE = {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": ["<Media.Arn>/*", "<Audit.Arn>/*"]}
KEYED = {
    "Effect": "Allow",
    "Action": "dynamodb:PutItem",
    "Resource": "<Table.Arn>",
    "Condition": {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["findings#*", "sample#*"]}},
}
THROUGH = {
    "Effect": "Allow",
    "Action": "kms:Decrypt",
    "Resource": "*",
    "Condition": {"StringEquals": {"kms:ViaService": ["s3.x", "sqs.x"]}},
}


@pytest.mark.parametrize(
    ("statements", "action", "resource", "context", "allowed"),
    [
        ([READ], "s3:GetObject", "<Media.Arn>/masters/a", {}, True),
        ([READ], "S3:getobject", "<Media.Arn>/masters/a/b", {}, True),
        ([READ], "s3:GetObject", "<Media.Arn>/Masters/a", {}, False),
        ([READ], "s3:GetObject", "<Media.Arn>/held/a", {}, False),
        ([READ], "s3:GetObjectVersion", "<Media.Arn>/masters/a", {}, False),
        ([LIST], "s3:ListBucketVersions", "<Media.Arn>", {}, True),
        ([LIST], "s3:GetBucketLocation", "<Media.Arn>", {}, True),
        ([LIST], "s3:GetBucketXLocation", "<Media.Arn>", {}, False),
        ([READ, DENY], "s3:GetObject", "<Media.Arn>/masters/a", {}, True),
        ([READ, DENY], "s3:GetObject", "<Media.Arn>/masters/secret/a", {}, False),
        ([OTHERS], "sqs:SendMessage", "q", {}, True),
        ([OTHERS], "s3:GetObject", "q", {}, False),
        ([ELSEWHERE], "s3:GetObject", "<Other.Arn>/a", {}, True),
        ([ELSEWHERE], "s3:GetObject", "<Audit.Arn>/a", {}, False),
        ([KEYED], "dynamodb:PutItem", "<Table.Arn>", {"dynamodb:LeadingKeys": ["findings#a", "sample#b"]}, True),
        ([KEYED], "dynamodb:PutItem", "<Table.Arn>", {"dynamodb:LeadingKeys": ["findings#a", "image#b"]}, False),
        ([KEYED], "dynamodb:PutItem", "<Table.Arn>", {}, True),
        ([THROUGH], "kms:Decrypt", "key", {"kms:ViaService": ["sqs.x"]}, True),
        ([THROUGH], "kms:Decrypt", "key", {"kms:ViaService": ["ec2.x"]}, False),
        ([THROUGH], "kms:Decrypt", "key", {}, False),
        ([], "kms:Decrypt", "key", {}, False),
    ],
)
def test_policies_are_evaluated_as_iam_does(
    statements: list[dict[str, Any]], action: str, resource: str, context: dict[str, list[str]], allowed: bool
) -> None:
    assert allows(statements, action, resource, context) is allowed


def test_an_operator_that_is_not_known_is_an_error() -> None:
    with pytest.raises(KeyError):
        allows(
            [READ | {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}],
            "s3:GetObject",
            "<Media.Arn>/masters/a",
        )
