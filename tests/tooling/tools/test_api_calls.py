"""Tests of recorded API calls: rows are independent of a deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from cfnlint.data import AdditionalSpecs
from cfnlint.helpers import load_resource

from tools.api_calls import Call, Names, merged, missing_from, names_of, read_table, write_table

ACCOUNT, REGION = "000000000000", "us-east-1"
STACK_ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/darkroom/1"


def resource(kind: str, logical: str, physical: str) -> dict[str, str]:
    return {"StackId": STACK_ID, "ResourceType": kind, "LogicalResourceId": logical, "PhysicalResourceId": physical}


class CloudFormation:
    """A root stack with a nested one."""

    def describe_stack_resources(self, StackName: str) -> dict[str, Any]:  # noqa: N803 (boto3's name)
        stacks = {
            "darkroom": [
                resource("AWS::S3::Bucket", "MediaBucket", "darkroom-media-1"),
                resource("AWS::S3::Bucket", "UploadsBucket", "darkroom-uploads-1"),
                resource("AWS::DynamoDB::Table", "IndexTable", "darkroom-index"),
                resource("AWS::SQS::Queue", "PurgeQueue", f"http://127.0.0.1:4566/{ACCOUNT}/darkroom-purge"),
                resource(
                    "AWS::SecretsManager::Secret",
                    "SigningKeys",
                    f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:darkroom-keys",
                ),
                resource("AWS::IAM::Role", "PurgeRole", "darkroom-PurgeRole-1"),
                resource("AWS::CloudFormation::Stack", "InferenceStack", "nested"),
            ],
            "nested": [resource("AWS::IAM::Role", "InferRole", "darkroom-InferRole-1")],
        }
        return {"StackResources": stacks[StackName]}


@pytest.fixture(scope="module")
def names() -> Names:
    return names_of(CloudFormation(), "darkroom", REGION)


@pytest.mark.parametrize(
    ("arn", "resource"),
    [
        ("arn:aws:s3:::darkroom-media-1", "<MediaBucket.Arn>"),
        ("arn:aws:s3:::darkroom-media-1/masters/a/b.jpg", "<MediaBucket.Arn>/masters/*"),
        ("arn:aws:s3:::darkroom-uploads-1/a/b.jpg", "<UploadsBucket.Arn>/*"),
        ("arn:aws:s3:::darkroom-library/a/b.jpg", "arn:aws:s3:::<AWS::StackName>-library/*"),
        (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/darkroom-index", "<IndexTable.Arn>"),
        (f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/darkroom-index/index/by-x", "<IndexTable.Arn>/index/by-x"),
        (f"arn:aws:sqs:{REGION}:{ACCOUNT}:darkroom-purge", "<PurgeQueue.Arn>"),
        (f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:darkroom-keys-AbCdEf", "<SigningKeys.Id>"),
        (
            f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:darkroom-content-credentials-AbC123",
            "arn:aws:secretsmanager:<AWS::Region>:<AWS::AccountId>:secret:<AWS::StackName>-content-credentials-*",
        ),
        (
            f"arn:aws:cloudfront::{ACCOUNT}:distribution/E123",
            "arn:aws:cloudfront::<AWS::AccountId>:distribution/<Distribution>",
        ),
        (
            f"arn:aws:states:{REGION}:{ACCOUNT}:execution:darkroom-scene:run-1",
            "arn:aws:states:<AWS::Region>:<AWS::AccountId>:execution:<AWS::StackName>-scene:*",
        ),
        ("*", "*"),
    ],
)
def test_resources_have_their_logical_names(names: Names, arn: str, resource: str) -> None:
    assert names.resource(arn) == resource


def test_a_call_is_of_its_roles_function_and_its_keys_are_patterns(names: Names) -> None:
    record = {
        "role": "darkroom-InferRole-1",
        "action": "dynamodb:PutItem",
        "resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/darkroom-index",
        "context": {"dynamodb:LeadingKeys": ["findings#a", "findings#b", "upload#a#1", "sweep#cursor", "a.jpg"]},
    }
    expected = Call("Infer", "dynamodb:PutItem", "<IndexTable.Arn>", ("*", "findings#*", "sweep#cursor", "upload#*"))
    assert names.call(record) == expected


def test_calls_are_missing_if_their_resource_or_a_key_is() -> None:
    table = [Call("A", "x:Y", "r", ("k#*",)), Call("A", "x:Z", "r")]
    assert missing_from(table, table) == []
    new = [Call("A", "x:Y", "r", ("other#*",)), Call("A", "x:Y", "s"), Call("B", "x:Z", "r")]
    named = Call("A", "s3:GetObject", "arn:aws:s3:::photos/*")
    library = Call("A", "s3:PutObject", "arn:aws:s3:::<AWS::StackName>-library/*")
    assert missing_from(table, [*table, *new, named, library]) == sorted([*new, library])


def test_the_table_is_read_as_it_is_written(tmp_path: Path) -> None:
    calls = merged([Call("B", "x:Y", "r", ("b",)), Call("B", "x:Y", "r", ("a",)), Call("A", "x:Z", "r")])
    write_table(calls, tmp_path / "calls.json")
    assert read_table(tmp_path / "calls.json") == [Call("A", "x:Z", "r"), Call("B", "x:Y", "r", ("a", "b"))]


def test_every_recorded_action_exists() -> None:
    """cfn-lint brings the actions of AWS's service authorization reference along."""
    reference = load_resource(AdditionalSpecs, "Policies.json")
    actions = {call.action.partition(":")[::2] for call in read_table()}
    assert {(service, name) for service, name in actions if name.lower() not in reference[service]["Actions"]} == set()
