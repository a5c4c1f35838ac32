"""X-Ray in MiniStack: which trace an invocation belongs to, and the segments that Lambda itself sends."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

HEADER = "x-amzn-trace-id"
HEADER_ANSWERED = "X-Amzn-Trace-Id"
DAEMON = "AWS_XRAY_DAEMON_ADDRESS"
PREAMBLE = b'{"format": "json", "version": 1}\n'
"""What X-Ray's daemon expects before each document (X-Ray developer guide, "Sending segment documents")."""

type Send = Callable[[dict[str, Any]], None]

_invocation: ContextVar[str] = ContextVar("darkroom_invocation_trace", default="")
_events: ContextVar[str] = ContextVar("darkroom_events_trace", default="")


def sender(address: str) -> Send:
    """What sends documents to the daemon at ``address``, ``host:port``, or drops them where there is none."""
    if not address:
        return lambda _: None
    host, _, port = address.rpartition(":")
    outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outlet.setblocking(False)

    def send(document: dict[str, Any]) -> None:
        try:
            outlet.sendto(PREAMBLE + json.dumps(document).encode(), (host, int(port)))
        except OSError:
            return  # a trace that is lost must not fail what it tells of

    return send


def parts(header: str) -> dict[str, str]:
    """The fields of a trace header."""
    return {name: value for name, mark, value in (part.partition("=") for part in header.split(";")) if mark}


def header_for(config: Mapping[str, Any], event: Any) -> str:
    """The trace header of a new invocation: of the trace that its request has begun, else of a new one."""
    headers = event.get("headers") if isinstance(event, dict) else None
    begun = parts(str(headers.get(HEADER, ""))) if isinstance(headers, dict) else {}
    root = begun.get("Root") or f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    sampled = int((config.get("TracingConfig") or {}).get("Mode") == "Active")
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled={sampled}"


def segment(
    config: Mapping[str, Any], header: str, request_id: str, started_s: float, *, failed: bool
) -> dict[str, Any]:
    """The document that Lambda sends about an invocation, now that it has ended."""
    told = parts(header)
    arn = config.get("FunctionArn", "")
    document = {
        "name": config.get("FunctionName", "unknown"),
        "id": told["Parent"],
        "trace_id": told["Root"],
        "start_time": started_s,
        "end_time": time.time(),
        "origin": "AWS::Lambda::Function",
        "resource_arn": arn,
        "aws": {"function_arn": arn, "request_id": request_id},
    }
    return document | {"fault": True} if failed else document


def trace_invocations(service: Any, send: Send) -> None:
    """Have functions be told of the trace of the request that they are called for, and Lambda's segment be sent.

    MiniStack 1.5.33 gives each invocation a trace of its own, another than the one in a Function URL's event.
    """
    dispatch = service._execute_function_dispatch

    def traced(func: Any, config: Any, event: Any, request_id: str, started_s: float) -> Any:
        header = header_for(config, event)
        token = _invocation.set(header)
        failed = True
        try:
            result = dispatch(func, config, event, request_id, started_s)
            failed = isinstance(result, dict) and bool(result.get("error"))
            return result
        finally:
            _invocation.reset(token)
            if header.endswith("Sampled=1"):
                send(segment(config, header, request_id, started_s, failed=failed))

    service._execute_function_dispatch = traced
    service._xray_trace_id_for_invocation = lambda *_: _invocation.get() or None


def answer_with_traces(service: Any) -> None:
    """Have a Function URL's answer say that its request was traced. MiniStack 1.5.33 says of each that it was not."""
    handle = service.handle_function_url_request

    async def handled(url_id: str, *rest: Any, **named: Any) -> Any:
        answer = await handle(url_id, *rest, **named)
        if (resolved := service.resolve_function_url(url_id)) and HEADER_ANSWERED in answer[1]:
            account, region, name, qualifier, _ = resolved
            reference = f"{name}:{qualifier}" if qualifier else name
            _, config, _ = service._get_func_record_for_ref_in_scope(reference, account_id=account, region=region)
            if ((config or {}).get("TracingConfig") or {}).get("Mode") == "Active":
                answer[1][HEADER_ANSWERED] = answer[1][HEADER_ANSWERED].replace("Sampled=0", "Sampled=1")
        return answer

    service.handle_function_url_request = handled


def pass_on_traces(events: Any, sqs: Any) -> None:
    """Have the trace header of an event reach the message that it becomes, as EventBridge does. MiniStack drops it."""
    put, complete = events._put_events, sqs._ensure_msg_fields

    def put_events(data: Any, *rest: Any, **named: Any) -> Any:
        entries = data.get("Entries", [])
        if len(entries) > 10 or not any(entry.get("TraceHeader") for entry in entries):
            return put(data, *rest, **named)
        answers = []
        for entry in entries:
            token = _events.set(entry.get("TraceHeader") or "")
            try:
                answers.append(put({**data, "Entries": [entry]}, *rest, **named))
            finally:
                _events.reset(token)
        told = [json.loads(answer[2]) for answer in answers]
        whole = {
            "FailedEntryCount": sum(one["FailedEntryCount"] for one in told),
            "Entries": [entry for one in told for entry in one["Entries"]],
        }
        return (*answers[0][:2], json.dumps(whole).encode())

    def ensure_fields(message: dict[str, Any]) -> None:
        complete(message)
        if header := _events.get():
            message["sys"].setdefault("AWSTraceHeader", header)

    events._put_events = put_events
    sqs._ensure_msg_fields = ensure_fields
