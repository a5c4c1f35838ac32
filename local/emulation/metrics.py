"""CloudWatch's metrics: those in functions' logs, those of Lambda and SQS; and points in a memory that has an end."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from .emf import read_data

KEPT_S = 14 * 24 * 3600
TIDY_EVERY_S = 60.0
EXACT_S = 600.0
"""Points older than this are put together by the minute, with values to three figures: enough for any percentile."""

type Point = dict[str, Any]


class Metrics:
    """The store of MiniStack's CloudWatch service, written to by many threads.

    MiniStack 1.5.33 copies all points at every request and loses those that are written meanwhile.
    """

    def __init__(self, cloudwatch: Any) -> None:
        self._cloudwatch = cloudwatch
        self._store = cloudwatch._store_datum
        self._writing = threading.Lock()
        self._tidied_s = 0.0
        cloudwatch._store_datum = self.store
        cloudwatch.record_metric = self.record
        cloudwatch._evict_old_metrics = self.tidy

    def store(self, *datum: Any) -> None:
        """Store one datum in the words of MiniStack."""
        with self._writing:
            self._store(*datum)

    def record(
        self, namespace: str, name: str, value: float, unit: str = "None", dimensions: dict[str, str] | None = None
    ) -> None:
        """One value, now."""
        self.store(namespace, name, dict(dimensions or {}), time.time(), unit, value, None, None, None)

    def read(self, log: str) -> None:
        """Take in the metrics that a function's log has embedded."""
        for datum in read_data(log):
            unit, values = datum.unit, list(datum.values)
            self.store(datum.namespace, datum.name, dict(datum.dimensions), datum.at_s, unit, None, values, None, None)

    def tidy(self) -> None:
        """Forget what is too old and put together what is old, at most once a minute."""
        now_s = time.time()
        if now_s - self._tidied_s < TIDY_EVERY_S:
            return
        self._tidied_s = now_s
        kept = self._cloudwatch._metrics
        for key in list(kept):
            with self._writing:
                points = kept.get(key) or []
                points[:] = compact(points, now_s)
                if not points:
                    kept.pop(key, None)


def compact(points: Iterable[Point], now_s: float) -> list[Point]:
    """``points`` but for those over two weeks old; equal ones of the same minute are one, unless they are recent."""
    together: dict[tuple[int, float], Point] = {}
    recent: list[Point] = []
    for point in points:
        at_s = point["Timestamp"]
        if at_s < now_s - KEPT_S:
            continue
        if at_s >= now_s - EXACT_S or "_stat" in point:
            recent.append(point)
            continue
        value = float(f"{point['Value']:.3g}")
        key = int(at_s // 60), value
        if key in together:
            together[key]["Count"] += point.get("Count", 1.0)
        else:
            together[key] = {**point, "Value": value, "Count": point.get("Count", 1.0)}
    return [*together.values(), *recent]


def count_invocations(service: Any, metrics: Metrics) -> None:
    """Have every invocation counted as AWS/Lambda does, whoever invoked.

    MiniStack 1.5.33 counts those through the API alone, and throttled ones of these twice.
    """
    dispatch = service._execute_function_dispatch

    def counted(func: Any, config: Any, event: Any, request_id: str, started_s: float) -> Any:
        result = dispatch(func, config, event, request_id, started_s)
        of = {"FunctionName": config.get("FunctionName", "unknown")}
        failed = isinstance(result, dict) and bool(result.get("error"))
        metrics.record("AWS/Lambda", "Invocations", 1, "Count", of)
        metrics.record("AWS/Lambda", "Errors", int(failed), "Count", of)
        metrics.record("AWS/Lambda", "Throttles", 0, "Count", of)
        metrics.record("AWS/Lambda", "Duration", (time.time() - started_s) * 1000, "Milliseconds", of)
        running = service.executions_in_flight()[1].get(service._inflight_key(config), 1)
        metrics.record("AWS/Lambda", "ConcurrentExecutions", running, "Count", of)
        return result

    def refused(function_name: str, duration_ms: float, error: bool, throttle: bool) -> None:  # noqa: ARG001
        if throttle and not duration_ms:
            metrics.record("AWS/Lambda", "Throttles", 1, "Count", {"FunctionName": function_name})

    service._execute_function_dispatch = counted
    service._emit_lambda_metrics = refused


def measure_queues(sqs: Any, metrics: Metrics) -> None:
    """Record how full all queues are, as AWS/SQS does each minute."""
    for (_, _, url), queue in list(sqs._queues.all_items()):
        sqs._refresh_counts(queue)
        of = {"QueueName": url.rsplit("/", 1)[1]}
        for name, unit, value in queue_depths(queue, time.time()):
            metrics.record("AWS/SQS", name, value, unit, of)


def measure_memory(runtime: Any, metrics: Metrics) -> None:
    """Record the most memory that each process of a function has used so far, as Lambda Insights does."""
    for worker in [one for listed in list(runtime._workers.values()) for one in list(listed)]:
        if used_mb := most_memory_mb(worker._proc.pid if worker._proc else 0):
            of = {"function_name": worker.func_name}
            metrics.record("LambdaInsights", "used_memory_max", used_mb, "Megabytes", of)


def most_memory_mb(pid: int) -> float:
    """The peak of a process's resident memory; 0 where it is not known: on other systems than Linux, of no process."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return round(int(peaks[0]) / 1024, 1) if peaks else 0.0


def queue_depths(queue: Any, now_s: float) -> Iterator[tuple[str, str, float]]:
    """Name, unit and value of a queue's gauges."""
    attributes = queue["attributes"]
    for name, attribute in (("Visible", ""), ("NotVisible", "NotVisible"), ("Delayed", "Delayed")):
        told = attributes.get(f"ApproximateNumberOfMessages{attribute}", "0")
        yield f"ApproximateNumberOfMessages{name}", "Count", float(told)
    since_s = (message.get("enqueued_at", message.get("sent_at", now_s)) for message in list(queue["messages"]))
    yield "ApproximateAgeOfOldestMessage", "Seconds", max((now_s - sent_s for sent_s in since_s), default=0.0)
