"""Malware scan of uploads, by ClamAV's daemon.

clamav-client 0.7 has no limit of time for a whole scan, sends chunks of 1 KiB, connects by IPv4 only and loses the
response of a daemon that ends the stream early: the 60 lines that it could replace are kept.
"""

from __future__ import annotations

import socket
import struct
import time
from typing import Protocol

from darkroom.errors import Unavailable

CHUNK_BYTES = 256 * 1024
CONNECT_S = 2.0
SCAN_S = 60.0
"""Limit of a whole scan. clamd's own MaxScanTime is 120 s by default."""

MAX_ANSWER_BYTES = 4096


class Scanner(Protocol):
    """Scans bytes for malware."""

    def scan(self, data: bytes) -> str:
        """Return the name of the malware in ``data``, empty if there is none; raises Unavailable."""
        ...


class Clamd:
    """ClamAV's daemon at ``address``, which is ``host:port`` or the path of a socket.

    The protocol is INSTREAM of clamd(8): chunks, each after its length as four bytes in network order, and an empty one
    at the end. The response is ``stream: OK``, ``stream: <name> FOUND`` or a text that ends in ``ERROR``.
    """

    def __init__(self, address: str, *, timeout_s: float = SCAN_S) -> None:
        self._address = address
        self._timeout_s = timeout_s

    def scan(self, data: bytes) -> str:
        """Return the name of the signature that ``data`` matches, empty if none; raises Unavailable."""
        try:
            with self._connected() as connection:
                deadline = time.monotonic() + self._timeout_s
                _send(connection, data, deadline)
                response = _receive_response(connection, deadline)
        except (OSError, ValueError) as error:
            raise Unavailable(detail=f"clamd at {self._address}: {error!r}") from error
        return self._parse_response(response)

    def _connected(self) -> socket.socket:
        if "/" in self._address:
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.settimeout(CONNECT_S)
                connection.connect(self._address)
            except OSError:
                connection.close()
                raise
            return connection
        host, _, port = self._address.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_S)

    def _parse_response(self, response: str) -> str:
        outcome = response.removeprefix("stream: ")
        if outcome == "OK":
            return ""
        name, _, state = outcome.rpartition(" ")
        if name and state == "FOUND":
            return name
        raise Unavailable(detail=f"clamd at {self._address}: {response!r}")


def _send(connection: socket.socket, data: bytes, deadline: float) -> None:
    """Send all data, unless clamd ends the connection: the stream is longer than its StreamMaxLength."""
    view = memoryview(data)
    chunks = (view[start : start + CHUNK_BYTES] for start in range(0, len(view), CHUNK_BYTES))
    try:
        connection.sendall(b"zINSTREAM\0")
        for chunk in (*chunks, memoryview(b"")):
            _limit(connection, deadline)
            connection.sendall(struct.pack("!I", len(chunk)))
            connection.sendall(chunk)
    except (BrokenPipeError, ConnectionResetError):
        return


def _receive_response(connection: socket.socket, deadline: float) -> str:
    received = b""
    while not received.endswith(b"\0") and len(received) < MAX_ANSWER_BYTES:
        _limit(connection, deadline)
        part = connection.recv(MAX_ANSWER_BYTES)
        received += part
        if not part:
            break
    if not received.endswith(b"\0"):
        raise ValueError(f"the response is incomplete: {received!r}")
    return received.rstrip(b"\0").decode("utf-8", "replace")


def _limit(connection: socket.socket, deadline: float) -> None:
    left_s = deadline - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    connection.settimeout(left_s)
