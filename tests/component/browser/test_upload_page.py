"""The upload page in a real browser: the media types come from the server."""

from __future__ import annotations

import asyncio
import json
from typing import Any, cast
from unittest.mock import Mock

import pytest
from aiohttp import web

from darkroom.plan.model import SOURCE_MEDIA_TYPES
from local.control_pages import CONSOLE, ControlPages

from .browser import CHROMIUM, Page, open_browser
from .serving import served

CONTROL_PAGES = ControlPages(Mock(), Mock(), Mock(), Mock())
DECLARED: list[dict[str, Any]] = []
CHOOSE = """(() => {
  const files = new DataTransfer();
  files.items.add(new File(['x'], 'scan.TIF', { type: '' }));
  const input = document.getElementById('choose');
  input.files = files.files;
  input.dispatchEvent(new Event('change'));
})()"""


async def answer(request: web.Request) -> web.StreamResponse:
    path = request.path
    if path == "/":
        return web.FileResponse(CONSOLE / "upload.html")
    if path.startswith("/_local/console/"):
        return web.FileResponse(CONSOLE / path.rsplit("/", 1)[1])
    if path == "/_local/media-types":
        return await CONTROL_PAGES.media_types(request)
    if path == "/_local/upload-token":
        return web.json_response({"api": f"http://{request.host}", "token": "a-token"})
    if path == "/uploads":
        DECLARED.append(await request.json())
        return web.json_response({"code": "not-granted", "detail": "Not here"}, status=403)
    return web.json_response({"at_ingest": []})


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_file_of_unknown_type_is_declared_by_its_extension() -> None:
    async def act(page: Page) -> None:
        await page.until("document.getElementById('choose').accept.split(',').includes('.heif')")
        await page.evaluate(CHOOSE)
        await page.until("document.getElementById('count-refused').textContent === '1'")

    async def run() -> None:
        async with served(answer) as url, open_browser() as page:
            await page.open(f"{url}/")
            await act(page)

    DECLARED.clear()
    asyncio.run(run())
    assert [upload["type"] for upload in DECLARED] == ["image/tiff"]


def test_each_media_type_has_an_extension() -> None:
    found = cast(Any, asyncio.run(CONTROL_PAGES.media_types(Mock())))
    types = json.loads(found.body)
    assert set(types.values()) == set(SOURCE_MEDIA_TYPES)
    assert (types["jpg"], types["heif"], types["svg"]) == ("image/jpeg", "image/heif", "image/svg+xml")
