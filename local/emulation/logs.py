"""CloudWatch Logs: metrics from function logs, collection of late lines, and a bound on log streams."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from .metrics import Metrics

MAX_STREAMS = 3000
"""Maximum log streams of a function. MiniStack 1.5.33 creates one per invocation and never deletes any."""

DROPPED_PER_CALL = 300


def read_metrics(service: Any, logs: Any, metrics: Metrics) -> None:
    """Read metrics from each invocation's log, and bound the streams of its log group."""
    emit, lock = service._emit_lambda_logs, threading.Lock()

    def emit_and_read(func: Any, request_id: str, log: str, *rest: Any, **named: Any) -> None:
        emit(func, request_id, log, *rest, **named)
        metrics.read(log)
        if group := logs._log_groups.get(log_group_name(func.get("config") or func)):
            with lock:
                drop_oldest(group["streams"])

    service._emit_lambda_logs = emit_and_read


def log_group_name(config: Mapping[str, Any]) -> str:
    """Return the log group of a function with this configuration."""
    group = (config.get("LoggingConfig") or {}).get("LogGroup")
    return str(group or f"/aws/lambda/{config.get('FunctionName', 'unknown')}")


def drop_oldest(streams: dict[str, Any], max_streams: int = MAX_STREAMS, at_once: int = DROPPED_PER_CALL) -> None:
    """Drop the ``at_once`` oldest streams if there are more than ``max_streams``."""
    if len(streams) > max_streams:
        for name in list(streams)[:at_once]:
            streams.pop(name, None)


def collect_late_lines(service: Any, runtime: Any) -> None:
    """Log the output of idle workers after MiniStack stopped reading, which happens on a loaded machine."""
    for worker in [one for listed in list(runtime._workers.values()) for one in list(listed)]:
        if worker._stderr_queue.empty() or not worker._lock.acquire(blocking=False):
            continue
        try:
            text = worker._drain_stderr()
        finally:
            worker._lock.release()
        if text:
            service._emit_lambda_logs({"config": worker.config}, f"late-{uuid4()}", text, False, 0)
