"""An S3 endpoint for files of a folder: GET with ranges, after the time that S3 takes to its first byte."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread

FIRST_BYTE_S = 0.025
BYTES_PER_S = 85_000_000
"""As in the other benchmarks: docs/explanation/performance.md."""

_RANGE = re.compile(r"bytes=(\d+)-(\d+)")


@dataclass(slots=True)
class Traffic:
    """Requests, and bytes of their bodies, since the last reset."""

    requests: int = 0
    bytes: int = 0
    _lock: Lock = field(default_factory=Lock)

    def note(self, size_bytes: int) -> None:
        """Count one response."""
        with self._lock:
            self.requests += 1
            self.bytes += size_bytes

    def reset(self) -> None:
        """Start again."""
        self.requests = self.bytes = 0


@contextmanager
def serve_ranges(folder: Path, first_byte_s: float = FIRST_BYTE_S) -> Iterator[tuple[str, Traffic]]:
    """Serve ``/<bucket>/<name>`` from ``folder``, whatever the bucket; yield the address and the traffic."""
    traffic = Traffic()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path = folder / Path(self.path.partition("?")[0]).name
            if not path.is_file():
                self.send_error(404)
                return
            whole = path.read_bytes()
            found = _RANGE.fullmatch(self.headers.get("Range", ""))
            first, last = (int(found[1]), min(int(found[2]), len(whole) - 1)) if found else (0, len(whole) - 1)
            body = whole[first : last + 1]
            time.sleep(first_byte_s + len(body) / BYTES_PER_S)
            self.send_response(206 if found else 200)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(whole)}")
            self.send_header("ETag", '"0"')
            self.end_headers()
            self.wfile.write(body)
            traffic.note(len(body))

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", traffic
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
