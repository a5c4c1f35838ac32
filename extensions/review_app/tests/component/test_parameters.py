"""`./darkroom parameters` for this stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import commands


@pytest.mark.slow
def test_parameters_of_the_stack(
    aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outputs = {
        "UploadApiUrl": "https://abc123.execute-api.eu-west-1.amazonaws.com",
        "MediaBucketName": "media",
        "IndexTableName": "index",
        "AuditBucketName": "audit",
        "ReviewQueueUrl": "https://sqs.eu-west-1.amazonaws.com/123456789012/darkroom-review",
        "SigningKeysArn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:keys-AbCdEf",
    }
    given = {"Arch": "x86_64", "RetentionDays": "90,30,14,45,365", "SourceBucket": "", "AllowedOrigins": "*"}
    command = commands.local(aws_environment, tmp_path, capsys, outputs, given)
    parameters = command.run("parameters", "review-app", "--json").document["parameters"]
    assert (parameters["ApiId"], parameters["Arch"], parameters["LogDays"]) == ("abc123", "x86_64", "45")
    lines = command.run("parameters", "review-app").lines
    assert "ApiId=abc123" in lines
    assert not [line for line in lines if line.endswith("=")]
