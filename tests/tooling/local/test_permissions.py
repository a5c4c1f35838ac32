"""The patches of MiniStack's IAM, without MiniStack."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from local.emulation.permissions import (
    Recorder,
    find_conditional_reads,
    find_key_value_store,
    find_leading_keys,
    is_missing_object,
    to_permission,
)

SESSION = "arn:aws:sts::000000000000:assumed-role/ingest-role/ingest"
A, B = {"pk": {"S": "findings#a"}}, {"pk": {"S": "sample#b"}, "sk": {"S": "1"}}


@pytest.mark.parametrize(
    ("body", "keys"),
    [
        ({"TableName": "t", "Key": A}, ["findings#a"]),
        ({"TableName": "t", "Item": B}, ["sample#b"]),
        ({"RequestItems": {"t": {"Keys": [A, B]}}}, ["findings#a", "sample#b"]),
        ({"TableName": "t", "KeyConditionExpression": "pk = :a"}, []),
        ({}, []),
    ],
)
def test_leading_keys_are_the_partition_keys_of_a_request(body: dict[str, Any], keys: list[str]) -> None:
    assert find_leading_keys(body, "pk") == keys


def test_a_batch_of_messages_needs_the_permission_of_one() -> None:
    assert to_permission("sqs:SendMessageBatch") == "sqs:SendMessage"
    assert to_permission("dynamodb:Batch") == "dynamodb:Batch"


BATCH = b"<Delete><Object><Key>a/b</Key><ETag>1</ETag></Object><Object><Key>c</Key></Object></Delete>"
NAMESPACED = b'<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">' + BATCH.removeprefix(b"<Delete>")
OBJECT = ["arn:aws:s3:::bucket/a/b"]


@pytest.mark.parametrize(
    ("method", "path", "headers", "query", "body", "arns"),
    [
        ("DELETE", "/bucket/a/b", {"if-match": '"1"'}, {}, b"", OBJECT),
        ("DELETE", "/bucket/a/b", {"if-match": "*"}, {}, b"", []),
        ("DELETE", "/bucket/a/b", {}, {}, b"", []),
        ("PUT", "/bucket/a/b", {"if-match": '"1"'}, {}, b"x", OBJECT),
        ("PUT", "/bucket/a/b", {"if-none-match": "*"}, {}, b"x", []),
        ("GET", "/bucket/a/b", {"if-match": '"1"'}, {}, b"", []),
        ("POST", "/bucket", {}, {"delete": [""]}, BATCH, OBJECT),
        ("POST", "/bucket/", {}, {"delete": [""]}, NAMESPACED, OBJECT),
        ("POST", "/bucket", {}, {"delete": [""]}, b"no document", []),
    ],
)
def test_a_conditional_change_needs_read_permission(
    method: str, path: str, headers: dict[str, str], query: dict[str, Any], body: bytes, arns: list[str]
) -> None:
    assert find_conditional_reads(method, path, headers, query, body) == arns


@pytest.mark.parametrize(
    ("method", "path", "status", "body", "missing"),
    [
        ("HEAD", "/bucket/a", 404, b"", True),
        ("GET", "/bucket/a", 404, b"<Code>NoSuchKey</Code>", True),
        ("PUT", "/bucket/a", 404, b"<Code>NoSuchKey</Code>", True),
        ("GET", "/bucket/a", 404, b"<Code>NoSuchBucket</Code>", False),
        ("HEAD", "/bucket", 404, b"", False),
        ("GET", "/bucket/a", 200, b"NoSuchKey", False),
        ("DELETE", "/bucket/a", 404, b"<Code>NoSuchKey</Code>", False),
    ],
)
def test_missing_objects_are_detected(method: str, path: str, status: int, body: bytes, missing: bool) -> None:
    assert is_missing_object(method, path, status, body) is missing


def test_each_kind_of_call_of_a_role_is_recorded_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "calls")
    for _ in range(2):
        recorder.note(SESSION, "s3:GetObject", "arn:aws:s3:::b/a", {"x": None}, allowed=True)
    recorder.note(SESSION, "s3:GetObject", "arn:aws:s3:::b/a", {}, allowed=False)
    recorder.note("arn:aws:iam::000000000000:root", "s3:GetObject", "arn:aws:s3:::b/a", {}, allowed=True)
    Recorder(None).note(SESSION, "s3:GetObject", "arn:aws:s3:::b/a", {}, allowed=True)
    calls = [json.loads(line) for line in (tmp_path / "calls").read_text().splitlines()]
    assert [(call["role"], call["function"], call["context"], call["allowed"]) for call in calls] == [
        ("ingest-role", "ingest", {}, True),
        ("ingest-role", "ingest", {}, False),
    ]


def test_a_call_of_a_key_value_store_names_it() -> None:
    arn = "arn:aws:cloudfront::000000000000:key-value-store/0b8e-12"
    assert find_key_value_store(f"/key-value-stores/{quote(arn, safe='')}/keys") == arn
    assert find_key_value_store(f"/key-value-stores/{arn}") == arn
    assert find_key_value_store("/key-value-stores/") == "*"
