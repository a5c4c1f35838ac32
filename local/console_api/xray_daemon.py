"""The receiving side of the X-Ray daemon."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from .traces import Traces

DATAGRAM_BYTES = 65_535
BUFFER_BYTES = 4 * 1024 * 1024
"""The requested size. The size that Linux grants holds a few hundred documents."""

END = b""


@asynccontextmanager
async def open_daemon(traces: Traces) -> AsyncIterator[str]:
    """Listen on a free port of 127.0.0.1 until the context exits, and yield the value of AWS_XRAY_DAEMON_ADDRESS.

    A thread reads the socket, because the event loop may be busy for longer than the buffer lasts.
    """
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        receiver.bind(("127.0.0.1", 0))
        address = receiver.getsockname()

        def listen() -> None:
            while (datagram := receiver.recv(DATAGRAM_BYTES)) != END:
                with suppress(RuntimeError):  # the event loop is closed
                    loop.call_soon_threadsafe(traces.add_datagram, datagram)

        listener = threading.Thread(target=listen, daemon=True)
        listener.start()
        try:
            yield f"127.0.0.1:{address[1]}"
        finally:
            receiver.sendto(END, address)
            await asyncio.to_thread(listener.join)
