"""Run a competitor's process in AWS's Runtime Interface Emulator.

The emulator starts the process at the first invocation, so that one, in a fresh emulator, is a cold start: runtime,
imports, handler's module, first image. As in Lambda, an X-Ray daemon listens for segments.

Lambda sends a response to the client when the runtime posts it, and bills until runtime and extensions have asked for
the next event. The emulator sends it at that later time. So the time of a response is that at which the emulator logs
the end of the runtime's work, for all competitors: the runtime has posted the response and asked for the next event.
The next invocation starts after the emulator's own response.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import IO, Any, Self

from local.ports import find_free_ports

from . import processes
from .competitors.model import Competitor
from .machine import Core, on_core

INVOKE = "/2015-03-31/functions/function/invocations"
START_S = 10.0
STARTS = 3
"""Attempts to start the emulator: another process may take a port that was free before."""

ANSWER_S = 60.0
LOG_BYTES = 4000

RUNTIME_DONE = b"(rapid) INVOKE RTDONE("
"""Line of the emulator at log level ``info``, before it waits for extensions: Lambda's ``platform.runtimeDone``."""

ENVIRONMENT = {"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769", "_HANDLER": "app.handler"}
"""1769 MB is the memory at which Lambda gives one whole core."""


class CompetitorError(Exception):
    """A competitor failed; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A response of a competitor (Function URL form), and the time from sending the event to its last byte.

    ``billed_ms`` ends when its extensions have finished, too.
    """

    ms: float
    answer: Mapping[str, Any]
    billed_ms: float = 0.0


class Output:
    """The output of emulator and competitor, read by a thread."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._text = b""
        self._runtime_done_s: SimpleQueue[float] = SimpleQueue()
        self._thread = Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        for line in self._stream:
            if RUNTIME_DONE in line:
                self._runtime_done_s.put(time.perf_counter())
            self._text = (self._text + line)[-LOG_BYTES:]

    def await_runtime_done(self, after_s: float) -> float:
        """Return the time of the line of an invocation that started at ``after_s``. Raises Empty if there is none."""
        while (done_s := self._runtime_done_s.get(timeout=START_S)) < after_s:
            pass
        return done_s

    def end(self) -> str:
        """Return the end of the text."""
        return self._text.decode(errors="replace")

    def close(self) -> None:
        """Wait for the end of all processes that write, and close."""
        self._thread.join()
        self._stream.close()


class Sandbox:
    """One execution environment, with its processes in a group that ends with it."""

    def __init__(self, emulator: Path, competitor: Competitor, core: Core) -> None:
        self._competitor = competitor
        self._daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._daemon.bind(("127.0.0.1", 0))
        self._daemon.setblocking(False)
        self._emulator, self._core = emulator, core
        self._last_read = False
        self._start(STARTS)

    def _start(self, times: int) -> None:
        """Start the emulator, again if another program took one of its ports. Raises CompetitorError."""
        for more in reversed(range(times)):
            port, runtime_port = find_free_ports(2)
            addresses = ["--runtime-interface-emulator-address", f"127.0.0.1:{port}"]
            addresses += ["--runtime-api-address", f"127.0.0.1:{runtime_port}"]
            with on_core(self._core):
                self._process = subprocess.Popen(
                    [self._emulator, *addresses, "--log-level", "info", *self._competitor.command],
                    cwd=self._competitor.folder,
                    env=ENVIRONMENT | self._lambda_variables | dict(self._competitor.environment),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            assert self._process.stdout is not None
            self._output = Output(self._process.stdout)
            self._client = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
            try:
                self._connect()
            except CompetitorError:
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

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """Send ``event`` and wait for the response. Raises CompetitorError unless it is an image."""
        invocation = self.send(event)
        if invocation.answer.get("statusCode") != 200 or not invocation.answer.get("isBase64Encoded"):
            raise CompetitorError(f"{self._competitor.name}: {str(invocation.answer)[:2000]}\n{self.log()}")
        return invocation

    def send(self, event: Mapping[str, Any]) -> Invocation:
        """Send ``event`` and wait for the response of any status. Raises CompetitorError if has no CDN in front."""
        first, self._last_read = not self._last_read, True
        started = time.perf_counter()
        try:
            raw = self._sent(json.dumps(event))
        except OSError as error:
            if not first:
                raise CompetitorError(f"{self._competitor.name}: {error!r}\n{self.log()}") from error
            self._end()  # the emulator listens before it finds that its other port is in use
            self._start(STARTS)
            started = time.perf_counter()
            raw = self._sent(json.dumps(event))
        ended = time.perf_counter()
        try:
            done = min(self._output.await_runtime_done(started), ended)  # without extensions, both arrive at once
        except Empty as error:
            raise CompetitorError(f"{self._competitor.name}: the runtime did not finish\n{self.log()}") from error
        answer = json.loads(raw)
        if not isinstance(answer, dict) or "statusCode" not in answer:
            raise CompetitorError(f"{self._competitor.name}: {raw[:2000]!r}\n{self.log()}")
        return Invocation((done - started) * 1000, answer, (ended - started) * 1000)

    def _sent(self, body: str) -> bytes:
        self._client.request("POST", INVOKE, body)
        return self._client.getresponse().read()

    @property
    def pid(self) -> int:
        """The competitor's process id, after the first request."""
        return self._child()

    def cpu_ms(self) -> float:
        """Return the CPU time of the competitor's process until now, including its threads."""
        return processes.read_cpu_ms(self._child())

    def peak_rss_mb(self) -> float:
        """Return the peak resident memory of the competitor's process in MB (10^6 bytes)."""
        return processes.read_memory_mb(self._child(), "VmHWM")

    def reset_peak(self) -> None:
        """Reset :meth:`peak_rss_mb`."""
        Path(f"/proc/{self._child()}/clear_refs").write_text("5", encoding="ascii")

    def rss_mb(self) -> float:
        """Return the resident memory of the competitor's process."""
        return processes.read_memory_mb(self._child(), "VmRSS")

    def segments(self) -> list[Mapping[str, Any]]:
        """Return the segments that the X-Ray daemon received since the last call, except those lost in the socket."""
        found = []
        with suppress(BlockingIOError):
            while True:
                found.append(json.loads(self._daemon.recv(65_536).partition(b"\n")[2]))
        return found

    def log(self) -> str:
        """Return the end of the output of emulator and competitor."""
        return self._output.end()

    @property
    def _lambda_variables(self) -> dict[str, str]:
        """Return the variables that Lambda sets for a process."""
        return {
            "LAMBDA_TASK_ROOT": str(self._competitor.folder),
            "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{self._daemon.getsockname()[1]}",
        }

    def _end(self) -> None:
        """End all processes, and wait until they have released their memory, which would slow the next start."""
        self._client.close()
        children = processes.list_children(self._process.pid) if self._process.poll() is None else []
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for child in children:
            processes.await_end(child)
        self._output.close()

    def _child(self) -> int:
        children = processes.list_children(self._process.pid)
        if len(children) != 1:
            raise CompetitorError(f"{self._competitor.name} has {len(children)} processes, not one\n{self.log()}")
        return children[0]

    def _connect(self) -> None:
        try:
            processes.connect(self._client, self._process, START_S)
        except OSError as error:
            raise CompetitorError(f"the emulator does not listen: {error}\n{self.log()}") from error
