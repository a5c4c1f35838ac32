"""The map page in Chromium: tiles of a real raster from MiniStack's S3 by the function's code; panning loads more.

``SCREENSHOTS=FOLDER`` writes ``map.png``, from which ``docs/map.jpg`` is made.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from base64 import b64decode
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from extensions.map_tiles.map_pages import MapPages
from local.control_pages import CONSOLE, find_console_file
from tests.component.browser.browser import CHROMIUM, Page, open_browser

from .world import World

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None or shutil.which("npm") is None, reason="needs Chromium and npm"),
]
LOADED = "document.querySelectorAll('img.leaflet-tile-loaded').length"
SHOWN = "[...document.querySelectorAll('img.leaflet-tile-loaded')].map(one => one.src)"


class InProcess:
    """The function's code in one thread: a function handles one request at a time. ``targets`` are its requests."""

    def __init__(self, world: World) -> None:
        self.world, self.url = world, ""
        self.targets: list[str] = []
        self._thread = ThreadPoolExecutor(1)

    def list_rasters(self) -> list[str]:
        return ["landsat7.tif", "srtm90.tif"]

    async def tile(self, request: web.Request) -> web.StreamResponse:
        """Pass a request on to the function, as its CDN does."""
        self.targets.append(request.raw_path)
        event = {
            "rawPath": request.path,
            "rawQueryString": "",
            "headers": {"x-viewer-query": request.rel_url.raw_query_string},
            "requestContext": {"http": {"method": request.method}},
        }
        found: Any = await asyncio.wrap_future(self._thread.submit(lambda: self.world.app.respond(event)[0]))
        body = b64decode(found["body"]) if found.get("isBase64Encoded") else str(found["body"]).encode()
        return web.Response(status=found["statusCode"], headers=found["headers"], body=body)


def on_the_map(world: World, act: Callable[[Page, InProcess], Awaitable[None]]) -> None:
    async def run() -> None:
        tiles = InProcess(world)
        app = web.Application()
        app.add_routes(MapPages(tiles).routes())
        app.router.add_get("/_local/console/{name}", serve_console)
        app.router.add_get("/tiles/{path:.*}", tiles.tile)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        base = f"http://127.0.0.1:{runner.addresses[0][1]}"
        world.app._public_url = tiles.url = base
        try:
            async with open_browser() as page:
                await page.resize(width=1100, height=900)
                await page.open(f"{base}/_local/map")
                await act(page, tiles)
                assert page.errors == []
        finally:
            await runner.cleanup()

    asyncio.run(run())


async def serve_console(request: web.Request) -> web.StreamResponse:
    return web.FileResponse(find_console_file(request.match_info["name"]) or CONSOLE)


def test_a_map_pans_and_zooms(world: World) -> None:
    async def act(page: Page, tiles: InProcess) -> None:
        await page.until(f"{LOADED} >= 4")
        await page.until("document.getElementById('count-failed').textContent === '0'")
        shown = "[...document.querySelectorAll('img.leaflet-tile-loaded')].every(one => one.naturalWidth === 256)"
        assert await page.evaluate(shown)
        await page.evaluate("map.setView([37.78, -122.4], 12, { animate: false }), 0")
        await page.until("document.querySelector('.leaflet-tile-container:last-child img')?.src.includes('/12/')")
        await page.until(f"{LOADED} >= 6")
        before, requested = set(await page.evaluate(SHOWN)), len(tiles.targets)
        if folder := os.environ.get("SCREENSHOTS"):
            await page.until("document.querySelectorAll('img.leaflet-tile:not(.leaflet-tile-loaded)').length === 0")
            await asyncio.sleep(1)  # tiles fade in
            await page.screenshot(Path(folder) / "map.png")
        box = await page.tab.locator("#map").bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        await page.tab.mouse.move(x, y)
        await page.tab.mouse.down()
        await page.tab.mouse.move(x - 400, y - 100, steps=8)
        await page.tab.mouse.up()
        await page.until(f"{SHOWN}.some(one => !{sorted(before)!r}.includes(one))")
        assert len(tiles.targets) > requested
        assert all(one.startswith(("/tiles/landsat7.tif/", "/tiles/srtm90.tif/tilejson")) for one in tiles.targets)

    on_the_map(world, act)


def test_a_second_raster_is_shown_above(world: World) -> None:
    async def act(page: Page, tiles: InProcess) -> None:
        await page.until("document.querySelectorAll('#rasters input').length === 2")
        await page.evaluate("document.querySelectorAll('#rasters input')[1].click()")
        await page.until("document.querySelectorAll('img.leaflet-tile-loaded[src*=srtm90]').length >= 2")
        slide = (
            "{ const one = document.getElementById('opacity'); one.value = 40; one.dispatchEvent(new Event('input')); }"
        )
        await page.evaluate(slide)
        await page.until("document.querySelector('.leaflet-layer:last-child').style.opacity === '0.4'")

    on_the_map(world, act)
