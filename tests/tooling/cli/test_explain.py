"""``darkroom explain`` on buckets, a table, a secret and a log of MiniStack."""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli.deployment import read_local
from cli.dialect_signing import sign_in_dialect
from cli.explain.document import explain
from cli.explain.purges import covers_image
from cli.explain.source import Source
from darkroom.findings import Face, Finding, Findings, Region, findings_to_document
from darkroom.origins.https import HttpsOrigin
from darkroom.plan.experiments import Experiment
from darkroom.plan.limits import Limits
from darkroom.plan.presets import load_default_presets
from darkroom.plan.url_builder import sign_literal, sign_target
from darkroom.plan.variants import NEEDS_EXPIRY
from darkroom.services.live_settings import RESERVED_MB
from darkroom_dialects.common.parsed_url import DialectKey
from darkroom_pipeline.aws.record import (
    CLAIMED,
    HELD,
    READY,
    REFUSED,
    REMOVED,
    HeldUpload,
    Record,
    Refusal,
    pad_sequencer,
    to_item,
)
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.experiments.runs import Decision, Decisions, RunStore
from darkroom_pipeline.experiments.statistics import Bounds
from tests import commands
from tests.commands import Commands
from tests.component.origins.server import HOST, Origin, page, run_origin

ROOT = Path(__file__).parents[3]
OLD, NEW = "an old key of 24 letters", "a new key of 24 letters"
_numbers = itertools.count(1)


class World:
    """A media bucket with one master, and the command about its stack."""

    def __init__(self, aws: Callable[[str], Any], state: Path, make: Callable[..., Commands], inference: str) -> None:
        self.s3, self.logs, self.media = aws("s3"), aws("logs"), f"explain-{next(_numbers)}"
        self.state, self.dynamodb = state, aws("dynamodb")
        self.dynamodb.create_table(
            TableName=self.media,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.queue = aws("sqs").create_queue(QueueName=f"{self.media}-purge")["QueueUrl"]
        self.s3.create_bucket(Bucket=self.media)
        self.put("masters/caf.-C3A9.jpg", b"master", ContentType="image/jpeg")
        secret = aws("secretsmanager").create_secret(
            Name=self.media, SecretString=json.dumps({"current": NEW, "previous": OLD})
        )
        dialect_keys = aws("secretsmanager").create_secret(
            Name=f"{self.media}-dialects", SecretString=json.dumps({"thumbor": [NEW]})
        )
        outputs = {
            "MediaBucketName": self.media,
            "MastersUri": f"s3://{self.media}/masters/",
            "SigningKeysArn": secret["ARN"],
            "IndexTableName": self.media,
            "PurgeQueueUrl": self.queue,
            "DistributionId": make_distribution(aws("cloudfront")),
            "LanguageKeysArn": dialect_keys["ARN"],
        }
        self.command = make(outputs, {"InferenceMode": inference}, ("TransformFunction",))
        info = json.loads((state / "stack.json").read_text())
        [resource] = [
            one
            for one in aws("cloudformation").list_stack_resources(StackName=info["stack_name"])[
                "StackResourceSummaries"
            ]
            if one["ResourceType"] == "AWS::Lambda::Function"
        ]
        self.function = str(resource["PhysicalResourceId"])
        self.group = f"/aws/lambda/{self.function}"

    def put(self, name: str, body: bytes, **more: Any) -> str:
        return str(self.s3.put_object(Bucket=self.media, Key=name, Body=body, **more)["ETag"]).strip('"')

    def record(self, key: str, state: str = READY, **more: Any) -> None:
        facts = {"format": "jpeg", "width": 4000, "height": 3000, "frames": 1, "has_alpha": False}
        record = Record(key, state, pad_sequencer("1"), facts=facts | more.pop("facts", {}), **more)
        self.dynamodb.put_item(TableName=self.media, Item=to_item(record))

    def image(self, url: str) -> dict[str, Any]:
        found: dict[str, Any] = self.explain(url)["image"]
        return found

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

    def refusal(self, url: str) -> dict[str, Any]:
        found: dict[str, Any] = self.explain(url)["refusal"]
        return found

    def signature(self, url: str) -> dict[str, Any]:
        found: dict[str, Any] = self.explain(url)["signature"]
        return found


def make_distribution(cloudfront: Any) -> str:
    config = {
        "CallerReference": uuid4().hex,
        "Comment": "",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [{"Id": "o", "DomainName": "example.com", "S3OriginConfig": {"OriginAccessIdentity": ""}}],
        },
        "DefaultCacheBehavior": {"TargetOriginId": "o", "ViewerProtocolPolicy": "allow-all", "CachePolicyId": "p"},
    }
    return str(cloudfront.create_distribution(DistributionConfig=config)["Distribution"]["Id"])


@pytest.fixture
def world(
    tmp_path: Path,
    aws: Callable[[str], Any],
    aws_environment: dict[str, str],
    capsys: pytest.CaptureFixture[str],
    request: pytest.FixtureRequest,
) -> World:
    """The parameter is the inference mode."""
    make = partial(commands.local, aws_environment, tmp_path, capsys)
    return World(aws, tmp_path, make, getattr(request, "param", "off"))


analysing = pytest.mark.parametrize("world", ["endpoint"], indirect=True)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    with run_origin(tmp_path_factory.mktemp("origin")) as running:
        yield running


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
    assert (policy["access_mode"], policy["needs_signature"], policy["presets"]) == (
        "guarded",
        True,
        sorted([*load_default_presets().options, "own"]),
    )
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


def test_private_images(world: World) -> None:
    world.configure(access_mode="open", private_prefixes=["caf"], thumbor_access_mode="open")
    world.record("café.jpg")
    world.put("derivatives/caf.-C3A9.jpg/_/w-640.auto-legacy", b"stored")
    url, other, end_s = "/caf%C3%A9.jpg?w=640", "another key of 24 letters", int(time.time()) + 600
    urls = (url, sign_target(url, NEW), sign_target(url, other, end_s), sign_target(url, NEW, 1_000_000_000))
    assert [world.refusal(one)["code"] for one in urls] == ["unsigned", "unsigned", "bad-signature", "expired"]
    assert world.refusal(urls[1])["detail"] == NEEDS_EXPIRY
    found = world.explain(sign_target(url, OLD, end_s))
    assert found["refusal"] is None
    assert found["caching"]["cache_control"] == "private, no-store"  # this stack's function has no store at the edge
    source = Source.read(read_local(world.state), lambda _: (), end_s - 500.5)
    caching = explain(sign_target(url, OLD, end_s), replace(source, edge_verifies=True))["caching"]
    assert caching["cache_control"] == "private, max-age=501"
    assert "verifies every link; no other shared cache" in caching["kept_by"]
    assert world.refusal("/thumbor/unsafe/640x0/caf%C3%A9.jpg")["code"] == "unsigned"
    lines = world.command.run("explain", urls[2]).lines
    assert "policy        access mode open, private image: needs a signature with an expiry (exp)" in lines
    assert not any("without verification" in line for line in lines)


def test_forced_watermarks(world: World) -> None:
    world.configure(always_watermark={"caf%C3%A9": "logo,center"})
    marked, url = world.explain("/caf%C3%A9.jpg?w=640"), "/caf%C3%A9.jpg?w=640&wm=none"
    assert marked["policy"]["forced_watermark"] == "logo"
    assert all("_wm-logo-center-100-25." in one["name"] for one in marked["variants"])
    assert world.refusal(url)["code"] == "unsigned"
    assert world.explain(sign_target(url, NEW))["caching"]["cache_control"] == "private, no-store"
    assert "  watermark   logo" in world.command.run("explain", "/caf%C3%A9.jpg?w=640").lines


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


@pytest.mark.slow
def test_size_and_its_reason(world: World) -> None:
    world.configure(access_mode="open")
    world.record("café.jpg")
    for query, size, why in (
        ("w=800", (800, 600), "reduced to w=800 by the URL"),
        ("w=800&h=800", (800, 600), "reduced to w=800 by the URL and h=800 by the URL, with its aspect ratio"),
        ("w=5000", (4000, 3000), "the image has no more pixels for w=5000 by the URL, and only up=1 enlarges"),
        ("w=5000&up=1", (5000, 3750), "enlarged to w=5000 by the URL: up=1"),
        ("crop=0,0,400,400&w=200", (200, 200), "reduced to w=200 by the URL, of the region crop"),
        ("preset=cover", (256, 256), "reduced to w=256 by preset cover and h=256 by preset cover"),
        ("w=800&pad=10", (820, 620), "reduced to w=800 by the URL"),
    ):
        found = world.image(f"/caf%C3%A9.jpg?{query}")["size"]
        assert ((found["width"], found["height"]), found["why"]) == (size, why), query
    refusal = world.refusal("/caf%C3%A9.jpg?crop=4100,0,10,10")
    assert (refusal["status"], refusal["option"]) == (400, "crop")
    assert world.image("/caf%C3%A9.jpg?f=json")["size"] is None


def test_margins_without_a_colour_are_transparent(world: World) -> None:
    """As the renderer makes them, so that browsers without AVIF and WebP get a PNG."""
    world.configure(access_mode="open")
    world.record("café.jpg")
    for query, form in {
        "w=400": "jpeg",
        "w=400&h=400&fit=letterbox": "png",
        "w=400&h=300&fit=letterbox": "jpeg",
        "w=400&h=400&fit=letterbox&bg=ffffff": "jpeg",
        "w=400&pad=10": "png",
        "w=400&radius=20": "png",
    }.items():
        assert world.image(f"/caf%C3%A9.jpg?{query}")["formats"][2]["format"] == form, query


@pytest.mark.slow
def test_format_quality_and_animation(world: World) -> None:
    world.configure(access_mode="open", default_quality={"webp": 70})
    url = "/caf%C3%A9.jpg?w=800"
    world.record("café.jpg", facts={"format": "png", "has_alpha": True})
    found = world.image(url)["formats"]
    assert [(one["format"], one["quality"]) for one in found] == [("avif", 80), ("webp", 70), ("png", None)]
    assert found[2]["why"].endswith("and it is transparent")
    assert found[1]["if_drawing"] == "lossless webp"
    [asked] = world.image(f"{url}&f=jpeg&q=90")["formats"]
    assert (asked["format"], asked["quality"], asked["quality_by"]) == ("jpeg", 90, "the URL")
    assert asked["why"] == "f=jpeg by the URL"
    assert world.image(f"{url}&bg=ffffff")["formats"][2]["format"] == "jpeg"
    world.record("café.jpg", facts={"format": "gif", "frames": 12})
    assert [one["format"] for one in world.image(url)["formats"]] == ["webp", "webp", "gif"]
    for query, why in (("f=jpeg", "jpeg is served without animation"), ("anim=0&f=webp", "anim=0"), ("page=1", "page")):
        assert world.image(f"{url}&{query}")["formats"][0]["still_because"].startswith(why)
    assert world.image(f"{url}&q=auto")["formats"][1]["quality_by"] == "score 75 of SSIMULACRA2"


@pytest.mark.slow
@analysing
def test_crop_and_findings(world: World) -> None:
    world.configure(access_mode="open")
    world.record("café.jpg")
    crop = world.image("/caf%C3%A9.jpg?preset=cover")["crop"]
    assert (crop["gravity"], crop["gravity_by"], crop["kept_percent"]) == ("attention", "preset cover", 75)
    assert (crop["window"], crop["kept"]) == (None, [256, 256])
    crop = world.image("/caf%C3%A9.jpg?w=300&h=300&fit=cover&g=west")["crop"]
    assert (crop["fit_by"], crop["window"]) == ("the URL", [0, 0, 300, 300])
    assert world.image("/caf%C3%A9.jpg?w=300&h=300")["crop"] is None
    followed = "/caf%C3%A9.jpg?w=300&h=300&fit=cover&g=face"
    assert world.explain(followed)["findings"]["is_analysed"] is False
    assert "found         nothing yet: the image is not analysed" in world.command.run("explain", followed).lines
    faces = (Face(Region(0.1, 0.1, 0.2, 0.2), 0.9),)
    tasks = {"faces": Finding("faces", "m", "1", faces=faces), "text": Finding("text", "m", "1", error="unreadable")}
    sidecar = findings_to_document(Findings("1", "etag", tasks))
    world.put("findings/1/caf.-C3A9.jpg.json", json.dumps(sidecar).encode())
    found = world.explain(followed)["findings"]
    assert (found["is_analysed"], found["faces"], found["errors"]) == (True, 1, {"text": "unreadable"})


@pytest.mark.slow
def test_uploads_that_are_not_served(world: World) -> None:
    refused = Refusal("damaged", "The source image is damaged")
    for key, state, more, notice in (
        ("half.jpg", REFUSED, {"refusal": refused}, "the newest upload was refused: damaged: The source image is"),
        ("seen.jpg", HELD, {"held": HeldUpload(flagged=True)}, "the newest upload is held by moderation: a reviewer"),
        ("new.jpg", HELD, {"held": HeldUpload(sha256="1")}, "the newest upload is held by moderation: its analysis"),
        ("gone.jpg", REMOVED, {}, "the upload was deleted"),
        ("soon.jpg", CLAIMED, {}, "an upload is being processed"),
    ):
        world.record(key, state, **more)
        done = world.command.run("explain", f"/{key}?w=800")
        assert done.code == 1
        [result, upload] = done.lines[-2:]
        assert result.startswith("result        404 no-source")
        assert upload.startswith(f"  upload      {notice}")


@pytest.mark.slow
def test_an_error_that_the_cdn_still_has(world: World, aws: Callable[[str], Any]) -> None:
    url = "/caf%C3%A9.jpg?w=800"
    cached = world.explain(url)["caching"]["cached_error"]
    assert (cached["status"], cached["code"]) == (404, "no-source")
    assert any(
        line.startswith("  cached      the CDN may return 404") for line in world.command.run("explain", url).lines
    )
    served = {"message": json.dumps({"message": "answered", "path": "/caf.-C3A9.jpg/_/w-800.auto-webp", "status": 200})}
    source = Source.read(
        read_local(world.state), lambda _: [served | {"timestamp": (time.time() + 1) * 1000}], time.time()
    )
    assert explain(url, source)["caching"]["cached_error"] is None
    source = Source.read(read_local(world.state), lambda _: (), time.time() + 61)
    assert explain(url, source)["caching"]["cached_error"] is None
    path = "/caf.-C3A9.jpg/_/w-800.auto-webp"
    line = {"message": json.dumps({"message": "answered", "path": path, "status": 415, "code": "type-not-allowed"})}
    for age_s, status in ((1, 415), (61, None)):
        event = line | {"timestamp": (source.now_s - age_s) * 1000}
        found = explain(url, replace(source, read_lines=lambda _, event=event: [event]))["caching"]["cached_error"]
        assert (found and found["status"]) == status
    aws("sqs").send_message(QueueUrl=world.queue, MessageBody="{}")
    assert world.explain(url)["caching"]["purges"] == {"waiting": 1, "invalidations": [], "error": ""}
    assert world.explain(url)["caching"]["browser_max_age_s"] == 86_400


def test_the_invalidations_of_an_image() -> None:
    for path in ("/caf.-C3A9.jpg/_/*", "/caf.-C3A9.jpg", "/*", "/caf*"):
        assert covers_image(path, "café.jpg")
    for path in ("/caf.-C3A9.jpg/_/w-800.webp", "/a.jpg", "/caf.-C3A9.jpg.jpg/_/*", "/iiif/*"):
        assert not covers_image(path, "café.jpg")


@pytest.mark.slow
def test_urls_of_other_services(world: World) -> None:
    url = "/thumbor/unsafe/300x200/caf%C3%A9.jpg"
    refusal = world.refusal(url)
    assert (refusal["code"], "thumbor_access_mode is off" in refusal["detail"]) == ("no-source", True)
    world.configure(thumbor_access_mode="guarded")
    assert world.refusal(url)["code"] == "unsigned"
    world.record("café.jpg")
    signed = sign_in_dialect("thumbor", "/300x200/caf%C3%A9.jpg", {"thumbor": (DialectKey(NEW),)})
    found = world.explain(signed)
    assert (found["dialect"], found["refusal"], found["key"]) == ("thumbor", None, "café.jpg")
    assert found["canonical_request"] == "/caf.-C3A9.jpg/_/fit-cover_h-200_up-1_w-300.auto"
    assert len(found["variants"]) == 3
    lines = world.command.run("explain", signed).lines
    assert "dialect       thumbor" in lines
    assert "caches        browsers and the CDN at most 86400 s; no purge reaches them" in lines
    assert any(line.startswith("size          300 x 200 px of 4000 x 3000") for line in lines)
    assert world.refusal(signed.replace("300x200", "300x201"))["code"] == "bad-signature"


def test_urls_of_iiif_are_not_explained(world: World) -> None:
    done = world.command.run("explain", "/iiif/3/a.jpg/full/max/0/default.jpg")
    assert (done.code, "info.json" in done.err) == (2, True)


@pytest.mark.slow
def test_recorded_refusals_are_those_of_the_function(world: World, aws: Callable[[str], Any]) -> None:
    aws("lambda").update_function_configuration(FunctionName=world.function, MemorySize=1769)
    limits = asdict(replace(Limits(), max_decoder_bytes=(1769 - RESERVED_MB) * 1024 * 1024))
    etag = world.put("masters/a.jpg", b"damaged")
    marker = {"source_etag": f'"{etag}"', "limits": limits}
    name = "derivatives/a.jpg/_/refusal.json"
    world.put(name, json.dumps(marker | {"source": {"code": "damaged", "detail": "no end"}}).encode())
    found = world.explain("/a.jpg?w=320")
    assert (found["refusal"]["code"], found["refusal"]["detail"]) == ("damaged", "no end")
    assert found["refusals_apply"]
    slow = {"a.jpg/_/w-320.auto-avif": {"code": "too-slow", "detail": "9 s"}}
    world.put(name, json.dumps(marker | {"variants": slow}).encode())
    assert [one["refusal"] and one["refusal"]["code"] for one in world.explain("/a.jpg?w=320")["variants"]] == [
        "too-slow",
        None,
        None,
    ]
    lines = world.command.run("explain", "/a.jpg?w=320").lines
    assert "  derivatives/a.jpg/_/w-320.auto-avif  422 too-slow" in lines
    assert "  derivatives/a.jpg/_/w-320.auto-legacy  served" in lines
    assert world.explain("/a.jpg?w=480")["refusal"] is None
    world.put("masters/a.jpg", b"repaired")
    found = world.explain("/a.jpg?w=320")
    assert (found["refusal"], found["refusals_apply"]) == (None, False)


def test_masters_of_further_buckets(world: World) -> None:
    partner = f"{world.media}-partner"
    world.s3.create_bucket(Bucket=partner)
    world.s3.put_object(Bucket=partner, Key="old/é.jpg", Body=b"theirs")
    world.configure(sources={"shop/": {"bucket": partner, "prefix": "old/"}})
    found = world.explain("/shop/%C3%A9.jpg?w=320")
    assert found["refusal"] is None
    assert found["source"] == {"key_prefix": "shop/", "uri": f"s3://{partner}/old/é.jpg", "error": ""}
    assert (found["master"]["bytes"], found["master"]["uri"]) == (6, found["source"]["uri"])
    lines = world.command.run("explain", "/shop/none.jpg").lines
    assert f"master        none: s3://{partner}/old/none.jpg" in lines
    assert "  source      shop/ of the setting sources" in lines
    assert world.refusal("/shop/none.jpg")["code"] == "no-source"


@pytest.mark.slow
def test_masters_at_origins(world: World, origin: Origin) -> None:
    origin.pages["/pictures/a%20b.jpg"] = page(b"theirs", Content_Type="image/jpeg")
    world.configure(sources={"web/": {"origin": f"https://{HOST}/pictures/"}}, access_mode="open")
    source = Source.read(read_local(world.state), lambda _: (), time.time())
    [settings] = source.settings.sources

    def explain_from(address: str, target: str) -> dict[str, Any]:
        network = origin.network({HOST: [address]})
        return explain(target, replace(source, further={"web/": HttpsOrigin(settings, 1000, network)}))

    found = explain_from("93.184.216.34", "/web/a%20b.jpg?w=320")
    assert (found["refusal"], found["master"]["bytes"]) == (None, 6)
    assert found["source"] == {"key_prefix": "web/", "uri": f"https://{HOST}/pictures/a%20b.jpg", "error": ""}
    assert origin.paths.count("/pictures/a%20b.jpg") == 1
    assert explain_from("93.184.216.34", "/web/none.jpg")["refusal"]["code"] == "no-source"
    found = explain_from("10.0.0.1", "/web/a%20b.jpg")
    assert (found["refusal"]["code"], found["master"]) == ("source-blocked", None)
    assert "10.0.0.1" in found["source"]["error"]


@pytest.mark.slow
@analysing
def test_options_outside_of_the_prefixes_of_their_setting(world: World) -> None:
    url = "/caf%C3%A9.jpg?w=801"
    enlarged = sign_target(f"{url}&up=ai", NEW)
    world.configure(access_mode="open")
    for refused, option in ((f"{url}&cutout=1", "cutout"), (enlarged, "up")):
        refusal = world.refusal(refused)
        assert (refusal["status"], refusal["option"]) == (400, option)
    world.configure(access_mode="open", cutout_prefixes=["caf"], upscale_prefixes=["caf"])
    for served in (f"{url}&cutout=1", enlarged):
        assert world.refusal(served) is None


@pytest.mark.slow
@analysing
def test_overlays_watermarks_and_findings(world: World) -> None:
    url = "/caf%C3%A9.jpg?w=801"
    world.configure(access_mode="open", watermarks={"logo": "watermarks/logo.png"})
    assert world.refusal(sign_literal(f"{url}&ov=text:A,size:none", NEW))["option"] == "ov"
    assert world.refusal(sign_literal(f"{url}&ov=image:none.png", NEW))["option"] == "ov"
    assert world.refusal(sign_literal(f"{url}&ov=text:A", NEW)) is None
    assert world.refusal(f"{url}&wm=logo")["option"] == "wm"
    world.put("watermarks/logo.png", b"image")
    assert world.refusal(f"{url}&wm=logo") is None
    assert world.refusal(f"{url}&redact=faces")["code"] == "findings-pending"


@pytest.mark.slow
def test_fallback_images(world: World) -> None:
    world.configure(access_mode="open", fallback_images={"shop/": "café.jpg", "": "none.png"})
    found = world.explain("/shop/a.jpg?w=801")
    assert (found["refusal"]["status"], found["refusal"]["code"]) == (404, "no-source")
    assert {one["fallback"] for one in found["variants"]} == {"café.jpg"}
    assert (
        "  fallback    the image café.jpg is shown, with this status"
        in world.command.run("explain", "/shop/a.jpg?w=801").lines
    )
    for without in ("/shop/a.jpg?f=json", "/b.jpg"):
        assert {one["fallback"] for one in world.explain(without)["variants"]} == {""}
    assert "fallback image not available" in world.command.run("explain", "/b.jpg").err


@pytest.mark.slow
def test_experiments_are_explained_by_variant(world: World) -> None:
    presets = {"wide": {"w": 900}, "square": {"w": 300, "h": 300}, "hidden": {"redact": "faces"}}
    weights = {"wide": 1, "square": 1, "hidden": 1}
    world.configure(presets=presets, experiments={"hero": {"variants": weights}})
    url = "/caf%C3%A9.jpg?exp=hero"
    found = world.explain(url)
    assert found["refusal"]["code"] == "no-inference"
    assert (found["experiment"]["name"], found["experiment"]["visitor"]) == ("hero", "cookie:visitor")
    outcomes = {one["target"]: one["refusal"] for one in found["experiment"]["variants"]}
    assert [outcomes.pop(f"/caf%C3%A9.jpg?preset={name}") for name in ("wide", "square")] == [None, None]
    runs = RunStore(S3Bucket(world.s3, world.media))
    made = Decision("hidden", "wide", 1.0, Bounds(0.5, 0.9), {})
    runs.write_decisions(Experiment("hero", tuple(weights.items())), Decisions((made,)))
    assert world.refusal(url) is None
    lines = world.command.run("explain", url).lines
    assert "experiment    hero: the edge function chooses a preset by cookie:visitor" in lines
    assert "  /caf%C3%A9.jpg?preset=hidden  stopped" in lines
    assert world.refusal("/caf%C3%A9.jpg?exp=other")["code"] == "bad-option"


@pytest.mark.slow
@pytest.mark.parametrize("forced", ["", "redact-faces_"])
def test_answers_of_negotiated_variants(world: World, forced: str) -> None:
    world.configure(access_mode="open", always_redact={"": "faces"} if forced else {})
    findings = "fv-1_" if forced else ""
    options = [f"{findings}{forced}w-801", f"{findings}{forced}w-1602", f"{findings}q-50_{forced}w-801"]
    paths = [f"/a.jpg/_/{one}.auto-webp" for one in options]
    rights = f"/a.jpg/_/cr-1_{options[0]}.auto-avif"
    others = [f"/b/a.jpg/_/{options[0]}.auto-webp", "/a.jpg/_/w-802.auto-webp"]
    world.log(*({"message": "answered", "path": path, "status": 200, "ms": 1} for path in (*paths, rights, *others)))
    assert {one["path"] for one in world.explain("/a.jpg?w=801")["answers"]} == {*paths, rights}


def test_the_transform_service_has_the_settings_of_the_function() -> None:
    def list_configured(code: str) -> set[str]:
        calls = (node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call))
        [call] = [one for one in calls if ast.unparse(one.func) == "Transform"]
        return {str(one.arg) for one in call.keywords if "settings." in ast.unparse(one.value)}

    function = (ROOT / "functions" / "transform" / "app.py").read_text()
    explained = inspect.cleandoc("\n" + inspect.getsource(Source.build_transform))
    served = list_configured(function) - {"stores", "store_policy", "mezzanines"}
    assert served == list_configured(explained) - {"source"}
