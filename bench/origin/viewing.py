"""Run the CDN's server as a child process, and request it as a viewer."""

from __future__ import annotations

import http.client
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from ..competitors.model import BUCKET
from ..machine import Core, on_core
from ..paths import ROOT
from ..runtime import CompetitorError

ANSWER_S = 30.0


@dataclass(frozen=True, slots=True)
class ViewerResponse:
    """A response of the CDN, and the time from sending the request to its last byte."""

    ms: float
    status: int
    headers: Mapping[str, str]
    body: bytes


class Viewer:
    """A client with one connection to the CDN."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_S)

    def get(self, path: str) -> ViewerResponse:
        """GET ``path``, which may have a query."""
        started = time.perf_counter()
        self._connection.request("GET", path, headers={"Accept": "image/avif,image/webp,*/*"})
        response = self._connection.getresponse()
        body = response.read()
        ms = (time.perf_counter() - started) * 1000
        return ViewerResponse(ms, response.status, {name.lower(): value for name, value in response.getheaders()}, body)


@contextmanager
def open_viewer(s3_url: str, core: Core, *options: str) -> Iterator[Viewer]:
    """Run the CDN's server on ``core`` with the S3 at ``s3_url``, and yield a viewer."""
    command = [sys.executable, "-m", "bench.origin", s3_url, *options]
    with on_core(core):
        process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield Viewer(int(server.stdout.readline()))
        finally:
            server.stdin.close()


def store_image(s3_url: str, name: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Store ``body`` in the media bucket as ``name``. Raises CompetitorError."""
    place = urlsplit(s3_url)
    connection = http.client.HTTPConnection(str(place.hostname), place.port, timeout=ANSWER_S)
    connection.request("PUT", f"/{BUCKET}/{name}", body, dict(headers))
    status = connection.getresponse().status
    connection.close()
    if status != 200:
        raise CompetitorError(f"S3 answers {status} to a PUT of {name}")
