"""What a function tells of its work: X-Ray subsegments and CloudWatch metrics in log lines (EMF), by Powertools; logs.

Outside Lambda nothing is traced. Metrics and logs go to standard output, where CloudWatch reads them.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Tracer
from aws_lambda_powertools.metrics import EphemeralMetrics

from ..errors import DarkroomError
from . import telemetry

NAMESPACE = "Darkroom"
MAX_VALUES = 64
"""Different values of a dimension in one process: each is a metric and is billed as one. Further ones are ``other``."""

OTHER = "other"
MAX_VALUE_CHARACTERS = 64

type _Dimensions = tuple[tuple[str, str], ...]


class Observer:
    """Watches the work of ``function``, one message or request after the other."""

    def __init__(self, function: str) -> None:
        self._function = function
        self._service = os.environ.get("POWERTOOLS_SERVICE_NAME") or "darkroom"
        self._namespace = os.environ.get("POWERTOOLS_METRICS_NAMESPACE") or NAMESPACE
        self._tracer = Tracer(service=self._service, patch_modules=("botocore",))
        self._fields: dict[str, str] = {}
        self._metrics: dict[_Dimensions, EphemeralMetrics] = {}
        self._values: dict[str, set[str]] = {}
        self._counting = threading.Lock()
        logging.getLogger("aws_xray_sdk").setLevel(logging.ERROR)  # it warns at every call that is not traced
        self.timings_ms: dict[str, float] = {}

    def begin(self, context: object = None) -> None:
        """Start on the next piece of work: its timings begin anew. What the last one counted is written."""
        self.flush()
        self.timings_ms = {}

    @contextmanager
    def message(
        self, name: str, /, *, trace_header: str = "", correlation_id: str = "", **fields: str
    ) -> Iterator[None]:
        """One piece of work from beginning to end: a step whose log lines and trace bear ``fields``, then a flush."""
        self.begin()
        self._fields = fields | ({"correlation_id": correlation_id} if correlation_id else {})
        try:
            with self.step(name):
                for field, value in fields.items():
                    self.annotate(field, value)
                yield
        finally:
            self._fields = {}
            self.flush()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside, under ``name`` (a word of the code's own), also as an X-Ray subsegment.

        A refusal marks the subsegment as an error, anything else that is raised as a fault, by its code or class alone:
        messages may quote what users sent.
        """
        started = time.perf_counter()
        try:
            with self._subsegment(name):
                yield
        finally:
            elapsed_ms = (time.perf_counter() - started) * 1000
            with self._counting:
                self.timings_ms[name] = self.timings_ms.get(name, 0.0) + elapsed_ms
            self.count(_title(name) + "Time", elapsed_ms, "Milliseconds")

    def count(self, metric: str, value: float = 1, unit: str = "Count", **dimensions: str) -> None:
        """Add ``value`` to ``metric``, beside the dimensions ``service`` and ``function`` by ``dimensions``.

        Dimensions are of few values, such as error codes: never a key.
        """
        with self._counting:
            named = {name: self._bounded(name, text) for name, text in dimensions.items()}
            place = tuple(sorted({**named, "function": self._function}.items()))
            if place not in self._metrics:
                self._metrics[place] = EphemeralMetrics(
                    namespace=self._namespace, service=self._service, default_dimensions=dict(place)
                )
            self._metrics[place].add_metric(metric, unit, value)

    def flush(self) -> None:
        """Write what has been counted since the last time, a line for each set of dimensions."""
        with self._counting:
            waiting, self._metrics = self._metrics, {}
        for metrics in waiting.values():
            if metrics.metric_set:
                metrics.flush_metrics()

    def annotate(self, name: str, value: str | int | bool) -> None:
        """Make the trace of the innermost step, if any, findable by ``value``."""
        if self._traced and (subsegment := self._tracer.provider.current_subsegment()):  # type: ignore[attr-defined]
            subsegment.put_annotation(name.replace("-", "_"), value)

    def note(self, name: str, value: object) -> None:
        """Write ``value`` beside the innermost step, if any, as metadata."""
        if self._traced and (subsegment := self._tracer.provider.current_subsegment()):  # type: ignore[attr-defined]
            subsegment.put_metadata(name, value)

    def fail(self, error: BaseException) -> None:
        """Mark the innermost step, if any, as one that ended in ``error``."""
        if self._traced and (subsegment := self._tracer.provider.current_subsegment()):  # type: ignore[attr-defined]
            _mark(subsegment, error)

    def staged(self, stages_ms: Mapping[str, float], *, started_s: float) -> None:
        """Not shown yet."""

    def remote(self, name: str, stages_ms: Mapping[str, float], *, started_s: float, ended_s: float) -> None:
        """Not shown yet."""

    def trace_header(self) -> str:
        """The invocation's own, "" if nothing is traced."""
        return os.environ.get("_X_AMZN_TRACE_ID", "") if self._traced else ""

    def log(self, level: str, message: str, **fields: object) -> None:
        """Write one log line, with the fields of the message that is being worked on; see :func:`telemetry.log`."""
        telemetry.log(level, message, **{**self._fields, **fields})

    def trace_id(self) -> str:
        """The X-Ray trace that this invocation belongs to, "" if none."""
        parts = os.environ.get("_X_AMZN_TRACE_ID", "").split(";")
        return next((part.removeprefix("Root=") for part in parts if part.startswith("Root=")), "")

    @property
    def _traced(self) -> bool:
        return not self._tracer.disabled and bool(self.trace_id())

    @contextmanager
    def _subsegment(self, name: str) -> Iterator[None]:
        if not self._traced:
            yield
            return
        with self._tracer.provider.in_subsegment(name=f"## {name}") as subsegment:
            failure = None
            try:
                yield
            except BaseException as error:
                failure = error  # raised below, out of sight of the SDK, which would record the message
                _mark(subsegment, error)
        if failure is not None:
            raise failure

    def _bounded(self, name: str, text: str) -> str:
        value = text[:MAX_VALUE_CHARACTERS].strip() or OTHER
        seen = self._values.setdefault(name, set())
        if value not in seen and len(seen) >= MAX_VALUES:
            return OTHER
        seen.add(value)
        return value


def _mark(subsegment: Any, error: BaseException) -> None:
    refused = isinstance(error, DarkroomError) and error.status < 500
    (subsegment.add_error_flag if refused else subsegment.add_fault_flag)()
    subsegment.put_annotation("error", error.code if isinstance(error, DarkroomError) else type(error).__name__)


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.replace("-", " ").split())
