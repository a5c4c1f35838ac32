"""The zoom page in a real browser: OpenSeadragon opens an image by its IIIF URL, unsigned, pans and zooms."""

from __future__ import annotations

import asyncio
import io
import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from itertools import product
from urllib.parse import quote, unquote

import numpy as np
import pytest
from aiohttp import web
from PIL import Image
from playwright.async_api import Response

from darkroom.plan.geometry.placement import Size
from darkroom_dialects.iiif.image import resolve_image
from darkroom_dialects.iiif.info_json import build_info
from darkroom_dialects.iiif.spec import VERSIONS, SizeLimits
from darkroom_dialects.iiif.tiles import is_listed, iterate_tiles
from darkroom_dialects.iiif.url import ImageRequest, encode_identifier, parse
from local import viewer as osd
from local.control_pages import CONSOLE, find_console_file
from tests.component.browser.browser import CHROMIUM, Page, open_browser
from tests.component.browser.serving import served
from tests.images.photographs import photograph
from tests.waiting import wait_until_async

from .conftest import Stack
from .viewer import Viewer

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium"),
    pytest.mark.skipif(shutil.which("npm") is None, reason="needs npm"),
]

SIZE = (4000, 3000)
TILE = re.compile(r"/iiif/3/[^/]+/(full|[0-9,]+)/[0-9,]+/0/default\.jpg")
OTHER = """[...document.querySelectorAll('#photographs button')]
  .find(one => one.dataset.key !== document.getElementById('photograph-name').textContent)"""
DEEPEST = "Number(document.getElementById('count-level').textContent)"
SETTLED = "Number(document.getElementById('count-tiles').textContent) > {}"

COLOURS = """(() => {
  const canvas = document.querySelector('#view .openseadragon-canvas canvas');
  const pixels = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
  const seen = new Set();
  let opaque = 0;
  for (let at = 0; at < pixels.length; at += 4 * 97) {
    if (pixels[at + 3] === 255) opaque += 1;
    seen.add((pixels[at] >> 4) * 256 + (pixels[at + 1] >> 4) * 16 + (pixels[at + 2] >> 4));
  }
  return [seen.size, opaque / (pixels.length / (4 * 97))];
})()"""
"""How many colours are on the canvas, and which part of it is drawn on."""


@dataclass
class Traffic:
    """The responses below ``/iiif/3/``: path and status."""

    answers: list[tuple[str, int]] = field(default_factory=list)

    def note(self, response: Response) -> None:
        path = "/" + response.url.split("/", 3)[3]
        if path.startswith("/iiif/3/"):
            self.answers.append((path, response.status))

    @property
    def tiles(self) -> set[str]:
        """The regions of the loaded tiles."""
        return {match[1] for path, _ in self.answers if (match := TILE.fullmatch(path))}

    async def more_than(self, tiles: set[str]) -> None:
        """Wait for a tile that is not among ``tiles``."""
        await wait_until_async(lambda: self.tiles - tiles, "another tile has come")


@pytest.fixture(scope="module")
def large(viewer: Viewer) -> str:
    """The key of an image of five levels, in which no two places are alike."""
    grain = np.random.default_rng(5).integers(-12, 12, (SIZE[1], SIZE[0], 1))
    pixels = np.clip(np.asarray(photograph().resize(SIZE), int) + grain, 0, 255).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, "JPEG", quality=85)
    return unquote(viewer.upload(out.getvalue(), "a (large) one.jpg").removeprefix("/"))


def on_the_page(url: str, act: Callable[[Page, Traffic], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_browser() as page:
            traffic = Traffic()
            page.tab.on("response", traffic.note)
            await page.resize(width=1280)
            await page.open(url)
            await act(page, traffic)
            assert page.errors == []

    asyncio.run(run())


def test_it_opens_zooms_and_pans(stack: Stack, large: str) -> None:
    async def act(page: Page, traffic: Traffic) -> None:
        await page.until(f"{DEEPEST} >= 1")
        assert "4000 × 3000 px in 5 levels, level0" in await page.evaluate("document.getElementById('facts').innerText")
        assert (f"/iiif/3/{encode_identifier(large)}/info.json", 200) in traffic.answers
        shallow = await page.evaluate(DEEPEST)
        assert shallow < 4
        for _ in range(6):
            await page.evaluate("document.getElementById('nearer').click()")
        await page.until(f"{DEEPEST} === 4")
        near = traffic.tiles
        assert any(region.endswith(",512,512") for region in near)
        box = await page.tab.locator("#view").bounding_box()
        assert box
        await page.tab.mouse.move(box["x"] + 700, box["y"] + 300)
        await page.tab.mouse.down()
        await page.tab.mouse.move(box["x"] + 100, box["y"] + 100, steps=8)
        await page.tab.mouse.up()
        await traffic.more_than(near)
        colours, drawn = await page.evaluate(COLOURS)
        assert colours > 40
        assert drawn > 0.9
        assert {status for _, status in traffic.answers} == {200}
        assert await page.evaluate("document.getElementById('count-failed').textContent") == "0"

    on_the_page(f"{stack.control_url}/zoom#{quote(large, safe='')}", act)


def test_another_image_is_chosen_from_the_strip(stack: Stack, large: str) -> None:
    async def act(page: Page, traffic: Traffic) -> None:
        await page.until("document.querySelectorAll('#photographs button').length > 1")
        await page.until(SETTLED.format(0))
        chosen = await page.evaluate(f"{OTHER}.dataset.key")
        await page.evaluate(f"{OTHER}.click()")
        await page.until(f"document.getElementById('photograph-name').textContent === {chosen!r}")
        await page.until(f"{COLOURS}[1] > 0")  # a tile is counted when it is loaded, and drawn later

    on_the_page(f"{stack.control_url}/zoom", act)


ALL_TILES = """info => {
  const tiles = OpenSeadragon.IIIFTileSource.prototype;
  const source = new OpenSeadragon.IIIFTileSource(tiles.configure(info, `${info.id || info['@id']}/info.json`));
  const found = [];
  for (let level = source.minLevel; level <= source.maxLevel; level += 1) {
    const count = source.getNumTiles(level);
    for (let x = 0; x < count.x; x += 1)
      for (let y = 0; y < count.y; y += 1) found.push(source.getTileUrl(level, x, y));
  }
  return found;
}"""
ODD_SIZES = (
    Size(1, 1),
    Size(512, 512),
    Size(513, 512),
    Size(1023, 10),
    Size(257, 3),
    Size(9001, 301),
    Size(4999, 3777),
)


def test_every_tile_that_it_can_request_is_listed() -> None:
    caps = SizeLimits()

    async def run() -> None:
        async with open_browser() as page:
            await page.open("about:blank")
            await page.tab.add_script_tag(path=await osd.ensure_script())
            for upright, version in product(ODD_SIZES, VERSIONS):
                base = f"https://cdn{version.prefix}a"
                document = build_info(base, upright, caps, version, everything=False)
                found = set(await page.tab.evaluate(ALL_TILES, document))
                assert len(found) >= len(set(iterate_tiles(upright)))
                for url in found:
                    asked = parse(url.removeprefix("https://cdn"))
                    assert isinstance(asked, ImageRequest)
                    assert is_listed(asked, resolve_image(asked, upright, caps), caps), (upright, url)

    asyncio.run(run())


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(stack: Stack, large: str, width: int) -> None:
    async def act(page: Page, _: Traffic) -> None:
        await page.resize(width=width)
        await page.until(SETTLED.format(0))
        assert await page.evaluate("document.documentElement.scrollWidth") <= width

    on_the_page(f"{stack.control_url}/zoom", act)


def test_it_reports_why_the_viewer_cannot_open() -> None:
    """Offline, or without npm, the stack responds with an explanation."""

    async def answer(request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/_local/console/"):
            file = find_console_file(request.path.rsplit("/", 1)[1])
            assert file
            return web.FileResponse(file)
        if request.path == "/_local/zoom":
            return web.FileResponse(CONSOLE / "zoom.html")
        if request.path.startswith("/_local/zoom/"):
            return web.Response(status=503, text="npm is not here")
        return web.json_response([])

    async def run() -> None:
        async with served(answer) as address, open_browser() as page:
            await page.open(f"{address}/_local/zoom")
            await page.until("document.getElementById('facts').textContent === 'npm is not here'")
            assert page.errors == []

    asyncio.run(run())
