"""MiniStack refuses what IAM refuses: sessions of a role, against S3 and DynamoDB."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from darkroom_pipeline.aws.multipart_copy import copy_in_parts
from tests.roles import create_role

type Grant = tuple[str, str]


class Account:
    """Clients with a role's permissions, and of the root user."""

    def __init__(self, aws: Callable[[str], Any], environment: dict[str, str], name: str) -> None:
        self.aws, self.environment, self.name = aws, environment, name
        self.bucket = f"{name}-bucket"
        aws("s3").create_bucket(Bucket=self.bucket)
        aws("s3").put_object(Bucket=self.bucket, Key="there", Body=b"x")

    def client(self, service: str, *grants: Grant, condition: dict[str, Any] | None = None) -> Any:
        """A client of a role that may do ``grants``, pairs of an action and a resource."""
        extra = {"Condition": condition} if condition else {}
        arn = create_role(self.aws("iam"), {"AWS": "arn:aws:iam::000000000000:root"}, list(grants), **extra)
        session = self.aws("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        return boto3.client(
            service,  # type: ignore[call-overload]
            endpoint_url=self.environment["AWS_ENDPOINT_URL"],
            region_name=self.environment["AWS_REGION"],
            aws_access_key_id=session["AccessKeyId"],
            aws_secret_access_key=session["SecretAccessKey"],
            aws_session_token=session["SessionToken"],
        )

    def s3(self, *actions: str) -> Any:
        """A client of S3 that may do ``actions`` in the bucket."""
        inside = {action: "" if "List" in action else "/*" for action in actions}
        return self.client("s3", *((action, f"arn:aws:s3:::{self.bucket}{rest}") for action, rest in inside.items()))


@pytest.fixture
def account(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> Iterator[Account]:
    return Account(aws, aws_environment, f"permissions-{uuid4().hex[:8]}")


def status_of(call: Callable[..., Any], **arguments: Any) -> int:
    """The HTTP status of the answer to a call."""
    try:
        answer = call(**arguments)
    except ClientError as error:
        answer = error.response
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])


def test_a_role_does_what_it_may_and_nothing_else(account: Account) -> None:
    reader = account.s3("s3:GetObject")
    place = {"Bucket": account.bucket, "Key": "there"}
    assert status_of(reader.get_object, **place) == 200
    assert status_of(reader.head_object, **place) == 200
    assert status_of(reader.put_object, **place, Body=b"y") == 403
    assert status_of(reader.delete_object, **place) == 403
    writer = account.s3("s3:PutObject")
    assert status_of(writer.put_object, **place, Body=b"y") == 200
    assert status_of(writer.head_object, **place) == 403


def test_a_missing_object_is_a_secret_to_those_that_may_not_list(account: Account) -> None:
    place = {"Bucket": account.bucket, "Key": "missing"}
    reader, lister = account.s3("s3:GetObject"), account.s3("s3:GetObject", "s3:ListBucket")
    for call, expected in ((reader, 403), (lister, 404)):
        assert status_of(call.get_object, **place) == expected
        assert status_of(call.head_object, **place) == expected
    with pytest.raises(ClientError) as raised:
        reader.get_object(**place)
    assert raised.value.response["Error"]["Code"] == "AccessDenied"


def test_a_wildcard_stands_for_a_line_feed_too(account: Account) -> None:
    """As in keys of uploads, which ingest must be able to refuse."""
    key = {"Bucket": account.bucket, "Key": "a\nb.jpg"}
    account.aws("s3").put_object(**key, Body=b"x")
    assert status_of(account.s3("s3:GetObject").get_object, **key) == 200
    assert status_of(account.s3("s3:PutObject").get_object, **key) == 403


def test_a_copy_reads_its_source(account: Account) -> None:
    copied = {"Bucket": account.bucket, "Key": "copy", "CopySource": f"{account.bucket}/there"}
    assert status_of(account.s3("s3:PutObject").copy_object, **copied) == 403
    assert status_of(account.s3("s3:PutObject", "s3:GetObject").copy_object, **copied) == 200


def test_a_copy_in_parts_is_not_read(account: Account) -> None:
    """As ingest copies refused uploads to the quarantine bucket, where it may put and do nothing else."""
    root, quarantine = account.aws("s3"), f"{account.name}-quarantine"
    root.create_bucket(Bucket=quarantine)
    body = bytes(6 * 1024 * 1024)
    etag = root.put_object(Bucket=account.bucket, Key="large", Body=body)["ETag"]
    grants = ("s3:GetObject", f"arn:aws:s3:::{account.bucket}/*"), ("s3:PutObject", f"arn:aws:s3:::{quarantine}/*")
    client = account.client("s3", *grants)
    sizes = {"size_bytes": len(body), "part_bytes": 5 * 1024 * 1024}
    source, target = {"Bucket": account.bucket, "Key": "large"}, {"Bucket": quarantine, "Key": "copy"}
    copied = copy_in_parts(
        client, source, target, etag=etag, attributes={"Metadata": {"code": "x"}}, condition={}, **sizes
    )
    found = root.head_object(**target)
    assert (found["ETag"], found["ContentLength"], found["Metadata"]) == (copied, len(body), {"code": "x"})
    with pytest.raises(ClientError) as raised:  # and not AccessDenied, although it may not give the parts up
        copy_in_parts(client, source, target, etag='"other"', attributes={}, condition={}, **sizes)
    assert raised.value.response["Error"]["Code"] == "PreconditionFailed"


def test_a_delete_by_entity_tag_reads(account: Account) -> None:
    etag = account.aws("s3").head_object(Bucket=account.bucket, Key="there")["ETag"]
    deleter, both = account.s3("s3:DeleteObject"), account.s3("s3:DeleteObject", "s3:GetObject")
    named = {"Bucket": account.bucket, "Delete": {"Objects": [{"Key": "there", "ETag": etag}]}}
    assert status_of(deleter.delete_objects, **named) == 403
    assert status_of(deleter.delete_object, Bucket=account.bucket, Key="there", IfMatch=etag) == 403
    assert status_of(both.delete_objects, **named) == 200
    assert status_of(account.s3("s3:GetObject", "s3:ListBucket").head_object, Bucket=account.bucket, Key="there") == 404


def test_conditions_see_the_leading_keys_of_a_table(account: Account) -> None:
    root, table = account.aws("dynamodb"), f"{account.name}-table"
    root.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    condition = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["findings#*"]}}
    arn = root.describe_table(TableName=table)["Table"]["TableArn"]
    limited = account.client("dynamodb", ("dynamodb:PutItem", arn), condition=condition)
    assert status_of(limited.put_item, TableName=table, Item={"pk": {"S": "findings#a"}}) == 200
    with pytest.raises(ClientError) as raised:
        limited.put_item(TableName=table, Item={"pk": {"S": "image#a"}})
    assert raised.value.response["Error"]["Code"] == "AccessDeniedException"


@pytest.mark.parametrize("token", [None, "token"])
def test_credentials_of_other_accounts_are_those_of_the_root_user(account: Account, token: str | None) -> None:
    other_account = boto3.client(
        "s3",
        endpoint_url=account.environment["AWS_ENDPOINT_URL"],
        region_name=account.environment["AWS_REGION"],
        aws_access_key_id="AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key="secret",
        aws_session_token=token,
    )
    assert status_of(other_account.put_object, Bucket=account.bucket, Key="any", Body=b"x") == 200


def test_policies_of_buckets_take_this_for_tls(account: Account) -> None:
    statement = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{account.bucket}", f"arn:aws:s3:::{account.bucket}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    account.aws("s3").put_bucket_policy(Bucket=account.bucket, Policy=policy)
    assert status_of(account.s3("s3:GetObject").get_object, Bucket=account.bucket, Key="there") == 200
