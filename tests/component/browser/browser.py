"""A real browser: Debian's Chromium without a window, driven by Playwright."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playwright.async_api import Error, async_playwright
from playwright.async_api import Page as Tab

from tests.waiting import HANG_S, LOOK_EVERY_S

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync")
WAITS_MS = HANG_S * 1000
_POLICY = "Content Security Policy"
"""In messages of the browser about what a page may not load."""


class Page:
    """One page. Uncaught errors of its scripts, and what its content security policy blocked, are in ``errors``."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.errors: list[str] = []
        tab.set_default_timeout(WAITS_MS)
        tab.on("pageerror", lambda error: self.errors.append(str(error)))
        tab.on("console", lambda said: self.errors.append(said.text) if _POLICY in said.text else None)

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

    async def until(self, expression: str, within_s: float = HANG_S) -> Any:
        """Wait until ``expression`` is true, and return its value.

        This method polls the page. A script that waits inside the page is blocked by pages with a content security
        policy.
        """
        deadline_s = time.monotonic() + within_s
        while not (found := await self._ask(expression)):
            if time.monotonic() > deadline_s:
                text = await self.evaluate("document.body.innerText")
                raise AssertionError(f"{expression} did not come true; {self.errors}; the page says:\n{text}")
            await asyncio.sleep(LOOK_EVERY_S)
        return found

    async def _ask(self, expression: str) -> Any:
        try:
            return await self.evaluate(expression)
        except Error as error:
            if "context was destroyed" in str(error):  # the page is being left
                return None
            raise AssertionError(f"{expression}: {error}") from None

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
    async with open_profiles() as open_profile:
        yield await open_profile()


@asynccontextmanager
async def open_profiles() -> AsyncIterator[Callable[[], Awaitable[Page]]]:
    """Yield a function that opens a page of a new profile, with cookies of its own, in one browser."""
    assert CHROMIUM
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))

        async def open_profile() -> Page:
            return Page(await (await browser.new_context()).new_page())

        try:
            yield open_profile
        finally:
            await browser.close()
