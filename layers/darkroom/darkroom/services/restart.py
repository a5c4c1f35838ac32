"""Restart of a Lambda runtime process that has a thread which cannot be stopped.

A thread in C code outlives the invocation, takes a core from the next one, and ends only with its process. A process
that exits within an invocation fails it (``Runtime.ExitError``), and one that is to exit after it is frozen before with
the execution environment. So this posts the response, then replaces the process by a new one of the same command, which
ends all threads. "Using the Lambda runtime API for custom runtimes" (Lambda developer guide) allows that: after its
response a runtime may do other work before it requests the next invocation.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from .deadline import is_abandoned

_API = "AWS_LAMBDA_RUNTIME_API"
_RESPONSE = "/2018-06-01/runtime/invocation/{}/response"
_TIMEOUT_S = 5.0

type Handler[T] = Callable[[dict[str, Any], Any], T]


def restarting[T](handler: Handler[T]) -> Handler[T]:
    """``handler``, which restarts its process after an invocation that left an abandoned thread.

    Without Lambda's runtime API the response is returned as always, and restarting is left to the caller
    (:mod:`local.emulation.restarting`).
    """

    @wraps(handler)
    def handle(event: dict[str, Any], context: Any) -> T:
        response = handler(event, context)
        if is_abandoned() and (address := os.environ.get(_API)):
            _post(address, context.aws_request_id, response)
            _replace_process()
        return response

    return handle


def _post(address: str, request_id: str, response: object) -> None:
    import json
    from http.client import HTTPConnection

    connection = HTTPConnection(address, timeout=_TIMEOUT_S)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", _RESPONSE.format(request_id), json.dumps(response), headers)
    connection.getresponse().read()
    connection.close()


def _replace_process() -> None:
    """Run the command of this process anew, with the environment that it was started with."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, sys.orig_argv, _initial_environment())  # noqa: S606 - the same command as before


def _initial_environment() -> dict[str, str]:
    """The runtime removes variables that it has read, such as that of its log's file descriptor."""
    try:
        with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - pathlib would be a cold start's import
            entries = file.read().split(b"\0")
    except OSError:
        return dict(os.environ)
    pairs = (os.fsdecode(entry).partition("=") for entry in entries if entry)
    return {name: value for name, _, value in pairs}
