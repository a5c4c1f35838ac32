"""A server as a child process that is kept alive: started, waited for, and started again whenever it has ended."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from . import processes
from .paths import ROOT

STOP_GRACE_S = 10.0
LOOK_EVERY_S = 0.25
PAUSES_S = (1.0, 2.0, 5.0, 15.0)
"""Before it is started again: one after the other, the last for good."""

LIVED_S = 60.0
"""What lived as long did not fail at starting: the pauses begin anew."""


class State(StrEnum):
    """How the server is. ``WAITING`` is before its first start."""

    WAITING = "waiting"
    LOADING = "loading"
    READY = "ready"
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class ServerSpec:
    """What is run: it is ready when GET ``ready_url`` answers 200. Its output is added to ``log``."""

    name: str
    command: Sequence[str | Path]
    environment: Mapping[str, str]
    ready_url: str
    log: Path


class SupervisedServer:
    """A server of this stack, which ends with it however that ends."""

    def __init__(self, served: ServerSpec, say: Callable[[str], None], pauses_s: Sequence[float] = PAUSES_S) -> None:
        self._served = served
        self._say = say
        self._pauses_s = pauses_s
        self._process: subprocess.Popen[bytes] | None = None
        self.state = State.WAITING

    @property
    def pid(self) -> int:
        """Its process id, which is its process group too; 0 if it does not run."""
        return self._process.pid if self._process and self._process.poll() is None else 0

    async def keep(self) -> None:
        """For ever. Cancelled, it leaves no process behind."""
        pauses_s = iter(self._pauses_s)
        try:
            while True:
                begun_s = time.monotonic()
                status = await self._live()
                self._say(f"{self._served.name} has ended (status {status}, {self._served.log}) and is started again")
                if time.monotonic() - begun_s > LIVED_S:
                    pauses_s = iter(self._pauses_s)
                await asyncio.sleep(next(pauses_s, self._pauses_s[-1]))
        finally:
            await self._end()

    async def _live(self) -> int:
        """One life of the process; its exit status."""
        begun_s = time.monotonic()
        self.state = State.LOADING
        process = self._start()
        while self.pid and not await asyncio.to_thread(self._answers):
            await asyncio.sleep(LOOK_EVERY_S)
        if self.pid:
            self.state = State.READY
            self._say(f"{self._served.name} is ready, {time.monotonic() - begun_s:.0f} s after its start")
        while self.pid:
            await asyncio.sleep(LOOK_EVERY_S)
        self.state = State.DOWN
        await self._end()
        return process.returncode

    def _start(self) -> subprocess.Popen[bytes]:
        self._served.log.parent.mkdir(parents=True, exist_ok=True)
        with self._served.log.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-P", ROOT / "local" / "tethered.py", *self._served.command],
                env=dict(self._served.environment),
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._process

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self._served.ready_url, timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    async def _end(self) -> None:
        """End it, with every process that it has started."""
        if self._process:
            process, self._process = self._process, None
            await processes.stop(process, STOP_GRACE_S)
            if process.stdin:
                process.stdin.close()
