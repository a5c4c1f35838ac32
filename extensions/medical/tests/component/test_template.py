"""extensions/medical/stack.yaml: medical images beside the stack of template.yaml, which does not refer to them."""

from __future__ import annotations

import re
from typing import Any

import pytest

from cli.stack_parameters import FirstStack, build_parameters
from medical.messages import MIN_REMAINING_S
from medical.process import WALL_S
from medical.store import INCOMING, QUARANTINE, STAT
from tests.component.template.own_stack import check_dead_letters_alarm, check_parameters, list_untagged
from tests.component.template.schemas import faults, resources_of
from tests.component.template.stack import ROOT, TEMPLATE, Stack
from tests.component.template.test_deployer_policy import list_resources, make_plan
from tests.component.template.test_permissions import KEY, granted, statements

SOURCE = ROOT / "extensions" / "medical" / "stack.yaml"
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-a1b2c3",
}
BASIC = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, {}, ""))
FULL = {"KmsKeyArn": KEY, "EndpointName": "models", "MasterDays": "400", "CorsOrigins": "https://viewer.example.com"}


def medical(**parameters: str) -> Stack:
    return Stack(SOURCE, **{**BASIC, **parameters})


@pytest.mark.parametrize("further", [{}, FULL], ids=["basic", "full"])
def test_resources_match_their_schemas(further: dict[str, str]) -> None:
    kinds = [
        "AWS::S3::",
        "AWS::CloudWatch::",
        "AWS::SQS::",
        "AWS::ApiGatewayV2::",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
    ]
    found = resources_of(medical(**further), [*kinds, "AWS::SecretsManager::"])
    assert len(found) >= 14
    assert faults(found) == []


def test_the_command_prints_every_parameter_without_a_default() -> None:
    check_parameters(SOURCE, BASIC, OUTPUTS)


def test_the_other_stack_does_not_know_of_it() -> None:
    assert "medical" not in TEMPLATE.read_text(encoding="utf-8").lower()


@pytest.mark.parametrize("bucket", ["UploadsBucket", "MastersBucket"])
def test_buckets_are_private_and_encrypted(bucket: str) -> None:
    found = medical().properties(bucket)
    assert set(found["PublicAccessBlockConfiguration"].values()) == {True}
    [rule] = found["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    assert "VersioningConfiguration" not in found, "a deleted upload cannot be restored"
    [rule] = medical(**FULL).properties(bucket)["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}


def rules(stack: Stack, bucket: str) -> dict[str, Any]:
    found = stack.properties(bucket)["LifecycleConfiguration"]["Rules"]
    return {rule["Prefix"]: int(rule["ExpirationInDays"]) for rule in found if "ExpirationInDays" in rule}


def test_patient_data_expire() -> None:
    assert rules(medical(), "UploadsBucket") == {INCOMING: 7, QUARANTINE: 14}
    assert rules(medical(), "MastersBucket") == {}
    assert rules(medical(**FULL), "MastersBucket") == {"studies/": 400}
    for queue in ("MedicalDeadLetters", "StatQueue", "RoutineQueue"):
        found = medical().properties(queue)
        assert found["SqsManagedSseEnabled"] is True
        assert int(found["MessageRetentionPeriod"]) <= 7 * 86_400


def test_stat_uploads_have_a_queue_and_a_function_of_their_own() -> None:
    stack = medical()
    notified = stack.properties("UploadsBucket")["NotificationConfiguration"]["QueueConfigurations"]
    prefixes = {one["Filter"]["S3Key"]["Rules"][0]["Value"]: one["Queue"] for one in notified}
    assert set(prefixes) == {STAT, f"{INCOMING}routine/"}
    assert "StatQueue" in prefixes[STAT]
    sources = {
        str(one["FunctionName"]): str(one["EventSourceArn"])
        for one in stack.of_type("AWS::Lambda::EventSourceMapping").values()
    }
    assert {re.sub(r"\W", "", name): re.findall(r"(\w+Queue)", arn)[0] for name, arn in sources.items()} == {
        "StatFunction": "StatQueue",
        "RoutineFunction": "RoutineQueue",
    }
    assert stack.variables("StatFunction")["STAT_QUEUE_URL"] == ""
    assert "StatQueue" in stack.variables("RoutineFunction")["STAT_QUEUE_URL"]


def test_an_ingest_has_time_to_decode() -> None:
    for name in ("StatFunction", "RoutineFunction"):
        timeout_s = int(medical().properties(name)["Timeout"])
        assert WALL_S < MIN_REMAINING_S < timeout_s
        assert int(medical().properties("RoutineQueue")["VisibilityTimeout"]) >= timeout_s


WATCHED = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents"}


def test_the_dicomweb_role_cannot_read_uploads() -> None:
    found = {action: set(resources) for action, resources in granted(medical(), "Medical").items()}
    assert found.keys() - WATCHED == {"s3:GetObject", "s3:ListBucket", "secretsmanager:GetSecretValue"}
    assert not [one for one in found["s3:GetObject"] | found["s3:ListBucket"] if "Uploads" in one]


def test_the_ingest_role_invokes_the_endpoint_alone() -> None:
    assert "sagemaker:InvokeEndpoint" not in granted(medical(), "Ingest")
    found = granted(medical(**FULL), "Ingest")
    assert set(found["sagemaker:InvokeEndpoint"]) == {
        "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/models",
    }
    assert [one for one in statements(medical(**FULL), "Ingest") if one["Sid"] == "UseKey"]
    masters = [one for one in found["s3:GetObject"] if "Masters" in one]
    assert masters == ["<MastersBucket.Arn>/studies/*"], "which a conditional write requires"


def test_every_resource_that_can_be_tagged_is() -> None:
    assert list_untagged(medical()) == []


def test_dead_letters_alarm() -> None:
    check_dead_letters_alarm(medical(), "MedicalDeadLetters")


def test_the_deployer_reads_no_other_secret() -> None:
    secrets = "arn:aws:secretsmanager:eu-central-1:*:secret:"
    found = list_resources(make_plan("medical"), "secretsmanager:GetSecretValue")
    assert found == {f"{secrets}SigningKeys-*", f"{secrets}UidKey-*"}
