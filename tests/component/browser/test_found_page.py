"""The findings on the start page in a real browser: each state of an image."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from tests.images.photographs import jpeg_photo

from .browser import CHROMIUM, Page, open_browser
from .start_page import KEY, Responses, serve_start_page

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

LINE = {"corners": [[0.1, 0.7], [0.5, 0.72], [0.5, 0.78], [0.1, 0.76]], "text": "NO PARKING <b>here</b>", "score": 0.97}
TASKS: dict[str, Any] = {
    "faces": {
        "model": "centerface",
        "version": "1",
        "by": "endpoint",
        "faces": [{"box": [0.25, 0.125, 0.5, 0.25], "score": 0.984}, {"box": [0.0, 0.5, 0.1, 0.2], "score": 0.5}],
    },
    "text": {"model": "pp-ocr", "version": "6", "by": "endpoint", "lines": [LINE]},
    "moderation": {
        "model": "open_nsfw",
        "version": "1",
        "by": "endpoint",
        "flagged": True,
        "labels": [{"name": "unsafe", "score": 0.91}],
    },
    "tags": {"model": "own", "version": "3", "by": "endpoint", "labels": [{"name": "cat", "score": 0.8}]},
    "similarity": {"model": "sscd", "version": "1", "by": "endpoint", "error": "unreadable"},
    "likeness": {"model": "lite0", "version": "1", "by": "endpoint"},
}
PANELS = """Object.fromEntries([...document.querySelectorAll('.task')].map(task =>
  [task.classList[1],
   [...task.querySelectorAll('.chip, .by, p, .lines, .labels, .tag-chips')].map(part => part.innerText)]))"""


def make_response(state: str = "found", pending: tuple[str, ...] = (), **tasks: Any) -> dict[str, Any]:
    """Return the stack's response about the image."""
    answer: dict[str, Any] = {"key": KEY, "state": state, "generation": "1", "endpoint": "loading"}
    if state == "found":
        answer["findings"] = {"analysed_at": "2026-11-25T12:00:00Z", "pending": list(pending), "tasks": tasks}
    return answer


def on_the_page(stage: Responses, act: Callable[[Page], Awaitable[None]], width: int = 1280) -> None:
    async def run() -> None:
        async with serve_start_page(stage) as url, open_browser() as page:
            await page.resize(width=width)
            await page.open(url)
            await act(page)
            assert page.errors == []

    asyncio.run(run())


def stage_of(*findings: dict[str, Any], **more: Any) -> Responses:
    return Responses(jpeg_photo(size=(640, 480)), list(findings), **more)


async def state(page: Page, begins: str) -> None:
    await page.until(f"document.getElementById('found-state').textContent.startsWith({begins!r})")


def test_boxes_and_text_are_drawn_over_the_image() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.overlay .mark').length === 3")
        places = """(() => {
          const image = document.querySelector('.overlay img').getBoundingClientRect();
          return [...document.querySelectorAll('.mark')].map(mark => {
            const box = mark.getBBox(), seen = mark.getBoundingClientRect();
            return { box: [box.x, box.y, box.width, box.height], seen: [(seen.x - image.x) / image.width,
              (seen.y - image.y) / image.height, seen.width / image.width, seen.height / image.height] };
          });
        })()"""
        for mark, expected in zip(
            await page.evaluate(places),
            ([0.25, 0.125, 0.5, 0.25], [0.0, 0.5, 0.1, 0.2], [0.1, 0.7, 0.4, 0.08]),
            strict=True,
        ):
            assert mark["box"] == pytest.approx(expected, abs=1e-5)
            assert mark["seen"] == pytest.approx(expected, abs=0.02)  # the position on the screen, including the stroke
        assert await page.evaluate("[...document.querySelectorAll('.tag')].map(tag => tag.textContent)") == ["98", "50"]

    on_the_page(stage_of(make_response(**TASKS)), act)


@pytest.mark.slow
def test_each_task_lists_model_and_findings() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.task').length === 6")
        panels = await page.evaluate(PANELS)
        assert panels["faces"] == ["endpoint", "centerface 1", "2 faces"]
        assert panels["text"][:3] == ["endpoint", "pp-ocr 6", "1 line, 3 words"]
        assert panels["text"][3].split("\n")[0] == "NO PARKING <b>here</b>"  # as text, not as markup
        assert "flagged" in panels["moderation"]
        assert "91 %" in panels["moderation"][-1]
        assert "cat" in panels["tags"][-1]
        assert panels["similarity"][-1] == "The model could not decode this image (unreadable)."

    on_the_page(stage_of(make_response(**TASKS)), act)


@pytest.mark.slow
def test_frames_that_were_not_analysed_are_no_score() -> None:
    labels = [{"name": "nsfw", "score": 0.02}, {"name": "unsampled", "score": 1}]

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.task').length === 1")
        panels = await page.evaluate(PANELS)
        assert panels["moderation"][-2] == "Not every frame or page was analysed."
        assert panels["moderation"][-1].replace("\n", " ").split() == ["nsfw", "2", "%"]

    on_the_page(stage_of(make_response(moderation=TASKS["moderation"] | {"labels": labels})), act)


@pytest.mark.slow
def test_objects_and_personal_data_are_shown() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.task').length === 2")
        assert await page.evaluate("document.querySelectorAll('.mark.objects').length") == 1
        panels = await page.evaluate(PANELS)
        assert panels["objects"][2] == "1 object"
        assert "car" in panels["objects"][-1]
        assert await page.evaluate("[...document.querySelectorAll('.tag')].map(tag => tag.textContent)") == ["car 81"]
        lines = (
            "[...document.querySelectorAll('.lines li')].map(line => [...line.children].map(one => one.textContent))"
        )
        assert await page.evaluate(lines) == [["a@example.com", "mail", "97 %"], ["(not read)", "unsure", "40 %"]]

    found = {"class": "car", "box": [0.5, 0.5, 0.2, 0.2], "score": 0.81}
    text = [
        {**LINE, "text": "a@example.com", "personal": ["mail"]},
        {**LINE, "text": "", "score": 0.4, "personal": ["unsure"]},
    ]
    tasks = {
        "text": {**TASKS["text"], "lines": text},
        "objects": {"model": "own", "version": "1", "by": "endpoint", "objects": [found], "classes": ["car"]},
    }
    on_the_page(stage_of(make_response(**tasks)), act)


@pytest.mark.slow
def test_a_line_of_text_highlights_its_position() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.lines li').length === 1")
        await page.evaluate("document.querySelector('.lines li').dispatchEvent(new MouseEvent('mouseenter'))")
        assert await page.evaluate("document.querySelectorAll('.mark.text.lit').length") == 1

    on_the_page(stage_of(make_response(**TASKS)), act)


@pytest.mark.slow
def test_pending_findings_appear() -> None:
    """Findings are pending, then those of the small models, then those of the endpoint."""
    fallback = {"faces": {**TASKS["faces"], "by": "fallback"}}
    answers = [
        make_response("pending"),
        make_response("pending"),
        make_response(pending=("text",), **fallback),
        make_response(**TASKS),
    ]

    async def act(page: Page) -> None:
        await state(page, "Not analysed yet. Endpoint: loading")
        await page.until("document.querySelectorAll('.task').length === 2")
        panels = await page.evaluate(PANELS)
        assert panels["faces"][0] == "fallback"
        assert panels["text"] == ["pending"]
        await page.until("document.querySelectorAll('.task').length === 6")

    on_the_page(stage_of(*answers), act)


@pytest.mark.slow
def test_redaction_is_compared() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelector('.compare .after')?.naturalWidth")
        assert await page.evaluate("document.querySelector('#found-redacted code').textContent") == "redact=all"
        clip = "getComputedStyle(document.querySelector('.compare .after')).clipPath"
        before = await page.evaluate(clip)
        slide = "const slider = document.querySelector('.compare input'); slider.value = 10;"
        await page.evaluate(f"{{ {slide} slider.dispatchEvent(new Event('input')); }}")
        assert before != await page.evaluate(clip) == "inset(0px 0px 0px 10%)"

    on_the_page(stage_of(make_response(**TASKS)), act)


@pytest.mark.slow
def test_a_pending_redaction_is_reported() -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelector('#found-redacted .note')?.textContent.includes('not been analysed')")

    on_the_page(stage_of(make_response(**TASKS), redacts=False), act)


@pytest.mark.slow
def test_similar_images_are_linked() -> None:
    near = [
        {"key": "people/copy.jpg", "score": 0.934, "copy": True},
        {"key": "people/other.jpg", "score": 0.3, "copy": False},
    ]

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.near li').length === 2")
        said = await page.evaluate("[...document.querySelectorAll('.near li')].map(each => each.innerText)")
        assert [words.split() for words in said] == [
            ["copy", "people/copy.jpg", "·", "0.93"],
            ["people/other.jpg", "·", "0.30"],
        ]
        await page.evaluate("document.querySelector('.near a').click()")
        await page.until("document.getElementById('photograph-name').textContent === 'people/copy.jpg'")

    on_the_page(stage_of(make_response(**TASKS), near=near), act)


@pytest.mark.slow
def test_look_alikes_are_listed_after_copies() -> None:
    alike = [{"key": "people/other.jpg", "score": 0.61}]

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.near li').length === 2")
        said = await page.evaluate("document.getElementById('found-near').innerText")
        assert said.index("By embedding") < said.index("people/copy.jpg") < said.index("By likeness, in people/")
        assert said.endswith("people/other.jpg · 0.61")

    near = [{"key": "people/copy.jpg", "score": 0.9, "copy": True}]
    on_the_page(stage_of(make_response(**TASKS), near=near, alike=alike), act)


@pytest.mark.slow
def test_a_tag_lists_its_images_page_by_page() -> None:
    tagged = [{"key": f"people/{number}.jpg", "score": 0.9} for number in range(3)]
    stage = stage_of(make_response(**TASKS), tagged=tagged)
    names = "[...document.querySelectorAll('#found-tagged .score')].map(each => each.textContent)"

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.tag-chip').length === 1")
        assert await page.evaluate("document.querySelector('.tag-chip').title") == "80 %"
        await page.evaluate("document.querySelector('.tag-chip').click()")
        await page.until(f"{names}.length === 2")
        assert await page.evaluate("document.querySelector('#found-tagged h3').innerText") == "Images with the tag cat"
        await page.evaluate("document.querySelector('#found-tagged .more').click()")
        await page.until(f"{names}.length === 3")
        assert await page.evaluate(names) == [f"people/{number}.jpg · 0.90" for number in range(3)]
        assert await page.evaluate("document.querySelectorAll('#found-tagged .more').length") == 0

    on_the_page(stage, act)
    assert "/_tagged/cat" in stage.asked


@pytest.mark.slow
def test_a_stack_without_inference_shows_no_findings() -> None:
    async def act(page: Page) -> None:
        await state(page, "Inference is off")
        queries = "[...document.querySelectorAll('.query')].map(query => query.textContent)"
        await page.until(f"{queries}.length > 10")
        assert not [query for query in await page.evaluate(queries) if "redact" in query or "g=face" in query]
        assert await page.evaluate("document.querySelectorAll('.overlay').length") == 0

    on_the_page(stage_of(make_response("off"), mode="off"), act)


@pytest.mark.slow
@pytest.mark.parametrize("width", [360, 1280])
def test_findings_fit_the_window(width: int) -> None:
    near = [{"key": f"people/{'long' * 20}.jpg", "score": 0.9, "copy": True}]

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.near li').length === 1")
        right = "[...document.querySelectorAll('.found *')].map(part => part.getBoundingClientRect().right)"
        assert max(await page.evaluate(right)) <= width
        assert await page.evaluate("document.documentElement.scrollWidth") <= width

    on_the_page(stage_of(make_response(**TASKS), near=near), act, width)
