"""The command `doctor` about a stack of a few resources, most of which cannot be read."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.aws.switches import LOAD_SHEDDING, Switch
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.switch_store import SwitchStore
from tests import commands


def test_problems_are_found_beside_what_cannot_be_read(
    aws: Callable[[str], Any], aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aws("s3").create_bucket(Bucket="doctor")
    urls = [aws("sqs").create_queue(QueueName=f"doctor-{name}")["QueueUrl"] for name in ("ingest", "dead")]
    aws("sqs").send_message(QueueUrl=urls[1], MessageBody="{}")
    secret = aws("secretsmanager").create_secret(Name="doctor", SecretString=json.dumps({"current": "k" * 32}))
    SwitchStore(S3Bucket(aws("s3"), "doctor")).write(
        LOAD_SHEDDING, Switch(True, "ada", "a spike", "", time.time() + 60)
    )
    outputs = {
        "MediaBucketName": "doctor",
        "IngestQueueUrl": urls[0],
        "IngestDeadLettersUrl": urls[1],
        "SigningKeysArn": secret["ARN"],
    }
    command = commands.local(aws_environment, tmp_path, capsys, outputs, functions=("TransformFunction",))
    done = command.run("doctor", "--json")
    assert done.code == 1, done.err
    found = {one["name"]: one for one in done.document["checks"]}
    assert {name: one["outcome"] for name, one in found.items()} == {
        "stack": "ok",
        "cdn": "problem",
        "settings": "not checked",
        "switches": "problem",
        "dead letters": "problem",
        "alarms": "not checked",
        "functions": "ok",
    }
    assert "no output FindingsStoreArn" in found["settings"]["detail"]
    assert "refused" in found["alarms"]["detail"]
    assert found["dead letters"]["fixes"][-1] == f"./darkroom redrive --local --state-dir {tmp_path} ingest"
