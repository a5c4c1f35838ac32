"""An HTTP server that stands for a failing AWS: it returns scripted responses, the last one repeatedly."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. ``body`` breaks off before ``promised`` bytes if that is more than it has."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    promised: int | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """No answer: the connection ends, with ``waits`` only when the client has ended it."""

    waits: bool = False


HANG_UP, HANG = Silence(), Silence(waits=True)


def error(status: int, code: str) -> Reply:
    """An error answer as S3 and CloudFront write it."""
    body = f"<ErrorResponse><Error><Code>{code}</Code><Message>secret words</Message></Error></ErrorResponse>"
    if code in ("SlowDown", "InternalError", "AccessDenied", "NoSuchBucket", "PreconditionFailed"):
        body = f"<Error><Code>{code}</Code><Message>secret words</Message></Error>"
    return Reply(status, body.encode(), {"Content-Type": "application/xml"})


@dataclass
class Faulty:
    """The server's address, and its requests: method, path with query, body."""

    url: str
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


@contextmanager
def answering(*replies: Reply | Silence) -> Iterator[Faulty]:
    """A server on a free port that answers in order with ``replies``."""
    script = list(replies)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            faulty.requests.append((self.command, self.path, body))
            reply = script.pop(0) if len(script) > 1 else script[0]
            self.close_connection = True
            if isinstance(reply, Silence):
                if reply.waits:
                    self.rfile.read(1)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(reply.promised or len(reply.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(reply.body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        faulty = Faulty(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield faulty
        finally:
            server.shutdown()
            thread.join()
