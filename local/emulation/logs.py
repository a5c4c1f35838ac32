"""CloudWatch's logs: what functions print reaches their metrics, late lines too, and old streams are forgotten."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from .metrics import Metrics

STREAMS_KEPT = 3000
"""Streams of a function. MiniStack 1.5.33 makes one an invocation and keeps them for ever."""

FORGOTTEN_AT_ONCE = 300


def read_metrics(service: Any, logs: Any, metrics: Metrics) -> None:
    """Have metrics taken from each invocation's log, and the log's group bounded."""
    emit, tidying = service._emit_lambda_logs, threading.Lock()

    def emitted(func: Any, request_id: str, log: str, *rest: Any, **named: Any) -> None:
        emit(func, request_id, log, *rest, **named)
        metrics.read(log)
        if group := logs._log_groups.get(group_of(func.get("config") or func)):
            with tidying:
                forget_oldest(group["streams"])

    service._emit_lambda_logs = emitted


def group_of(config: Mapping[str, Any]) -> str:
    """The log group of a function with this configuration."""
    named = (config.get("LoggingConfig") or {}).get("LogGroup")
    return str(named or f"/aws/lambda/{config.get('FunctionName', 'unknown')}")


def forget_oldest(streams: dict[str, Any], kept: int = STREAMS_KEPT, at_once: int = FORGOTTEN_AT_ONCE) -> None:
    """Once there are more than ``kept``, drop the first of them, ``at_once`` so many."""
    if len(streams) > kept:
        for name in list(streams)[:at_once]:
            streams.pop(name, None)


def collect_late_lines(service: Any, runtime: Any) -> None:
    """Log what idle processes of functions have printed after MiniStack had stopped to listen: a loaded machine's."""
    for worker in [one for listed in list(runtime._workers.values()) for one in list(listed)]:
        if worker._stderr_queue.empty() or not worker._lock.acquire(blocking=False):
            continue
        try:
            text = worker._drain_stderr()
        finally:
            worker._lock.release()
        if text:
            service._emit_lambda_logs({"config": worker.config}, f"late-{uuid4()}", text, False, 0)
