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
from functools import partial, wraps
from typing import Any

from .deadline import is_abandoned

_API = "AWS_LAMBDA_RUNTIME_API"
_INVOCATION = "/2018-06-01/runtime/invocation"
_TIMEOUT_S = 5.0
_INIT_TYPE, _SNAP_START, _ON_DEMAND = "AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start", "on-demand"

type Handler[T] = Callable[[dict[str, Any], Any], T]


def restart_if_abandoned[T](handler: Handler[T]) -> Handler[T]:
    """``handler``, which restarts its process after an invocation that left an abandoned thread, also by an exception.

    Without Lambda's runtime API the response is returned as always, and restarting is left to the caller
    (:mod:`local.emulation.worker_exit`).
    """

    @wraps(handler)
    def handle(event: dict[str, Any], context: Any) -> T:
        try:
            response = handler(event, context)
        except Exception as error:
            _restart_after("error", context, partial(_describe_error, error))
            raise
        _restart_after("response", context, lambda: response)
        return response

    return handle


def _restart_after(outcome: str, context: Any, document: Callable[[], object]) -> None:
    """Post ``document`` as the ``outcome`` of the invocation and replace the process, if it has to be."""
    if is_abandoned() and (address := os.environ.get(_API)):
        _post(address, f"{_INVOCATION}/{context.aws_request_id}/{outcome}", document())
        _replace_process()


def _describe_error(error: Exception) -> dict[str, object]:
    """``error`` as the runtime describes it: a state machine goes by the type. It is logged, as by the runtime."""
    import traceback

    traceback.print_exception(error)
    return {
        "errorMessage": str(error),
        "errorType": type(error).__name__,
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _post(address: str, path: str, document: object) -> None:
    import json
    from http.client import HTTPConnection

    connection = HTTPConnection(address, timeout=_TIMEOUT_S)
    connection.request("POST", path, json.dumps(document), {"Content-Type": "application/json"})
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
            return parse_environment(file.read())
    except OSError:
        return parse_environment(b"\0".join(os.fsencode(f"{name}={value}") for name, value in os.environ.items()))


def parse_environment(block: bytes) -> dict[str, str]:
    """The variables in ``block``, of the form of /proc/self/environ, for the process that is to come.

    With SnapStart the runtime waits after its start to be restored from a snapshot, which has happened by then. Its
    request would be refused, and the process end.
    """
    pairs = (os.fsdecode(entry).partition("=") for entry in block.split(b"\0") if entry)
    found = {name: value for name, _, value in pairs}
    return found | ({_INIT_TYPE: _ON_DEMAND} if found.get(_INIT_TYPE) == _SNAP_START else {})
