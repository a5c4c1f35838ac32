"""CPU limits of renders.

librsvg, libheif and libvips cannot be interrupted: a call returns when it has finished. A render with a limit therefore
runs in a thread of its own, and the calling thread waits for it. When the limit is reached, the calling thread raises
:class:`TooSlow` and abandons the other, which keeps its core until the process ends: a handler restarts the process
after its response (:mod:`darkroom.services.restart`).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread

from ..errors import TooSlow, Unavailable

_POLL_S = 0.25
"""Time between two looks at the CPU clock. A render that ends wakes the calling thread at once."""

_MOSTLY_CPU = 0.8
"""Part of the CPU time from which on a call that reaches the elapsed limit is too slow, and not waiting for others: a
function that gets a little less CPU than it should would never reach the limit, and render the same each time."""

_LEASE_SPARE_S = 15.0
"""By which a lease is longer than the timeout of ingest (template.yaml)."""

_LEAST_TIMEOUT_S = 60.0
"""A lease shorter than any of the template's, as tests have, is no reason to refuse what takes a second."""

_abandoned: list[Thread] = []


@dataclass(frozen=True, slots=True)
class CpuLimit:
    """``cpu_s``: CPU time of the process. ``wall_s``: elapsed time, which includes waiting for S3."""

    cpu_s: float
    wall_s: float


REQUEST = CpuLimit(cpu_s=10.0, wall_s=18.0)
"""One derivative for a viewer. The function's timeout is 25 s; with 1,024 MB it has 0.58 of a core (Lambda developer
guide, "Configure Lambda function memory": one vCPU at 1,769 MB), so that 10 s of CPU take 17 s."""

REFINE = CpuLimit(cpu_s=120.0, wall_s=150.0)
"""One derivative that is encoded again: up to five encodes at the slowest effort. The timeout is 180 s."""

INGEST = CpuLimit(cpu_s=75.0, wall_s=90.0)
"""One upload with all its presets. The timeout is 120 s."""

UNLIMITED = CpuLimit(cpu_s=math.inf, wall_s=math.inf)


def limit_for_timeout(timeout_s: float) -> CpuLimit:
    """The limit of one upload for a function with this timeout, in the same ratio as :data:`INGEST` to 120 s."""
    return CpuLimit(cpu_s=timeout_s * 0.625, wall_s=timeout_s * 0.75)


def limit_for_lease(lease_s: float) -> CpuLimit:
    """The limit of one upload where claims have leases of ``lease_s``: mapping Sizes of the template."""
    return limit_for_timeout(max(lease_s - _LEASE_SPARE_S, _LEAST_TIMEOUT_S))


class Deadline:
    """A limit that the calls of one piece of work share."""

    def __init__(self, limit: CpuLimit) -> None:
        self._left = limit

    def run[T](self, call: Callable[[], T]) -> T:
        """The value of ``call``, or what it raises. Raises TooSlow after ``cpu_s``, Unavailable after ``wall_s``.

        TooSlow also after ``wall_s`` if most of ``cpu_s`` was used.

        ``call`` goes on in the background after either; :func:`is_abandoned` is true until it ends.
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
