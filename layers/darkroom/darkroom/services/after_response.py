"""Calls that run after the response of an invocation, by an internal Lambda extension.

Lambda sends the response to the client when the runtime posts it, and freezes the execution environment when the
runtime and all extensions have requested the next event. An internal extension is a thread of the runtime's process
("Using the Lambda Extensions API to create extensions", Lambda developer guide). Here it waits for the end of the
handler, runs the calls, and requests the next event. All of that is within the function's timeout, and billed.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from functools import wraps
from threading import Condition, Thread
from typing import Any, NamedTuple

from ..aws.telemetry import log
from . import deadline
from .deadline import RUNTIME_API, Handler

_EXTENSION = "/2020-01-01/extension"
_NAME = "darkroom"
_IDENTIFIER = "Lambda-Extension-Identifier"

VARIABLE = "DARKROOM_EXTENSION_IDENTIFIER"
"""Identifier of the extension, for the process that replaces this one: it cannot register after the init phase."""

_REGISTRATION_TIMEOUT_S = 2.0
"""Limit of one local round trip during the init phase, which may last 10 s."""

_EVENT_S = 0.05
"""Wait for the event of an invocation. Lambda sends it to runtime and extensions at the same time."""

_RETRY_S = 0.02
"""Pause after a failed request, for example if a restored snapshot has lost the connection."""

type Call = Callable[[], None]


class Extension:
    """Runs calls after the response. ``address`` is that of Lambda's runtime API."""

    def __init__(self, address: str, identifier: str) -> None:
        self._address = address
        self._identifier = identifier
        self._changed = Condition()
        self._event = self._handled = self._finished = ""  # request ids of invocations
        self._calls: list[Call] = []
        deadline.BEFORE_RESTART.append(self._hand_over)
        Thread(target=self._run, daemon=True).start()

    def defer(self, call: Call) -> bool:
        """Run ``call``, which handles its errors, after the response; return False if it has to run before.

        That is so if the extension has not received the event of the current invocation, because a connection broke:
        nothing would wait for ``call`` before the environment is frozen.
        """
        with self._changed:
            received = self._changed.wait_for(lambda: self._event == self._handled, _EVENT_S)
            if received:
                self._calls.append(call)
            return received

    def finish[T](self, handler: Handler[T]) -> Handler[T]:
        """Wrap ``handler`` to start the calls when it ends, by an exception too."""

        @wraps(handler)
        def handle(event: dict[str, Any], context: Any) -> T:
            self._handled = context.aws_request_id
            try:
                return handler(event, context)
            finally:
                with self._changed:
                    self._finished = self._handled
                    self._changed.notify_all()

        return handle

    def _run(self) -> None:
        while True:
            request_id = self._request_event()
            with self._changed:
                self._event = request_id
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._finished == self._event)
            self._run_calls()
            self._event = self._finished = ""  # Lambda starts no invocation before the next request

    def _request_event(self) -> str:
        """Wait for the next invocation and return its request id. Without this request no invocation would end."""
        while True:
            try:
                response = _send(self._address, "GET", "/event/next", {_IDENTIFIER: self._identifier})
                return str(json.loads(response.body)["requestId"])
            except (OSError, ValueError, LookupError):
                time.sleep(_RETRY_S)

    def _run_calls(self) -> None:
        calls, self._calls = self._calls, []
        for call in calls:
            try:
                call()
            except Exception as error:  # the thread has to go on
                log("ERROR", "call after response failed", detail=repr(error))

    def _hand_over(self) -> Mapping[str, str]:
        """Run the calls before this process is replaced. Return the variable for the next one."""
        self._run_calls()
        return {VARIABLE: self._identifier}


def register(environment: Mapping[str, str] = os.environ) -> Extension | None:
    """Register the extension during the init phase. None if there is no Extensions API, or if it refuses."""
    address = environment.get(RUNTIME_API)
    identifier = (environment.get(VARIABLE) or _register(address)) if address else ""
    return Extension(address, identifier) if address and identifier else None


def finish_with[T](extension: Extension | None) -> Callable[[Handler[T]], Handler[T]]:
    """Return the outermost decorator of a handler whose calls ``extension`` runs; None changes nothing."""
    return extension.finish if extension else lambda handler: handler


def _register(address: str) -> str:
    """Return the identifier of the extension, "" if it could not be registered."""
    headers = {"Lambda-Extension-Name": _NAME, "Content-Type": "application/json"}
    try:
        response = _send(address, "POST", "/register", headers, b'{"events":["INVOKE"]}', _REGISTRATION_TIMEOUT_S)
    except (OSError, ValueError, LookupError) as error:
        log("WARNING", "extension not registered", detail=repr(error))
        return ""
    identifier = response.headers.get(_IDENTIFIER.lower(), "") if response.status == 200 else ""
    if not identifier:
        log("WARNING", "extension not registered", status=response.status, detail=response.body[:500].decode())
    return identifier


class _Response(NamedTuple):
    """A response of the API. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def _send(
    address: str, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", timeout_s: float | None = None
) -> _Response:
    """Send a request and read the response, until the server closes the connection.

    Raises OSError, ValueError, LookupError.

    HTTP 1.0 over a bare socket: ``http.client`` takes a cold start 12 ms, ``socket`` several.
    """
    from _socket import AF_INET, SOCK_STREAM, socket

    lines = [f"{method} {_EXTENSION}{path} HTTP/1.0", f"Host: {address}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    host, _, port = address.rpartition(":")
    connection = socket(AF_INET, SOCK_STREAM)
    try:
        connection.settimeout(timeout_s)
        connection.connect((host, int(port)))
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        received = b""
        while data := connection.recv(65_536):
            received += data
    finally:
        connection.close()
    return _parse_response(received)


def _parse_response(received: bytes) -> _Response:
    """Parse a complete response. Raises ValueError, LookupError."""
    head, separator, body = received.partition(b"\r\n\r\n")
    if not separator:
        raise ValueError(f"no HTTP response: {received[:100]!r}")
    first, *lines = head.decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return _Response(int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, body)
