"""A recording collector of OTLP over HTTP: requests are parsed by OpenTelemetry's own definitions of messages."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from google.protobuf.json_format import Parse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass(frozen=True)
class Received:
    """A request: its path, headers and message."""

    path: str
    headers: Mapping[str, str]
    message: ExportTraceServiceRequest


@dataclass
class Collector:
    """Records requests and responds with ``status``, once ``responds`` is set."""

    status: int = 200
    responds: Event = field(default_factory=Event)
    received: list[Received] = field(default_factory=list)
    url: str = ""

    @property
    def spans(self) -> list[Span]:
        """All spans, in the order of their arrival."""
        resources = (one for request in self.received for one in request.message.resource_spans)
        return [span for one in resources for scope in one.scope_spans for span in scope.spans]


@contextmanager
def collecting(status: int = 200) -> Iterator[Collector]:
    """Run a collector on a free port."""
    collector = Collector(status)
    collector.responds.set()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            # OTLP writes ids in hex, protobuf's own JSON in base64, where hex digits are also valid
            message = Parse(body, ExportTraceServiceRequest())
            collector.received.append(Received(self.path, dict(self.headers), message))
            collector.responds.wait()
            self.send_response(collector.status)
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        collector.url = f"http://127.0.0.1:{server.server_port}"
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield collector
        finally:
            collector.responds.set()
            server.shutdown()


def read_id(parsed: bytes) -> str:
    """Return the hex digits that were parsed as base64."""
    return b64encode(parsed).decode()


def read_attributes(attributes: object) -> dict[str, object]:
    """Return the values of ``KeyValue`` messages by name."""
    found: list[KeyValue] = list(attributes)  # type: ignore[call-overload]
    return {one.key: _read_value(one.value) for one in found}


def _read_value(value: AnyValue) -> object:
    if value.WhichOneof("value") == "array_value":
        return [_read_value(one) for one in value.array_value.values]
    return getattr(value, str(value.WhichOneof("value")))
