"""A container endpoint that issues credentials, and a proxy before S3 that records the access keys."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

TOKEN = "secret-token"


class Endpoint(ThreadingHTTPServer):
    """Speaks the container credential provider's protocol to clients that send ``token``.

    Its credentials are numbered, and live ``lifetime``; ``broken`` is a body that it answers instead, with status 500
    if that is empty.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _CredentialsHandler)
        self.token = TOKEN
        self.lifetime = timedelta(hours=1)
        self.broken: bytes | None = None
        self.asked = 0
        self.served = 0
        self.lock = threading.Lock()

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which a function finds it."""
        url = f"http://127.0.0.1:{self.server_port}/credentials"
        return {"AWS_CONTAINER_CREDENTIALS_FULL_URI": url, "AWS_CONTAINER_AUTHORIZATION_TOKEN": TOKEN}


class _CredentialsHandler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_GET(self) -> None:
        with self.server.lock:
            self.server.asked += 1
            if self.headers.get("Authorization") != self.server.token:
                self._answer(401, b"")
            elif self.server.broken is not None:
                self._answer(200 if self.server.broken else 500, self.server.broken)
            else:
                self.server.served += 1
                self._answer(200, self._credentials(self.server.served))

    def _credentials(self, number: int) -> bytes:
        expires = (datetime.now(UTC) + self.server.lifetime).strftime("%Y-%m-%dT%H:%M:%SZ")
        names = {"AccessKeyId": f"AKID{number}", "SecretAccessKey": f"secret{number}", "Token": f"session{number}"}
        return json.dumps(names | {"Expiration": expires}).encode()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """Whose key signed a request, with which session token."""

    access_key_id: str
    token: str


class RecordingProxy(ThreadingHTTPServer):
    """Forward every request to the S3 at ``upstream``, and record the signing key in ``seen``."""

    daemon_threads = True

    def __init__(self, upstream: str) -> None:
        super().__init__(("127.0.0.1", 0), _ProxyHandler)
        self.upstream = urlsplit(upstream).netloc
        self.seen: list[SignedRequest] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _ProxyHandler(BaseHTTPRequestHandler):
    server: RecordingProxy
    protocol_version = "HTTP/1.1"

    def _forward(self) -> None:
        signed_by = self.headers["Authorization"].partition("Credential=")[2].partition("/")[0]
        self.server.seen.append(SignedRequest(signed_by, self.headers.get("x-amz-security-token", "")))
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        upstream = http.client.HTTPConnection(self.server.upstream)
        upstream.request(self.command, self.path, body or None, dict(self.headers))
        answer = upstream.getresponse()
        content = answer.read()
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        upstream.close()

    do_GET = do_PUT = do_HEAD = do_DELETE = _forward  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def served[S: ThreadingHTTPServer](server: S) -> Iterator[S]:
    """``server``, answering in a thread."""
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
