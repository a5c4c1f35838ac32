"""A Function URL: HTTP requests of the CDN as invocations of a competitor."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import unquote

from ..competitors.model import Event
from ..measure import Running
from ..runtime import CompetitorError, Invocation

type Build = Callable[[str], Event]
"""Builds the event of a request for a path."""


@dataclass
class FunctionUrl:
    """The URL, and its invocations in order."""

    url: str = ""
    invocations: list[Invocation] = field(default_factory=list)


@contextmanager
def open_function_url(running: Running, build: Build) -> Iterator[FunctionUrl]:
    """Serve ``running`` until the context exits. A competitor that fails answers 502."""
    found = FunctionUrl()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                invocation = running.invoke(build(unquote(self.path)))  # the CDN encodes paths for its engine twice
            except CompetitorError as error:
                self._respond(502, {"Content-Type": "text/plain"}, str(error).encode())
                return
            found.invocations.append(invocation)
            answer = invocation.answer
            self._respond(answer["statusCode"], answer["headers"], b64decode(answer["body"]))

        def _respond(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing: a line for each request would be measured, too."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
