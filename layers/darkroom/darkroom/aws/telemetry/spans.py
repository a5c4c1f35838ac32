"""X-Ray documents as spans of OpenTelemetry, in the JSON form of OTLP.

Names of attributes are those of OpenTelemetry's conventions for FaaS, HTTP, RPC and AWS where they have one
(https://opentelemetry.io/docs/specs/semconv/), otherwise below ``darkroom.``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from .traces import REMOTE, Document

INTERNAL, SERVER, CLIENT, CONSUMER = 1, 2, 3, 5
"""Kinds of spans: https://github.com/open-telemetry/opentelemetry-proto, trace.proto."""

FAILED = 2
"""The status code of an error."""

MAX_TEXT_CHARACTERS = 1_024

type Span = dict[str, Any]
type Attributes = dict[str, object]

_ANNOTATIONS = {
    "status": "http.response.status_code",
    "cold": "faas.coldstart",
    "code": "error.type",
}
_METADATA = {"path": "url.path", "route": "http.route"}
_AWS = {
    "region": "cloud.region",
    "request_id": "aws.request_id",
    "id_2": "aws.extended_request_id",
    "retries": "http.request.resend_count",
    "bucket_name": "aws.s3.bucket",
    "queue_url": "aws.sqs.queue.url",
}


def build_trace_id(root: str) -> str:
    """Return the W3C trace id of the X-Ray trace ``root``, ``1-<8 digits>-<24 digits>``: the same 32 digits."""
    return root.removeprefix("1-").replace("-", "")


def build_span(document: Document, root: str, parent: str, invocation: Attributes | None) -> Span:
    """Return the span of ``document`` in the trace ``root`` below ``parent``, "" for the first one.

    ``invocation`` has further attributes of a span that is the work of an invocation, and is None for others.
    """
    attributes = dict(_describe(document))
    span: Span = {
        "traceId": build_trace_id(root),
        "spanId": document["id"],
        "name": document["name"],
        "kind": _find_kind(document, entry=invocation is not None),
        "startTimeUnixNano": _format_time(document["start_time"]),
        "endTimeUnixNano": _format_time(document["end_time"]),
    }
    if parent:
        span["parentSpanId"] = parent
    if document.get("namespace") == "aws":
        span["name"] = attributes["rpc.method"] = f"{document['name']}/{document.get('aws', {}).get('operation', '')}"
        attributes["rpc.system.name"] = "aws-api"
    if invocation is not None:
        attributes |= invocation | {"darkroom.work": document["name"]}
        span["name"] = str(invocation.get("faas.name") or document["name"])
    if document.get("fault"):
        span["status"] = {"code": FAILED}
    return span | {"attributes": format_attributes(attributes)}


def format_attributes(attributes: Attributes) -> list[dict[str, object]]:
    """Return ``attributes`` as ``KeyValue`` messages."""
    return [{"key": name, "value": _format_value(value)} for name, value in attributes.items()]


def _describe(document: Document) -> Iterator[tuple[str, object]]:
    for name, value in document.get("annotations", {}).items():
        yield _ANNOTATIONS.get(name, f"darkroom.{name}"), value
    for name, value in document.get("metadata", {}).get("default", {}).items():
        yield _METADATA.get(name, f"darkroom.{name}"), value
    call = document.get("aws", {})
    yield from ((_AWS[name], value) for name, value in call.items() if name in _AWS)
    if table := call.get("table_name"):
        yield "aws.dynamodb.table_names", [table]
    if status := document.get("http", {}).get("response", {}).get("status"):
        yield "http.response.status_code", status


def _find_kind(document: Document, *, entry: bool) -> int:
    if entry:
        return SERVER if "type" in document else CONSUMER
    return CLIENT if document.get("namespace") in ("aws", REMOTE) else INTERNAL


def _format_time(seconds: float) -> str:
    return str(int(seconds * 1_000_000) * 1000)


def _format_value(value: object) -> dict[str, object]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case list() | tuple():
            return {"arrayValue": {"values": [_format_value(one) for one in value]}}
        case str():
            return {"stringValue": value[:MAX_TEXT_CHARACTERS]}
    return {"stringValue": json.dumps(value, default=str)[:MAX_TEXT_CHARACTERS]}
