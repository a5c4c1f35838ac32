"""Monitoring of the running stack: traces, metrics, alarms, samples and lists, as the console reads them."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from local.console_api.read_metrics import MetricReader, build_query
from local.paths import ROOT
from tests.images.photographs import jpeg_photo
from tests.waiting import HANG_S, wait_until

from .conftest import Stack
from .operating import Operator
from .viewer import Viewer


@dataclass(frozen=True)
class Console:
    """Sends the requests of the console."""

    stack: Stack

    def ask(self, path: str, **query: object) -> Any:
        """The answer to a question."""
        with self.open(path, **query) as answer:
            return json.load(answer)

    def open(self, path: str, **query: object) -> Any:
        """The raw response."""
        return urllib.request.urlopen(f"{self.stack.control_url}/watch/{path}?{urlencode(query)}", timeout=HANG_S)

    def trace_of(self, text: str) -> Any:
        """The one trace that ``text`` finds."""
        [found] = wait_until(lambda: self.ask("traces", q=text), f"a trace with {text}")
        return self.ask(f"traces/{found['trace_id']}")


@pytest.fixture
def console(stack: Stack) -> Console:
    return Console(stack)


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Operator:
    return Operator(stack, tmp_path)


def names(segments: list[dict[str, Any]]) -> set[str]:
    """The names of these segments and all below them."""
    return {one["name"] for one in segments} | {name for one in segments for name in names(one["children"])}


@pytest.mark.slow
@pytest.mark.smoke
def test_a_requests_trace_is_found_by_cloudfronts_id(console: Console, viewer: Viewer) -> None:
    answer = viewer.get("/samples/coffee.png?w=480&f=png")
    assert "fetch" in answer.headers["server-timing"], "it was rendered, not found stored"
    [function] = console.trace_of(answer.headers["x-amz-cf-id"])["segments"]
    assert (function["name"], function["kind"], function["status"]) == ("transform", "function", "ok")
    assert {"parse", "fetch", "decode", "transform", "encode", "store"} <= names(function["children"])


def test_an_uploads_trace_shows_its_stages_and_its_error(console: Console, operator: Operator) -> None:
    key = f"watching/{uuid4().hex}.jpg"
    operator.upload(key, b"no image at all")
    [failed] = wait_until(
        lambda: [one for one in console.ask("failed", limit=200) if one["key"] == key], "the refusal is shown"
    )
    assert (failed["kind"], failed["code"], failed["picture"]) == ("refused", "type-not-allowed", None)
    assert failed["reason"]
    trace = wait_until(lambda: console.ask(f"traces/{failed['trace_id']}"), "its trace")
    assert {"ingest", "fetch", "sniff"} <= names(trace["segments"])


def test_a_refused_image_is_shown_as_nothing_else(console: Console, operator: Operator) -> None:
    key = f"watching/{uuid4().hex}.jpg"
    damaged = jpeg_photo()[:2000]
    operator.upload(key, damaged)
    [failed] = wait_until(
        lambda: [one for one in console.ask("failed", limit=200) if one["key"] == key], "the refusal is shown"
    )
    with urllib.request.urlopen(console.stack.cdn_url + failed["picture"], timeout=HANG_S) as answer:
        assert answer.read() == damaged
        assert answer.headers["Content-Type"] == "image/jpeg"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    with pytest.raises(urllib.error.HTTPError) as refused:
        console.open("failed/picture", key="nothing")
    assert refused.value.code == 404


def test_a_render_whose_source_is_at_fault_is_a_failed_sample(console: Console, viewer: Viewer) -> None:
    key = f"watching/{uuid4().hex}.jpg"
    console.stack.cloud.s3.put_object(
        Bucket=console.stack.media_bucket, Key=f"masters/{key}", Body=jpeg_photo()[:2000], ContentType="image/jpeg"
    )
    assert viewer.get(f"/{key}?w=320").status == 422
    [failed] = wait_until(
        lambda: [one for one in console.ask("failed", limit=200) if key in one["key"]], "the failed render is shown"
    )
    assert (failed["kind"], failed["code"]) == ("render", "damaged")
    assert names(console.ask(f"traces/{failed['trace_id']}")["segments"]) >= {"transform", "fetch"}


def test_dashboards_have_the_requested_metrics(console: Console, viewer: Viewer) -> None:
    for width in (320, 480, 640):
        viewer.get(f"/samples/rocket.jpg?w={width}&f=webp")

    def measured() -> Any:
        panels = console.ask("data", dashboard="on-call", minutes=60)["panels"]
        [rendering] = [one for one in panels["rate"]["series"] if one["label"] == "transform"]
        return panels if any(value for _, value in rendering["points"]) else None

    panels = wait_until(measured, "requests are counted")
    [p95, _] = panels["latency"]["series"]
    assert any(value for _, value in p95["points"])
    dashboards = console.ask("dashboards")["dashboards"]
    assert panels.keys() == {panel["id"] for panel in dashboards[1]["panels"]}
    success = console.ask("data", dashboard="executive", minutes=60)["panels"]["success"]["value"]
    assert 0 < success <= 100


def test_what_viewers_see_of_the_cdn_is_in_cloudwatch(console: Console, viewer: Viewer) -> None:
    for _ in range(3):
        viewer.get("/samples/coffee.png?w=1280")

    def rate() -> Any:
        of = {"DistributionId": console.stack.distribution_id, "Region": "Global"}
        one = build_query("AWS/CloudFront", "CacheHitRate", of, "Average")
        found = MetricReader(console.stack.cloud.metrics).read_minutes({one: time.time() - 600}, time.time())[one]
        return [value for value in found.values() if 0 < value < 100]

    assert wait_until(rate, "the rate of hits is known")


def test_alarms_are_those_of_the_template_and_their_runbooks_exist(console: Console) -> None:
    alarms = wait_until(lambda: console.ask("alarms"), "alarms are evaluated")
    paging = {one["name"] for one in alarms if one["pages"]}
    assert paging == {"darkroom-viewers", "darkroom-uploads", "darkroom-similar", "darkroom-erasure-incomplete"}
    assert all((ROOT / path).is_file() for one in alarms for path in one["runbooks"] if path.startswith("docs/"))
    assert {one["name"] for one in alarms if one["group"] == "viewers"} >= {
        "darkroom-viewers",
        "darkroom-viewers-success-fast",
        "darkroom-viewers-latency-short",
    }


@pytest.fixture
def alone(operator: Operator) -> Iterator[Operator]:
    """An operator with an empty DLQ, and without a monitor that redrives it."""
    with operator.paused_monitor():
        operator.empty_dead_letters()
        yield operator
        operator.empty_dead_letters()


def test_a_dlq_message_is_shown_and_alarms(console: Console, alone: Operator) -> None:
    queue = alone.info["queues"]["purge_dead_letters"]
    marked = uuid4().hex
    alone.stack.cloud.queues.send_message(
        QueueUrl=queue,
        MessageBody=json.dumps({"key": marked}),
        MessageAttributes={
            "code": {"DataType": "String", "StringValue": "unavailable"},
            "cause": {"DataType": "String", "StringValue": "S3 is down"},
        },
    )
    [letter] = [one for one in console.ask("failed", limit=200) if marked in one["key"]]
    assert (letter["kind"], letter["code"], letter["reason"]) == (
        "dead-letter",
        "unavailable",
        "unavailable: S3 is down",
    )

    def ringing() -> Any:
        return [
            one for one in console.ask("alarms") if one["name"] == "darkroom-dead-letters" and one["state"] == "ALARM"
        ]

    [alarm] = wait_until(ringing, "the alarm rings")
    assert alarm["value"] >= 1
    assert [one["to"] for one in console.ask("alarms/history") if one["name"] == alarm["name"]][-1] == "ALARM"


def test_the_index_is_listed_page_by_page(console: Console, operator: Operator) -> None:
    prefix = f"watching/{uuid4().hex}/"
    keys = {f"{prefix}{number} ü.jpg" for number in range(3)}
    for number, key in enumerate(sorted(keys)):
        operator.upload(key, jpeg_photo((200 + number, 100)))
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        page = console.ask("index", prefix=prefix, state="ready", after=after, limit=2)
        found += page["rows"]
        if not (after := page["next"]):
            break
    assert sorted(row["key"] for row in found) == sorted(keys)
    assert {(row["format"], row["height"]) for row in found} == {("jpeg", 100)}
    assert console.ask("index", prefix=prefix, state="refused") == {"rows": [], "next": None}
    record = console.ask("index/record", key=min(keys))
    assert (record["key"], record["state"], record["width"]) == (min(keys), "ready", 200)
    with pytest.raises(urllib.error.HTTPError) as unknown:
        console.ask("index/record", key="absent")
    assert unknown.value.code == 404


def test_log_lines_are_found_by_code(console: Console, viewer: Viewer) -> None:
    path = f"/watching/{uuid4().hex}.jpg?w=320"
    assert viewer.get(path).status == 404

    def lines() -> Any:
        return [one for one in console.ask("logs", code="no-source") if path[10:30] in json.dumps(one["fields"])]

    [line] = wait_until(lines, "the line is there")
    assert (line["function"], line["code"], line["level"]) == ("transform", "no-source", "INFO")
    assert names(console.ask(f"traces/{line['trace_id']}")["segments"]) >= {"transform"}
    assert console.ask("logs", code="no-such-code") == []


@pytest.mark.parametrize("path", ["traces/none", "data"])
def test_what_is_not_known_is_404(console: Console, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as unknown:
        console.ask(path)
    assert unknown.value.code == 404


@pytest.mark.parametrize("query", [{"minutes": "soon"}, {"minutes": "1e"}])
def test_an_invalid_query_is_rejected(console: Console, query: dict[str, str]) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        console.ask("traces", **query)
    assert refused.value.code == 400
    assert json.load(refused.value)["detail"]
