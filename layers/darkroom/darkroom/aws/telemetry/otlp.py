"""An exporter of the X-Ray documents of the work as OpenTelemetry spans, by OTLP over HTTP with JSON.

It is loaded only where a variable of OpenTelemetry names an endpoint. A span has the ids of its segment or subsegment
in X-Ray, so that both describe one trace: https://opentelemetry.io/docs/specs/otlp/#otlphttp,
https://opentelemetry.io/docs/specs/otel/protocol/exporter/.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from threading import Thread
from urllib.parse import unquote, urlsplit

from .spans import Attributes, Span, build_span, format_attributes
from .traces import Document

MAX_SPANS = 2_048
"""Spans that wait for an export, as the queue of OpenTelemetry's BatchSpanProcessor. Further ones are dropped."""

DEFAULT_TIMEOUT_MS = 1_000
"""Limit of an export. OpenTelemetry's default, 10 s, would keep a function of Lambda waiting, which is billed."""

PAUSE_S = 30.0
"""Pause after a failed export: meanwhile no work waits for a collector that is down."""

type Report = Callable[[int, str], None]
"""Called with the number of spans that were dropped and the cause."""


class Exporter:
    """Collects spans and sends them. An export takes at most ``timeout_s`` and raises nothing.

    After a failure nothing is sent for ``PAUSE_S``. What is dropped is reported by ``report``, once for each export.
    """

    def __init__(self, report: Report, environment: Mapping[str, str] = os.environ) -> None:
        self._report = report
        self._url = read_url(environment)
        self._headers = read_pairs(_read(environment, "HEADERS"))
        self._timeout_s = _read_timeout_s(environment)
        self._resource = build_resource(environment)
        self._invocation: Attributes = {}
        self._root, self._parent = "", ""
        self._spans: list[Span] = []
        self._failures: list[tuple[int, str]] = []
        self._overflow = 0
        self._paused_until = 0.0
        self._sending: Thread | None = None

    def begin(self, root: str, parent: str, invocation: Attributes) -> None:
        """Begin an invocation in the X-Ray trace ``root`` whose segment ``parent`` is Lambda's own.

        Lambda sends that segment to X-Ray alone, so that spans below it are the first of their trace here.
        """
        self._root, self._parent, self._invocation = root, parent, invocation

    def add(self, document: Document) -> None:
        """Add a finished segment or subsegment with all below it."""
        self._add(document, str(document["trace_id"]), str(document.get("parent_id", "")))

    def _add(self, document: Document, root: str, parent: str) -> None:
        entry = "type" not in document or (root, parent) == (self._root, self._parent)
        for child in document.get("subsegments", ()):
            self._add(child | {"type": "subsegment"}, root, str(document["id"]))
        if len(self._spans) >= MAX_SPANS:
            self._overflow += 1
            return
        above = "" if entry and "type" in document else parent
        self._spans.append(build_span(document, root, above, self._invocation if entry else None))

    def export(self) -> None:
        """Send what was added since the last export, and wait for the response."""
        spans, self._spans = self._spans, []
        is_sending = self._sending is not None and self._sending.is_alive()
        if spans and not is_sending and time.monotonic() >= self._paused_until:
            self._sending = Thread(target=self._send, args=(spans,), daemon=True)
            self._sending.start()
            self._sending.join(self._timeout_s)
            if self._sending.is_alive():
                self._paused_until = time.monotonic() + PAUSE_S
        elif spans:
            self._failures.append((len(spans), "paused"))
        self._report_dropped()

    def _report_dropped(self) -> None:
        if self._overflow:
            self._failures.append((self._overflow, "full"))
            self._overflow = 0
        failures, self._failures = self._failures, []
        for count, cause in failures:
            self._report(count, cause)

    def _send(self, spans: list[Span]) -> None:
        try:
            status = post(self._url, self._headers, encode(spans, self._resource), self._timeout_s)
            cause = "" if status in range(200, 300) else f"status {status}"
        except Exception as error:  # a thread has no caller, and telemetry must not fail the work
            cause = type(error).__name__
        if cause:
            self._failures.append((len(spans), cause))
            self._paused_until = time.monotonic() + PAUSE_S


def post(url: str, headers: Mapping[str, str], body: bytes, timeout_s: float) -> int:
    """Send ``body`` to ``url`` and return the status of the response. Raises OSError, HTTPException, ValueError."""
    from http.client import HTTPConnection, HTTPSConnection

    place = urlsplit(url)
    kind = HTTPSConnection if place.scheme == "https" else HTTPConnection
    connection = kind(place.hostname or "", place.port, timeout=timeout_s)
    try:
        target = place.path + (f"?{place.query}" if place.query else "")
        connection.request("POST", target, body, {"Content-Type": "application/json", **headers})
        return connection.getresponse().status
    finally:
        connection.close()


def encode(spans: list[Span], resource: Attributes) -> bytes:
    """Format an ``ExportTraceServiceRequest`` as JSON."""
    scope = {"scope": {"name": "darkroom"}, "spans": spans}
    request = {"resourceSpans": [{"resource": {"attributes": format_attributes(resource)}, "scopeSpans": [scope]}]}
    return json.dumps(request, separators=(",", ":")).encode()


def read_url(environment: Mapping[str, str]) -> str:
    """Return the URL for spans: that of the signal as it is, the common one with the path of the signal."""
    if own := environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
        return own
    return environment["OTEL_EXPORTER_OTLP_ENDPOINT"].rstrip("/") + "/v1/traces"


def read_pairs(text: str) -> dict[str, str]:
    """Parse ``name=value`` pairs separated by commas, with percent-encoded values; others are skipped."""
    parts = (part.partition("=") for part in text.split(","))
    return {name.strip(): unquote(value.strip()) for name, mark, value in parts if mark and name.strip()}


def build_resource(environment: Mapping[str, str]) -> Attributes:
    """Return the attributes of this execution environment, with those of ``OTEL_RESOURCE_ATTRIBUTES``."""
    name = environment.get("AWS_LAMBDA_FUNCTION_NAME", "darkroom")
    found: Attributes = {
        "service.name": name,
        "cloud.provider": "aws",
        "cloud.platform": "aws_lambda",
        "cloud.region": environment.get("AWS_REGION", ""),
        "faas.name": name,
        "faas.version": environment.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        "faas.instance": environment.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
        "faas.max_memory": int(environment.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE") or 0) * 1024 * 1024,
        "telemetry.sdk.name": "darkroom",
        "telemetry.sdk.language": "python",
    }
    own = environment.get("OTEL_SERVICE_NAME")
    given = read_pairs(environment.get("OTEL_RESOURCE_ATTRIBUTES", "")) | ({"service.name": own} if own else {})
    return {name: value for name, value in found.items() if value} | given


def _read(environment: Mapping[str, str], name: str) -> str:
    of_signal = environment.get(f"OTEL_EXPORTER_OTLP_TRACES_{name}")
    return of_signal or environment.get(f"OTEL_EXPORTER_OTLP_{name}", "")


def _read_timeout_s(environment: Mapping[str, str]) -> float:
    text = _read(environment, "TIMEOUT")
    return (int(text) if text.isdecimal() and int(text) > 0 else DEFAULT_TIMEOUT_MS) / 1000
