"""Remove a stack, and the data that CloudFormation keeps when it deletes one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .change_sets import DeploymentFailed, list_failures, newest_event, wait

type Client = Callable[[str], Any]

RECOVERY_DAYS = 7
"""Days in which a deleted secret or key can be restored: the least that Secrets Manager and KMS accept."""

EMPTY_ATTEMPTS = 3
"""A bucket may get objects while it is emptied: CloudFront delivers access logs for hours."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A resource with data: its type in CloudFormation, and its physical id."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}  {self.name}"


class NotDeleted(Exception):
    """A resource cannot be deleted. The message has the reason."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A type of resources with data; ``exists`` is false if one is deleted, or will be at a known time."""

    exists: Callable[[Client, str], bool]
    delete: Callable[[Client, str], None]


def list_kept(client: Client, stack: str) -> Iterator[Kept]:
    """Yield the resources with data of a stack and of those nested in it."""
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for one in (resource for page in pages for resource in page["StackResourceSummaries"]):
        kind, name = one["ResourceType"], one.get("PhysicalResourceId", "")
        if kind == "AWS::CloudFormation::Stack" and name:
            yield from list_kept(client, name)
        elif kind in KINDS and name:
            yield Kept(kind, name)


def list_remaining(client: Client, kept: Sequence[Kept]) -> list[Kept]:
    """Return those that exist."""
    return [one for one in kept if KINDS[one.kind].exists(client, one.name)]


def delete_stack(client: Client, stack: str, report: Callable[[str], object]) -> None:
    """Delete a stack, and wait. Raises DeploymentFailed with CloudFormation's reasons."""
    cloudformation = client("cloudformation")
    found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
    begun = newest_event(cloudformation, stack)
    cloudformation.delete_stack(StackName=stack)
    if (status := wait(cloudformation, found["StackId"], report)) not in ("DELETED", "DELETE_COMPLETE"):
        reasons = list_failures(cloudformation, stack, begun)
        raise DeploymentFailed("\n".join([f"the stack {stack} is {status}", *reasons]))


def delete_data(client: Client, kept: Sequence[Kept], report: Callable[[str], object]) -> list[Kept]:
    """Delete resources with their data; return those that remain. ``report`` gets a line for each."""
    remaining: list[Kept] = []
    for one in kept:
        try:
            KINDS[one.kind].delete(client, one.name)
            report(f"deleted {one}")
        except (ClientError, NotDeleted) as error:
            report(f"not deleted {one}: {error}")
            remaining.append(one)
    return remaining


def _exists(call: Callable[..., Any], missing: Sequence[str], **arguments: str) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        if error.response["Error"]["Code"] in missing:
            return False
        raise
    return True


def _has_bucket(client: Client, name: str) -> bool:
    return _exists(client("s3").head_bucket, ("404", "NoSuchBucket"), Bucket=name)


def _delete_bucket(client: Client, name: str) -> None:
    s3 = client("s3")
    bypass = {"BypassGovernanceRetention": True} if _is_locked(s3, name) else {}
    for attempt in range(EMPTY_ATTEMPTS):
        _empty_bucket(s3, name, bypass)
        try:
            s3.delete_bucket(Bucket=name)
        except ClientError as error:
            if error.response["Error"]["Code"] != "BucketNotEmpty" or attempt + 1 == EMPTY_ATTEMPTS:
                raise
        else:
            return


def _is_locked(s3: Any, name: str) -> bool:
    return _exists(s3.get_object_lock_configuration, ("ObjectLockConfigurationNotFoundError",), Bucket=name)


def _empty_bucket(s3: Any, name: str, bypass: Mapping[str, bool]) -> None:
    """Delete every version of every object. Raises NotDeleted for the first that is locked."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
        if not objects:
            continue
        answer = s3.delete_objects(Bucket=name, Delete={"Objects": objects, "Quiet": True}, **bypass)
        if errors := answer.get("Errors"):
            first = errors[0]
            raise NotDeleted(f"{len(errors)} objects stay, such as {first['Key']}: {first.get('Message', first)}")


def _has_table(client: Client, name: str) -> bool:
    return _exists(client("dynamodb").describe_table, ("ResourceNotFoundException",), TableName=name)


def _delete_table(client: Client, name: str) -> None:
    dynamodb = client("dynamodb")
    if dynamodb.describe_table(TableName=name)["Table"].get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
        dynamodb.get_waiter("table_exists").wait(TableName=name)
    dynamodb.delete_table(TableName=name)


def _has_secret(client: Client, arn: str) -> bool:
    try:
        return "DeletedDate" not in client("secretsmanager").describe_secret(SecretId=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] == "ResourceNotFoundException":
            return False
        raise


def _delete_secret(client: Client, arn: str) -> None:
    client("secretsmanager").delete_secret(SecretId=arn, RecoveryWindowInDays=RECOVERY_DAYS)


def _has_key(client: Client, key_id: str) -> bool:
    return bool(client("kms").describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"] != "PendingDeletion")


def _delete_key(client: Client, key_id: str) -> None:
    client("kms").schedule_key_deletion(KeyId=key_id, PendingWindowInDays=RECOVERY_DAYS)


def _list_versions(client: Client, arn: str) -> Iterator[tuple[str, int]]:
    """Yield name and number of each version of the layer that ``arn`` is a version of."""
    name = arn.split(":")[6]
    for page in client("lambda").get_paginator("list_layer_versions").paginate(LayerName=name):
        for one in page["LayerVersions"]:
            yield name, one["Version"]


def _has_versions(client: Client, arn: str) -> bool:
    return any(True for _ in _list_versions(client, arn))


def _delete_versions(client: Client, arn: str) -> None:
    for name, number in list(_list_versions(client, arn)):
        client("lambda").delete_layer_version(LayerName=name, VersionNumber=number)


KINDS: Mapping[str, _Kind] = {
    "AWS::S3::Bucket": _Kind(_has_bucket, _delete_bucket),
    "AWS::DynamoDB::Table": _Kind(_has_table, _delete_table),
    "AWS::SecretsManager::Secret": _Kind(_has_secret, _delete_secret),
    "AWS::KMS::Key": _Kind(_has_key, _delete_key),
    "AWS::Lambda::LayerVersion": _Kind(_has_versions, _delete_versions),
}
"""By the type in CloudFormation; resources of other types are left."""
