"""The console of a running stack: a recent request and a recent upload."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from darkroom_pipeline.aws.record import HELD, HeldUpload, MasterRef
from tests.component.browser.browser import CHROMIUM, Page, open_browser
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until

from .conftest import Stack
from .operating import Operator
from .viewer import Viewer

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

STAGES = ["parse", "fetch", "decode", "transform", "encode", "store"]
SEGMENTS = "[...document.querySelectorAll('.segment-name')].map(each => each.innerText.trim())"


def on(stack: Stack, place: str, act: Callable[[Page], Awaitable[None]]) -> None:
    async def run() -> None:
        async with open_browser() as page:
            await page.resize(width=1280)
            await page.open(f"{stack.control_url}/watch{place}")
            await act(page)
            assert page.errors == []

    asyncio.run(run())


def uploads_bucket(stack: Stack) -> str:
    facts: dict[str, Any] = json.loads((stack.state / "stack.json").read_text())
    return str(facts["uploads_bucket"])


async def search(page: Page, words: str) -> None:
    """Type into the search of traces and press Enter; results appear after the response."""
    await page.until("!!document.querySelector('[name=q]')")
    await page.evaluate(f"document.querySelector('[name=q]').value = {words!r}")
    await page.evaluate("document.querySelector('[name=q]').form.requestSubmit()")
    await page.until("document.querySelectorAll('.traces li').length === 1")


def test_the_trace_of_a_request_is_found_by_its_id_at_the_edge(stack: Stack, viewer: Viewer) -> None:
    path = viewer.upload(jpeg_photo(), "traced.jpg")
    answer = viewer.get(f"{path}?w=320")
    assert (answer.status, answer.cache) == (200, "Miss")

    async def act(page: Page) -> None:
        await search(page, answer.headers["x-amz-cf-id"])
        await page.evaluate("document.querySelector('.traces .name').click()")
        await page.until("document.querySelectorAll('.segment').length > 6")
        names = await page.evaluate(SEGMENTS)
        assert names[0] == "transform"
        assert [name for name in names if name in STAGES and name != "transform"] == [
            stage for stage in STAGES if stage != "transform"
        ]
        assert names.count("transform") == 2  # the function, and its stage
        await page.evaluate("document.querySelectorAll('.segment').forEach(each => each.click())")
        noted = await page.evaluate("document.querySelector('.waterfall').innerText")
        assert answer.headers["x-amz-cf-id"] in noted
        assert path.removeprefix("/") in noted  # the key, in metadata

    on(stack, "#/traces", act)


def test_a_refused_upload_is_there_with_its_reason_image_and_trace(stack: Stack) -> None:
    key = "console/refused.jpg"
    stack.cloud.s3.put_object(Bucket=uploads_bucket(stack), Key=key, Body=jpeg_photo()[:-2000])
    own = f"[...document.querySelectorAll('.file')].find(each => each.innerText.includes('{key}'))"

    async def act(page: Page) -> None:
        await page.until(f"{own}?.querySelector('img')?.naturalWidth")
        card = await page.evaluate(f"{own}.innerText")
        assert "damaged" in card
        assert "The source image is damaged" in card
        await page.evaluate(f"{own}.querySelector('.to-trace').click()")
        await page.until("document.querySelectorAll('.segment').length > 3")
        names = await page.evaluate(SEGMENTS)
        assert names[0].startswith("ingest")
        assert "sniff" in names

    on(stack, "#/failed", act)


def test_the_index_shows_the_ingested_image(stack: Stack) -> None:
    key = "console/taken-in.jpg"
    stack.cloud.s3.put_object(Bucket=uploads_bucket(stack), Key=key, Body=jpeg_photo())

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.index .file').length === 1")
        await page.until("document.querySelector('.index .chip').textContent === 'ready'")
        await page.until("document.querySelector('.index img')?.naturalWidth")
        await page.evaluate("document.querySelector('.index .key').click()")
        await page.until("document.querySelector('.master img')?.naturalWidth === 640")
        assert "900 × 600" in await page.evaluate("document.querySelector('.known').innerText")

    on(stack, f"#/index?prefix={key}", act)


def flag(operator: Operator, key: str) -> None:
    """Make an image held and flagged, as ModerationPolicy=block leaves it."""
    operator.upload(key, jpeg_photo())
    s3, media, record = operator.stack.cloud.s3, operator.info["media_bucket"], operator.index.get(key)
    assert record is not None
    s3.copy_object(Bucket=media, CopySource=f"{media}/masters/{key}", Key=f"held/{key}")
    s3.delete_object(Bucket=media, Key=f"masters/{key}")
    waits = HeldUpload(record.sha256, record.facts, record.provenance, record.master, flagged=True)
    bare = replace(record, state=HELD, sha256="", facts={}, provenance={}, master=MasterRef(), derivatives=())
    held = replace(bare, held=waits)
    assert operator.index.put_record(held)


def test_a_moderator_decides_about_held_images(stack: Stack, viewer: Viewer, tmp_path: Path) -> None:
    operator = Operator(stack, tmp_path)
    served, kept = "console/fit.jpg", "console/unfit.jpg"
    for key in (served, kept):
        flag(operator, key)

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.review').length === 2")
        await page.until("document.querySelector('.review img')?.naturalWidth === 900")
        release = f"document.querySelector(`[data-id='release {served}']`)"
        await page.evaluate(f"{release}.click()")
        said = f"{release}.closest('.review').querySelector('.status').innerText"
        assert await page.evaluate(said) == "Enter your name: it is stored with the decision."
        for decision, key in (("release", served), ("confirm", kept)):
            await page.evaluate("document.querySelector('.search input').value = 'ada ü'")
            await page.evaluate(f"document.querySelector(`[data-id='{decision} {key}']`).click()")
        await page.until("document.querySelectorAll('.review').length === 0")

    on(stack, "#/review", act)
    wait_until(lambda: operator.state(served) == "ready", "it is served")
    assert viewer.get(f"/{served}?w=320").status == 200
    assert operator.state(kept) == HELD

    async def look(page: Page) -> None:
        await page.until("document.querySelectorAll('.logs > li').length >= 2")
        log = await page.evaluate("document.querySelector('.logs').innerText")
        assert "ada ü released the image" in log
        assert "ada ü decided that the image" in log
        assert not {served, kept} & set(log.split())

    on(stack, "#/audit", look)


@pytest.mark.parametrize("view", ["executive", "on-call", "debug"])
def test_dashboards_have_all_their_panels_and_metrics(stack: Stack, viewer: Viewer, view: str) -> None:
    viewer.get(f"{viewer.upload(jpeg_photo(), 'counted.jpg')}?w=320")
    drawn = {
        "executive": "document.querySelector('[data-id=volume] .chart :is(path, circle)')",
        "on-call": "document.querySelector('[data-id=latency] .chart :is(path, circle)')",
        "debug": "document.querySelector('[data-id=traces] .traces li')",
    }[view]

    async def act(page: Page) -> None:
        document = await page.evaluate("fetch('/_local/watch/dashboards').then(answer => answer.json())")
        panels = next(each["panels"] for each in document["dashboards"] if each["name"] == view)
        await page.until(f"!!{drawn}")
        shown = await page.evaluate("[...document.querySelectorAll('.panel')].map(each => each.dataset.id)")
        assert shown == [each["id"] for each in panels]
        assert await page.evaluate("document.getElementById('trouble').innerText") == ""

    on(stack, f"#/{view}", act)


def test_alarms_of_the_template_are_evaluated(stack: Stack) -> None:
    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.alarms tbody tr').length > 20")
        assert await page.evaluate("document.getElementById('count-alarms').textContent") != "–"
        # Each has a runbook that is there.
        links = "[...new Set([...document.querySelectorAll('.runbook')].map(each => each.hash.split('/')[2]))]"
        for name in await page.evaluate(links):
            status = await page.evaluate(f"fetch('/_local/runbooks/{name}').then(answer => answer.status)")
            assert status == 200, name

    on(stack, "#/alarms", act)


def test_lines_are_there_by_code(stack: Stack, viewer: Viewer) -> None:
    assert viewer.get("/console/nothing-here.jpg?w=320").status == 404

    async def act(page: Page) -> None:
        await page.until("document.querySelectorAll('.logs > li').length > 0")
        assert await page.evaluate(
            "[...new Set([...document.querySelectorAll('.logs code')].map(c => c.textContent))]"
        ) == ["no-source"]

    on(stack, "#/logs?code=no-source", act)


def test_the_start_page_leads_to_the_trace_of_a_render(stack: Stack) -> None:
    async def run() -> None:
        async with open_browser() as page:
            await page.resize(width=1280)
            stack.restart_cdn()
            await page.open(f"{stack.cdn_url}/")
            link = "document.querySelector('.derivative .legend a')"
            await page.until(f"!!{link}")
            await page.evaluate(f"{link}.click()")
            await page.until("document.querySelectorAll('.traces li').length === 1")

    asyncio.run(run())
