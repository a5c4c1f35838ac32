"""X-Ray's daemon, as far as it listens."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from .traces import Traces

DATAGRAM_BYTES = 65_535
BUFFER_BYTES = 4 * 1024 * 1024
"""Asked for; what the system grants holds a few hundred documents."""

END = b""


@asynccontextmanager
async def open_daemon(traces: Traces) -> AsyncIterator[str]:
    """Listen on a free port of 127.0.0.1 until the context ends; the address, as AWS_XRAY_DAEMON_ADDRESS has it.

    A thread empties the socket: the loop may be busy for longer than its buffer lasts.
    """
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as outlet:
        outlet.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        outlet.bind(("127.0.0.1", 0))
        address = outlet.getsockname()

        def listen() -> None:
            while (datagram := outlet.recv(DATAGRAM_BYTES)) != END:
                with suppress(RuntimeError):  # the loop has ended meanwhile
                    loop.call_soon_threadsafe(traces.take, datagram)

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield f"127.0.0.1:{address[1]}"
        finally:
            outlet.sendto(END, address)
            await asyncio.to_thread(listener.join)
