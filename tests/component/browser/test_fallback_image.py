"""What Chromium does with the responses to failed images of another origin."""

from __future__ import annotations

import asyncio
import io
from base64 import b64decode
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from obstore.store import MemoryStore
from PIL import Image
from playwright.async_api import Request

from darkroom.aws.s3_fast import FastBucket
from darkroom.http.response import EdgeRequest, respond
from darkroom.plan.native_url import parse_url
from darkroom.services.serve.transform import Transform
from tests.component.services.test_transform import Keys

from .browser import CHROMIUM, Page, open_browser
from .serving import served

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

POLICY = {
    "x-content-type-options": "nosniff",
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "X-Darkroom-Error",
}
"""Headers that the CDN adds."""

SHOW = """(url) => new Promise(done => {
  const image = document.createElement('img');
  image.onload = () => done([image.naturalWidth, image.naturalHeight]);
  image.onerror = () => done('error');
  image.src = url;
  document.body.append(image);
})"""
FETCH = """async url => {
  const response = await fetch(url);
  return [response.status, response.headers.get('x-darkroom-error'), response.headers.get('content-type')];
}"""


@dataclass
class Cdn:
    """The transform service as an origin of its own. ``destinations`` are the values of Sec-Fetch-Dest."""

    transform: Transform
    destinations: list[str] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.destinations.append(request.headers.get("sec-fetch-dest", ""))
        path = parse_url(request.raw_path).path.removesuffix("auto") + "auto-webp"
        response: dict[str, Any] = respond(self.transform, EdgeRequest(path, request.method, {}))[0]
        body = b64decode(response["body"]) if response.get("isBase64Encoded") else response["body"].encode()
        return web.Response(status=response["statusCode"], headers=response["headers"] | POLICY, body=body)


async def _page(_: web.Request) -> web.StreamResponse:
    return web.Response(text="<!doctype html><body>", content_type="text/html")


@asynccontextmanager
async def shop(fallback_images: tuple[tuple[str, str], ...]) -> AsyncIterator[tuple[Page, str, Cdn, list[str]]]:
    """Yield a page of one origin, the URL of a missing image of another, and the network errors of the page."""
    store, grey = FastBucket(MemoryStore()), io.BytesIO()
    Image.new("RGB", (800, 400), (200, 200, 200)).save(grey, "PNG")
    store.put("masters/fallback.png", grey.getvalue(), {})
    cdn = Cdn(Transform(source=store, media=store, keys=Keys(), fallback_images=fallback_images))
    failures: list[str] = []

    def note(request: Request) -> None:
        failures.append(str(request.failure))

    async with served(_page) as page_url, served(cdn.answer) as cdn_url, open_browser() as page:
        page.tab.on("requestfailed", note)
        await page.open(page_url)
        yield page, f"{cdn_url}/shop/missing.jpg?w=320", cdn, failures


def in_a_shop(
    fallback_images: tuple[tuple[str, str], ...], act: Callable[[Page, str, Cdn, list[str]], Awaitable[None]]
) -> None:
    async def run() -> None:
        async with shop(fallback_images) as found:
            await act(*found)

    asyncio.run(run())


@pytest.mark.slow
def test_a_problem_document_in_an_image_is_blocked() -> None:
    """Opaque response blocking: the page, and the console of the browser, have neither status nor code."""

    async def act(page: Page, url: str, cdn: Cdn, failures: list[str]) -> None:
        assert await page.tab.evaluate(SHOW, url) == "error"
        assert (failures, cdn.destinations) == (["net::ERR_BLOCKED_BY_ORB"], ["image"])
        assert await page.tab.evaluate(FETCH, url) == [404, "no-source", "application/problem+json"]

    in_a_shop((), act)


@pytest.mark.slow
def test_a_fallback_image_is_shown_despite_its_status() -> None:
    async def act(page: Page, url: str, cdn: Cdn, failures: list[str]) -> None:
        async with page.tab.expect_response(url) as response:
            assert await page.tab.evaluate(SHOW, url) == [320, 160]
        shown = await response.value
        assert (shown.status, shown.headers["x-darkroom-error"]) == (404, "no-source")
        assert (failures, cdn.destinations) == ([], ["image"])
        assert await page.tab.evaluate(FETCH, url) == [404, "no-source", "image/webp"]

    in_a_shop((("shop/", "fallback.png"),), act)
