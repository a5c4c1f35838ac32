"""Spans by OTLP beside X-Ray's documents, as a collector receives them."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import opentelemetry.semconv
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from darkroom.aws.telemetry.otlp import MAX_SPANS, Exporter, build_resource, read_pairs, read_url
from darkroom.aws.telemetry.spans import build_trace_id
from darkroom.aws.telemetry.traces import is_exported
from tests.waiting import HANG_S

from .collector import Collector, collecting, read_attributes, read_id
from .observed_process import LAMBDA, OBSERVERS, PACKAGE, PARENT, SENDER, TRACE, Observed, watch
from .test_observer_contract import script

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
CALLS = """
import boto3
observer = Observer("ingest")
observer.begin()
with observer.message("change"):
    try:
        boto3.client("s3", endpoint_url="http://127.0.0.1:9", region_name="eu-central-1", aws_access_key_id="a",
            aws_secret_access_key="b").head_object(Bucket="media", Key="secret.jpg")
    except Exception:
        pass
"""


def export(observer: str, work: str, **further: str) -> tuple[Observed, Collector]:
    with collecting() as collector:
        observed = watch(work, LAMBDA | {ENDPOINT: collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "60000", **further})
    return observed, collector


@pytest.fixture(scope="module", params=OBSERVERS)
def exported(request: pytest.FixtureRequest) -> tuple[Observed, Collector]:
    return export(
        request.param,
        script(request.param),
        OTEL_EXPORTER_OTLP_HEADERS="api-key=a%20b,x=y",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    )


def test_each_document_of_x_ray_is_a_span_with_its_ids(exported: tuple[Observed, Collector]) -> None:
    observed, collector = exported
    documents = {one["id"]: one for one in flatten(observed.received)}
    spans = {read_id(one.span_id): one for one in collector.spans}
    assert spans.keys() == documents.keys()
    for name, span in spans.items():
        document = documents[name]
        assert read_id(span.trace_id) == build_trace_id(document["trace_id"])
        parent = document["parent_id"]
        below_lambda = parent == PARENT and document["trace_id"] == TRACE
        assert read_id(span.parent_span_id) == ("" if below_lambda else parent)
        assert abs(span.start_time_unix_nano / 1e9 - document["start_time"]) < 0.001
        assert abs(span.end_time_unix_nano / 1e9 - document["end_time"]) < 0.001
        assert span.status.code == (2 if document.get("fault") else 0)


def test_a_span_above_all_others_is_the_invocations(exported: tuple[Observed, Collector]) -> None:
    _, collector = exported
    entries = [one for one in collector.spans if one.kind in (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CONSUMER)]
    assert {one.name for one in entries} == {"darkroom-ingest"}
    first = next(one for one in entries if not one.parent_span_id)
    attributes = read_attributes(first.attributes)
    assert attributes["faas.invocation_id"] == "8f5"
    assert attributes["cloud.account.id"] == "111122223333"
    assert (attributes["faas.coldstart"], attributes["http.response.status_code"]) == (True, 200)
    assert attributes["darkroom.work"] == "change"
    continued = [one for one in entries if one.kind == Span.SPAN_KIND_CONSUMER]
    assert {read_id(one.parent_span_id) for one in continued} == {SENDER}


def test_the_request_has_the_headers_and_the_resource(exported: tuple[Observed, Collector]) -> None:
    _, collector = exported
    for request in collector.received:
        assert request.path == "/v1/traces"
        assert (request.headers["api-key"], request.headers["x"]) == ("a b", "y")
        [resource] = [read_attributes(one.resource.attributes) for one in request.message.resource_spans]
        assert resource["service.name"] == resource["faas.name"] == "darkroom-ingest"
        assert (resource["cloud.platform"], resource["deployment.environment.name"]) == ("aws_lambda", "test")


def test_names_of_attributes_are_conventions_or_our_own(exported: tuple[Observed, Collector]) -> None:
    folder = Path(opentelemetry.semconv.__path__[0])
    text = "".join(path.read_text(encoding="utf-8") for path in folder.rglob("*.py"))
    known = set(re.findall(r"= \"([a-z_.]+)\"", text))
    known |= {"rpc.system.name"}  # since conventions 1.38, which the package lags behind
    _, collector = exported
    resources = [one.resource for request in collector.received for one in request.message.resource_spans]
    names = {name for one in [*resources, *collector.spans] for name in read_attributes(one.attributes)}
    assert {name for name in names if not name.startswith("darkroom.")} - known == set()
    assert {"error.type", "faas.invocation_id", "http.response.status_code"} <= names


def test_no_message_of_an_error_is_exported(exported: tuple[Observed, Collector]) -> None:
    _, collector = exported
    assert "words" not in "".join(str(one.message) for one in collector.received)


def test_a_call_of_aws_is_a_client_span_without_the_key() -> None:
    _, collector = export("powertools", OBSERVERS["powertools"] + CALLS)
    call = next(one for one in collector.spans if one.kind == Span.SPAN_KIND_CLIENT)
    assert call.name.lower() == "s3/headobject"
    attributes = read_attributes(call.attributes)
    assert (attributes["rpc.system.name"], attributes["cloud.region"]) == ("aws-api", "eu-central-1")
    assert "secret.jpg" not in str(collector.spans)


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
@pytest.mark.parametrize("observer", OBSERVERS)
def test_nothing_is_loaded_without_an_endpoint(observer: str, variable: str) -> None:
    code = f"{OBSERVERS[observer]}\nimport sys, json; Observer('x'); print(json.dumps(sorted(sys.modules)))"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(PACKAGE), **LAMBDA}

    def load(value: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment | {variable: value}, capture_output=True, check=True
        )
        return set(json.loads(done.stdout))

    own = {"darkroom.aws.telemetry.otlp", "darkroom.aws.telemetry.spans"}
    assert load("") & own == set()
    assert load("http://127.0.0.1:9") & own == own


@pytest.mark.parametrize(
    ("environment", "exports"),
    [
        ({}, False),
        ({ENDPOINT: ""}, False),
        ({ENDPOINT: "http://localhost:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}, True),
        ({ENDPOINT: "http://localhost:4318", "OTEL_SDK_DISABLED": "TRUE"}, False),
        ({ENDPOINT: "http://localhost:4318", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_an_endpoint_enables_the_export(environment: dict[str, str], exports: bool) -> None:
    assert is_exported(environment) is exports


@pytest.mark.parametrize(
    ("environment", "url"),
    [
        ({ENDPOINT: "http://localhost:4318"}, "http://localhost:4318/v1/traces"),
        ({ENDPOINT: "https://example.com/otlp/"}, "https://example.com/otlp/v1/traces"),
        ({ENDPOINT: "http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://b/own"}, "http://b/own"),
    ],
)
def test_the_url_is_that_of_the_signal(environment: dict[str, str], url: str) -> None:
    assert read_url(environment) == url


def test_pairs_are_decoded() -> None:
    assert read_pairs("a=b%2Cc, d = e==,nonsense,=x") == {"a": "b,c", "d": "e=="}


def test_the_name_of_the_service_wins() -> None:
    given = {"OTEL_SERVICE_NAME": "images", "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,team=a"}
    resource = build_resource(LAMBDA | given)
    assert (resource["service.name"], resource["team"], resource["faas.name"]) == ("images", "a", "darkroom-ingest")


DOCUMENT = {"id": SENDER, "trace_id": TRACE, "name": "x", "start_time": 1.0, "end_time": 2.0}


def closed_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def test_a_collector_that_is_down_loses_spans_which_are_reported() -> None:
    dropped: list[tuple[int, str]] = []
    exporter = Exporter(lambda *lost: dropped.append(lost), {ENDPOINT: f"http://127.0.0.1:{closed_port()}"})
    for _ in range(2):
        exporter.add(DOCUMENT)
        exporter.export()
    assert dropped == [(1, "ConnectionRefusedError"), (1, "paused")]


def test_a_refusal_is_reported() -> None:
    dropped: list[tuple[int, str]] = []
    with collecting(status=429) as collector:
        exporter = Exporter(lambda *lost: dropped.append(lost), {ENDPOINT: collector.url})
        exporter.add(DOCUMENT)
        exporter.export()
    assert dropped == [(1, "status 429")]


def test_an_export_does_not_wait_for_a_collector_that_hangs() -> None:
    dropped: list[tuple[int, str]] = []
    with collecting() as collector:
        collector.responds.clear()
        environment = {ENDPOINT: collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": "20"}
        exporter = Exporter(lambda *lost: dropped.append(lost), environment)
        exporter.add(DOCUMENT)
        exporter.export()  # returns, though the collector responds only when this block ends
        exporter.add(DOCUMENT)
        exporter.export()
        assert (1, "paused") in dropped


def test_spans_above_the_limit_are_dropped() -> None:
    dropped: list[tuple[int, str]] = []
    with collecting() as collector:
        environment = {ENDPOINT: collector.url, "OTEL_EXPORTER_OTLP_TIMEOUT": str(HANG_S * 1000)}
        exporter = Exporter(lambda *lost: dropped.append(lost), environment)
        for _ in range(MAX_SPANS + 3):
            exporter.add(DOCUMENT)
        exporter.export()
        exporter.export()
    assert (len(collector.spans), dropped) == (MAX_SPANS, [(3, "full")])


def test_a_failed_export_does_not_fail_the_work() -> None:
    work = OBSERVERS["light"] + "\nobserver = Observer('x')\nwith observer.message('change'):\n    pass\n"
    observed = watch(work, LAMBDA | {ENDPOINT: f"http://127.0.0.1:{closed_port()}"})
    [line] = [one for one in observed.logs if one["message"] == "spans dropped"]
    assert (line["level"], line["spans"], line["cause"]) == ("WARNING", 1, "ConnectionRefusedError")
    assert [one["SpansDropped"] for one in observed.metrics if "SpansDropped" in one] == [[1.0]]


def flatten(documents: list[dict[str, object]]) -> list[dict[str, object]]:
    """The documents with those within them, which have the ids of their parents."""
    found = []
    for one in documents:
        found.append(one)
        children: list[dict[str, object]] = one.get("subsegments", [])  # type: ignore[assignment]
        found += flatten([child | {"trace_id": one["trace_id"], "parent_id": one["id"]} for child in children])
    return found
