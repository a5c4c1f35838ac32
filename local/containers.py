"""Relays that let containers reach services on 127.0.0.1.

On Linux a container reaches its host by the gateway address of the engine's bridge; a relay listens on that address
only. Docker Desktop (macOS) forwards containers to 127.0.0.1 itself.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from itertools import product

BRIDGE_GATEWAYS = ("172.17.0.1", "10.88.0.1")
"""Default gateways of Docker and Podman."""

_IP_FREEBIND = 15
"""Linux: bind an address that does not exist yet. Podman's bridge exists only while a container runs."""

CHUNK_BYTES = 256 * 1024


@asynccontextmanager
async def open_relays(ports: Sequence[int], addresses: Sequence[str] = BRIDGE_GATEWAYS) -> AsyncIterator[None]:
    """Forward ``ports`` of ``addresses`` to the same ports of 127.0.0.1 until the context exits."""
    async with AsyncExitStack() as stack:
        for address, port in product(addresses if sys.platform == "linux" else (), ports):
            with suppress(OSError):  # no bridge, or the port is in use: only containers are affected
                forward = partial(_connect, port)
                server = await asyncio.start_server(forward, sock=_socket(address, port))
                await stack.enter_async_context(server)
        yield


def _socket(address: str, port: int) -> socket.socket:
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
        listener.bind((address, port))
    except OSError:
        listener.close()
        raise
    return listener


async def _connect(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(_forward(reader, there_writer), _forward(there_reader, writer))


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()
