"""The cost calculator of the documentation in a real browser."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web

from bench.cost.calculator import DATA

from .browser import CHROMIUM, Page, open_browser
from .serving import served

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

FOLDER = DATA.parent
SMALL = "?images=20000&new_images=100&requests_a_second=0.5&delivery_gb=120&endpoint_hours=10"
TOTALS = "[...document.querySelectorAll('.calc-total')].map(each => each.textContent)"
ERRORS = "[...document.querySelectorAll('.calc-error')].map(each => each.textContent).filter(text => text)"


async def answer(request: web.Request) -> web.StreamResponse:
    """Respond with the HTML lines of the page, or with a file beside it."""
    name = request.match_info["path"]
    if name != "page":
        return web.FileResponse(FOLDER / name) if (FOLDER / name).is_file() else web.Response(status=404)
    lines = (FOLDER / "calculator.md").read_text(encoding="utf-8").splitlines()
    html = "\n".join(line for line in lines if line.startswith("<"))
    return web.Response(text=f"<!doctype html><title>Calculator</title>{html}", content_type="text/html")


async def read_address(page: Page) -> dict[str, str]:
    address = str(await page.evaluate("location.search"))
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def restore_numbers(page: Page, url: str) -> None:
    """Open a shared address, change numbers and units, and reload."""
    await page.open(f"{url}/page{SMALL}")
    before = await page.evaluate(TOTALS)
    assert len(before) == 5
    shown = await page.evaluate("document.querySelector('[aria-labelledby=calc-Cloudinary]').innerText")
    assert "delivery in the plan monitoring 0.00" in " ".join(shown.split())
    await page.tab.get_by_label("unit of views").select_option("views")
    assert await page.evaluate(TOTALS) == before, "another unit is the same bill"
    assert await page.tab.get_by_label("views", exact=True).input_value() == "1,314,000"
    await page.tab.get_by_label("images", exact=True).focus()
    await page.press("Tab")
    await page.tab.keyboard.insert_text("40,000")
    changed = await page.evaluate(TOTALS)
    assert changed != before
    address = await read_address(page)
    assert {"views": "1314000", "new_images": "40000", "delivery_gb": "120"}.items() <= address.items()
    assert "requests_a_second" not in address
    await page.tab.reload()
    assert await page.evaluate(TOTALS) == changed
    status = "document.querySelector('[role=status]').textContent"
    assert await page.until(f"{status}.includes({changed[0].removesuffix(' a month')!r})")


async def refuse_nonsense(page: Page, url: str) -> None:
    """Open an address with wrong numbers, and correct them."""
    await page.open(f"{url}/page?images=-3&miss_percent=1e9")
    assert await page.evaluate(ERRORS) == ["Enter 0 or more.", "Enter at most 100."]
    assert await page.evaluate(TOTALS) == []
    field = page.tab.get_by_label("images", exact=True)
    described = await field.get_attribute("aria-describedby")
    assert await page.evaluate(f"document.getElementById({described!r}).textContent") == "Enter 0 or more."
    assert await field.get_attribute("aria-invalid") == "true"
    before = await read_address(page)
    await field.fill("5")
    assert await page.evaluate(ERRORS) == ["Enter at most 100."]
    assert await read_address(page) == before, "an address has valid numbers only"
    await page.tab.get_by_label("percent of the views").fill("10")
    assert len(await page.evaluate(TOTALS)) == 5
    assert (await read_address(page))["images"] == "5"


def test_numbers_are_in_the_address_and_nonsense_is_refused() -> None:
    async def run() -> None:
        async with served(answer) as url, open_browser() as page:
            requested: list[str] = []
            page.tab.on("request", lambda request: requested.append(request.url))
            await restore_numbers(page, url)
            await refuse_nonsense(page, url)
            assert page.errors == []
            assert [one for one in requested if not one.startswith(url)] == []

    asyncio.run(run())
