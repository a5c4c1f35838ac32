"""Recursive loops through queues, stopped as Lambda stops them.

Source: Lambda developer guide, "Use Lambda recursive loop detection to prevent infinite loops". AWS counts the
invocations of a chain of requests in the ``Lineage`` field of the trace header, which its SDKs pass on. MiniStack
1.5.33 counts them in its own header (``X-Ministack-Invoke-Depth``), which it adds to botocore calls of functions, but
reads it at Invoke only. This module also stores it with SQS messages.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from .metrics import Metrics

MAX_INVOCATIONS = 16
"""Maximum invocations of one chain: Lambda stops "approximately" the 17th."""

DEPTH = "darkroom-depth"
"""System attribute of a message, hidden from receivers: the number of invocations that led to it."""

_HEADER = "x-ministack-invoke-depth"

_sending: ContextVar[int] = ContextVar("darkroom_sending_depth", default=0)


def read_depth(message: Any) -> int:
    """Return the number of invocations that led to ``message``."""
    return int((message.get("sys") or {}).get(DEPTH, 0))


def stop_loops(functions: Any, queues: Any, metrics: Metrics) -> None:
    """Store the count with messages, and stop chains above the limit unless ``RecursiveLoop`` is ``Allow``.

    ``functions`` and ``queues`` are MiniStack's modules of Lambda and SQS.
    """
    handle, build, run = queues.handle_request, queues._build_send_sys_attrs, functions._run_sqs_batch

    async def handle_request(method: str, path: str, headers: Any, *rest: Any, **named: Any) -> Any:
        count = str(headers.get(_HEADER, ""))
        token = _sending.set(int(count) if count.isdecimal() else 0)
        try:
            return await handle(method, path, headers, *rest, **named)
        finally:
            _sending.reset(token)

    def build_send_sys_attrs(*arguments: Any) -> Any:
        found = build(*arguments)
        return found | {DEPTH: str(_sending.get())} if _sending.get() else found

    def run_sqs_batch(mapping: Any, function: Any, event: Any, batch: Any, url: str, name: str) -> Any:
        config = function.get("config") or function
        own = functions._functions.get(config.get("FunctionName")) or function
        stopped = []
        if own.get("recursive_loop", "Terminate") != "Allow":
            stopped = [message for message in batch if read_depth(message) >= MAX_INVOCATIONS]
        if stopped:
            move_to_dead_letters(queues, url, stopped)
            dimensions = {"FunctionName": config.get("FunctionName", "unknown")}
            metrics.record("AWS/Lambda", "RecursiveInvocationsDropped", 1, "Count", dimensions)
            functions.logger.warning(
                "%s: stopped a recursive loop, %d messages", dimensions["FunctionName"], len(stopped)
            )
            ids = {message["id"] for message in stopped}
            batch = [message for message in batch if message["id"] not in ids]
            records = [record for record in event["Records"] if record["messageId"] not in ids]
            if not records:
                return None
            event = {**event, "Records": records}
        token = functions._invoke_depth.set(max(map(read_depth, batch), default=0) + 1)
        try:
            return run(mapping, function, event, batch, url, name)
        finally:
            functions._invoke_depth.reset(token)

    queues.handle_request = handle_request
    queues._build_send_sys_attrs = build_send_sys_attrs
    functions._run_sqs_batch = run_sqs_batch


def move_to_dead_letters(queues: Any, url: str, messages: Iterable[Any]) -> None:
    """Move ``messages`` from their queue to its DLQ; without a DLQ they are lost, as on AWS."""
    ids = {message["id"] for message in messages}
    with queues._queues_lock:
        queue = queues._queues.get(url)
        if queue is None:
            return
        policy = json.loads(queue["attributes"].get("RedrivePolicy") or "{}")
        dead = queues._queue_by_arn(policy["deadLetterTargetArn"]) if policy.get("deadLetterTargetArn") else None
        moved = [message for message in queue["messages"] if message["id"] in ids]
        queue["messages"] = [message for message in queue["messages"] if message["id"] not in ids]
        if dead is not None:
            now_s = time.time()
            dead["messages"] += [{**message, "receipt_handle": None, "visible_at": now_s} for message in moved]
