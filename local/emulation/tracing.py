"""X-Ray in MiniStack: trace ids of invocations, and Lambda's segments."""

from __future__ import annotations

import json
import secrets
import socket
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any

HEADER = "x-amzn-trace-id"
RESPONSE_HEADER = "X-Amzn-Trace-Id"
DAEMON = "AWS_XRAY_DAEMON_ADDRESS"
PREAMBLE = b'{"format": "json", "version": 1}\n'
"""Prefix of each document sent to X-Ray's daemon (X-Ray developer guide, "Sending segment documents")."""

type Send = Callable[[dict[str, Any]], None]

_invocation: ContextVar[str] = ContextVar("darkroom_invocation_trace", default="")
_events: ContextVar[str] = ContextVar("darkroom_events_trace", default="")


def make_sender(address: str) -> Send:
    """Return a function that sends documents to the daemon at ``address`` (``host:port``), or drops them if it is
    empty.
    """
    if not address:
        return lambda _: None
    host, _, port = address.rpartition(":")
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sender.setblocking(False)

    def send(document: dict[str, Any]) -> None:
        try:
            sender.sendto(PREAMBLE + json.dumps(document).encode(), (host, int(port)))
        except OSError:
            return  # a lost trace must not fail the invocation

    return send


def parse_header(header: str) -> dict[str, str]:
    """Parse the fields of a trace header."""
    return {name: value for name, mark, value in (part.partition("=") for part in header.split(";")) if mark}


def build_header(config: Mapping[str, Any], event: Any) -> str:
    """Build the trace header of a new invocation: of the trace in the request, else of a new trace."""
    headers = event.get("headers") if isinstance(event, dict) else None
    incoming = parse_header(str(headers.get(HEADER, ""))) if isinstance(headers, dict) else {}
    root = incoming.get("Root") or f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    sampled = int((config.get("TracingConfig") or {}).get("Mode") == "Active")
    return f"Root={root};Parent={secrets.token_hex(8)};Sampled={sampled}"


def build_segment(
    config: Mapping[str, Any], header: str, request_id: str, started_s: float, *, failed: bool
) -> dict[str, Any]:
    """Build the document that Lambda sends when an invocation has ended."""
    fields = parse_header(header)
    arn = config.get("FunctionArn", "")
    document = {
        "name": config.get("FunctionName", "unknown"),
        "id": fields["Parent"],
        "trace_id": fields["Root"],
        "start_time": started_s,
        "end_time": time.time(),
        "origin": "AWS::Lambda::Function",
        "resource_arn": arn,
        "aws": {"function_arn": arn, "request_id": request_id},
    }
    return document | {"fault": True} if failed else document


def trace_invocations(service: Any, send: Send) -> None:
    """Pass the trace of the request to the function, and send Lambda's segment.

    MiniStack 1.5.33 gives each invocation a new trace, different from the one in a Function URL's event.
    """
    dispatch = service._execute_function_dispatch

    def execute_traced(func: Any, config: Any, event: Any, request_id: str, started_s: float) -> Any:
        header = build_header(config, event)
        token = _invocation.set(header)
        failed = True
        try:
            result = dispatch(func, config, event, request_id, started_s)
            failed = isinstance(result, dict) and bool(result.get("error"))
            return result
        finally:
            _invocation.reset(token)
            if header.endswith("Sampled=1"):
                send(build_segment(config, header, request_id, started_s, failed=failed))

    service._execute_function_dispatch = execute_traced
    service._xray_trace_id_for_invocation = lambda *_: _invocation.get() or None


def answer_with_traces(service: Any) -> None:
    """Mark responses of Function URLs as sampled if tracing is active. MiniStack 1.5.33 always returns Sampled=0."""
    handle = service.handle_function_url_request

    async def handle_traced(url_id: str, *rest: Any, **named: Any) -> Any:
        answer = await handle(url_id, *rest, **named)
        if (resolved := service.resolve_function_url(url_id)) and RESPONSE_HEADER in answer[1]:
            account, region, name, qualifier, _ = resolved
            reference = f"{name}:{qualifier}" if qualifier else name
            _, config, _ = service._get_func_record_for_ref_in_scope(reference, account_id=account, region=region)
            if ((config or {}).get("TracingConfig") or {}).get("Mode") == "Active":
                answer[1][RESPONSE_HEADER] = answer[1][RESPONSE_HEADER].replace("Sampled=0", "Sampled=1")
        return answer

    service.handle_function_url_request = handle_traced


def pass_on_traces(events: Any, sqs: Any) -> None:
    """Copy the trace header of an event to its SQS message, as EventBridge does. MiniStack drops it."""
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
        results = [json.loads(answer[2]) for answer in answers]
        whole = {
            "FailedEntryCount": sum(one["FailedEntryCount"] for one in results),
            "Entries": [entry for one in results for entry in one["Entries"]],
        }
        return (*answers[0][:2], json.dumps(whole).encode())

    def ensure_fields(message: dict[str, Any]) -> None:
        complete(message)
        if header := _events.get():
            message["sys"].setdefault("AWSTraceHeader", header)

    events._put_events = put_events
    sqs._ensure_msg_fields = ensure_fields
