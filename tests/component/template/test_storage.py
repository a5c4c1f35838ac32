"""Storage in the template: buckets, encryption and lifecycles."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest

from darkroom_pipeline.aws.index import BY_REVIEW, BY_SHA256
from darkroom_pipeline.aws.record import REVIEW, Record
from darkroom_pipeline.aws.vectors.s3_vectors import UNFILTERED

from .stack import ROOT, Stack, template

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
KEPT = {
    *("AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::DynamoDB::Table"),
    *("AWS::S3Vectors::VectorBucket", "AWS::S3Vectors::Index"),
}


def test_what_holds_data_outlives_the_stack() -> None:
    resources = template()["Resources"] | template(ROOT / "stacks" / "inference.yaml")["Resources"]
    holders = {k: v for k, v in resources.items() if v["Type"] in KEPT}
    assert set(holders) == {
        *("MediaBucket", "UploadsBucket", "QuarantineBucket", "AccessLogBucket", "SigningKeys", "IndexTable"),
        *("AuditBucket", "VectorTable", "VectorBucket", "VectorIndex", "LikenessIndex", "LanguageKeys"),
    }
    for resource in holders.values():
        # A first deployment that fails leaves nothing behind, so that it can be tried again.
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def by_id(bucket: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Lifecycle rules."""
    return {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}


def test_derivatives_expire_and_masters_tier() -> None:
    bucket = Stack(RetentionDays="7,1,1,1,1").properties("MediaBucket")
    rules = by_id(bucket)
    assert rules["derivatives-expire"] == {
        "Id": "derivatives-expire",
        "Status": "Enabled",
        "Prefix": "derivatives/",
        "ExpirationInDays": "7",
    }
    tier = rules["masters-tier"]
    assert tier["Prefix"] == "masters/"
    assert tier["Transitions"] == [{"StorageClass": "INTELLIGENT_TIERING", "TransitionInDays": 0}]
    assert int(tier["ObjectSizeGreaterThan"]) + 1 == 128 * 1024


BUCKETS = ["MediaBucket", "UploadsBucket", "QuarantineBucket", "AuditBucket"]


@pytest.mark.parametrize("bucket", BUCKETS)
def test_unfinished_uploads_are_dropped_after_a_day(bucket: str) -> None:
    rule = by_id(Stack().properties(bucket))["uploads-abort"]
    assert rule["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Prefix" not in rule


def test_uploads_are_versioned_and_expire_with_all_their_versions() -> None:
    bucket = Stack(RetentionDays="1,7,1,1,1").properties("UploadsBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    rules = by_id(bucket)
    assert rules["uploads-expire"]["ExpirationInDays"] == "7"
    assert rules["uploads-expire"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": "7"}
    assert rules["markers-expire"] == {"Id": "markers-expire", "Status": "Enabled", "ExpiredObjectDeleteMarker": True}


def test_quarantine_expires_and_keeps_no_versions() -> None:
    bucket = Stack(RetentionDays="1,1,3,1,1").properties("QuarantineBucket")
    assert by_id(bucket)["refused-expire"]["ExpirationInDays"] == "3"
    assert "VersioningConfiguration" not in bucket


def test_entries_of_the_audit_log_are_locked_for_as_long_as_they_are_kept() -> None:
    bucket = Stack(RetentionDays="1,1,1,1,30").properties("AuditBucket")
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["ObjectLockEnabled"] is True
    [retention] = bucket["ObjectLockConfiguration"]["Rule"].values()
    assert (bucket["ObjectLockConfiguration"]["ObjectLockEnabled"], retention) == (
        "Enabled",
        {"Mode": "GOVERNANCE", "Days": "30"},
    )
    assert by_id(bucket)["entries-expire"]["ExpirationInDays"] == "30"


def test_manifests_for_retraining_go_after_a_month() -> None:
    rule = by_id(Stack().properties("MediaBucket"))["manifests-expire"]
    assert (rule["Prefix"], rule["ExpirationInDays"]) == ("watch/manifests/", 30)


def test_pages_of_the_origins_that_are_named_may_upload() -> None:
    [rule] = Stack(CorsOrigins="https://a.example,https://b.example").properties("UploadsBucket")["CorsConfiguration"][
        "CorsRules"
    ]
    assert rule["AllowedOrigins"] == ["https://a.example", "https://b.example"]
    assert rule["AllowedMethods"] == ["POST"]
    assert "CorsConfiguration" not in Stack(CorsOrigins="").properties("UploadsBucket")


def test_the_index_is_asked_by_key_and_by_content() -> None:
    table = Stack().properties("IndexTable")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["DeletionProtectionEnabled"] is True
    assert table["KeySchema"] == [{"AttributeName": "pk", "KeyType": "HASH"}]
    found = {
        index["IndexName"]: [part["AttributeName"] for part in index["KeySchema"]]
        for index in table["GlobalSecondaryIndexes"]
    }
    assert found == {BY_SHA256: ["sha256"], BY_REVIEW: [REVIEW, "updated_at"]}
    assert {"sha256", "updated_at"} <= {field.name for field in fields(Record)}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at_s", "Enabled": True}
    assert "expires_at_s" in {field.name for field in fields(Record)}
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


def test_the_index_is_encrypted_with_the_key_of_the_stack() -> None:
    assert "SSESpecification" not in Stack().properties("IndexTable")  # DynamoDB's own key
    assert Stack(KmsKeyArn=KEY).properties("IndexTable")["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": KEY,
    }


def test_embeddings_lie_in_a_table_by_shard_and_key() -> None:
    stack = Stack(KmsKeyArn=KEY)
    table = stack.properties("VectorTable")
    assert table["KeySchema"] == [
        {"AttributeName": "pk", "KeyType": "HASH"},
        {"AttributeName": "sk", "KeyType": "RANGE"},
    ]
    assert (table["BillingMode"], table["SSESpecification"]["KMSMasterKeyId"]) == ("PAY_PER_REQUEST", KEY)
    assert stack.variables("SimilarFunction")["VECTOR_INDEX"] == ""
    assert stack.variables("SimilarFunction")["LIKENESS_INDEX"] == ""
    assert not {"VectorBucket", "VectorIndex", "LikenessIndex"} & stack.resources.keys()


def test_a_managed_index_filters_by_model_and_folders_alone() -> None:
    stack = Stack(SimilarityStore="s3vectors", InferenceMode="lambda")
    for name, dimensions in (("VectorIndex", 512), ("LikenessIndex", 1280)):
        index = stack.properties(name)
        assert index["MetadataConfiguration"] == {"NonFilterableMetadataKeys": [*UNFILTERED]}
        assert (index["Dimension"], index["DistanceMetric"]) == (dimensions, "cosine")
    assert stack.properties("VectorBucket")["EncryptionConfiguration"] == {"SseType": "AES256"}
    with_key = Stack(SimilarityStore="s3vectors", KmsKeyArn=KEY).properties("VectorBucket")
    assert with_key["EncryptionConfiguration"] == {"SseType": "aws:kms", "KmsKeyArn": KEY}
    for function in ("SimilarFunction", "InferFunction", "ForgetFunction"):
        variables = stack.variables(function)
        assert variables["VECTOR_INDEX"] == "<VectorIndex.IndexArn>"
        assert variables["LIKENESS_INDEX"] == "<LikenessIndex.IndexArn>"


@pytest.mark.parametrize("bucket", BUCKETS)
def test_a_bucket_is_encrypted_with_the_key_of_the_stack(bucket: str) -> None:
    def rule(**parameters: str) -> dict[str, object]:
        [found] = Stack(**parameters).properties(bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
        return found

    assert rule() == {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}
    assert rule(KmsKeyArn=KEY) == {
        "ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY},
        "BucketKeyEnabled": True,
    }


def test_the_first_signing_key_is_made_by_aws_and_has_256_bits() -> None:
    secret = Stack().properties("SigningKeys")
    made = secret["GenerateSecretString"]
    assert json.loads(made["SecretStringTemplate"]) == {"previous": ""}
    assert made["GenerateStringKey"] == "current"
    assert 62 ** made["PasswordLength"] >= 2**256
    assert made["ExcludePunctuation"] is True
    assert "KmsKeyId" not in secret
    assert Stack(KmsKeyArn=KEY).properties("SigningKeys")["KmsKeyId"] == KEY


def test_logs_do_not_stay_for_ever() -> None:
    stack = Stack(RetentionDays="1,1,1,7,1")
    groups = stack.of_type("AWS::Logs::LogGroup")
    assert {group["RetentionInDays"] for group in groups.values()} == {"7"}
    written = {f["LoggingConfig"]["LogGroup"] for f in stack.of_type("AWS::Lambda::Function").values()}
    assert written == {f"<{name}>" for name in groups}
    assert len(written) == len(stack.of_type("AWS::Lambda::Function"))
    assert "AccessLogBucket" not in stack.resources
    logged = Stack(AccessLogDays="14")
    assert logged.properties("AccessLogBucket")["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == "14"
