"""The real server in its own virtual environment, and requests to it."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from darkroom_pipeline.aws.sagemaker import parse_stages_ms
from local import tool_venvs
from tests.images.detectors import ROOT
from tests.ports import free_port
from tests.waiting import HANG_S, wait_until

ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
STOP_S = HANG_S
BATCH_SIZE = 8
"""Of the server that answers full batches only."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any]:
        """The body as JSON."""
        document: dict[str, Any] = json.loads(self.body)
        return document

    @property
    def batch(self) -> int:
        """The batch size that the server reports."""
        return int(self._attributes["batch"])

    @property
    def stages_ms(self) -> dict[str, float]:
        """The times of stages that the server reports."""
        return parse_stages_ms(self.headers[ATTRIBUTES.lower()])

    @property
    def _attributes(self) -> dict[str, str]:
        return dict(one.split("=", 1) for one in self.headers[ATTRIBUTES.lower()].split(";"))


@dataclass(frozen=True, slots=True)
class Server:
    """A running server. ``log`` is the file with its output."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    _threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(16))

    def get(self, path: str) -> Reply:
        return self._ask("GET", path, None, {})

    def invoke(
        self, image: bytes, tasks: str | None, *, inference_id: str = "", trace: str = "", timeout_ms: int | None = None
    ) -> Reply:
        """``tasks`` as in the header's ``tasks=``; None sends no such header. The caller waits ``timeout_ms``."""
        headers = {"Content-Type": "image/jpeg"}
        if tasks is not None:
            headers[ATTRIBUTES] = f"tasks={tasks}" + (f";trace={trace}" if trace else "")
            headers[ATTRIBUTES] += "" if timeout_ms is None else f";timeout={timeout_ms}"
        if inference_id:
            headers["X-Amzn-SageMaker-Inference-Id"] = inference_id
        return self._ask("POST", "/invocations", image, headers)

    def invoke_all(self, asked: Sequence[tuple[bytes, str]]) -> list[Reply]:
        """All at once."""
        return list(self._threads.map(lambda one: self.invoke(*one), asked))

    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines of its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def logged(self, inference_id: str) -> list[dict[str, Any]]:
        """The lines about one request."""
        return [line for line in self.lines() if line.get("inference_id") == inference_id]

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S)
        try:
            connection.request(method, path, body, dict(headers))
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): text for name, text in answer.getheaders()}, answer.read())
        finally:
            connection.close()


@contextmanager
def serving(models: Path, scratch: Path, *, prefix: Sequence[str] = (), **variables: str) -> Iterator[Server]:
    """A server over the folder ``models``, ready; it has ended when the context is left. ``prefix`` starts it."""
    log = scratch / "endpoint.log"
    port = free_port()
    with log.open("wb") as out:
        process = start(models, out.fileno(), prefix=prefix, PORT=str(port), **variables)
    server = Server(port, process, log)
    try:
        _wait_until_ready(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def start(models: Path, out: int, *, prefix: Sequence[str] = (), **variables: str) -> subprocess.Popen[bytes]:
    """A server that may not be ready yet, or never."""
    return subprocess.Popen(
        [*prefix, tool_venvs.python_path(tool_venvs.ENDPOINT), ROOT / "endpoint" / "serve.py"],
        env={
            "PATH": os.environ["PATH"],
            "HOST": "127.0.0.1",
            "MODEL_DIR": str(models),
            "PYTHONPATH": ":".join(str(ROOT / "layers" / name) for name in ("darkroom", "analysis")),
            "PYTHONDONTWRITEBYTECODE": "1",
            **variables,
        },
        stdout=out,
        stderr=subprocess.STDOUT,
    )


def _wait_until_ready(server: Server) -> None:
    def said() -> str:
        return f"the endpoint is ready:\n{server.log.read_text()[-4000:]}"

    def is_ready() -> bool:
        assert server.process.poll() is None, said()
        try:
            return server.get("/ping").status == 200
        except OSError:
            return False

    wait_until(is_ready, said)


def select_models(table: Path, tasks: Set[str]) -> str:
    """The models of ``tasks`` in a table, as a table."""
    models = [f"[[model]]{text}" for text in table.read_text(encoding="utf-8").split("[[model]]")[1:]]
    return "".join(model for model in models if tomllib.loads(model)["model"][0]["task"] in tasks)
