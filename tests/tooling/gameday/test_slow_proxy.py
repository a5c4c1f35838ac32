"""The proxy of the slow endpoint, in front of a server."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import urllib3
from urllib3.util import SKIP_HEADER

from gameday.slow_proxy import SlowProxy
from tests.waiting import HANG_S

_pool = urllib3.PoolManager(retries=False, timeout=HANG_S)


class Echo(BaseHTTPRequestHandler):
    """Answers with the body of the request."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(418)
        self.send_header("X-Path", self.path)
        self.send_header("X-Received", ",".join(sorted(name.lower() for name in self.headers)))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def upstream() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.slow
def test_requests_and_responses_pass_unchanged(upstream: str) -> None:
    proxy = SlowProxy(upstream)
    address = proxy.start()
    try:
        headers = {"X-Attributes": "tasks=faces", "Accept-Encoding": SKIP_HEADER, "User-Agent": SKIP_HEADER}
        answer = _pool.request("POST", f"{address}/invocations?a=%20b", body=b"\xff\xd8" * 9, headers=headers)
        assert (answer.status, answer.data) == (418, b"\xff\xd8" * 9)
        assert answer.headers["X-Path"] == "/invocations?a=%20b"
        assert answer.headers["X-Received"] == "content-length,host,x-attributes"
        assert proxy.forwarded == 1
    finally:
        proxy.stop()


@pytest.mark.slow
def test_a_request_waits_before_it_is_forwarded(upstream: str) -> None:
    proxy = SlowProxy(upstream)
    address = proxy.start()
    try:
        proxy.delay_s = HANG_S
        with pytest.raises(urllib3.exceptions.ReadTimeoutError):
            _pool.request("POST", address, body=b"x", timeout=0.2)
        assert proxy.forwarded == 0
        proxy.delay_s = 0.0
        assert _pool.request("POST", address, body=b"x").status == 418
        assert proxy.forwarded == 1
    finally:
        proxy.stop()
