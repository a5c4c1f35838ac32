"""A proxy in front of S3 that holds each PUT of a derivative until a test releases it."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

from tests.waiting import HANG_S

_NOT_FORWARDED = {"connection", "transfer-encoding", "content-length", "date", "server"}


class PutGate(ThreadingHTTPServer):
    """``puts`` has the paths of all PUTs that arrived; ``opened`` lets them pass, unless ``drops`` is true.

    ``dropped`` has the paths of those that did not.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream = urlsplit(upstream).netloc
        self.puts: list[str] = []
        self.dropped: list[str] = []
        self.opened = Event()
        self.drops = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PutGate

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.command == "PUT":
            self.server.puts.append(self.path)
            assert self.server.opened.wait(HANG_S)
            if self.server.drops:
                self.server.dropped.append(self.path)
                self.close_connection = True
                return
        upstream = http.client.HTTPConnection(self.server.upstream, timeout=HANG_S)
        upstream.request(self.command, self.path, body, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _NOT_FORWARDED:
                self.send_header(name, value)
        length = answer.getheader("Content-Length") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length or "0")
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_HEAD = do_PUT = do_DELETE = _forward  # noqa: N815 - names of the standard library

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@contextmanager
def hold_puts(upstream: str) -> Iterator[PutGate]:
    """Run a gate in front of the S3 at ``upstream``."""
    gate = PutGate(upstream)
    thread = Thread(target=gate.serve_forever, daemon=True)
    thread.start()
    try:
        yield gate
    finally:
        gate.opened.set()
        gate.shutdown()
        gate.server_close()
