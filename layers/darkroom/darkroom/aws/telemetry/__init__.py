"""The observer of a function: log lines, metrics (EMF) and X-Ray segments.

Two classes extend it: :class:`LightObserver`, which imports nothing third-party and so costs a cold start little, and
that of functions with Powertools, which also traces the calls of boto3. The same calls write the same lines and the
same segments with either.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from .traces import (
    REMOTE,
    Annotation,
    LightTraces,
    TraceHeader,
    Traces,
    XRayDaemon,
    current_header,
    is_exported,
    trace_id,
)

if TYPE_CHECKING:
    from .otlp import Exporter

_bound: dict[str, object] = {}


def service_name() -> str:
    """Return the name of the function in logs and metrics."""
    return os.environ.get("POWERTOOLS_SERVICE_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "darkroom")


def to_json(document: Mapping[str, object]) -> str:
    """Format ``document`` as JSON in ASCII, so that any text can be written; values of other types as their text."""
    return json.dumps(document, default=str, separators=(",", ":")).replace("\x7f", "\\u007f")


def write_line(line: str) -> None:
    """Write one line to standard output and flush it: nothing runs between two invocations."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def bind_fields(fields: Mapping[str, object]) -> None:
    """Add ``fields`` to every further line of this process, in place of those bound before."""
    _bound.clear()
    _bound.update(fields)


def bound_fields() -> dict[str, object]:
    """Return the fields that are added to every line."""
    return dict(_bound)


def log(level: str, message: str, **fields: object) -> None:
    """Write one line with the bound fields and ``fields``, which are JSON values or written as text."""
    line: dict[str, object] = {
        "level": level,
        "message": message,
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "service": service_name(),
    }
    if trace := trace_id():
        line["xray_trace_id"] = trace
    write_line(to_json({**line, **_bound, **fields}))


MAX_VALUES_A_METRIC = MAX_METRICS_A_LINE = 100
"""The format's limits."""

type Dimensions = tuple[tuple[str, str], ...]


class EmfMetrics:
    """Collects metrics until it is flushed, or a line is full."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._counted: dict[Dimensions, dict[str, tuple[str, list[float]]]] = {}

    def add(self, metric: str, value: float, unit: str, dimensions: Dimensions) -> None:
        """Add ``value`` to ``metric`` of these ``dimensions``. The first unit of a metric is its unit."""
        metrics = self._counted.setdefault(dimensions, {})
        _, values = metrics.setdefault(metric, (unit, []))
        values.append(float(value))
        if len(metrics) == MAX_METRICS_A_LINE or len(values) == MAX_VALUES_A_METRIC:
            self._write(dimensions, self._counted.pop(dimensions))

    def flush(self) -> None:
        """Write the collected metrics, a line for each set of dimensions."""
        counted, self._counted = self._counted, {}
        for dimensions, metrics in counted.items():
            self._write(dimensions, metrics)

    def _write(self, dimensions: Dimensions, metrics: dict[str, tuple[str, list[float]]]) -> None:
        described = {
            "Namespace": self._namespace,
            "Dimensions": [[name for name, _ in dimensions]],
            "Metrics": [{"Name": name, "Unit": unit} for name, (unit, _) in metrics.items()],
        }
        values = {name: values for name, (_, values) in metrics.items()}
        place = {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [described]}
        write_line(to_json({"_aws": place, **dict(dimensions), **values}))


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
"""Powertools' names of the attributes of Lambda's context."""

_INITIALIZATION = "AWS_LAMBDA_INITIALIZATION_TYPE"
"""How the process was started: with provisioned concurrency no client waits for it."""

ON_DEMAND, PROVISIONED = "on-demand", "provisioned-concurrency"
"""Values of it. A process restored from a snapshot (``snap-start``) is older than its first request's wait."""

MAX_INIT_MS = 10_000
"""The longest init phase on demand (AWS Lambda developer guide, "Lambda execution environment"). Lambda also starts
processes ahead of requests ("proactive initialization"): an older process was, and its first request did not wait."""


def read_process_age_ms() -> float | None:
    """Return the milliseconds since this process started, in steps of 10; None on systems without ``/proc``."""
    try:
        with open("/proc/self/stat", "rb") as file:  # noqa: PTH123  # pathlib would cost a cold start
            ticks = int(file.read().rpartition(b")")[2].split()[19])  # starttime, field 22 (man 5 proc_pid_stat)
        return (time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")) * 1000
    except (OSError, AttributeError):
        return None


class Metrics(Protocol):
    """Where counts go."""

    def add(self, metric: str, value: float, unit: str, dimensions: Dimensions) -> None:
        """Add ``value`` to ``metric``."""

    def flush(self) -> None:
        """Write the counts."""


class Observer(ABC):
    """Observes ``function``, one request or message after the other. Its methods never fail the work.

    ``timings_ms`` is the time spent in each step since the work began, by the step's name. ``is_cold``: this is the
    first invocation of the process, and it waited for the start, which took ``init_ms`` (None if unknown). Without
    ``publishes_times`` times are in traces alone: a metric costs for each hour with data, also where nothing happens.
    """

    def __init__(self, function: str, metrics: Metrics, traces: Traces, *, publishes_times: bool = True) -> None:
        self.function = function
        self._publishes_times = publishes_times
        self._service = os.environ.get("POWERTOOLS_SERVICE_NAME") or function
        self._metrics = metrics
        self._traces = traces
        self._invocation: dict[str, object] = {}
        self._values: dict[str, set[str]] = {}
        self._lock = threading.Lock()
        self.timings_ms: dict[str, float] = {}
        self.is_cold = False
        self.init_ms: float | None = None
        self._exporter = self._open_exporter() if traces.enabled and is_exported(os.environ) else None
        self._defer: Callable[[Callable[[], None]], bool] | None = None

    def export_after_response(self, defer: Callable[[Callable[[], None]], bool]) -> None:
        """Export spans by ``defer``, which calls a function after the response or returns False."""
        self._defer = defer

    def begin(self, context: object = None) -> None:
        """Begin the next piece of work: write the counts of the last one and reset the timings.

        ``context`` is Lambda's, at the start of an invocation: it adds the request id, the function's name, ARN and
        memory, and whether this is the first invocation of the process to the log lines. Without it they stay as they
        are.
        """
        self.flush()
        self.timings_ms = {}
        if context is None:
            return
        known = {name: getattr(context, attribute, None) for name, attribute in _OF_CONTEXT.items()}
        started_as = os.environ.get(_INITIALIZATION, ON_DEMAND)
        cold = not self._invocation and started_as != PROVISIONED
        self.init_ms = read_process_age_ms() if cold and started_as == ON_DEMAND else None
        self.is_cold = cold and (self.init_ms or 0.0) <= MAX_INIT_MS
        self._invocation = {"cold_start": cold, **{name: value for name, value in known.items() if value}}
        bind_fields(self._invocation)
        if self._exporter:
            self._begin_exports(self._exporter)

    @contextmanager
    def message(
        self, name: str, /, *, trace_header: str = "", correlation_id: str = "", **fields: str
    ) -> Iterator[None]:
        """Observe one piece of work: a step called ``name``, and then a flush.

        ``fields`` and ``correlation_id`` (by default that of the invocation) are added to its log lines. In the trace
        the fields are metadata, so that they may hold keys; the correlation id is an annotation, which can be searched
        for. ``trace_header`` (``Root=…;Parent=…;Sampled=…``) is that of the hop before: if it names another trace than
        the invocation's, the work is a segment of its own in that trace instead of a subsegment in this one.
        """
        self.begin()
        correlation_id = correlation_id or str(self._invocation.get("function_request_id", ""))
        found_by = {"correlation_id": correlation_id} if correlation_id else {}
        bind_fields({**self._invocation, **found_by, **fields})
        try:
            with (
                self._time(name),
                self._traces.continue_trace(self._segment_name, trace_header) as elsewhere,
                nullcontext() if elsewhere else self._traces.step(name),
            ):
                self._describe(found_by, fields)
                yield
        finally:
            bind_fields(self._invocation)
            self.flush()
            if self._exporter and not (self._defer and self._defer(self._exporter.export)):
                self._exporter.export()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time the enclosed work under ``name`` (a constant of the code): subsegment, metric and ``timings_ms``.

        A refusal marks the subsegment as an error, any other exception as a fault, by its code or class alone:
        messages may quote user input.
        """
        with self._time(name), self._traces.step(name):
            yield

    def record_stages(self, stages_ms: Mapping[str, float], *, started_s: float) -> None:
        """Record steps that were timed elsewhere and have ended, one after the other from ``started_s`` (Unix time)."""
        for name, spent_ms in stages_ms.items():
            ended_s = started_s + spent_ms / 1000
            self._record_time(name, spent_ms)
            self._traces.record(name, started_s, ended_s, {})
            started_s = ended_s

    def record_remote_call(
        self, name: str, stages_ms: Mapping[str, float], *, started_s: float, ended_s: float
    ) -> None:
        """Record a finished call of another service, with the stages that it reported, in the trace alone."""
        stages_s = {stage: spent_ms / 1000 for stage, spent_ms in stages_ms.items()}
        self._traces.record(name, started_s, ended_s, stages_s, REMOTE)

    def count(self, metric: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
        """Add ``value`` to ``metric``, by the dimensions ``service``, ``function`` and ``dimensions`` together.

        Dimensions have few values, such as error codes: never a key. A metric that is needed both by a dimension and
        without it is counted twice.
        """
        with self._lock:
            named = {name: self._limit_values(name, text) for name, text in dimensions.items()}
            of_all = {"function": self.function, "service": self._service}
            self._metrics.add(metric, value, unit, tuple(sorted({**named, **of_all}.items())))

    def flush(self) -> None:
        """Write the counts since the last flush, a line for each set of dimensions."""
        with self._lock:
            self._metrics.flush()

    def annotate(self, name: str, value: Annotation) -> None:
        """Make the trace of the innermost step, if any, searchable by ``value``: one of few values, never a key."""
        self._traces.annotate(name, value)

    def add_metadata(self, name: str, value: object) -> None:
        """Add ``value`` to the innermost step, if any, as metadata, which cannot be searched for."""
        self._traces.add_metadata(name, value)

    def record_error(self, error: BaseException) -> None:
        """Mark the innermost step as ended by ``error``, where that is answered instead of raised."""
        self._traces.record_error(error)

    @abstractmethod
    def log(self, level: str, message: str, **fields: object) -> None:
        """Write one log line. ``fields`` are JSON values; others are written as their text."""

    def trace_id(self) -> str:
        """Return the X-Ray trace of the work, "" if there is none."""
        return trace_id()

    def trace_header(self) -> str:
        """Return the header that puts the next hop's segment below the innermost step; "" if nothing is traced."""
        header = self._traces.header
        return str(TraceHeader(header.root, self._traces.current_id(), sampled=True)) if header else ""

    def _open_exporter(self) -> Exporter:
        from .otlp import Exporter

        exporter = Exporter(self._report_dropped_spans)
        self._traces.export_by(exporter.add)
        return exporter

    def _begin_exports(self, exporter: Exporter) -> None:
        known = self._invocation
        attributes = {
            "faas.name": self._segment_name,
            "faas.invocation_id": known.get("function_request_id"),
            "cloud.resource_id": known.get("function_arn"),
            "cloud.account.id": ":".join(str(known.get("function_arn", "")).split(":")[4:5]),
        }
        header = current_header() or TraceHeader("", "", sampled=False)
        exporter.begin(header.root, header.parent, {name: value for name, value in attributes.items() if value})

    def _report_dropped_spans(self, spans: int, cause: str) -> None:
        self.count("SpansDropped", spans)
        self.log("WARNING", "spans dropped", spans=spans, cause=cause)
        self.flush()

    @property
    def _segment_name(self) -> str:
        return str(self._invocation.get("function_name") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME", self.function))

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
        if self._publishes_times:
            self.count(_title(name) + "Time", spent_ms, "Milliseconds")

    def _limit_values(self, name: str, text: str) -> str:
        value = text[:MAX_VALUE_CHARACTERS].strip() or OTHER
        seen = self._values.setdefault(name, set())
        if value not in seen and len(seen) >= MAX_VALUES:
            return OTHER
        seen.add(value)
        return value


class LightObserver(Observer):
    """The observer of the transform function. It does not trace calls of S3, which obstore makes."""

    def __init__(self, function: str) -> None:
        super().__init__(function, EmfMetrics(namespace()), LightTraces(XRayDaemon()))

    def log(self, level: str, message: str, **fields: object) -> None:
        log(level, message, **fields)


def namespace() -> str:
    """Return the namespace of all metrics of this deployment."""
    return os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.replace("-", " ").split())
