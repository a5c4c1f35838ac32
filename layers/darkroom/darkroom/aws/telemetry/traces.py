"""X-Ray traces: their headers, ``Root=1-…;Parent=…;Sampled=1``, and the segments of the work.

Documents are sent to the X-Ray daemon, which Lambda runs beside each function:
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
"""

from __future__ import annotations

import json
import os
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from ...errors import get_error_code, is_fault

VARIABLE = "_X_AMZN_TRACE_ID"
"""The variable with the header of each invocation, which Lambda sets and the SDKs read."""

type Document = dict[str, Any]
"""A segment or subsegment: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html"""

MAX_BYTES = 64_000
"""Maximum of a datagram: X-Ray accepts documents of 64 kB, UDP over IPv4 carries at most 65,507 bytes."""

_PREFIX = b'{"format":"json","version":1}\n'


class TraceHeader(NamedTuple):
    """The trace ``root``, the segment ``parent`` in it that caused the work, and whether anything is recorded.

    No dataclass: making one takes a millisecond of every cold start.
    """

    root: str
    parent: str
    sampled: bool

    def __str__(self) -> str:
        """Format the header for the next hop."""
        return f"Root={self.root};Parent={self.parent};Sampled={int(self.sampled)}"


def read_header(text: str) -> TraceHeader | None:
    """Parse a header; None if it names no trace. One without a sampling decision is not sampled."""
    parts = dict(part.strip().partition("=")[::2] for part in text.split(";"))
    root = parts.get("Root", "")
    return TraceHeader(root, parts.get("Parent", ""), parts.get("Sampled") == "1") if root else None


def current_header() -> TraceHeader | None:
    """Return the header of the current work."""
    return read_header(os.environ.get(VARIABLE, ""))


def trace_id() -> str:
    """Return the trace of the current work, "" if there is none."""
    header = current_header()
    return header.root if header else ""


LOCAL, REMOTE = "local", "remote"
type Annotation = str | int | bool

_NO_PART_OF_A_NAME = str.maketrans("", "", "?;*()!$~^<>")
"""Characters that the SDK removes from names."""


def is_traced(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment traces: in Lambda, unless Powertools' tracing is disabled."""
    disabled = environment.get("POWERTOOLS_TRACE_DISABLED", "").lower() in ("1", "true", "yes", "y", "on", "t")
    return bool(environment.get("LAMBDA_TASK_ROOT")) and not environment.get("AWS_SAM_LOCAL") and not disabled


def is_exported(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment exports spans: where OpenTelemetry's variables name an endpoint."""
    names = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
    disabled = environment.get("OTEL_SDK_DISABLED", "").lower() == "true"
    return any(map(environment.get, names)) and not disabled and environment.get("OTEL_TRACES_EXPORTER") != "none"


class Traces(ABC):
    """Creates subsegments of the invocation's segment, which is Lambda's, or of its own segment in another trace."""

    def __init__(self, daemon: XRayDaemon) -> None:
        self.enabled = is_traced(os.environ)
        self._daemon = daemon
        self._segment: Document | None = None

    def export_by(self, export: Callable[[Document], None]) -> None:
        """Give each finished document to ``export``, too."""
        self._daemon.export = export

    @property
    def header(self) -> TraceHeader | None:
        """The header of the current work, if it is traced."""
        found = current_header() if self.enabled else None
        return found if found and found.sampled else None

    @contextmanager
    def continue_trace(self, name: str, text: str) -> Iterator[bool]:
        """Continue the trace of the header ``text`` in a segment called ``name``; yield whether that is another trace.

        Meanwhile Lambda's variable holds the continued header: whatever reads it, in any thread, is part of that trace.
        """
        there, here = (read_header(text), current_header()) if self.enabled else (None, None)
        if there is None or (here and here.root == there.root):
            yield False
            return
        before = os.environ.get(VARIABLE)
        segment = _open_document(clean_name(name), there, there.parent) | {"origin": "AWS::Lambda::Function"}
        os.environ[VARIABLE] = str(TraceHeader(there.root, segment["id"], there.sampled))
        self._segment = segment if there.sampled else None
        try:
            with mark_errors(segment):
                yield True
        finally:
            self._segment = None
            if before is None:
                del os.environ[VARIABLE]
            else:
                os.environ[VARIABLE] = before
            if there.sampled:
                self._daemon.send(_close_document(segment))

    @abstractmethod
    def step(self, name: str) -> AbstractContextManager[None]:
        """Create a subsegment around the enclosed work, and mark it if that raises."""

    @abstractmethod
    def record(
        self, name: str, started_s: float, ended_s: float, stages_s: Mapping[str, float], namespace: str = LOCAL
    ) -> None:
        """Send a finished subsegment, with ``stages_s`` one after the other from its start."""

    @abstractmethod
    def annotate(self, name: str, value: Annotation) -> None:
        """Annotate the innermost subsegment, or the segment if it is our own."""

    @abstractmethod
    def add_metadata(self, name: str, value: object) -> None:
        """Add metadata to it."""

    @abstractmethod
    def record_error(self, error: BaseException) -> None:
        """Mark it with ``error``."""

    @abstractmethod
    def current_id(self) -> str:
        """Return its id, or that of the invocation's segment."""


class LightTraces(Traces):
    """Writes the documents itself, as the SDK does in Lambda: each is sent as soon as it ends."""

    def __init__(self, daemon: XRayDaemon) -> None:
        super().__init__(daemon)
        self._local = threading.local()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        header = self.header
        if header is None:
            yield
            return
        stack = self._stack()
        document = self._subsegment(name, header)
        stack.append(document)
        try:
            with mark_errors(document):
                yield
        finally:
            stack.remove(document)
            self._daemon.send(_close_document(document))

    def record(
        self, name: str, started_s: float, ended_s: float, stages_s: Mapping[str, float], namespace: str = LOCAL
    ) -> None:
        header = self.header
        if header is None:
            return
        document = self._subsegment(name, header) | {"namespace": namespace, "start_time": started_s}
        for stage, spent_s in stages_s.items():
            part = self._subsegment(stage, header) | {"parent_id": document["id"], "start_time": started_s}
            started_s += spent_s
            self._daemon.send(_close_document(part, started_s))
        self._daemon.send(_close_document(document, ended_s))

    def annotate(self, name: str, value: Annotation) -> None:
        if document := self._current():
            put_annotation(document, name, value)

    def add_metadata(self, name: str, value: object) -> None:
        if document := self._current():
            put_metadata(document, name, value)

    def record_error(self, error: BaseException) -> None:
        if document := self._current():
            mark(document, error)

    def current_id(self) -> str:
        header, stack = self.header, self._stack()
        return stack[-1]["id"] if stack else header.parent if header else ""

    def _subsegment(self, name: str, header: TraceHeader) -> Document:
        document = _open_document(clean_name(name), header, self.current_id())
        return document | {"type": "subsegment", "namespace": LOCAL}

    def _stack(self) -> list[Document]:
        """Return the open subsegments of this thread, of the current trace only."""
        present = os.environ.get(VARIABLE)
        if getattr(self._local, "variable", None) != present:
            self._local.variable, self._local.stack = present, []
        stack: list[Document] = self._local.stack if present else []
        return stack

    def _current(self) -> Document | None:
        stack = self._stack()
        return stack[-1] if stack else self._segment


def _open_document(name: str, header: TraceHeader, parent_id: str) -> Document:
    document = {"id": os.urandom(8).hex(), "name": name, "start_time": time.time(), "trace_id": header.root}
    return document | ({"parent_id": parent_id} if parent_id else {})


def _close_document(document: Document, ended_s: float = 0.0) -> Document:
    return document | {"end_time": ended_s or time.time(), "in_progress": False}


def clean_name(name: str) -> str:
    """Remove the characters of ``name`` that X-Ray does not accept."""
    return name.translate(_NO_PART_OF_A_NAME)


@contextmanager
def mark_errors(document: Document) -> Iterator[None]:
    """Mark ``document`` with an exception of the enclosed work."""
    try:
        yield
    except BaseException as error:
        mark(document, error)
        raise


def mark(document: Document, error: BaseException) -> None:
    """Record ``error`` by its code alone: its message may quote user input."""
    document["fault" if is_fault(error) else "error"] = True
    put_annotation(document, "code", get_error_code(error))


def put_annotation(document: Document, name: str, value: Annotation) -> None:
    """Annotate ``document``; X-Ray accepts letters, digits and underscores."""
    document.setdefault("annotations", {})[name.replace("-", "_")] = value


def put_metadata(document: Document, name: str, value: object) -> None:
    """Add metadata to ``document``, in the namespace that the SDK uses."""
    document.setdefault("metadata", {}).setdefault("default", {})[name] = value


class XRayDaemon:
    """Sends without waiting: what cannot be sent at once is dropped silently."""

    def __init__(self) -> None:
        self._socket: Any = None
        self.export: Callable[[Document], None] | None = None
        self._address = _address(os.environ.get("AWS_XRAY_DAEMON_ADDRESS", ""))

    def send(self, document: Document) -> None:
        """Send ``document``; one that is too large is split, then sent without its metadata, or dropped."""
        if self.export:
            self.export(document)
        self._send(document)

    def _send(self, document: Document) -> None:
        data = _PREFIX + json.dumps(document, default=str, separators=(",", ":")).encode()
        if len(data) <= MAX_BYTES:
            self._transmit(data)
        elif children := document.get("subsegments"):
            for child in children:
                above = {"trace_id": document["trace_id"], "parent_id": document["id"]}
                self._send(child | above | {"type": "subsegment"})
            self._send({name: part for name, part in document.items() if name != "subsegments"})
        elif "metadata" in document:
            self._send({name: part for name, part in document.items() if name != "metadata"})

    def _transmit(self, data: bytes) -> None:
        try:
            if self._socket is None:
                self._socket = _open()
            self._socket.sendto(data, self._address)
        except OSError:
            return


def _open() -> Any:
    """Open a socket by the C module: ``socket`` costs a cold start several ms for names of constants."""
    from _socket import AF_INET, SOCK_DGRAM, socket

    opened = socket(AF_INET, SOCK_DGRAM)
    opened.setblocking(False)
    return opened


def _address(text: str) -> tuple[str, int]:
    """Parse ``host:port``, or ``tcp:host:port udp:host:port``."""
    for part in text.split():
        if not part.startswith("tcp:"):
            host, _, port = part.removeprefix("udp:").rpartition(":")
            if port.isdecimal():
                return host, int(port)
    return "127.0.0.1", 2000
