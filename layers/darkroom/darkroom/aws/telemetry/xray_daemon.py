"""Send documents to the X-Ray daemon, which Lambda runs beside each function.

https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html
"""

from __future__ import annotations

import json
import os
from typing import Any

type Document = dict[str, Any]
"""A segment or subsegment: https://docs.aws.amazon.com/xray/latest/devguide/xray-api-segmentdocuments.html"""

MAX_BYTES = 64_000
"""Maximum of a datagram: X-Ray accepts documents of 64 kB, UDP over IPv4 carries at most 65,507 bytes."""

_PREFIX = b'{"format":"json","version":1}\n'


class XRayDaemon:
    """Sends without waiting: what cannot be sent at once is dropped silently."""

    def __init__(self) -> None:
        self._socket: Any = None
        self._address = _address(os.environ.get("AWS_XRAY_DAEMON_ADDRESS", ""))

    def send(self, document: Document) -> None:
        """Send ``document``; one that is too large is split, then sent without its metadata, or dropped."""
        data = _PREFIX + json.dumps(document, default=str, separators=(",", ":")).encode()
        if len(data) <= MAX_BYTES:
            self._transmit(data)
        elif children := document.get("subsegments"):
            for child in children:
                self.send(child | {"trace_id": document["trace_id"], "parent_id": document["id"], "type": "subsegment"})
            self.send({name: part for name, part in document.items() if name != "subsegments"})
        elif "metadata" in document:
            self.send({name: part for name, part in document.items() if name != "metadata"})

    def _transmit(self, data: bytes) -> None:
        try:
            if self._socket is None:
                self._socket = _open()
            self._socket.sendto(data, self._address)
        except OSError:
            return


def _open() -> Any:
    """Open a socket by the C module: ``socket`` costs a cold start several ms for names of constants."""
    from _socket import AF_INET, SOCK_DGRAM, socket

    opened = socket(AF_INET, SOCK_DGRAM)
    opened.setblocking(False)
    return opened


def _address(text: str) -> tuple[str, int]:
    """Parse ``host:port``, or ``tcp:host:port udp:host:port``."""
    for part in text.split():
        if not part.startswith("tcp:"):
            host, _, port = part.removeprefix("udp:").rpartition(":")
            if port.isdecimal():
                return host, int(port)
    return "127.0.0.1", 2000
