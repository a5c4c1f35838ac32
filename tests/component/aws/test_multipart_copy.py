"""Multipart copies, range reads and idempotent executions, against MiniStack."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import ObjectChanged, Unavailable
from darkroom_pipeline.aws.multipart_copy import CopiedRange, MultipartAssembler, Part
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.stepfunctions import StateMachine
from tests.roles import create_role

from .stored import opened_body, put

MB = 1024 * 1024
IDLE = {"StartAt": "Idle", "States": {"Idle": {"Type": "Wait", "Seconds": 3600, "End": True}}}


@pytest.fixture
def strip(vault: S3Bucket) -> tuple[bytes, str]:
    """11 MB in the object ``a``, and its entity tag."""
    data = secrets.token_bytes(11 * MB)
    return data, put(vault, "a", data)


def uploads(s3: Any, vault: S3Bucket) -> list[Any]:
    return list(s3.list_multipart_uploads(Bucket=vault.bucket).get("Uploads", []))


def test_parts_are_copied_or_sent_in_their_order(s3: Any, vault: S3Bucket, strip: tuple[bytes, str]) -> None:
    data, etag = strip
    head = secrets.token_bytes(5 * MB)
    parts: list[Part] = [head + data[: 2 * MB], CopiedRange("a", etag, len(data), 2 * MB, len(data)), b"the end"]
    made = MultipartAssembler(s3, vault.bucket).assemble("b", parts, content_type="image/tiff")
    assert opened_body(vault, "b") == head + data + b"the end"
    kept = vault.head("b")
    assert kept
    assert (kept.etag, kept.headers) == (made, {"Content-Type": "image/tiff"})


def test_a_small_object_is_copied_whole(s3: Any, vault: S3Bucket) -> None:
    etag = put(vault, "a", b"small")
    MultipartAssembler(s3, vault.bucket).assemble("b", [CopiedRange("a", etag, 5, 0, 5)], content_type="image/tiff")
    assert opened_body(vault, "b") == b"small"


@pytest.mark.parametrize("gone", [True, False])
def test_what_is_not_what_it_was_is_not_copied(
    s3: Any, vault: S3Bucket, strip: tuple[bytes, str], *, gone: bool
) -> None:
    data, etag = strip
    if gone:
        vault.delete("a")
    else:
        put(vault, "a", b"another")
    with pytest.raises(ObjectChanged):
        MultipartAssembler(s3, vault.bucket).assemble(
            "b", [CopiedRange("a", etag, len(data), 0, len(data))], content_type="x/y"
        )
    assert vault.head("b") is None
    assert uploads(s3, vault) == []


def test_a_range_is_of_one_object_alone(vault: S3Bucket) -> None:
    etag = put(vault, "a", b"0123456789")
    assert vault.read_range("a", 2, 5, etag=etag) == b"234"
    assert vault.read_range("a", 8, 10, etag=etag) == b"89"
    put(vault, "a", b"abcdefghij")
    with pytest.raises(ObjectChanged):
        vault.read_range("a", 2, 5, etag=etag)
    vault.delete("a")
    with pytest.raises(ObjectChanged):
        vault.read_range("a", 2, 5, etag=etag)


@pytest.fixture
def machine(aws: Callable[[str], Any]) -> StateMachine:
    client = aws("stepfunctions")
    role = create_role(aws("iam"), {"Service": "states.amazonaws.com"}, [])
    made = client.create_state_machine(name=secrets.token_hex(8), definition=json.dumps(IDLE), roleArn=role)
    return StateMachine(client, made["stateMachineArn"])


def test_work_is_begun_once_for_as_long_as_it_is_done(machine: StateMachine) -> None:
    client = machine.client
    first = machine.start("work", {"key": "a.tif"})
    assert machine.start("work", {"key": "a.tif"}) == first
    execution = machine.arn.replace(":stateMachine:", ":execution:") + f":{first}"
    assert json.loads(client.describe_execution(executionArn=execution)["input"]) == {"key": "a.tif"}
    client.stop_execution(executionArn=execution)
    second = machine.start("work", {"key": "a.tif"})
    assert second != first
    assert machine.start("other work", {}) not in (first, second)
    assert len(client.list_executions(stateMachineArn=machine.arn)["executions"]) == 3


def test_a_machine_that_is_not_there_is_a_fault(machine: StateMachine) -> None:
    machine.client.delete_state_machine(stateMachineArn=machine.arn)
    with pytest.raises(Unavailable):
        machine.start("work", {})
