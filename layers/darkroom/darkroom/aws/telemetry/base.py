"""An observer over three parts: whoever makes lines, metrics and traces, what is told of the work is the same."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Protocol

from . import logs
from .emf import Dimensions
from .trace_header import TraceHeader, trace_id
from .traces import REMOTE, Annotation, Traces

NAMESPACE = "Darkroom"
MAX_VALUES = 64
"""Different values of a dimension in one process: each is a metric and is billed as one. Further ones are ``other``."""

OTHER = "other"
MAX_VALUE_CHARACTERS = 64

_OF_CONTEXT = {
    "function_name": "function_name",
    "function_memory_size": "memory_limit_in_mb",
    "function_arn": "invoked_function_arn",
    "function_request_id": "aws_request_id",
}
"""What Powertools' Logger calls the attributes of Lambda's context."""


class Metrics(Protocol):
    """Where counts go."""

    def add(self, metric: str, value: float, unit: str, dimensions: Dimensions) -> None:
        """Add ``value`` to ``metric``."""

    def flush(self) -> None:
        """Write what has been counted."""


class BaseObserver:
    """Keeps :class:`darkroom.aws.telemetry.protocol.Observer`, but for how a log line is made."""

    def __init__(self, function: str, metrics: Metrics, traces: Traces) -> None:
        self._function = function
        self._service = os.environ.get("POWERTOOLS_SERVICE_NAME") or function
        self._metrics = metrics
        self._traces = traces
        self._invocation: dict[str, object] = {}
        self._values: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self.timings_ms: dict[str, float] = {}

    def begin(self, context: object = None) -> None:
        """See the protocol."""
        self.flush()
        self.timings_ms = {}
        if context is None:
            return
        known = {name: getattr(context, attribute, None) for name, attribute in _OF_CONTEXT.items()}
        self._invocation = {
            "cold_start": not self._invocation and _starts_on_demand(),
            **{name: value for name, value in known.items() if value},
        }
        logs.bind(self._invocation)

    @contextmanager
    def message(
        self, name: str, /, *, trace_header: str = "", correlation_id: str = "", **fields: str
    ) -> Iterator[None]:
        """See the protocol."""
        self.begin()
        correlation_id = correlation_id or str(self._invocation.get("function_request_id", ""))
        found_by = {"correlation_id": correlation_id} if correlation_id else {}
        logs.bind({**self._invocation, **found_by, **fields})
        try:
            with (
                self._time(name),
                self._traces.continue_trace(self._segment_name, trace_header) as elsewhere,
                nullcontext() if elsewhere else self._traces.step(name),
            ):
                self._describe(found_by, fields)
                yield
        finally:
            logs.bind(self._invocation)
            self.flush()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """See the protocol."""
        with self._time(name), self._traces.step(name):
            yield

    def record_stages(self, stages_ms: Mapping[str, float], *, started_s: float) -> None:
        """See the protocol."""
        for name, spent_ms in stages_ms.items():
            ended_s = started_s + spent_ms / 1000
            self._record_time(name, spent_ms)
            self._traces.record(name, started_s, ended_s, {})
            started_s = ended_s

    def record_remote_call(
        self, name: str, stages_ms: Mapping[str, float], *, started_s: float, ended_s: float
    ) -> None:
        """See the protocol."""
        stages_s = {stage: spent_ms / 1000 for stage, spent_ms in stages_ms.items()}
        self._traces.record(name, started_s, ended_s, stages_s, REMOTE)

    def count(self, metric: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
        """See the protocol."""
        with self._lock:
            named = {name: self._limit_values(name, text) for name, text in dimensions.items()}
            of_all = {"function": self._function, "service": self._service}
            self._metrics.add(metric, value, unit, tuple(sorted({**named, **of_all}.items())))

    def flush(self) -> None:
        """See the protocol."""
        with self._lock:
            self._metrics.flush()

    def annotate(self, name: str, value: Annotation) -> None:
        """See the protocol."""
        self._traces.annotate(name, value)

    def add_metadata(self, name: str, value: object) -> None:
        """See the protocol."""
        self._traces.add_metadata(name, value)

    def record_error(self, error: BaseException) -> None:
        """See the protocol."""
        self._traces.record_error(error)

    def trace_id(self) -> str:
        """See the protocol."""
        return trace_id()

    def trace_header(self) -> str:
        """See the protocol."""
        header = self._traces.header
        return str(TraceHeader(header.root, self._traces.current_id(), sampled=True)) if header else ""

    @property
    def _segment_name(self) -> str:
        return str(self._invocation.get("function_name") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME", self._function))

    def _describe(self, found_by: Mapping[str, str], fields: Mapping[str, str]) -> None:
        if "cold_start" in self._invocation:
            self.annotate("cold", bool(self._invocation["cold_start"]))
        for name, value in found_by.items():
            self.annotate(name, value)
        for name, value in fields.items():
            self.add_metadata(name, value)

    @contextmanager
    def _time(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._record_time(name, (time.perf_counter() - started) * 1000)

    def _record_time(self, name: str, spent_ms: float) -> None:
        with self._lock:
            self.timings_ms[name] = self.timings_ms.get(name, 0.0) + spent_ms
        self.count(_title(name) + "Time", spent_ms, "Milliseconds")

    def _limit_values(self, name: str, text: str) -> str:
        value = text[:MAX_VALUE_CHARACTERS].strip() or OTHER
        seen = self._values.setdefault(name, set())
        if value not in seen and len(seen) >= MAX_VALUES:
            return OTHER
        seen.add(value)
        return value


def namespace() -> str:
    """Of all metrics of this deployment."""
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE


def _starts_on_demand() -> bool:
    """Whether a process starts because somebody waits for it, who so waits for its start."""
    return os.environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") != "provisioned-concurrency"


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.replace("-", " ").split())
