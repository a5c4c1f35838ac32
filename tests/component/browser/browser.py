"""A real browser: Debian's Chromium without a window, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Error, async_playwright
from playwright.async_api import Page as Tab
from playwright.async_api import TimeoutError as Late

from tests.waiting import HANG_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")
WAITS_MS = HANG_S * 1000
LOOK_EVERY_MS = 100


class Page:
    """One page. Uncaught errors of its scripts are in ``errors``."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.errors: list[str] = []
        tab.set_default_timeout(WAITS_MS)
        tab.on("pageerror", lambda error: self.errors.append(str(error)))

    async def open(self, url: str) -> None:
        """Open ``url`` and wait until it has loaded."""
        await self.tab.goto(url)

    async def resize(self, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Set the window size and the colour scheme."""
        await self.tab.set_viewport_size({"width": width, "height": height})
        await self.tab.emulate_media(color_scheme="dark" if dark else "light")

    async def evaluate(self, expression: str) -> Any:
        """Return the value of ``expression``, awaited if it is a promise."""
        return await self.tab.evaluate(expression)

    async def until(self, expression: str, within_s: float = WAITS_MS / 1000) -> Any:
        """Wait until ``expression`` is true, and return its value."""
        try:
            found = await self.tab.wait_for_function(expression, timeout=within_s * 1000, polling=LOOK_EVERY_MS)
        except Late:
            text = await self.evaluate("document.body.innerText")
            raise AssertionError(f"{expression} did not come true; {self.errors}; the page says:\n{text}") from None
        except Error as error:
            raise AssertionError(f"{expression}: {error}") from None
        return await found.json_value()

    async def choose_files(self, selector: str, *paths: Path) -> None:
        """Choose files in the input that ``selector`` matches."""
        await self.tab.set_input_files(selector, [str(path) for path in paths])

    async def press(self, key: str) -> None:
        """Press and release a key, such as Tab."""
        await self.tab.keyboard.press("Space" if key == " " else key)

    async def point(self, x: float, y: float) -> None:
        """Move the mouse to a position in CSS pixels from the top left of the window."""
        await self.tab.mouse.move(x, y)

    async def screenshot(self, path: Path) -> None:
        """Write the whole page as a PNG."""
        await self.tab.screenshot(path=path, full_page=True)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Page]:
    """Open a page in a new browser with an empty profile."""
    assert CHROMIUM
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        try:
            yield Page(await browser.new_page())
        finally:
            await browser.close()
