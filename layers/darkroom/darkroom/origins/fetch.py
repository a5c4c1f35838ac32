"""Fetch a master from an HTTPS origin: allowed hosts, few redirects, bounded size and time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from http.client import HTTPException, HTTPResponse
from urllib.parse import SplitResult, urljoin, urlsplit

from ..errors import OverLimits, SourceBlocked, Unavailable
from .network import Connection, Network

MAX_REDIRECTS = 3
TOTAL_S = 12.0
"""Time of one fetch with its redirects. The function that renders has 25 s."""

CHUNK_BYTES = 256 * 1024
REDIRECTS = frozenset({301, 302, 303, 307, 308})
MISSING = frozenset({401, 403, 404, 410})
"""Responses without an image. An origin, like S3, can hide missing objects by 403."""

OK, NOT_MODIFIED = 200, 304
HEADERS = {
    "User-Agent": "Darkroom",
    "Accept": "image/*,*/*;q=0.5",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


@dataclass(frozen=True, slots=True)
class Fetched:
    """A master. ``etag`` is computed, with quotes; ``validators`` are headers of a conditional request for it."""

    body: bytes = field(repr=False)
    etag: str
    content_type: str
    validators: Mapping[str, str]


@dataclass(frozen=True)
class Fetcher:
    """Fetches from ``hosts``, each a name with a port that is not 443."""

    hosts: frozenset[str]
    max_bytes: int
    network: Network = field(default_factory=Network)
    total_s: float = TOTAL_S

    def fetch(self, url: str, known: Fetched | None = None) -> Fetched | None:
        """Return the image at ``url``, ``known`` if it has not changed, None if there is none.

        Raises SourceBlocked, OverLimits, Unavailable.
        """
        deadline_s = time.monotonic() + self.total_s
        for _ in range(MAX_REDIRECTS + 1):
            parts = self.check(url)
            connection = self.network.open(str(parts.hostname), parts.port or 443)
            watchdog = threading.Timer(max(0.0, deadline_s - time.monotonic()), _shut, (connection.sock,))
            watchdog.daemon = True
            watchdog.start()
            try:
                with self._request(connection, parts, known) as response:
                    if response.status not in REDIRECTS:
                        found = self._read(url, response, known)
                        if time.monotonic() >= deadline_s:  # a body without a length may have been cut off
                            raise TimeoutError
                        return found
                    url = urljoin(url, response.headers.get("Location", ""))
            except (OSError, HTTPException, ValueError) as error:
                raise Unavailable(detail=f"get {url}: {error!r}") from error
            finally:
                watchdog.cancel()
                connection.close()
        raise SourceBlocked(detail=f"more than {MAX_REDIRECTS} redirects to {url}")

    def check(self, url: str) -> SplitResult:
        """Return the parts of a URL that may be fetched. Raises SourceBlocked."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError as error:
            raise SourceBlocked(detail=f"{url}: {error}") from error
        named = host if port in (None, 443) else f"{host}:{port}"
        if parts.scheme != "https" or parts.username is not None or named not in self.hosts:
            raise SourceBlocked(detail=f"{url} is not on {', '.join(sorted(self.hosts))}")
        return parts

    @staticmethod
    def _request(connection: Connection, parts: SplitResult, known: Fetched | None) -> HTTPResponse:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers=HEADERS | dict(known.validators if known else {}))
        return connection.getresponse()

    def _read(self, url: str, response: HTTPResponse, known: Fetched | None) -> Fetched | None:
        if response.status == NOT_MODIFIED and known is not None:
            return known
        if response.status in MISSING:
            return None
        if response.status != OK:
            raise Unavailable(detail=f"get {url}: status {response.status}")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Unavailable(detail=f"get {url}: compressed")
        body = self._read_body(url, response)
        headers = {name: response.headers.get(name, "") for name in ("ETag", "Last-Modified", "Content-Type")}
        validators = {"If-None-Match": headers["ETag"], "If-Modified-Since": headers["Last-Modified"]}
        stated = headers["ETag"] or headers["Last-Modified"]
        version = sha256(f"{stated} {len(body)}".encode() if stated else body).hexdigest()[:32]
        return Fetched(
            body, f'"{version}"', headers["Content-Type"], {name: value for name, value in validators.items() if value}
        )

    def _read_body(self, url: str, response: HTTPResponse) -> bytes:
        """Read at most ``max_bytes``, by what arrives and not by what the header states."""
        too_large = OverLimits(f"The source has more than {self.max_bytes} bytes")
        expected = response.length
        if expected is not None and expected > self.max_bytes:
            raise too_large
        body = bytearray()
        while chunk := response.read1(CHUNK_BYTES):
            body += chunk
            if len(body) > self.max_bytes:
                raise too_large
        if expected is not None and len(body) != expected:
            raise Unavailable(detail=f"get {url}: {len(body)} of {expected} bytes")
        return bytes(body)


def _shut(opened: socket.socket) -> None:
    """End a read that is in progress in another thread, also one of a response that has left its connection."""
    with suppress(OSError):
        socket.socket.shutdown(opened, socket.SHUT_RDWR)
