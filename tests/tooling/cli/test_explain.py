"""``darkroom explain`` on buckets, a table, a secret and a log of MiniStack."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from darkroom.plan.url_builder import sign_literal, sign_target
from tests import commands
from tests.commands import Commands

OLD, NEW = "an old key of 24 letters", "a new key of 24 letters"
_numbers = itertools.count(1)


class World:
    """A media bucket with one master, and the command about its stack."""

    def __init__(self, aws: Callable[[str], Any], state: Path, make: Callable[..., Commands]) -> None:
        self.s3, self.logs, self.media = aws("s3"), aws("logs"), f"explain-{next(_numbers)}"
        self.s3.create_bucket(Bucket=self.media)
        self.put("masters/caf.-C3A9.jpg", b"master", ContentType="image/jpeg")
        secret = aws("secretsmanager").create_secret(
            Name=self.media, SecretString=json.dumps({"current": NEW, "previous": OLD})
        )
        outputs = {
            "MediaBucketName": self.media,
            "MastersUri": f"s3://{self.media}/masters/",
            "SigningKeysArn": secret["ARN"],
        }
        self.command = make(outputs, {"InferenceMode": "off"}, ("TransformFunction",))
        info = json.loads((state / "stack.json").read_text())
        [resource] = [
            one
            for one in aws("cloudformation").list_stack_resources(StackName=info["stack_name"])[
                "StackResourceSummaries"
            ]
            if one["ResourceType"] == "AWS::Lambda::Function"
        ]
        self.group = f"/aws/lambda/{resource['PhysicalResourceId']}"

    def put(self, name: str, body: bytes, **more: Any) -> str:
        return str(self.s3.put_object(Bucket=self.media, Key=name, Body=body, **more)["ETag"]).strip('"')

    def configure(self, **settings: Any) -> None:
        document = {"number": 1, "previous": 0, "at": "", "by": "", "reason": "", "settings": settings}
        self.put("settings/current.json", json.dumps(document).encode())

    def log(self, *lines: dict[str, Any]) -> None:
        self.logs.create_log_group(logGroupName=self.group)
        self.logs.create_log_stream(logGroupName=self.group, logStreamName="one")
        now_ms = int(time.time() * 1000)
        events = [{"timestamp": now_ms + at, "message": json.dumps(line)} for at, line in enumerate(lines)]
        self.logs.put_log_events(logGroupName=self.group, logStreamName="one", logEvents=events)

    def explain(self, url: str) -> dict[str, Any]:
        done = self.command.run("explain", "--json", url)
        document: dict[str, Any] = done.document
        assert done.code == (1 if document["refusal"] else 0)
        return document

    def signature(self, url: str) -> dict[str, Any]:
        found: dict[str, Any] = self.explain(url)["signature"]
        return found


@pytest.fixture
def world(
    tmp_path: Path, aws: Callable[[str], Any], aws_environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> World:
    return World(aws, tmp_path, lambda *given: commands.local(aws_environment, tmp_path, capsys, *given))


@pytest.mark.slow
def test_parsing_normal_form_and_policy(world: World) -> None:
    world.configure(presets={"own": {"w": 300, "h": 200, "fit": "cover"}}, access_mode="guarded")
    found = world.explain("https://cdn.example/café.jpg?preset=own&fit=contain&height=100&g=north&dpr=2#top")
    assert found["target"] == "/caf%C3%A9.jpg?preset=own&fit=contain&height=100&g=north&dpr=2"
    assert (found["key"], found["canonical_request"]) == ("café.jpg", "/caf.-C3A9.jpg/_/h-200_w-600.auto")
    options = {one["option"]: (one["value"], one["preset"], one["has_effect"]) for one in found["options"]}
    assert options == {
        "preset": ("own", "", True),
        "fit": ("contain", "", False),
        "h": ("100", "", True),
        "g": ("north", "", False),
        "dpr": ("2", "", True),
        "w": ("300", "own", True),
    }
    policy = found["policy"]
    assert (policy["access_mode"], policy["needs_signature"], policy["presets"]) == ("guarded", True, ["own"])
    assert found["refusal"]["code"] == "unsigned"
    assert found["signature"]["kind"] == "none"


@pytest.mark.slow
def test_the_kind_and_the_key_of_signatures(world: World) -> None:
    url = "/caf%C3%A9.jpg?width=801&f=webp"
    for signed, kind, key in (
        (sign_literal(url, NEW), "literal", "current"),
        (sign_literal(url, OLD, 1_999_999_999), "literal", "previous"),
        (sign_target(url, NEW), "canonical", "current"),
        (sign_target(url, OLD), "canonical", "previous"),
        (sign_literal(url, "another key of 24 letters"), "wrong", ""),
    ):
        found = world.signature(signed)
        assert (found["kind"], found["key"]) == (kind, key)
        assert found["literal_text"].startswith(url)
        assert found["canonical_text"].startswith("/caf.-C3A9.jpg/_/w-801.webp")
    refusal = world.explain(f"{url}&s={'A' * 43}")["refusal"]
    assert refusal["code"] == "bad-signature"
    assert f"'{url}' (URL as written)" in refusal["detail"]
    ended = world.explain(sign_literal(url, NEW, 1_000_000_000))
    assert (ended["refusal"]["code"], ended["signature"]["is_expired"]) == ("expired", True)
    assert NEW not in json.dumps(ended)


@pytest.mark.slow
def test_storage_master_and_trace(world: World) -> None:
    etag = world.put("masters/a.jpg", b"another", ContentType="image/jpeg")
    start = "derivatives/a.jpg/_/"
    world.put(f"{start}w-800.auto-webp", b"12345", ContentType="image/webp", Metadata={"source-etag": etag})
    world.put(f"{start}cr-1_w-800.auto-avif", b"1234", ContentType="image/avif", Metadata={"source-etag": "old"})
    world.put(f"{start}w-640.auto-webp", b"other")
    world.put(f"{start}mezzanine-1280.jpg", b"mezzanine")
    refused = {
        "source_etag": etag,
        "limits": {},
        "variants": {"a.jpg/_/w-9.webp": {"code": "too-slow", "detail": "9 s"}},
    }
    world.put(f"{start}refusal.json", json.dumps(refused).encode())
    answer = {
        "message": "answered",
        "path": "/a.jpg/_/w-800.auto-webp",
        "status": 200,
        "ms": 12.5,
        "stages_ms": {"fetch": 3},
    }
    other = answer | {"path": "/a.jpg/_/w-800_h-1.webp"}
    world.log(
        answer | {"correlation_id": "edge-1", "xray_trace_id": "1-2-3"}, other, {"message": "answered", "path": 7}
    )
    found = world.explain("/a.jpg?w=800")
    assert found["refusal"] is None
    stored = {one["name"].removeprefix(start): (one["bytes"], one["is_of_master"]) for one in found["derivatives"]}
    assert stored == {"w-800.auto-webp": (5, True), "cr-1_w-800.auto-avif": (4, False)}
    assert found["mezzanines"] == [1280]
    assert found["refused_variants"]["a.jpg/_/w-9.webp"]["code"] == "too-slow"
    assert (found["master"]["uri"], found["master"]["etag"]) == (f"s3://{world.media}/masters/a.jpg", etag)
    [line] = found["answers"]
    assert (line["status"], line["correlation_id"], line["xray_trace_id"]) == (200, "edge-1", "1-2-3")
    text = world.command.run("explain", "/a.jpg?w=800").out
    for part in (
        "normal form   /a.jpg/_/w-800.auto",
        ", of an earlier master",
        "1280 px",
        "200, 12.5 ms (fetch 3)",
        "served",
    ):
        assert part in text


@pytest.mark.slow
def test_refusals_of_the_parser_and_of_the_function(world: World) -> None:
    assert world.explain("/a.jpg?w=0")["refusal"]["option"] == "w"
    assert world.explain("/a.jpg?colour=1")["refusal"]["code"] == "unknown-option"
    assert world.explain("/a/../b.jpg")["refusal"]["code"] == "bad-key"
    assert world.explain("/none.jpg")["refusal"]["code"] == "no-source"
    world.configure(access_mode="open")
    assert world.explain("/caf%C3%A9.jpg?redact=faces")["refusal"]["code"] == "no-inference"
    switch = {"on": True, "by": "me", "reason": "", "at": "", "until_s": time.time() + 60}
    world.put("switches/presets-only.json", json.dumps(switch).encode())
    assert world.explain("/caf%C3%A9.jpg?w=801")["refusal"]["code"] == "presets-only"
    assert "400 bad-option" in world.command.run("explain", "/a.jpg?w=0").out


def test_urls_of_other_services_are_not_explained(world: World) -> None:
    done = world.command.run("explain", "/imgproxy/unsafe/plain/a.jpg")
    assert (done.code, "imgproxy" in done.err) == (2, True)
