"""The beacons of frontends/experiment.mjs in a real browser."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from aiohttp import web
from PIL import Image

from .browser import CHROMIUM, Page, open_browser
from .serving import served

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

MODULE = Path(__file__).parents[3] / "frontends" / "experiment.mjs"
PAGE = """<!doctype html><title>Shop</title>
<a id=link href="#bought"><img id=seen src="/a.jpg?exp=hero" width=200 height=100></a>
<img id=other src="/b.jpg?exp=footer" width=200 height=100>
<div style="height: 5000px"></div>
<img id=below src="/c.jpg?exp=below" width=200 height=100>
<img id=broken src="/missing.jpg?exp=broken" width=200 height=100>
<script type=module>
  import { watchExperiment } from '/experiment.mjs';
  document.cookie = 'visitor=abc-1; path=/';
  window.watch = (experiment, more = {}) => watchExperiment({ base: location.origin + '/', experiment, ...more });
  window.ready = true;
</script>"""


class Site:
    """A page with images of experiments, and the beacons that it received, without ``/_/beacon?``."""

    def __init__(self) -> None:
        self.beacons: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path == "/_/beacon":
            assert "cookie" not in request.headers
            self.beacons.append(request.query_string)
            return web.Response(status=204)
        if request.path == "/experiment.mjs":
            return web.FileResponse(MODULE, headers={"content-type": "text/javascript"})
        if request.path in ("/a.jpg", "/b.jpg", "/c.jpg"):
            file = io.BytesIO()
            Image.new("RGB", (200, 100), "teal").save(file, "JPEG")
            return web.Response(body=file.getvalue(), content_type="image/jpeg")
        if request.path == "/":
            return web.Response(text=PAGE, content_type="text/html")
        return web.Response(status=404)

    async def wait_for(self, *beacons: str) -> None:
        async with asyncio.timeout(60):
            while self.beacons != list(beacons):
                await asyncio.sleep(0.02)


def run(act: Callable[[Page, Site], Awaitable[None]]) -> None:
    async def open_page() -> None:
        site = Site()
        async with served(site.answer) as url, open_browser() as page:
            await page.open(f"{url}/")
            await page.until("window.ready")
            await act(page, site)
            assert page.errors == []

    asyncio.run(open_page())


@pytest.mark.slow
def test_a_view_and_a_click_are_sent_once() -> None:
    async def act(page: Page, site: Site) -> None:
        await page.evaluate("void (window.hero = watch('hero'))")
        await site.wait_for("event=view&exp=hero&visitor=abc-1")
        await page.evaluate("seen.click(), link.click(), other.click(), 0")
        await site.wait_for("event=view&exp=hero&visitor=abc-1", "event=click&exp=hero&visitor=abc-1")

    run(act)


@pytest.mark.slow
def test_an_image_is_seen_when_it_is_in_the_window() -> None:
    async def act(page: Page, site: Site) -> None:
        await page.evaluate("void (watch('broken'), window.below = watch('below'), watch('footer'))")
        await site.wait_for("event=view&exp=footer&visitor=abc-1")
        await page.evaluate("window.below.click(), document.getElementById('below').scrollIntoView()")
        await site.wait_for("event=view&exp=footer&visitor=abc-1", "event=view&exp=below&visitor=abc-1")
        await page.evaluate("window.below.click()")
        await page.until("true")
        assert not any("broken" in beacon for beacon in site.beacons)

    run(act)


@pytest.mark.slow
def test_nothing_is_sent_without_a_visitor() -> None:
    async def act(page: Page, site: Site) -> None:
        await page.evaluate("void (watch('hero', { visitor: '' }), watch('hero', { visitor: 'a b' }))")
        await page.evaluate("void watch('footer', { visitor: 'x.2' }), seen.click()")
        await site.wait_for("event=view&exp=footer&visitor=x.2")

    run(act)


@pytest.mark.slow
def test_a_stopped_watch_sends_nothing() -> None:
    async def act(page: Page, site: Site) -> None:
        await page.evaluate("void (window.hero = watch('hero'), hero.stop(), hero.click(), seen.click())")
        await page.evaluate("void watch('footer')")
        await site.wait_for("event=view&exp=footer&visitor=abc-1")

    run(act)
