"""Run the model server as a child process, and send concurrent requests."""

from __future__ import annotations

import http.client
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from local import tool_venvs
from local.paths import MODELS
from local.ports import find_free_ports

from ..paths import ROOT, WORK
from ..processes import list_descendants, read_cpu_ms

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
START_S = 180
STOP_S = 30


class ServeError(Exception):
    """The server did not start, or returned something other than findings."""


@dataclass(frozen=True, slots=True)
class ServerResult:
    """Throughput in images per second, median latency, mean batch size, and CPU time of an image."""

    per_s: float
    ms: float
    batch: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class RunningServer:
    """The port and the process of a server."""

    port: int
    pid: int

    def read_cpu_ms(self) -> float:
        """Return the CPU time of its processes until now."""
        return sum(read_cpu_ms(one, with_ended=True) for one in (self.pid, *list_descendants(self.pid)))


@contextmanager
def serve(name: str, **variables: str) -> Iterator[RunningServer]:
    """Start a server with the additional ``variables`` and yield it. Raises ServeError."""
    [port] = find_free_ports(1)
    log = WORK / f"endpoint-{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [tool_venvs.python_path(tool_venvs.ENDPOINT), ROOT / "endpoint" / "serve.py"],
            env=os.environ
            | {
                "MODEL_DIR": str(MODELS),
                "HOST": "127.0.0.1",
                "PORT": str(port),
                "PYTHONPATH": "layers/darkroom:layers/analysis",
            }
            | variables,
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            _wait(process, port, f"see {log.relative_to(ROOT)}")
            yield RunningServer(port, process.pid)
        finally:
            process.terminate()
            process.wait(STOP_S)


def send_images(server: RunningServer, images: Sequence[bytes], tasks: str, at_once: int) -> ServerResult:
    """Send ``images`` with ``at_once`` concurrent requests. Raises ServeError."""
    with ThreadPoolExecutor(at_once) as threads:
        started_s, cpu_ms = time.monotonic(), server.read_cpu_ms()
        answers = list(threads.map(lambda image: _send(server.port, image, tasks), images))
        took_s, cpu_ms = time.monotonic() - started_s, server.read_cpu_ms() - cpu_ms
    times_ms, batches = zip(*answers, strict=True)
    return ServerResult(len(images) / took_s, median(times_ms), sum(batches) / len(batches), cpu_ms / len(images))


def _send(port: int, image: bytes, tasks: str) -> tuple[float, int]:
    """Send an image. Return the latency in ms and the batch size."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        started_s = time.monotonic()
        connection.request("POST", "/invocations", image, {ATTRIBUTES: f"tasks={tasks}"})
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise ServeError(f"{answer.status} {body[:200].decode(errors='replace')}")
        batch = answer.headers[ATTRIBUTES].partition(";")[0].removeprefix("batch=")
        return (time.monotonic() - started_s) * 1000, int(batch)
    finally:
        connection.close()


def _wait(process: subprocess.Popen[bytes], port: int, hint: str) -> None:
    until_s = time.monotonic() + START_S
    while time.monotonic() < until_s and process.poll() is None:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
    raise ServeError(f"the endpoint did not start: {hint}")
