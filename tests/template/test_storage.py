"""What is kept, how, and for how long."""

from __future__ import annotations

import json

from .stack import Stack, template

KEY = "arn:aws:kms:eu-central-1:111122223333:key/0a1b"
KEPT = {"AWS::S3::Bucket", "AWS::SecretsManager::Secret", "AWS::DynamoDB::Table"}


def test_what_holds_data_outlives_the_stack() -> None:
    holders = {k: v for k, v in template()["Resources"].items() if v["Type"] in KEPT}
    assert {"MediaBucket", "AccessLogBucket", "SigningKeys"} <= set(holders)
    for resource in holders.values():
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain")


def test_derivatives_expire_and_masters_tier() -> None:
    bucket = Stack(DerivativeTtlDays="7").properties("MediaBucket")
    rules = {rule["Id"]: rule for rule in bucket["LifecycleConfiguration"]["Rules"]}
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
    assert rules["uploads-abort"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert "Prefix" not in rules["uploads-abort"]


def test_media_is_encrypted_with_the_key_of_the_stack() -> None:
    def rule(**parameters: str) -> dict[str, object]:
        [found] = Stack(**parameters).properties("MediaBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
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
    stack = Stack(LogDays="7")
    assert stack.properties("TransformLogs")["RetentionInDays"] == "7"
    assert stack.properties("TransformFunction")["LoggingConfig"]["LogGroup"] == "<TransformLogs>"
    assert "AccessLogBucket" not in stack.resources
    logged = Stack(AccessLogDays="14")
    assert logged.properties("AccessLogBucket")["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"] == "14"
