"""CloudFormation's side of a custom resource: an HTTP server that keeps the responses that it receives."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from local.events import read_events


@dataclass
class ResponseBucket:
    """It answers with ``statuses``, the last one again. ``received`` are path, content type and body."""

    url: str = ""
    statuses: list[int] = field(default_factory=lambda: [200])
    received: list[tuple[str, str | None, bytes]] = field(default_factory=list)

    def request(self, kind: str) -> dict[str, Any]:
        """A request as CloudFormation sends it, about the resource EdgeEntries."""
        return read_events("publish")[f"{kind}.json"] | {"ResponseURL": f"{self.url}/a%3Ab?X-Amz-Signature=c%2Fd"}

    @property
    def documents(self) -> list[dict[str, str]]:
        """The responses."""
        return [json.loads(body) for _, _, body in self.received]


@contextmanager
def receive_responses() -> Iterator[ResponseBucket]:
    """Listen on a free port."""
    found = ResponseBucket()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.received.append((self.path, self.headers.get("Content-Type"), body))
            self.send_response(found.statuses.pop(0) if len(found.statuses) > 1 else found.statuses[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    yield found
    server.shutdown()
    thread.join()
    server.server_close()
