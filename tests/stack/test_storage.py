"""Storage of the running stack, read back through the services' APIs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from local.aws import Cloud
from local.cfn_resolver import describe_resources

from .conftest import Stack

pytestmark = pytest.mark.smoke

ABORT = {"uploads-abort": {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}}}
LIFECYCLES: dict[str, dict[str, dict[str, Any]]] = {
    "MediaBucket": {
        "derivatives-expire": {"Expiration": {"Days": 90}, "Filter": {"Prefix": "derivatives/"}},
        "library-expires": {"Expiration": {"Days": 30}, "Filter": {"Prefix": "library/"}},
        "scenes-expire": {"Expiration": {"Days": 3}, "Filter": {"Prefix": "scenes/"}},
        "manifests-expire": {"Expiration": {"Days": 30}, "Filter": {"Prefix": "watch/manifests/"}},
        "masters-tier": {
            "Transitions": [{"Days": 0, "StorageClass": "INTELLIGENT_TIERING"}],
            "Filter": {"And": {"Prefix": "masters/", "ObjectSizeGreaterThan": 131_071}},
        },
        **ABORT,
    },
    "UploadsBucket": {
        "uploads-expire": {"Expiration": {"Days": 30}, "NoncurrentVersionExpiration": {"NoncurrentDays": 30}},
        "markers-expire": {"Expiration": {"ExpiredObjectDeleteMarker": True}},
        **ABORT,
    },
    "QuarantineBucket": {"refused-expire": {"Expiration": {"Days": 14}}, **ABORT},
    "AuditBucket": {
        "entries-expire": {"Expiration": {"Days": 365}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}},
        "markers-expire": {"Expiration": {"ExpiredObjectDeleteMarker": True}},
        **ABORT,
    },
    "AccessLogBucket": {"logs-expire": {"Expiration": {"Days": 1}}, **ABORT},
}
"""Rules by name, of every bucket."""


def physical_ids(cloud: Cloud, kind: str) -> dict[str, str]:
    found = describe_resources(cloud)
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found if one["ResourceType"] == kind}


@pytest.fixture(scope="package")
def buckets(stack: Stack) -> dict[str, str]:
    """Names of the stack's buckets by logical id."""
    return physical_ids(stack.cloud, "AWS::S3::Bucket")


def test_every_bucket_is_checked(buckets: dict[str, str]) -> None:
    assert set(buckets) == set(LIFECYCLES)


@pytest.mark.parametrize("bucket", LIFECYCLES)
def test_lifecycle(stack: Stack, buckets: dict[str, str], bucket: str) -> None:
    found = stack.cloud.s3.get_bucket_lifecycle_configuration(Bucket=buckets[bucket])["Rules"]
    everything = {"Status": "Enabled", "Filter": {"Prefix": ""}}
    assert {rule.pop("ID"): rule for rule in found} == {  # type: ignore[misc]
        name: everything | rule for name, rule in LIFECYCLES[bucket].items()
    }


@pytest.mark.parametrize("bucket", LIFECYCLES)
def test_encryption(stack: Stack, buckets: dict[str, str], bucket: str) -> None:
    found = stack.cloud.s3.get_bucket_encryption(Bucket=buckets[bucket])["ServerSideEncryptionConfiguration"]["Rules"]
    assert [rule["ApplyServerSideEncryptionByDefault"] for rule in found] == [{"SSEAlgorithm": "AES256"}]


@pytest.mark.parametrize("bucket", LIFECYCLES)
def test_tls_alone(stack: Stack, buckets: dict[str, str], bucket: str) -> None:
    name = buckets[bucket]
    statements = json.loads(stack.cloud.s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    [denied] = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert (denied["Principal"], denied["Action"]) == ("*", "s3:*")
    assert denied["Resource"] == [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("bucket", LIFECYCLES)
def test_no_access_from_outside(stack: Stack, buckets: dict[str, str], bucket: str) -> None:
    s3, name = stack.cloud.s3, buckets[bucket]
    assert s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    [rule] = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
    by_acl = bucket == "AccessLogBucket"  # CloudFront delivers its logs so
    assert rule["ObjectOwnership"] == ("BucketOwnerPreferred" if by_acl else "BucketOwnerEnforced")


def test_uploads_have_versions_and_send_events(stack: Stack, buckets: dict[str, str]) -> None:
    s3 = stack.cloud.s3
    versioning = {name: s3.get_bucket_versioning(Bucket=buckets[name]).get("Status") for name in LIFECYCLES}
    with_versions = {"UploadsBucket", "AuditBucket"}
    assert versioning == {name: "Enabled" if name in with_versions else None for name in LIFECYCLES}
    configuration = s3.get_bucket_notification_configuration(Bucket=buckets["UploadsBucket"])
    assert "EventBridgeConfiguration" in configuration
    [rule] = s3.get_bucket_cors(Bucket=buckets["UploadsBucket"])["CORSRules"]
    assert (rule["AllowedMethods"], rule["AllowedOrigins"]) == (["POST"], ["*"])


def test_the_index_forgets_by_its_clock_and_can_be_brought_back(stack: Stack) -> None:
    dynamodb = stack.cloud.dynamodb
    name = physical_ids(stack.cloud, "AWS::DynamoDB::Table")["IndexTable"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["DeletionProtectionEnabled"] is True
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    whole = {"ProjectionType": "ALL"}
    found = {index["IndexName"]: index["Projection"] for index in table["GlobalSecondaryIndexes"]}
    assert found == {"by-sha256": whole, "by-review": whole}
    lifetime = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    assert (lifetime["TimeToLiveStatus"], lifetime["AttributeName"]) == ("ENABLED", "expires_at_s")
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_queues_have_their_dlqs(stack: Stack) -> None:
    queues = {
        name: stack.cloud.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        for name, url in physical_ids(stack.cloud, "AWS::SQS::Queue").items()
    }
    functions = {
        name: stack.cloud.functions.get_function_configuration(FunctionName=facts["name"])
        for name, facts in stack.functions.items()
    }
    for name, senders in (("Ingest", ("Ingest", "IngestPriority")), ("Purge", ("Purge",))):
        queue, dead_letters = queues[f"{name}Queue"], queues[f"{name}DeadLetters"]  # terms: allow
        assert json.loads(queue["RedrivePolicy"])["deadLetterTargetArn"] == dead_letters["QueueArn"]
        sources = [queues[f"{sender}Queue"]["QueueArn"] for sender in senders]
        assert json.loads(dead_letters["RedriveAllowPolicy"])["sourceQueueArns"] == sources
        assert int(queue["VisibilityTimeout"]) >= 6 * functions[f"{name}Function"]["Timeout"]
        assert queue["SqsManagedSseEnabled"] == dead_letters["SqsManagedSseEnabled"] == "true"
