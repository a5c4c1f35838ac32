"""The upload page of the console in a real browser."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web

from local.control_pages import CONSOLE, find_console_file

from .browser import CHROMIUM, Page, open_browser
from .serving import served

DECLARED: list[dict[str, Any]] = []
SHADOW = "document.getElementById('upload').shadowRoot"
CHOOSE = f"""(() => {{
  const files = new DataTransfer();
  files.items.add(new File(['x'], 'scan.TIF', {{ type: '' }}));
  const input = {SHADOW}.getElementById('choose');
  input.files = files.files;
  input.dispatchEvent(new Event('change'));
}})()"""
ACCEPTS = f"{SHADOW}?.getElementById('choose').accept.split(',').includes('.heif')"


async def answer(request: web.Request) -> web.StreamResponse:
    path = request.path
    if path == "/":
        return web.FileResponse(CONSOLE / "upload.html")
    if path.startswith("/_local/console/"):
        return web.FileResponse(find_console_file(path.rsplit("/", 1)[1]) or CONSOLE)
    if path == "/_local/upload-token":
        return web.json_response({"api": f"http://{request.host}", "token": "a-token"})
    if path == "/uploads":
        DECLARED.append(await request.json())
        return web.json_response({"code": "not-granted", "detail": "Not here"}, status=403)
    return web.json_response({"at_ingest": []})


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
def test_a_file_of_unknown_type_is_declared_by_its_extension() -> None:
    async def act(page: Page) -> None:
        await page.until(ACCEPTS)
        await page.evaluate(CHOOSE)
        await page.until("document.getElementById('count-refused').textContent === '1'")

    async def run() -> None:
        async with served(answer) as url, open_browser() as page:
            await page.open(f"{url}/")
            await act(page)

    DECLARED.clear()
    asyncio.run(run())
    assert [upload["type"] for upload in DECLARED] == ["image/tiff"]


def make_ready(polls: list[str]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Responses for one upload that is ready at once, whose tags are there at the second poll; with ``polls``."""

    async def respond(request: web.Request) -> web.StreamResponse:
        path, query = request.path, request.query
        if path == "/uploads":
            form = {"url": f"http://{request.host}/s3", "fields": {}}
            return web.json_response(form | {"status": "/uploads/status", "expires_at": "2126-01-01T00:00:00+00:00"})
        if path == "/s3":
            return web.Response(status=201, headers={"x-amz-version-id": "v1"})
        if path == "/uploads/status":
            size = {"format": "jpeg", "width": 10, "height": 10}
            state = {"key": "uploads/a.jpg", "state": "ready", "version": "v1"}
            return web.json_response(state | {"picture": size})  # terms: allow
        if path == "/_local/findings":
            polls.append(query["key"])
            tags = {"tags": {"labels": [{"name": "bridge", "score": 0.91}]}}
            done = len(polls) > 1
            found = {"state": "found", "findings": {"pending": [], "tasks": tags}}
            return web.json_response(found if done else {"state": "pending"})
        return await answer(request)

    return respond


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")
@pytest.mark.slow
def test_an_upload_shows_its_tags_once_it_is_analysed() -> None:
    polls: list[str] = []

    async def run() -> None:
        async with served(make_ready(polls)) as url, open_browser() as page:
            await page.open(f"{url}/")
            await page.until(ACCEPTS)
            await page.evaluate(CHOOSE)
            await page.until("document.querySelector('.outcome .tag-chip')?.textContent === 'bridge'")
            opened = await page.evaluate("document.querySelector('.outcome .detail a').getAttribute('href')")
            assert opened == "/#/uploads/a.jpg"

    asyncio.run(run())
    assert polls == ["uploads/a.jpg"] * 2
