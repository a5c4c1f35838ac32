"""extensions/document_pages/stack.yaml: PDF documents beside the stack of template.yaml, which does not refer to it."""

from __future__ import annotations

import pytest

from cli.stack_parameters import FirstStack, build_parameters
from document_pages.renderer import DocumentsEnvironment
from tests.component.template.own_stack import check_dead_letters_alarm, check_parameters, list_untagged
from tests.component.template.schemas import faults, resources_of
from tests.component.template.stack import ROOT, Stack
from tests.component.template.test_parameters import POWERTOOLS
from tests.component.template.test_permissions import KEY, granted, statements

SOURCE = ROOT / "extensions" / "document_pages" / "stack.yaml"
OUTPUTS = {
    "UploadApiUrl": "https://a1b2c3.execute-api.eu-central-1.amazonaws.com",
    "MediaBucketName": "media",
    "UploadsBucketName": "uploads",
    "SigningKeysArn": "arn:aws:secretsmanager:eu-central-1:111122223333:secret:keys-a1b2c3",
}
BASIC = build_parameters(SOURCE, FirstStack("darkroom", OUTPUTS, {}, ""))


def documents(**parameters: str) -> Stack:
    return Stack(SOURCE, **{**BASIC, **parameters})


@pytest.mark.parametrize("further", [{}, {"KmsKeyArn": KEY}], ids=["basic", "key"])
def test_resources_match_their_schemas(further: dict[str, str]) -> None:
    kinds = [
        "AWS::S3::",
        "AWS::CloudWatch::",
        "AWS::IAM::Role",
        "AWS::Lambda::Permission",
        "AWS::Events::",
        "AWS::SQS::",
        "AWS::Logs::",
    ]
    found = resources_of(documents(**further), kinds)
    assert len(found) >= 7
    assert faults(found) == []


def test_the_command_prints_every_parameter_without_a_default() -> None:
    check_parameters(SOURCE, BASIC, OUTPUTS)


def test_environment_is_what_the_function_reads() -> None:
    given = documents().variables("DocumentsFunction")
    read = {field.upper() for field in DocumentsEnvironment.fields()} - {"MEDIA_BUCKET"}
    assert set(given) == read | POWERTOOLS | {"MALLOC_ARENA_MAX"}


def test_the_role_reads_documents_and_writes_uploads_below_its_prefix_alone() -> None:
    found = {action: set(resources) for action, resources in granted(documents(), "Documents").items()}
    for action in ("xray:PutTraceSegments", "xray:PutTelemetryRecords", "logs:CreateLogStream", "logs:PutLogEvents"):
        del found[action]
    [bucket] = found["s3:PutObjectTagging"]
    uploads = "arn:aws:s3:::uploads/documents/*"
    assert found.pop("sqs:SendMessage")
    assert found == {
        "s3:GetObject": {bucket, uploads},
        "s3:PutObjectTagging": {bucket},
        "s3:PutObject": {uploads},
        "s3:DeleteObject": {uploads},
        "s3:ListBucket": {bucket.removesuffix("/*"), "arn:aws:s3:::uploads"},
    }
    assert bucket.endswith("/*")
    [uses] = [one for one in statements(documents(KmsKeyArn=KEY), "Documents") if one["Sid"] == "UseKey"]
    assert uses["Resource"] == KEY


def test_only_events_of_its_bucket_invoke_it() -> None:
    [permission] = documents().of_type("AWS::Lambda::Permission").values()
    assert permission["Principal"] == "events.amazonaws.com"
    pattern = documents().properties("DocumentChanged")["EventPattern"]
    assert pattern["detail"] == {"bucket": {"name": ["<DocumentsBucket>"]}}


def test_the_render_ends_before_the_function() -> None:
    from document_pages.renderer import _LIMITS

    function = documents().properties("DocumentsFunction")
    assert _LIMITS.cpu_s < _LIMITS.wall_s < function["Timeout"] - 30
    assert _LIMITS.memory_bytes < (function["MemorySize"] - 400) * 1024 * 1024


def test_every_resource_that_can_be_tagged_is() -> None:
    assert list_untagged(documents()) == []


def test_dead_letters_alarm() -> None:
    check_dead_letters_alarm(documents(), "DocumentsDeadLetters")
