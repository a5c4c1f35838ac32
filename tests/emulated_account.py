"""An AWS account without a stack: MiniStack, and edge locations of the distributions that are deployed to it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
from aiohttp import web

from cloudfront_local.journal import Journal
from cloudfront_local.live import LiveEdge
from cloudfront_local.origins import MiniStackOrigins
from cloudfront_local.server import serve
from local import tool_venvs
from local.aws import ACCESS_KEY, CREDENTIALS, Cloud, EdgeStores
from local.ministack import MiniStack
from local.paths import REGION, Ports, StackPaths
from local.ports import find_free_ports
from local.progress import Progress


@dataclass(frozen=True)
class Account:
    """The account at the address ``url``."""

    url: str

    @property
    def cloud(self) -> Cloud:
        """Clients of its services."""
        return Cloud(self.url)

    @property
    def environment(self) -> dict[str, str]:
        """Variables with which a program uses it, and nothing of this checkout."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": ACCESS_KEY,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "PATH": os.defpath,
        }

    @contextmanager
    def open_distribution(self, distribution_id: str) -> Iterator[str]:
        """Serve a distribution; the context has the address of its edge location."""
        port = find_free_ports(1)[0]
        loop, ended, ready = asyncio.new_event_loop(), asyncio.Event(), threading.Event()
        run = _serve(self, distribution_id, port, ready, ended)
        thread = threading.Thread(target=loop.run_until_complete, args=(run,), daemon=True)
        thread.start()
        assert ready.wait(60), "the edge location does not start"
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            loop.call_soon_threadsafe(ended.set)
            thread.join(60)
            loop.close()


async def _serve(
    account: Account, distribution_id: str, port: int, ready: threading.Event, ended: asyncio.Event
) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        origins = MiniStackOrigins(session, account.url, REGION, CREDENTIALS, Journal())
        live = LiveEdge(account.cloud.cloudfront, EdgeStores(account.url).read, distribution_id, origins, print)
        live.load()
        following = asyncio.create_task(live.follow())

        async def answer(request: web.BaseRequest) -> web.StreamResponse:
            assert live.edge
            await live.catch_up()
            return await serve(live.edge, request, lambda _: None)

        runner = web.ServerRunner(web.Server(answer), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        ready.set()
        await ended.wait()
        following.cancel()
        await runner.cleanup()
        live.close()


@contextmanager
def open_account(state: Path) -> Iterator[Account]:
    """Start an account whose data is in the folder ``state``."""
    asyncio.run(tool_venvs.ensure(Progress()))
    cdn, aws = find_free_ports(2)
    ports = Ports(cdn=cdn, aws=aws)
    ministack = MiniStack(StackPaths(state), ports)
    asyncio.run(ministack.start())
    try:
        yield Account(ports.aws_url)
    finally:
        asyncio.run(ministack.stop())
