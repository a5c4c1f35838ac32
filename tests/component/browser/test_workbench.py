"""The image and its URL on the start page, in a real browser: options, address, reasons, code and comparison."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.images.photographs import jpeg_photo

from .browser import CHROMIUM, Page
from .start_page import EXPIRES_S, KEY, Responses
from .test_found_page import make_response, on_the_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

URL = "document.querySelector('#url').value"
ADDRESS = "location.hash"
VISIBLE = "#form details:not([hidden]) label:not([hidden]) code"


def explained(**more: Any) -> dict[str, Any]:
    """Return what the stack says of a cover of 400 × 400 px."""
    image = {
        "of": {"format": "jpeg", "width": 1200, "height": 800, "frames": 1, "has_alpha": False},
        "size": {"width": 400, "height": 400, "why": "reduced to w=400 by the URL and h=400 by the URL"},
        "formats": [
            {"class": "auto-avif", "format": "avif", "why": "the browser accepts image/avif", "if_drawing": ""}
            | {"still_because": "", "quality": 50, "quality_by": "the setting default_quality"}
        ],
        "crop": {"fit_by": "the URL", "gravity": "center", "gravity_by": "the default", "place": "fixed: center"}
        | {"kept_percent": 67, "window": [100, 0, 400, 400], "scaled": [600, 400], "kept": [400, 400]},
        "error": None,
    }
    document = {
        "target": f"/{KEY}?w=400",
        "refusal": None,
        "key": KEY,
        "image": image,
        "policy": {"needs_signature": True, "access_mode": "open"},
        "signature": {"kind": "canonical"},
        "derivatives": [],
        "master": {"content_type": "image/jpeg", "bytes": 240_000, "modified_at": "2026-12-01T10:00:00Z"},
        "source": {"uri": "s3://media/masters"},
        "index": {"state": "published", "refusal": None},
        "caching": {"cache_control": "public, max-age=60", "purges": {"waiting": 0}},
        "costs": {"memory_mb": 1769, "render_usd": 3.2, "stored_usd": 0.4},
    }
    return document | more


def stage(**more: Any) -> Responses:
    return Responses(jpeg_photo(), [make_response("off")], mode="off", explained=explained(**more))


async def settle(page: Page, query: str) -> None:
    """Wait until the result of ``query`` is shown with its code. The code of the first URL names all widths."""
    await page.until(f"document.querySelector('#shown img')?.alt.includes({query!r})")
    await page.until(f"document.querySelector('pre.code')?.textContent.includes({query.replace('&', '&amp;')!r})")


def type_url(text: str) -> str:
    return (
        "(() => { const url = document.querySelector('#url'); url.focus(); url.value = "
        f"{text!r}; url.dispatchEvent(new Event('input', {{ bubbles: true }})); }})()"
    )


def choose(short: str, value: str) -> str:
    """Return the expression that enters ``value`` for the option ``short``."""
    return (
        "(() => { const code = [...document.querySelectorAll('#form code')]"
        f".find(one => one.textContent === {short!r});"
        f" const input = code.closest('label').querySelector('input, select'); input.value = {value!r};"
        " input.dispatchEvent(new Event('input', { bubbles: true })); })()"
    )


def opened_at(address: str, act: Callable[[Page], Awaitable[None]], width: int = 1280, **more: Any) -> None:
    async def begin(page: Page) -> None:
        await page.evaluate(f"location.hash = {address!r}")
        await act(page)

    on_the_page(stage(**more), begin, width)


def test_the_address_has_the_url_and_its_options() -> None:
    async def act(page: Page) -> None:
        await settle(page, "w=640&blur=3")
        assert (await page.evaluate(URL)).endswith(f"/{KEY}?w=640&blur=3")
        assert await page.evaluate("[...document.querySelectorAll('#form .set')].map(one => one.value)") == ["640", "3"]
        assert "1 set" in await page.evaluate("document.querySelector('#form').innerText")
        await page.evaluate(choose("h", "480"))
        await page.until(f"{ADDRESS}.includes('h=480')")
        await settle(page, "w=640&blur=3&h=480")

    opened_at(f"/{KEY}?w=640&blur=3", act)


def test_a_typed_url_fills_the_options_and_keeps_what_no_field_has() -> None:
    async def act(page: Page) -> None:
        await settle(page, f"/{KEY}")
        await page.evaluate(type_url(f"/{KEY}?width=320&wm=logo,southeast,60,20&s=old"))
        await settle(page, "w=320&wm=logo,southeast,60,20")
        await page.evaluate(choose("f", "webp"))
        await page.until(f"{ADDRESS} === {f'#/{KEY}?w=320&wm=logo,southeast,60,20&f=webp'!r}")

    opened_at(f"/{KEY}", act)


def test_reasons_are_listed_and_the_crop_is_drawn() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelector('#why')?.innerText.includes('served')")
        why = await page.evaluate("document.querySelector('#why').innerText")
        for text in ("served", "400 × 400 px", "the browser accepts image/avif", "quality 50", "keeps 67 %", "needed"):
            assert text in why
        assert "0.40 USD if it is stored" in why
        style = await page.evaluate("document.querySelector('.kept').getAttribute('style')")
        assert "left: 16.6667%" in style
        assert "width: 66.6667%" in style

    opened_at(f"/{KEY}?w=400", act)


def test_a_searched_crop_is_found_in_the_master_and_drawn() -> None:
    """The stand-in of the renderer crops from a quarter of the width on."""

    async def act(page: Page) -> None:
        await page.until("document.querySelector('.kept')")
        left = await page.evaluate("parseFloat(document.querySelector('.kept').style.left)")
        assert abs(left - 25) < 1.5

    image = explained()["image"]
    opened_at(f"/{KEY}?w=400&h=400&fit=cover", act, image=image | {"crop": image["crop"] | {"window": None}})


def test_links_to_a_private_image_are_signed_and_end() -> None:
    async def act(page: Page) -> None:
        await settle(page, f"exp={EXPIRES_S}&s=signature")
        guard = await page.evaluate("document.querySelector('#guard').textContent")
        assert "each link needs a signature with an expiry (exp). This link is valid until 2096-" in guard
        await page.until("document.querySelector('#photographs img').naturalWidth > 0")
        await page.until("document.querySelectorAll('#browsers td').length === 9")
        assert await page.evaluate(ADDRESS) == f"#/{KEY}?w=400"
        await page.evaluate(
            "[...document.querySelectorAll('.code-tab')].find(one => one.textContent.includes('Python')).click()"
        )
        assert "expires_at=int(time.time()) + 900" in await page.evaluate(
            "document.querySelector('pre.code').textContent"
        )

    async def begin(page: Page) -> None:
        await page.evaluate(f"location.hash = '/{KEY}?w=400'")
        await act(page)

    on_the_page(replace(stage(), private=True), begin)


def test_a_url_of_a_dialect_stays_as_it_was_typed() -> None:
    async def act(page: Page) -> None:
        await settle(page, f"/{KEY}")
        await page.evaluate(type_url(f"https://dit.example.com/{KEY}?width=300&grayscale=true"))
        await settle(page, "/dit/")
        assert await page.evaluate(ADDRESS) == f"#/dit/{KEY}?width=300&grayscale=true"
        assert "A URL of dit" in await page.evaluate("document.querySelector('#guard').textContent")
        assert await page.evaluate("document.querySelector('#form').checkVisibility()") is False
        assert await page.evaluate("document.querySelector('#photograph-name').textContent") == KEY
        tabs = "[...document.querySelectorAll('.code-tab')].map(one => one.textContent)"
        assert await page.evaluate(tabs) == ["HTML", "curl"]
        await page.evaluate(type_url(f"https://cdn.example.com/{KEY}?w=320"))
        await settle(page, "w=320")
        assert await page.evaluate("document.querySelector('#form').checkVisibility()") is True

    opened_at(f"/{KEY}", act)


@pytest.mark.slow
def test_tab_leaves_the_row_of_images_in_which_arrows_move() -> None:
    async def act(page: Page) -> None:
        await settle(page, f"/{KEY}")
        assert "px, jpeg" in await page.evaluate("document.querySelector('[role=status]#guard').textContent")
        await page.evaluate("document.querySelector('#photographs button').focus()")
        await page.press("ArrowRight")
        assert await page.evaluate("document.activeElement.dataset.key") == "others/1.jpg"
        await page.press("Tab")
        assert await page.evaluate("document.activeElement.id") == "url"

    others = [{"key": "others/1.jpg", "score": 0.5}, {"key": "others/2.jpg", "score": 0.4}]
    on_the_page(replace(stage(), near=others), act)


@pytest.mark.slow
def test_a_refusal_is_the_first_reason() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelector('#why')?.innerText.includes('404 no-source')")
        assert "There is no image" in await page.evaluate("document.querySelector('#why').innerText")

    refusal = {"status": 404, "code": "no-source", "detail": "There is no image"}
    opened_at(f"/{KEY}?w=400", act, refusal=refusal, master=None, image=explained()["image"] | {"crop": None})


@pytest.mark.slow
def test_a_missing_explanation_is_reported() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelector('#why')?.innerText.includes('There is no explanation')")
        await page.until("document.querySelectorAll('#browsers td').length === 9")

    on_the_page(replace(stage(), explains=False), act)


@pytest.mark.slow
def test_code_is_shown_for_each_place() -> None:
    async def act(page: Page) -> None:
        await settle(page, "w=640")
        assert "srcset=" in await page.evaluate("document.querySelector('pre.code').textContent")
        found = {}
        for name in await page.evaluate(
            "[...document.querySelectorAll('.code-tabs button')].map(one => one.textContent)"
        ):
            await page.evaluate(
                f"[...document.querySelectorAll('.code-tabs button')].find(one => one.textContent === {name!r}).click()"
            )
            found[name] = await page.evaluate("document.querySelector('pre.code').textContent")
        assert list(found) == ["HTML", "React", "Vue", "Python, Django", "PHP", "curl"]
        assert all(KEY in code for code in found.values())
        assert len(set(found.values())) == 6
        assert 'width="900" height="600"' in found["HTML"], "the size of the shown image, not of the master"
        assert "max-width: 100%" in found["HTML"]

    opened_at(f"/{KEY}?w=640", act)


def test_an_entered_address_is_opened_though_an_earlier_answer_arrives() -> None:
    async def act(page: Page) -> None:
        await settle(page, f"/{KEY}")
        await page.evaluate(f"location.hash = '/{KEY}?w=640'; history.replaceState(null, '', '#/{KEY}')")
        await settle(page, "w=640")

    on_the_page(stage(), act)


def test_two_results_are_compared_behind_a_slider() -> None:
    async def act(page: Page) -> None:
        await settle(page, "w=640")
        await page.evaluate("document.querySelector('#keep').click()")
        await page.evaluate(choose("blur", "8"))
        await page.until("!!document.querySelector('#shown .compare')")
        caption = await page.evaluate("document.querySelector('#shown figcaption').innerText")
        assert "?w=640, " in caption
        assert "?w=640&blur=8, " in caption
        await page.evaluate("document.querySelector('#keep').click()")
        assert await page.evaluate("document.querySelectorAll('#shown .compare').length") == 0

    opened_at(f"/{KEY}?w=640", act)


@pytest.mark.slow
def test_options_are_found_by_what_they_do() -> None:
    visible = f"[...document.querySelectorAll({VISIBLE!r})].map(one => one.textContent)"

    async def act(page: Page) -> None:
        await settle(page, f"/{KEY}")
        await page.evaluate(
            "(() => { const find = document.querySelector('.find input'); find.value = 'watermark';"
            " find.dispatchEvent(new Event('input', { bubbles: true })); })()"
        )
        assert await page.evaluate(visible) == ["wm"]
        assert await page.evaluate("document.querySelectorAll('#form details[open]').length") == 1

    opened_at(f"/{KEY}", act)


@pytest.mark.slow
def test_a_phone_shows_no_scrollbar_across() -> None:
    async def act(page: Page) -> None:
        await settle(page, "w=640")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 390

    opened_at(f"/{KEY}?w=640", act, width=390)
