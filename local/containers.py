"""Letting containers of this machine reach what listens on 127.0.0.1 only.

On Linux a container sees its host under the gateway address of the engine's bridge; a relay listens there, and nowhere
else. Docker Desktop (macOS) brings containers to 127.0.0.1 by itself.
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
"""Docker's and Podman's, where nobody has configured another."""

_IP_FREEBIND = 15
"""Linux: bind an address that may come into being later. Podman's bridge exists while a container runs."""

CHUNK_BYTES = 256 * 1024


@asynccontextmanager
async def relays(ports: Sequence[int], addresses: Sequence[str] = BRIDGE_GATEWAYS) -> AsyncIterator[None]:
    """Pass on what comes to ``ports`` of ``addresses`` to the same ports of 127.0.0.1 while the context lasts."""
    async with AsyncExitStack() as stack:
        for address, port in product(addresses if sys.platform == "linux" else (), ports):
            with suppress(OSError):  # no bridge, or somebody else has the port there: only containers miss it
                pass_on = partial(_connect, port)
                server = await asyncio.start_server(pass_on, sock=_socket(address, port))
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
    await asyncio.gather(_pass_on(reader, there_writer), _pass_on(there_reader, writer))


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(CHUNK_BYTES):
            writer.write(data)
            await writer.drain()
    writer.close()
