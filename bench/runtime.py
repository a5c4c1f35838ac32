"""Lambda on this machine: AWS's Runtime Interface Emulator around a contender's process.

The emulator starts the process at the first invocation, so that one, in a fresh emulator, is a cold start: runtime,
imports, handler's module, first picture. As in Lambda, an X-Ray daemon listens for segments.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from . import processes
from .competitors.model import Competitor
from .machine import Core, on_core

INVOKE = "/2015-03-31/functions/function/invocations"
START_S = 10.0
STARTS = 3
"""Tries to start the emulator: another process may take a port that was free a moment ago."""

ANSWER_S = 60.0

ENVIRONMENT = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769", "_HANDLER": "app.handler"}
"""1769 MB is the memory at which Lambda gives one whole core."""


class NoAnswer(Exception):
    """A contender failed; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """One answer of a contender (a Function URL response), and the time from sending the event to its last byte."""

    ms: float
    answer: Mapping[str, Any]


class Sandbox:
    """One execution environment, its processes in a group that ends with it."""

    def __init__(self, emulator: Path, contender: Competitor, core: Core) -> None:
        self._contender = contender
        self._daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._daemon.bind(("127.0.0.1", 0))
        self._daemon.setblocking(False)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        self._emulator, self._core = emulator, core
        self._asked = False
        self._start(STARTS)

    def _start(self, times: int) -> None:
        """Start the emulator, again if another program took one of its ports meanwhile; raises NoAnswer."""
        for more in reversed(range(times)):
            port, runtime_port = processes.find_free_ports(2)
            addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
            addresses += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
            with on_core(self._core):
                self._process = subprocess.Popen(
                    [self._emulator, *addresses, "--log-level", "error", *self._contender.command],
                    cwd=self._contender.folder,
                    env=ENVIRONMENT | self._given | dict(self._contender.environment),
                    stdout=self._log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            self._client = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
            try:
                self._connect()
            except NoAnswer:
                self._end()
                if not more:
                    raise
            else:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._end()
        self._daemon.close()
        self._log.close()

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """Send ``event`` and wait for the answer; raises NoAnswer unless it is a picture."""
        invocation = self.ask(event)
        if invocation.answer.get("statusCode") != 200 or not invocation.answer.get("isBase64Encoded"):
            raise NoAnswer(f"{self._contender.name}: {str(invocation.answer)[:2000]}\n{self.log()}")
        return invocation

    def ask(self, event: Mapping[str, Any]) -> Invocation:
        """Send ``event`` and wait for the answer, whatever its status; raises NoAnswer if there is none."""
        first, self._asked = not self._asked, True
        started = time.perf_counter()
        try:
            raw = self._sent(json.dumps(event))
        except OSError as error:
            if not first:
                raise NoAnswer(f"{self._contender.name}: {error!r}\n{self.log()}") from error
            self._end()  # the emulator listens before it finds that its other port is taken
            self._start(STARTS)
            started = time.perf_counter()
            raw = self._sent(json.dumps(event))
        ms = (time.perf_counter() - started) * 1000
        answer = json.loads(raw)
        if not isinstance(answer, dict) or "statusCode" not in answer:
            raise NoAnswer(f"{self._contender.name}: {raw[:2000]!r}\n{self.log()}")
        return Invocation(ms, answer)

    def _sent(self, body: str) -> bytes:
        self._client.request("POST", INVOKE, body)
        return self._client.getresponse().read()

    @property
    def pid(self) -> int:
        """The contender's process, once it was asked."""
        return self._child()

    def cpu_ms(self) -> float:
        """Processor time that the contender's process has used until now, its threads included."""
        return processes.read_cpu_ms(self._child())

    def peak_rss_mb(self) -> float:
        """The most memory that the contender's process has had resident, in MB of 10^6 bytes."""
        return processes.read_memory_mb(self._child(), "VmHWM")

    def forget_peak(self) -> None:
        """From now on :meth:`peak_rss_mb` tells the most since now."""
        Path(f"/proc/{self._child()}/clear_refs").write_text("5", encoding="ascii")

    def rss_mb(self) -> float:
        """The memory that the contender's process has resident now."""
        return processes.read_memory_mb(self._child(), "VmRSS")

    def mapped_files(self) -> set[Path]:
        """The files that the contender's process has mapped: its binary and shared libraries."""
        lines = Path(f"/proc/{self._child()}/maps").read_text(encoding="utf-8").splitlines()
        names = {line.split(maxsplit=5)[-1] for line in lines if "/" in line}
        return {path for path in map(Path, names) if path.is_file()}

    def segments(self) -> list[Mapping[str, Any]]:
        """What the X-Ray daemon was sent since this was asked last, less what the system had no room for."""
        found = []
        with suppress(BlockingIOError):
            while True:
                found.append(json.loads(self._daemon.recv(65_536).partition(b"\n")[2]))
        return found

    def log(self) -> str:
        """The end of what the emulator and the contender have printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-4000:]

    @property
    def _given(self) -> dict[str, str]:
        """What Lambda tells a process of its surroundings."""
        return {
            "LAMBDA_TASK_ROOT": str(self._contender.folder),
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{self._daemon.getsockname()[1]}",
        }

    def _end(self) -> None:
        """End all processes, and wait until they have given their memory back: else the next start pays for it."""
        self._client.close()
        children = processes.list_children(self._process.pid) if self._process.poll() is None else []
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for child in children:
            processes.await_end(child)

    def _child(self) -> int:
        children = processes.list_children(self._process.pid)
        if len(children) != 1:
            raise NoAnswer(f"{self._contender.name} has {len(children)} processes, not one\n{self.log()}")
        return children[0]

    def _connect(self) -> None:
        try:
            processes.connect(self._client, self._process, START_S)
        except OSError as error:
            raise NoAnswer(f"the emulator does not listen: {error}\n{self.log()}") from error
