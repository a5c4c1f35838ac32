"""Reports and custody beside the stack of template.yaml, which does not refer to them."""

from __future__ import annotations

import pytest

from cli.stack_parameters import FirstStack, build_parameters
from evidence.environment import CustodyEnvironment, EvidenceEnvironment
from tests.component.template.own_stack import (
    OWN_SOURCE,
    check_dead_letters_alarm,
    check_parameters,
    find_route,
    list_untagged,
    read_own_source,
)
from tests.component.template.policies import listed
from tests.component.template.schemas import faults, resources_of
from tests.component.template.stack import ROOT, TEMPLATE, Stack
from tests.component.template.test_deployer_policy import list_allowed, list_resources, make_plan
from tests.component.template.test_parameters import LIBVIPS, POWERTOOLS
from tests.component.template.test_permissions import KEY, granted, statements

SOURCE = ROOT / "extensions" / "evidence" / "stack.yaml"
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "UploadsBucketName": "uploads",
    "AuditBucketName": "audit",
    "IndexTableName": "index",
    "VectorTableName": "vectors",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-a1b2c3",
}
BASIC = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, {}, ""))
INDEXES = [f"arn:aws:s3vectors:eu-central-1:111122223333:bucket/b/index/{name}" for name in ("copies", "likeness")]
WATCHED = {"xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents"}
CUSTODY = "<CustodyBucket.Arn>"


def evidence(**parameters: str) -> Stack:
    return Stack(SOURCE, **{**BASIC, **parameters})


@pytest.mark.sample(2)
@pytest.mark.parametrize(
    "further", [{}, OWN_SOURCE, {"CopyUploads": "off"}], ids=["basic", "own source", "reports alone"]
)
def test_resources_match_their_schemas(further: dict[str, str]) -> None:
    kinds = [
        "AWS::S3::",
        "AWS::CloudWatch::",
        "AWS::SQS::",
        "AWS::KMS::",
        "AWS::Events::",
        "AWS::ApiGatewayV2::",
        "AWS::IAM::Role",
    ]
    found = resources_of(evidence(**further), kinds)
    assert len(found) >= 8
    assert faults(found) == []


def test_the_command_prints_every_parameter_without_a_default() -> None:
    check_parameters(SOURCE, BASIC, OUTPUTS)
    elsewhere = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, {"InferenceMode": "lambda"}, ""))
    assert (BASIC["VectorTable"], elsewhere["InferenceMode"]) == ("vectors", "lambda")


def test_the_other_stack_does_not_know_of_it() -> None:
    assert "evidence" not in TEMPLATE.read_text(encoding="utf-8").lower()


def test_environment_is_what_the_functions_read() -> None:
    given = set(evidence().variables("EvidenceFunction"))
    assert given == {field.upper() for field in EvidenceEnvironment.fields()} | POWERTOOLS | LIBVIPS
    given = set(evidence().variables("CustodyFunction"))
    masters = {"SOURCE_BUCKET", "SOURCE_PREFIX"}
    assert given == {field.upper() for field in CustodyEnvironment.fields()} - masters | POWERTOOLS


def permissions(function: str) -> dict[str, set[str]]:
    found = granted(evidence(), function)
    return {action: set(resources) for action, resources in found.items() if action not in WATCHED}


def test_the_evidence_role_writes_records_and_deletes_nothing() -> None:
    found = permissions("Evidence")
    assert found["s3:PutObject"] == {f"{CUSTODY}/records/*", "arn:aws:s3:::audit/*"}
    assert not [action for action in found if "Delete" in action or "Retention" in action]
    assert found["s3:PutObjectLegalHold"] == {f"{CUSTODY}/records/*"}, "new records of a held image, and no copies"
    assert found["s3:GetObjectVersion"] == {
        "arn:aws:s3:::uploads/*",
        f"{CUSTODY}/originals/*",
        f"{CUSTODY}/records/*",
    }
    assert "kms:Sign" not in found, "operators sign exports"


def test_near_copies_are_searched_where_the_first_stack_stores_embeddings() -> None:
    table, first = evidence(), Stack(SimilarityStore="s3vectors")
    assert "VectorIndexArns" not in Stack().outputs
    assert first.outputs["VectorIndexArns"].split(",") == [
        first.variables("SimilarFunction")[name] for name in ("VECTOR_INDEX", "LIKENESS_INDEX")
    ]
    found = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS | {"VectorIndexArns": ",".join(INDEXES)}, {}, ""))
    indexes = Stack(SOURCE, **found | {"KmsKeyArn": KEY})
    expected = {"SIMILARITY_STORE": "s3vectors", "VECTOR_INDEX": INDEXES[0], "LIKENESS_INDEX": INDEXES[1]}
    assert expected.items() <= indexes.variables("EvidenceFunction").items()
    assert expected.keys() <= table.variables("EvidenceFunction").keys()
    assert table.variables("EvidenceFunction")["SIMILARITY_STORE"] == "table"
    assert {action for action in granted(table, "Evidence") if action.startswith("s3vectors")} == set()
    assert granted(indexes, "Evidence")["s3vectors:QueryVectors"] == INDEXES
    [key] = [one for one in statements(indexes, "Evidence") if one["Resource"] == KEY]
    assert "s3vectors.eu-central-1.amazonaws.com" in key["Condition"]["StringEquals"]["kms:ViaService"]


def test_the_custody_role_cannot_lift_a_lock() -> None:
    found = permissions("Custody")
    assert found["s3:PutObjectLegalHold"] == {f"{CUSTODY}/originals/*", f"{CUSTODY}/records/*"}
    assert not [action for action in found if "Delete" in action.replace("sqs:DeleteMessage", "")]
    assert not [action for action in found if "Bypass" in action or "Retention" in action]


def test_masters_of_a_source_bucket_are_read_there() -> None:
    read_own_source(evidence(**OWN_SOURCE), "Evidence")


def test_only_the_api_of_the_stack_invokes_it() -> None:
    assert find_route(evidence(), "/_evidence") == "ANY /_evidence/{key+}"


def test_copies_are_locked_and_expire() -> None:
    bucket = evidence(LockMode="COMPLIANCE", LockDays="3650").properties("CustodyBucket")
    assert bucket["ObjectLockEnabled"] is True
    retention = bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"]
    assert (retention["Mode"], int(retention["Days"])) == ("COMPLIANCE", 3650)
    expires = next(rule for rule in bucket["LifecycleConfiguration"]["Rules"] if rule["Id"] == "copies-expire")
    assert (int(expires["ExpirationInDays"]), expires["Prefix"]) == (3650, "originals/")


def test_uploads_are_copied_on_request() -> None:
    rule = evidence(CopyPrefix="cases/").properties("UploadsRule")
    detail = rule["EventPattern"]["detail"]
    assert (listed(detail["bucket"]["name"]), detail["object"]["key"]) == (["uploads"], [{"prefix": "cases/"}])
    assert "UploadsRule" not in evidence(CopyUploads="off").resources


def test_every_resource_that_can_be_tagged_is() -> None:
    assert list_untagged(evidence()) == []


def test_dead_letters_alarm() -> None:
    check_dead_letters_alarm(evidence(), "CustodyDeadLetters")


def test_its_deployer_may_delete_keys_and_decrypts_nothing() -> None:
    plan = make_plan("evidence")
    assert list_resources(plan, "kms:ScheduleKeyDeletion") == {"arn:aws:kms:eu-central-1:*:key/*"}
    assert "kms:Decrypt" not in list_allowed(plan)
