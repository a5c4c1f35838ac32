"""The console's pages by axe-core, the rules of Deque's browser extension, in light and dark, wide and narrow."""

from __future__ import annotations

import asyncio
import json

import pytest
from axe_playwright_python.async_playwright import Axe

from tests.component.browser.browser import CHROMIUM, Page, open_browser

from .conftest import Stack

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

VIEWS = ("on-call", "executive", "debug", "alarms", "traces", "failed", "logs", "index", "review", "audit")
READY = {
    "/": "document.querySelectorAll('#browsers td').length === 9",
    "/_local/upload": "!!document.querySelector('darkroom-upload').shadowRoot",
    "/_local/zoom": "document.getElementById('count-tiles').textContent !== '0'",
    **{f"/_local/watch#/{view}": "document.getElementById('as-of').textContent !== ''" for view in VIEWS},
}
"""What is true on each page once its content is there."""

LOOKS = [(1280, False), (390, True)]


async def find_violations(page: Page) -> dict[str, list[str]]:
    """Return the elements that break a rule, by rule."""
    found = await Axe().run(page.tab)
    return {one["id"]: [node["html"][:160] for node in one["nodes"]] for one in found.response["violations"]}


@pytest.mark.parametrize("path", READY)
def test_axe_finds_nothing(stack: Stack, path: str) -> None:
    async def run() -> dict[str, dict[str, list[str]]]:
        found = {}
        async with open_browser() as page:
            for width, dark in LOOKS:
                await page.resize(width=width, dark=dark)
                await page.open("about:blank")
                await page.open(stack.cdn_url + path)
                await page.until(READY[path])
                if violations := await find_violations(page):
                    found[f"{width} px, {'dark' if dark else 'light'}"] = violations
        return found

    found = asyncio.run(run())
    assert found == {}, json.dumps(found, indent=1)
