"""Run a competitor that is an HTTP server, on one core, and request it like a warm function."""

from __future__ import annotations

import http.client
import subprocess
import tempfile
import time
from base64 import b64encode
from collections.abc import Mapping
from typing import Any, Self

from local.ports import find_free_ports

from . import processes
from .competitors.model import Competitor
from .machine import Core, on_core
from .runtime import ANSWER_S, CompetitorError, Invocation

START_S = 20.0


class HttpServer:
    """The competitor's process, requested over one persistent connection if it keeps it open."""

    def __init__(self, competitor: Competitor, core: Core) -> None:
        self._competitor = competitor
        [port] = find_free_ports(1)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115
        with on_core(core):
            self._process = subprocess.Popen(
                [str(argument).replace("{port}", str(port)) for argument in competitor.command],
                cwd=competitor.folder,
                env=dict(competitor.environment),
                stdout=self._log,
                stderr=subprocess.STDOUT,
            )
        self._client = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)
        self._connect()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.kill()
        self._process.wait()
        self._log.close()

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """GET the event's ``path``. Raises CompetitorError without a 200. The response has a Function URL's form."""
        started = time.perf_counter()
        try:
            self._client.request("GET", event["path"])
            response = self._client.getresponse()
            body = response.read()
        except OSError as error:
            raise CompetitorError(f"{self._competitor.name}: {error!r}\n{self.log()}") from error
        ms = (time.perf_counter() - started) * 1000
        if response.status != 200:
            raise CompetitorError(f"{self._competitor.name}: {response.status} {body[:500]!r}\n{self.log()}")
        return Invocation(ms, {"statusCode": 200, "headers": {}, "body": b64encode(body).decode("ascii")}, ms)

    def cpu_ms(self) -> float:
        """Return the server's CPU time until now."""
        return processes.read_cpu_ms(self._process.pid)

    def peak_rss_mb(self) -> float:
        """Return the server's peak resident memory."""
        return processes.read_memory_mb(self._process.pid, "VmHWM")

    def log(self) -> str:
        """Return the end of the server's output."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-4000:]

    def _connect(self) -> None:
        try:
            processes.connect(self._client, self._process, START_S)
        except OSError as error:
            raise CompetitorError(f"{self._competitor.name} does not listen: {error}\n{self.log()}") from error
