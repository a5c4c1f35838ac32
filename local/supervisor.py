"""A supervised server process: started, polled until ready, and restarted when it exits."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from . import processes
from .paths import ROOT

STOP_GRACE_S = 10.0
POLL_S = 0.25
PAUSES_S = (1.0, 2.0, 5.0, 15.0)
"""Delays before restarts, in order; the last one repeats."""

WAKE_WITHIN_S = 60.0
"""How long a call waits for a resting server."""

STABLE_S = 60.0
"""A server that ran this long did not fail at start: the delays begin again."""


class State(StrEnum):
    """State of the server. ``WAITING`` is before its first start; a ``RESTING`` one starts at the next call."""

    WAITING = "waiting"
    LOADING = "loading"
    READY = "ready"
    DOWN = "down"
    RESTING = "resting"


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """A server process: it is ready when GET ``ready_url`` answers 200. Its output is appended to ``log``."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    ready_url: str
    log: Path


class SupervisedServer:
    """A server that runs as long as this process, and exits with it.

    Without calls for ``rest_after_s`` it is stopped, and started again by the next one.
    """

    def __init__(
        self,
        spec: ServerSpec,
        report: Callable[[str], None],
        pauses_s: Sequence[float] = PAUSES_S,
        rest_after_s: float = math.inf,
    ) -> None:
        self._spec = spec
        self._rest_after_s = rest_after_s
        self._calls = 0
        self._called_s = 0.0
        self._wanted, self._awake = asyncio.Event(), asyncio.Event()
        self._awake.set()
        self._report = report
        self._pauses_s = pauses_s
        self._process: subprocess.Popen[bytes] | None = None
        self.state = State.WAITING

    @property
    def pid(self) -> int:
        """Return its process id, which is also its process group; 0 if it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    @asynccontextmanager
    async def call(self) -> AsyncIterator[None]:
        """Keep the server awake in the context, which begins when a resting one is ready, or has failed to start."""
        self._calls += 1
        self.wake()
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), WAKE_WITHIN_S)
            yield
        finally:
            self._calls -= 1
            self._called_s = time.monotonic()

    def wake(self) -> None:
        """Start it if it rests. It then has the whole time until it rests again."""
        self._wanted.set()
        self._called_s = time.monotonic()

    async def run(self) -> None:
        """Supervise the server until cancelled. No process is left behind."""
        pauses_s = iter(self._pauses_s)
        try:
            while True:
                started_s = time.monotonic()
                status = await self._run_once()
                if self.state is State.RESTING:
                    await self._wanted.wait()
                    continue
                self._report(f"{self._spec.name} exited (status {status}, {self._spec.log}) and is restarted")
                if time.monotonic() - started_s > STABLE_S:
                    pauses_s = iter(self._pauses_s)
                await asyncio.sleep(next(pauses_s, self._pauses_s[-1]))
        finally:
            await self._end()

    async def _run_once(self) -> int:
        """Run the process once; return its exit status."""
        started_s = time.monotonic()
        self.state = State.LOADING
        process = self._start()
        while self.pid and not await asyncio.to_thread(processes.answers, self._spec.ready_url):
            await asyncio.sleep(POLL_S)
        if self.pid:
            self.state = State.READY
            self._called_s = time.monotonic()
            self._report(f"{self._spec.name} is ready after {time.monotonic() - started_s:.0f} s")
        self._awake.set()
        while self.pid and not self._may_rest():
            await asyncio.sleep(POLL_S)
        self.state = State.RESTING if self.pid else State.DOWN
        if self.state is State.RESTING:
            self._wanted.clear()
            self._awake.clear()
        await self._end()
        return process.returncode

    def _may_rest(self) -> bool:
        return not self._calls and time.monotonic() - self._called_s > self._rest_after_s

    def _start(self) -> subprocess.Popen[bytes]:
        self._spec.log.parent.mkdir(parents=True, exist_ok=True)
        with self._spec.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", ROOT / "local" / "parent_death.py", *self._spec.command],
                env=dict(self._spec.environment),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process

    async def _end(self) -> None:
        """Stop it, with every process that it has started."""
        if self._process:
            process, self._process = self._process, None
            await processes.stop(process, STOP_GRACE_S)
            if process.stdin:
                process.stdin.close()
