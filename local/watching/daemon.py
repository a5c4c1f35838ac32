"""X-Ray's daemon, as far as it listens."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from .traces import Traces

BUFFER_BYTES = 4 * 1024 * 1024
"""Of datagrams that wait: a burst of functions ends within milliseconds."""


class _Listener(asyncio.DatagramProtocol):
    def __init__(self, traces: Traces) -> None:
        self._traces = traces

    def datagram_received(self, data: bytes, addr: object) -> None:  # noqa: ARG002
        self._traces.take(data)


@asynccontextmanager
async def open_daemon(traces: Traces) -> AsyncIterator[str]:
    """Listen on a free port of 127.0.0.1 until the context ends; the address, as AWS_XRAY_DAEMON_ADDRESS has it."""
    outlet = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    outlet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    outlet.bind(("127.0.0.1", 0))
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: _Listener(traces), sock=outlet)
    try:
        yield f"127.0.0.1:{outlet.getsockname()[1]}"
    finally:
        transport.close()
