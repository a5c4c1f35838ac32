"""CloudWatch metrics: those in function logs, those of Lambda and SQS, and a bounded store."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .emf import read_data

MAX_AGE_S = 14 * 24 * 3600
COMPACT_EVERY_S = 60.0
EXACT_S = 600.0
"""Older points are merged by minute, with values rounded to three digits, which is sufficient for percentiles."""

type Point = dict[str, Any]


class Metrics:
    """The store of MiniStack's CloudWatch service, made thread-safe.

    MiniStack 1.5.33 copies all points at each request, and loses points that are written meanwhile.
    """

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch
        self._store = cloudwatch._store_datum
        self._lock = threading.Lock()
        self._compacted_s = 0.0
        cloudwatch._store_datum = self.store
        cloudwatch.record_metric = self.record
        cloudwatch._evict_old_metrics = self.compact

    def store(self, *datum: Any) -> None:
        """Store one datum in MiniStack's format."""
        with self._lock:
            self._store(*datum)

    def record(
        self, namespace: str, name: str, value: float, unit: str = "None", dimensions: dict[str, str] | None = None
    ) -> None:
        """Store one value with the current time."""
        self.store(namespace, name, dict(dimensions or {}), time.time(), unit, value, None, None, None)

    def read(self, log: str) -> None:
        """Store the metrics that a function's log contains."""
        for datum in read_data(log):
            unit, values = datum.unit, list(datum.values)
            self.store(datum.namespace, datum.name, dict(datum.dimensions), datum.at_s, unit, None, values, None, None)

    def compact(self) -> None:
        """Drop expired points and merge old ones, at most once a minute."""
        now_s = time.time()
        if now_s - self._compacted_s < COMPACT_EVERY_S:
            return
        self._compacted_s = now_s
        metrics = self._cloudwatch._metrics
        for key in list(metrics):
            with self._lock:
                points = metrics.get(key) or []
                points[:] = compact(points, now_s)
                if not points:
                    metrics.pop(key, None)


def compact(points: Iterable[Point], now_s: float) -> list[Point]:
    """Return ``points`` without those over two weeks old. Equal values of one minute are merged, except recent ones."""
    merged: dict[tuple[int, float], Point] = {}
    recent: list[Point] = []
    for point in points:
        at_s = point["Timestamp"]
        if at_s < now_s - MAX_AGE_S:
            continue
        if at_s >= now_s - EXACT_S or "_stat" in point:
            recent.append(point)
            continue
        value = float(f"{point['Value']:.3g}")
        key = int(at_s // 60), value
        if key in merged:
            merged[key]["Count"] += point.get("Count", 1.0)
        else:
            merged[key] = {**point, "Value": value, "Count": point.get("Count", 1.0)}
    return [*merged.values(), *recent]


def count_invocations(service: Any, metrics: Metrics) -> None:
    """Count every invocation as AWS/Lambda does, for all invocation types.

    MiniStack 1.5.33 counts only those through the API, and counts throttled ones twice.
    """
    dispatch = service._execute_function_dispatch

    def execute_and_count(func: Any, config: Any, event: Any, request_id: str, started_s: float) -> Any:
        result = dispatch(func, config, event, request_id, started_s)
        dimensions = {"FunctionName": config.get("FunctionName", "unknown")}
        failed = isinstance(result, dict) and bool(result.get("error"))
        metrics.record("AWS/Lambda", "Invocations", 1, "Count", dimensions)
        metrics.record("AWS/Lambda", "Errors", int(failed), "Count", dimensions)
        metrics.record("AWS/Lambda", "Throttles", 0, "Count", dimensions)
        metrics.record("AWS/Lambda", "Duration", (time.time() - started_s) * 1000, "Milliseconds", dimensions)
        running = service.executions_in_flight()[1].get(service._inflight_key(config), 1)
        metrics.record("AWS/Lambda", "ConcurrentExecutions", running, "Count", dimensions)
        return result

    def count_throttle(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: ARG001
        if throttle and not duration_ms:
            metrics.record("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})

    service._execute_function_dispatch = execute_and_count
    service._emit_lambda_metrics = count_throttle


def measure_queues(sqs: Any, metrics: Metrics) -> None:
    """Record the depth of all queues, as AWS/SQS does each minute."""
    for (_, _, url), queue in list(sqs._queues.all_items()):
        sqs._refresh_counts(queue)
        dimensions = {"QueueName": url.rsplit("/", 1)[1]}
        for name, unit, value in measure_depths(queue, time.time()):
            metrics.record("AWS/SQS", name, value, unit, dimensions)


def measure_memory(runtime: Any, metrics: Metrics) -> None:
    """Record the peak memory of each function process, as Lambda Insights does."""
    for worker in [one for listed in list(runtime._workers.values()) for one in list(listed)]:
        if used_mb := read_peak_memory_mb(worker._proc.pid if worker._proc else 0):
            dimensions = {"function_name": worker.func_name}
            metrics.record("LambdaInsights", "used_memory_max", used_mb, "Megabytes", dimensions)


def read_peak_memory_mb(pid: int) -> float:
    """Return the peak resident memory of a process in MB; 0 if it is unknown (systems without ``/proc``)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return round(int(peaks[0]) / 1024, 1) if peaks else 0.0


def measure_depths(queue: Any, now_s: float) -> Iterator[tuple[str, str, float]]:
    """Yield name, unit and value of a queue's gauges."""
    attributes = queue["attributes"]
    for name, attribute in (("Visible", ""), ("NotVisible", "NotVisible"), ("Delayed", "Delayed")):
        count = attributes.get(f"ApproximateNumberOfMessages{attribute}", "0")
        yield f"ApproximateNumberOfMessages{name}", "Count", float(count)
    since_s = (message.get("enqueued_at", message.get("sent_at", now_s)) for message in list(queue["messages"]))
    yield "ApproximateAgeOfOldestMessage", "Seconds", max((now_s - sent_s for sent_s in since_s), default=0.0)
