"""Run the runbooks of alarms on the stack: inject a fault, diagnose and repair it by their commands."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from cli.settings.stacks import open_local_target
from darkroom.plan.variants import LADDER_PX
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .operating import Operator
from .viewer import Viewer

KEY = "trips/rome.jpg"
"""The alarm that runbooks name."""


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> Operator:
    return Operator(stack, tmp_path)


def function(operator: Operator, name: str) -> str:
    """The deployed name of a function of the template."""
    return str(operator.info["functions"][name]["name"])


def watch(operator: Operator, name: str) -> dict[str, Any]:
    """Run the monitor now and return its findings."""
    answer = operator.stack.cloud.functions.invoke(
        FunctionName=function(operator, "MonitorFunction"), Payload=json.dumps({"watch": [name]})
    )
    return dict(json.loads(answer["Payload"].read())[name])


@contextmanager
def environment(operator: Operator, name: str, **changed: str) -> Iterator[None]:
    """Other values of a function's variables, for a while."""
    functions, of = operator.stack.cloud.functions, function(operator, name)
    before = functions.get_function_configuration(FunctionName=of)["Environment"]["Variables"]
    functions.update_function_configuration(FunctionName=of, Environment={"Variables": before | changed})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=of, Environment={"Variables": before})


@contextmanager
def settings(operator: Operator, **changed: object) -> Iterator[None]:
    """Other settings, for a while."""
    documents = open_local_target(operator.info).documents
    before = documents.current()
    after = documents.write({**before.table, **changed}, replaces=before, by="test")
    try:
        yield
    finally:
        documents.write(before.table, replaces=after, by="test")


def mapping(operator: Operator) -> Any:
    """The event source mapping of uploads."""
    found = operator.stack.cloud.functions.list_event_source_mappings(
        FunctionName=function(operator, "IngestFunction")
    )["EventSourceMappings"]
    [ingest] = (one for one in found if one["EventSourceArn"].endswith("-ingest"))
    return ingest


def test_the_runbook_of_backlogs(operator: Operator) -> None:
    """Uploads are no longer fetched: the event source mapping is disabled."""
    functions, uuid = operator.stack.cloud.functions, mapping(operator)["UUID"]
    wait_until(lambda: operator.due("ingest") == 0, "ingest has nothing to do")
    key = f"operating/{uuid4().hex}.jpg"
    functions.update_event_source_mapping(UUID=uuid, Enabled=False)
    try:
        operator.stack.cloud.s3.put_object(Bucket=operator.info["uploads_bucket"], Key=key, Body=jpeg_photo())
        wait_until(lambda: operator.due("ingest") > 0, "the upload waits")
        ingest, uploads, *others = operator.follow("queue-backlog.md").splitlines()
        queue, waiting, *_ = ingest.split("\t")
        assert (queue.endswith("-ingest"), int(waiting) >= 1) == (True, True)
        assert uploads.split("\t")[:2] == [uuid, "Disabled"]
        assert any("-purge\t" in line for line in others)
        assert operator.state(key) == ""
        assert operator.follow("queue-backlog.md", 1).splitlines()[-1].startswith("Enabl")
    finally:
        functions.update_event_source_mapping(UUID=uuid, Enabled=True)
    wait_until(lambda: operator.state(key) == "ready", "the upload is ingested")
    *_, ingest, ready = operator.follow("queue-backlog.md", 2).splitlines()
    assert ingest.split("\t")[1] == "0"
    assert float(ready) >= 1


def test_the_runbook_of_cold_starts(operator: Operator) -> None:
    """Half of the renders of this hour were cold."""
    of = [{"Name": name, "Value": "transform"} for name in ("service", "function")]
    figures = {"ColdRequests": 500.0, "Requests": 1000.0, "ColdStartTime": 640.0}
    before = datetime.now(UTC) - timedelta(minutes=1)  # the commands ask for whole seconds that have passed
    data = [{"MetricName": name, "Dimensions": of, "Value": one, "Timestamp": before} for name, one in figures.items()]
    operator.stack.cloud.metrics.put_metric_data(Namespace="Darkroom/darkroom", MetricData=data)
    said = operator.follow("cold-starts.md").splitlines()
    transform, *others = (line.split("\t") for line in said[:5])
    assert [transform[0], *(line[0] for line in others)] == ["transform", "upload", "similar", "ingest", "infer"]
    assert (float(transform[1]) >= 1000, float(transform[2]) >= 500, float(transform[3].split()[-1]) > 0) == (True,) * 3
    assert said[-1].split("\t")[0].isdigit()
    [cold] = operator.follow("cold-starts.md", 1).splitlines()[len(said) :]
    assert cold.endswith(" renders were cold")
    assert float(cold.split(" of ")[0]) >= 500


def logged(said: str) -> list[dict[str, Any]]:
    """The log lines in the output of a runbook's commands."""
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]


def refusals(said: str) -> list[tuple[str, str, str]]:
    """The message, code and key of each log line."""
    return [(str(line["message"]), str(line.get("code")), str(line.get("key"))) for line in logged(said)]


def test_the_runbook_of_conversion_errors(operator: Operator) -> None:
    """A limit is too small: uploads that it refused are uploaded again once it is raised."""
    body = jpeg_photo((1000 + uuid4().int % 1000, 600))
    low = {"max_source_pixels": 1000, "max_scene_pixels": 1000}
    with settings(operator, **low), environment(operator, "IngestFunction", RESTARTED="1"):  # which reads them again
        operator.upload(KEY, body)
        assert operator.state(KEY) == "refused"
        shown = ("upload refused", "over-limits", KEY)
        wait_until(lambda: shown in refusals(operator.follow("conversion-errors.md")), "the refusal is logged")
        said = operator.follow("conversion-errors.md", 1)
        assert json.loads(said[said.rindex("\n{") :])["code"] == "over-limits"
    operator.follow("conversion-errors.md", 2)
    wait_until(lambda: operator.state(KEY) == "ready", "the image is ingested")
    assert "ready\tNone" in operator.follow("conversion-errors.md", 3).splitlines()


@pytest.fixture
def misses(viewer: Viewer) -> Iterator[str]:
    """Images that no cache has, one after the other: paths without options."""
    return (viewer.upload(jpeg_photo(), f"{number}.jpg") for number in itertools.count())


def switched(operator: Operator) -> list[bool]:
    """The turns of the presets-only switch in the audit log, oldest first."""
    s3, bucket = operator.stack.cloud.s3, operator.info["outputs"]["AuditBucketName"]
    names = [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    entries = [json.loads(s3.get_object(Bucket=bucket, Key=name)["Body"].read()) for name in sorted(names)]
    return [one["facts"]["on"] for one in entries if (one["subject"], one["by"]) == ("switch presets-only", "ada")]


def rendered_often(viewer: Viewer, path: str) -> None:
    """Ask for so many variants of an image that it is among those that are rendered most."""
    asked = [f"{path}?w={width}&f={name}" for width in LADDER_PX[:6] for name in ("webp", "jpeg", "png")]
    assert {viewer.get(url).status for url in asked} == {200}


def costs_more_than_nothing(said: str) -> bool:
    """Whether every part has a cost, and compute one that is not 0."""
    costs = dict(line.split("\t") for line in said.splitlines()[:4])
    assert costs.keys() == {"compute", "requests", "storage", "endpoint"}
    return "None" not in costs.values() and float(costs["compute"]) > 0


def test_the_runbook_of_costs(operator: Operator, viewer: Viewer, misses: Iterator[str]) -> None:
    """Renders cost too much: none but presets are made, until the switch is off again."""
    path, before = next(misses), len(switched(operator))
    rendered_often(viewer, path)
    wait_until(lambda: watch(operator, "cost")["usd_per_hour"]["compute"] > 0, "a minute is over")
    wait_until(lambda: costs_more_than_nothing(operator.follow("cost-spike.md")), "figures have come")
    lines = operator.follow("cost-spike.md").splitlines()
    assert any(line.endswith(f" {path}") for line in lines[4:])
    try:
        operator.follow("cost-spike.md", 1)
        wait_until(lambda: viewer.get(f"{next(misses)}?w=320").status == 503, "misses are refused")
        refused = viewer.get(f"{next(misses)}?w=480")
        assert (refused.status, refused.problem["code"]) == (503, "presets-only")
        assert int(refused.headers["retry-after"]) > 0
        assert viewer.get(f"{path}?preset=cover").status == 200
        viewer.restart_cdn()
        assert viewer.get(f"{path}?w=320&f=webp").status == 200
    finally:
        rendered = operator.follow("cost-spike.md", 2).splitlines()[-1]
    assert sum(map(float, rendered.split("\t"))) >= 1
    wait_until(lambda: viewer.get(f"{next(misses)}?w=320").status == 200, "misses are rendered again")
    assert switched(operator)[before:] == [True, False]


def ratios(said: str) -> dict[str, str]:
    """The first two lines that the runbook's commands print."""
    return dict(line.split("\t") for line in said.splitlines()[:2])


def test_the_runbook_of_bursts_of_misses(operator: Operator, viewer: Viewer, misses: Iterator[str]) -> None:
    """Everything was invalidated."""
    path, before = next(misses), len(switched(operator))
    rendered_often(viewer, path)
    operator.stack.cloud.cloudfront.create_invalidation(
        DistributionId=operator.stack.distribution_id,
        InvalidationBatch={"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": uuid4().hex},
    )
    wait_until(lambda: "CacheHitRatio" in watch(operator, "cdn"), "the CDN's figures have come")
    wait_until(lambda: "None" not in ratios(operator.follow("cache-storm.md")).values(), "and are published")
    said = operator.follow("cache-storm.md")
    assert ratios(said).keys() == {"CacheHitRatio", "StoreHitRatio"}
    assert all(0 <= float(ratio) <= 100 for ratio in ratios(said).values())
    assert said.splitlines()[-1].split("\t")[0] in ("Completed", "InProgress")
    try:
        said = operator.follow("cache-storm.md", 1)
        assert f" {path}\n" in said
        assert "presets-only: on until" in said
    finally:
        said = operator.follow("cache-storm.md", 2)
    assert "presets-only: off\n" in said
    assert float(said.splitlines()[-1]) == 0
    assert switched(operator)[before:] == [True, False]


@pytest.fixture
def bad_version(operator: Operator) -> Iterator[str]:
    """Deploy a version of the transform function with a wrong secret; yield the version before."""
    functions, name = operator.stack.cloud.functions, function(operator, "TransformFunction")
    before = functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"]
    with environment(operator, "TransformFunction", SIGNING_KEYS_ARN="arn:aws:secretsmanager:us-east-1:0:secret:none"):
        version = functions.publish_version(FunctionName=name)["Version"]
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    yield before
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=before)
    functions.delete_function(FunctionName=name, Qualifier=version)


def test_the_runbook_of_bad_deploys(
    operator: Operator, viewer: Viewer, misses: Iterator[str], bad_version: str
) -> None:
    failed = viewer.get(viewer.signed(f"{next(misses)}?w=333"))
    assert (failed.status, failed.problem["code"]) == (503, "unavailable")
    said = operator.follow("bad-deploy.md")
    live, *versions = (line.split("\t")[0] for line in said.splitlines() if not line.startswith("{"))
    assert (live, bad_version) == (versions[-1], versions[-2])
    line = logged(said)[-1]
    assert (line["level"], line["code"], line["status"]) == ("ERROR", "unavailable", 503)
    assert operator.follow("bad-deploy.md", 1).splitlines()[-1] == bad_version
    wait_until(lambda: viewer.get(viewer.signed(f"{next(misses)}?w=333")).status == 200, "images are made")
    counts = dict(line.split("\t") for line in operator.follow("bad-deploy.md", 2).splitlines()[-3:])
    assert counts.keys() == {"Requests", "Faults", "Errors"}
    assert float(counts["Requests"]) > float(counts["Faults"]) >= 1
