"""A proxy in front of the model server that delays each call."""

from __future__ import annotations

import asyncio
from threading import Thread

from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

MAX_BODY_BYTES = 32 * 1024 * 1024
TIMEOUT_S = 120.0
SHUTDOWN_TIMEOUT_S = 1.0
"""Requests that still wait when the proxy stops are dropped after this time."""

_HOP_BY_HOP = frozenset({"connection", "content-length", "host", "keep-alive", "transfer-encoding"})
_ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")
"""Headers that aiohttp would add: the client may not be able to read a compressed response."""


class SlowProxy:
    """Forwards requests from a free port of 127.0.0.1 to ``upstream``, each after ``delay_s``.

    Concurrent requests wait concurrently, as for a server that is busy elsewhere. Runs in a thread of its own;
    ``delay_s`` may change at any time. ``forwarded`` counts requests.
    """

    def __init__(self, upstream: str) -> None:
        self.delay_s = 0.0
        self.forwarded = 0
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()

    def start(self) -> str:
        """Start to listen. Return the address."""
        Thread(target=self._loop.run_forever, daemon=True).start()
        return asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def stop(self) -> None:
        """Close all connections, and end the thread."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)

    async def _listen(self) -> str:
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._session = ClientSession(
            connector=TCPConnector(limit=0),
            timeout=ClientTimeout(total=TIMEOUT_S),
            auto_decompress=False,
            skip_auto_headers=_ADDED,
        )
        self._runner = web.AppRunner(
            application, access_log=None, handler_cancellation=True, shutdown_timeout=SHUTDOWN_TIMEOUT_S
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _close(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        await asyncio.sleep(self.delay_s)
        self.forwarded += 1
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        url = f"{self._upstream}{request.path_qs}"
        async with self._session.request(request.method, url, headers=headers, data=body) as answer:
            returned = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
            return web.Response(status=answer.status, headers=returned, body=await answer.read())
