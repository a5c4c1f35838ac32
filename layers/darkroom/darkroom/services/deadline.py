"""CPU limits of renders.

librsvg, libheif and libvips cannot be interrupted: a call returns when it has finished. A render with a limit therefore
runs in a thread of its own, and the calling thread waits for it. When the limit is reached, the calling thread raises
:class:`TooSlow` and abandons the other, which keeps its core until the process ends: a handler restarts the process
after its response (:func:`restart_if_abandoned`).

A thread in C code outlives the invocation, takes a core from the next one, and ends only with its process. A process
that exits within an invocation fails it (``Runtime.ExitError``), and one that is to exit after it is frozen before with
the execution environment. So the handler posts its response, then replaces the process by a new one of the same
command, which ends all threads. "Using the Lambda runtime API for custom runtimes" (Lambda developer guide) allows
that: after its response a runtime may do other work before it requests the next invocation.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial, wraps
from threading import Thread
from typing import Any

from ..errors import TooSlow, Unavailable

_POLL_S = 0.25
"""Interval of checks of the CPU clock. A render that ends wakes the calling thread at once."""

_MOSTLY_CPU = 0.8
"""Share of the CPU limit above which a call that reaches the elapsed limit is too slow, not waiting: a function with
slightly less CPU than expected would otherwise never reach the limit, and repeat the same render each time."""

_LEASE_SPARE_S = 15.0
"""Time by which a lease exceeds the timeout of ingest (template.yaml)."""

_LEAST_TIMEOUT_S = 60.0
"""Minimum for leases shorter than any in the template, as in tests: an upload of a second is not refused."""

RUNTIME_API = "AWS_LAMBDA_RUNTIME_API"
"""Variable with host and port of the API of runtime and extensions; set in Lambda only."""

_INVOCATION = "/2018-06-01/runtime/invocation"
_TIMEOUT_S = 5.0
_INIT_TYPE, _SNAP_START, _ON_DEMAND = "AWS_LAMBDA_INITIALIZATION_TYPE", "snap-start", "on-demand"

_abandoned: list[Thread] = []

BEFORE_RESTART: list[Callable[[], Mapping[str, str]]] = []
"""Calls that complete the work of this process before it is replaced, and return variables for the next one."""


@dataclass(frozen=True, slots=True)
class CpuLimit:
    """``cpu_s``: CPU time of the process. ``wall_s``: elapsed time, which includes waiting for S3."""

    cpu_s: float
    wall_s: float


REQUEST = CpuLimit(cpu_s=10.0, wall_s=18.0)
"""One derivative for a viewer. The function's timeout is 25 s; with 1,024 MB it has 0.58 of a core (Lambda developer
guide, "Configure Lambda function memory": one vCPU at 1,769 MB), so that 10 s of CPU take 17 s."""

REFINE = CpuLimit(cpu_s=120.0, wall_s=150.0)
"""One derivative that is re-encoded: up to five encodes at the slowest effort. The timeout is 180 s."""

INGEST = CpuLimit(cpu_s=75.0, wall_s=90.0)
"""One upload with all its presets. The timeout is 120 s."""

UNLIMITED = CpuLimit(cpu_s=math.inf, wall_s=math.inf)


def limit_for_timeout(timeout_s: float) -> CpuLimit:
    """Return the limit of one upload for a function with this timeout, in the ratio of :data:`INGEST` to 120 s."""
    return CpuLimit(cpu_s=timeout_s * 0.625, wall_s=timeout_s * 0.75)


def limit_for_lease(lease_s: float) -> CpuLimit:
    """Return the limit of one upload for leases of ``lease_s``: mapping Sizes of the template."""
    return limit_for_timeout(max(lease_s - _LEASE_SPARE_S, _LEAST_TIMEOUT_S))


class Deadline:
    """A limit shared by the calls of one piece of work."""

    def __init__(self, limit: CpuLimit) -> None:
        self._left = limit

    def run[T](self, call: Callable[[], T]) -> T:
        """Return the value of ``call``. Raises TooSlow after ``cpu_s``, Unavailable after ``wall_s``.

        Raises TooSlow also after ``wall_s`` if most of ``cpu_s`` was used. After either, ``call`` continues in the
        background; :func:`is_abandoned` is true until it ends.
        """
        done: list[T] = []
        failed: list[BaseException] = []

        def run() -> None:
            try:
                done.append(call())
            except BaseException as error:  # raised again by the calling thread
                failed.append(error)

        started_cpu_s, started_s = time.process_time(), time.monotonic()
        thread = Thread(target=run, daemon=True)
        thread.start()
        thread.join(min(_POLL_S, self._left.wall_s))
        while thread.is_alive():
            self._check(thread, time.process_time() - started_cpu_s, time.monotonic() - started_s)
            thread.join(_POLL_S)
        self._left = CpuLimit(
            self._left.cpu_s - (time.process_time() - started_cpu_s), self._left.wall_s - (time.monotonic() - started_s)
        )
        if failed:
            raise failed.pop()
        return done.pop()

    def _check(self, thread: Thread, cpu_s: float, wall_s: float) -> None:
        if cpu_s < self._left.cpu_s and wall_s < self._left.wall_s:
            return
        _abandoned.append(thread)
        detail = f"abandoned after {cpu_s:.1f} s of CPU in {wall_s:.1f} s; {self._left.cpu_s:.1f} s of CPU were left"
        raise TooSlow(detail=detail) if cpu_s >= _MOSTLY_CPU * self._left.cpu_s else Unavailable(detail=detail)


def is_abandoned() -> bool:
    """Whether a call that exceeded its limit is still running in this process."""
    return any(thread.is_alive() for thread in _abandoned)


type Handler[T] = Callable[[dict[str, Any], Any], T]


def restart_if_abandoned[T](handler: Handler[T]) -> Handler[T]:
    """Decorate ``handler`` to restart its process after an invocation that abandoned a thread, exceptions included.

    Without Lambda's runtime API the response is returned as usual, and the caller restarts
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
    """If a thread is abandoned, post ``document`` as the ``outcome`` of the invocation and replace the process."""
    if is_abandoned() and (address := os.environ.get(RUNTIME_API)):
        _post(address, f"{_INVOCATION}/{context.aws_request_id}/{outcome}", document())
        variables = [complete() for complete in BEFORE_RESTART]
        _replace_process({name: value for found in variables for name, value in found.items()})


def _describe_error(error: Exception) -> dict[str, object]:
    """Describe and log ``error`` as the runtime does: a state machine matches the type."""
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


def _replace_process(variables: Mapping[str, str]) -> None:
    """Run the command of this process again, with its initial environment and ``variables``."""
    sys.stdout.flush()
    sys.stderr.flush()
    os.execve(sys.executable, sys.orig_argv, {**_initial_environment(), **variables})  # noqa: S606 - the same command as before


def _initial_environment() -> dict[str, str]:
    """Read the initial environment: the runtime removes variables such as its log's file descriptor."""
    try:
        with open("/proc/self/environ", "rb") as file:  # noqa: PTH123 - pathlib would be a cold start's import
            return parse_environment(file.read())
    except OSError:
        return parse_environment(b"\0".join(os.fsencode(f"{name}={value}") for name, value in os.environ.items()))


def parse_environment(block: bytes) -> dict[str, str]:
    """Parse ``block``, in the form of /proc/self/environ, for the new process.

    With SnapStart a runtime first waits to be restored from a snapshot, which has already happened: its request would
    be refused, and the process would end.
    """
    pairs = (os.fsdecode(entry).partition("=") for entry in block.split(b"\0") if entry)
    found = {name: value for name, _, value in pairs}
    return found | ({_INIT_TYPE: _ON_DEMAND} if found.get(_INIT_TYPE) == _SNAP_START else {})
