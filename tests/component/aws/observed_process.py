"""Run scripts under an observer, each in its own process, and collect their X-Ray segments and log lines."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[3] / "layers" / "darkroom"
TRACE, PARENT = "1-5759e988-bd862e3fe1be46a994272793", "53995c3f42cd8ad8"
BEFORE, SENDER = "1-67891233-abcdef012345678912345678", "463ac35c9f6413ad"
"""The trace of a hop before, and the segment in it that sent a message."""

LAMBDA = {
    "LAMBDA_TASK_ROOT": "/var/task",
    "AWS_LAMBDA_FUNCTION_NAME": "darkroom-ingest",
    "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    "_X_AMZN_TRACE_ID": f"Root={TRACE};Parent={PARENT};Sampled=1",
    "POWERTOOLS_SERVICE_NAME": "ingest",
    "POWERTOOLS_METRICS_NAMESPACE": "Darkroom/darkroom",
}
"""Variables that Lambda sets in a traced function."""

OBSERVERS = {
    "light": "from darkroom.aws.telemetry import LightObserver as Observer",
    "powertools": "from darkroom_pipeline.aws.powertools import PowertoolsObserver as Observer",
}
"""How each is imported by the name of the protocol."""

type Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Observed:
    """Documents that the daemon got, in order, and the lines of standard output."""

    received: list[Document]
    lines: list[str]

    @property
    def by_name(self) -> dict[str, Document]:
        return {found["name"]: found for found in self.received}

    @property
    def documents(self) -> list[Document]:
        return [json.loads(line) for line in self.lines if line.startswith("{")]

    @property
    def metrics(self) -> list[Document]:
        return [found for found in self.documents if "_aws" in found]

    @property
    def logs(self) -> list[Document]:
        return [found for found in self.documents if "_aws" not in found]


def watch(script: str, environment: Mapping[str, str]) -> Observed:
    """Run ``script`` while a daemon listens; it ends well and writes no line on standard error."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as daemon:
        daemon.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        daemon.bind(("127.0.0.1", 0))
        done = subprocess.run(
            [sys.executable, "-c", script],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(PACKAGE),
                "AWS_XRAY_DAEMON_ADDRESS": f"127.0.0.1:{daemon.getsockname()[1]}",
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        daemon.setblocking(False)
        received = list(_received(daemon))
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return Observed(received, done.stdout.splitlines())


def _received(daemon: socket.socket) -> Iterator[Document]:
    while True:
        try:
            header, _, document = daemon.recv(65536).partition(b"\n")
        except BlockingIOError:
            return
        assert json.loads(header) == {"format": "json", "version": 1}
        yield json.loads(document)
