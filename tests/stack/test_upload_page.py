"""The local stack's upload page in a real browser."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from tests.component.browser.browser import CHROMIUM, Page, open_browser
from tests.images.photographs import jpeg_photo

from .conftest import Stack

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

SETTLED = "document.getElementById('count-going').textContent === '0'"
SHADOW = "document.getElementById('upload').shadowRoot"
FILES = f"{SHADOW}.querySelectorAll('.file')"
CARDS = f"""[...{FILES}].map(card => ({{
  name: card.querySelector('b').textContent,
  state: card.querySelector('.chip').textContent,
  detail: card.querySelector('.detail').textContent,
  reason: card.querySelector('.reason').innerText,
  outcome: card.querySelector('slot').assignedElements().map(each => each.innerText).join(),
  prints: card.querySelector('slot').assignedElements()
    .flatMap(each => [...each.querySelectorAll('.presets img')]).map(print => print.naturalWidth),
}}))"""
PRINTED = "[...document.querySelectorAll('.presets')].every(list => list.querySelectorAll('img[src]').length === 6)"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """A photograph, the same with another name, and something that is none."""
    made = {"photo.jpg": jpeg_photo(), "copy.jpg": jpeg_photo(), "broken.jpg": jpeg_photo()[:-2000]}
    for name, data in made.items():
        (tmp_path / name).write_bytes(data)
    return [tmp_path / name for name in made]


def on_the_page(stack: Stack, act: Callable[[Page], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_browser() as page:
            await page.resize(width=1280)
            await page.open(f"{stack.control_url}/upload")
            await act(page)
            assert page.errors == []

    asyncio.run(run())


async def cards(page: Page) -> dict[str, dict[str, Any]]:
    return {card["name"]: card for card in await page.evaluate(CARDS)}


@pytest.mark.smoke
def test_chosen_files_and_their_outcomes(stack: Stack, files: list[Path]) -> None:
    async def act(page: Page) -> None:
        await page.choose_files("#choose", *files)
        await page.until(f"{FILES}.length === 3 && {SETTLED}")
        await page.until(PRINTED)
        found = await cards(page)
        assert list(found) == ["photo.jpg", "copy.jpg", "broken.jpg"]
        assert {name: card["state"] for name, card in found.items()} == {
            "photo.jpg": "ready",
            "copy.jpg": "ready",
            "broken.jpg": "rejected",
        }
        assert "The image is damaged" in found["broken.jpg"]["reason"]
        assert found["photo.jpg"]["detail"].startswith("uploads/photo.jpg · ")
        assert all(width > 0 for width in found["photo.jpg"]["prints"])
        numbers = "[...document.querySelectorAll('.counts dd')].map(number => number.textContent).join()"
        assert await page.evaluate(numbers) == "0,2,1"

    on_the_page(stack, act)


def photo_with_exif() -> bytes:
    """A photograph with an EXIF orientation and a location."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "A user's camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg_photo(size=(2000, 1500)))).save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_a_file_is_made_smaller_and_stripped_on_the_device(stack: Stack, tmp_path: Path) -> None:
    photo = tmp_path / "large.jpg"
    photo.write_bytes(photo_with_exif())

    async def act(page: Page) -> None:
        settings = {"longest": "value = '1280'", "type": "value = 'image/webp'", "folder": "value = 'small'"}
        for name, act in {**settings, "prepare": "click()"}.items():
            await page.evaluate(f"document.getElementById('{name}').{act}")
        await page.choose_files("#choose", photo)
        await page.until(f"{FILES}.length === 1 && {SETTLED}")
        card = (await cards(page))["large.jpg"]
        assert card["state"] == "ready", card
        assert "1500 × 2000 → 960 × 1280, stripped" in card["detail"]
        assert "small/large.webp" in card["detail"]
        assert "960 × 1280 webp" in card["outcome"]

    on_the_page(stack, act)
    bucket = json.loads((stack.state / "stack.json").read_text())["outputs"]["UploadsBucketName"]
    sent = stack.cloud.s3.get_object(Bucket=bucket, Key="small/large.webp")["Body"].read()
    assert Image.open(io.BytesIO(sent)).format == "WEBP"
    assert b"EXIF" not in sent.upper()
    assert b"camera" not in sent


def test_dropped_files_and_refusals_of_the_api(stack: Stack) -> None:
    drop = """(() => {
      const dropped = new DataTransfer();
      for (const name of ['notes.txt', '_']) dropped.items.add(new File(['no image'], name));
      document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: dropped, bubbles: true }));
    })()"""

    async def act(page: Page) -> None:
        await page.evaluate(drop)
        await page.until(f"{FILES}.length === 2 && {SETTLED}")
        found = await cards(page)
        assert found["notes.txt"]["state"] == "failed"
        assert found["notes.txt"]["reason"].startswith("Files of this type are not accepted.\ntype: expected one of")
        assert "key: /_/ is reserved" in found["_"]["reason"]
        await page.evaluate(f"{FILES}[0].querySelector('button').click()")
        await page.until(SETTLED)
        numbers = "[...document.querySelectorAll('.counts dd')].map(number => number.textContent).join()"
        assert await page.evaluate(numbers) == "0,0,2"

    on_the_page(stack, act)


def test_the_page_works_by_keyboard_and_leads_back(stack: Stack) -> None:
    async def act(page: Page) -> None:
        seen = []
        for _ in range(7):
            await page.press("Tab")
            active = "(active => active.shadowRoot?.activeElement ?? active)(document.activeElement)"
            seen.append(await page.evaluate(f"{active}.id || {active}.getAttribute('href')"))
        assert seen == ["/", "/_local/upload", "/_local/zoom", "/_local/watch", "choose", "folder", "prepare"]
        await page.evaluate("document.getElementById('prepare').focus()")
        await page.press(" ")
        await page.until("document.getElementById('longest').offsetParent !== null")

    on_the_page(stack, act)


def test_the_start_page_links_to_it(stack: Stack) -> None:
    async def act(page: Page) -> None:
        await page.open(f"{stack.cdn_url}/")
        links = await page.evaluate("[...document.querySelectorAll('header a')].map(link => link.href)")
        assert f"{stack.control_url}/upload" in links

    on_the_page(stack, act)


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_is_wider_than_the_window(stack: Stack, width: int, files: list[Path]) -> None:
    async def act(page: Page) -> None:
        await page.resize(width=width)
        await page.choose_files("#choose", files[0])
        await page.until(f"{FILES}.length === 1 && {SETTLED}")
        await page.until(PRINTED)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
        right = "[...document.querySelectorAll('.detail, .presets')].map(box => box.getBoundingClientRect().right)"
        boxes = await page.evaluate(right)
        assert max(boxes) <= width

    on_the_page(stack, act)
