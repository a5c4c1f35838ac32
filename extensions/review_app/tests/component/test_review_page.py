"""The review app in a real browser, with its real function, an issuer that people sign in to, and ingest.

The app is at ``localhost`` and the issuer at ``127.0.0.1``, which are different sites to a browser.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiohttp import web

from darkroom.findings import FAILED, GRID, Label
from darkroom_analysis.inference.views import UNSAMPLED
from darkroom_pipeline.aws.audit import hash_key
from darkroom_pipeline.aws.record import HELD, READY
from darkroom_pipeline.services.ingest.context import IngestOutcome
from extensions.review_app.tests import issuer as issuers
from extensions.review_app.tests.component.world import World, make_event, read_result
from extensions.review_app.tests.issuer import ADA, ALAN, GRACE, Account, Issuer
from tests.component.browser.browser import CHROMIUM, Page, open_profiles
from tests.component.browser.console_responses import HOSTILE
from tests.component.browser.serving import served
from tests.images.photographs import jpeg_photo

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

KEY = "trips/Rom 2026.png"
BY_ADA, BY_GRACE = "Ada Lovelace <ada@example.com>", "Grace Hopper <grace@example.com>"
CARDS = "[...document.querySelectorAll('.review')].map(each => each.querySelector('.key').textContent)"
STATUS = "document.querySelector('.review .status')?.innerText"
SIZES = """[...document.querySelectorAll('.review .preview')].flatMap(frame => {
  const image = frame.querySelector('img');
  return [image.clientWidth / frame.clientWidth, image.clientHeight / frame.clientHeight]; })"""
"""Of the image in each frame, as fractions of the frame."""

FILTER = "getComputedStyle(document.querySelector('.review img')).filter"

type Act = Callable[[Gateway], Awaitable[None]]


@dataclass
class Gateway:
    """The HTTP API, and the CDN for images: 403 outside the unsigned set, as the edge answers."""

    world: World
    url: str
    open_profile: Callable[[], Awaitable[Page]]
    pages: list[Page] = field(default_factory=list)
    images: list[str] = field(default_factory=list)

    async def sign_in(self, account: Account, view: str = "") -> Page:
        """Sign in with a new profile, and open ``view``."""
        page = await self.open_profile()
        self.pages.append(page)
        await page.open(f"{self.url}/_/review/app{view}")
        await page.until("document.querySelector('a.button')?.textContent === 'Sign in'")
        await page.tab.click("a.button")
        await page.tab.click(f"#{account.email.partition('@')[0]}")
        await page.until("!!document.querySelector('.person')")
        return page


async def answer(own: Gateway, request: web.Request) -> web.StreamResponse:
    path = request.path
    if not path.startswith("/_/review/"):
        own.images.append(request.path_qs)
        if "s" in request.query or not request.query or "preset" in request.query:
            return web.Response(body=jpeg_photo((300, 200)), content_type="image/jpeg", headers={"X-Cache": "Miss"})
        return web.json_response({"code": "unsigned"}, status=403)
    headers = {name.lower(): value for name, value in request.headers.items()}
    event = make_event(
        *(request.method, path.removeprefix("/_/review/"), dict(request.cookies), dict(request.query), headers),
        await request.read(),
    )
    result = read_result(await asyncio.to_thread(own.world.function.invoke, event))
    made = web.Response(status=result.status, body=result.body, headers=result.headers)
    for cookie in result.cookies:
        made.headers.add("Set-Cookie", cookie)
    return made


@pytest.fixture(scope="module")
def runner() -> Iterator[tuple[asyncio.Runner, Callable[[], Awaitable[Page]]]]:
    """One browser for the whole module."""
    with asyncio.Runner() as found:
        opened = open_profiles()
        yield found, found.run(opened.__aenter__())
        found.run(opened.__aexit__(None, None, None))


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with issuers.serving() as found:
        yield found


type Run = Callable[[Act], None]


@pytest.fixture
def run(
    runner: tuple[asyncio.Runner, Callable[[], Awaitable[Page]]],
    aws: Callable[[str], Any],
    aws_environment: dict[str, str],
    issuer: Issuer,
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """A function that runs a test with a gateway; no page may have had an error."""
    loop, open_profile = runner
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)  # the credentials with which the signing keys are read

    @asynccontextmanager
    async def open_gateway() -> AsyncIterator[Gateway]:
        made: list[Gateway] = []

        async def handle(request: web.Request) -> web.StreamResponse:
            return await answer(made[0], request)

        async with served(handle) as address:
            url = f"http://localhost:{urlsplit(address).port}"
            made.append(Gateway(World.build(aws, aws_environment, issuer, url), url, open_profile))
            yield made[0]

    async def work(act: Act) -> None:
        async with open_gateway() as gateway:
            await act(gateway)
            for page in gateway.pages:
                assert page.errors == []
                await page.tab.context.close()

    return lambda act: loop.run(work(act))


async def texts(page: Page, selector: str) -> list[str]:
    found = await page.evaluate(f"[...document.querySelectorAll({selector!r})].map(each => each.innerText)")
    return [text.replace("\xa0", " ") for text in found]


async def click(page: Page, text: str) -> None:
    """Click the first button or link with exactly that text."""
    await page.tab.locator(f'button:text-is("{text}"), a:text-is("{text}")').first.click()


def test_people_sign_in_with_their_roles_and_out_again(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        ada = await gateway.sign_in(ADA)
        assert await texts(ada, "#tabs a") == ["Review", "Audit log", "URL playground"]
        assert await texts(ada, ".person") == [BY_ADA]
        assert await ada.evaluate("document.cookie") == "", "no script reads the session"
        assert await ada.evaluate("location.pathname + location.search") == "/_/review/app"
        grace = await gateway.sign_in(GRACE, "#/audit")
        assert await texts(grace, "#tabs a") == ["Review", "Audit log"]
        await grace.until("document.querySelector('#tabs [aria-current]').textContent === 'Audit log'")
        alan = await gateway.sign_in(ALAN)
        assert await texts(alan, ".empty b") == ["Your account has no role"]
        await click(grace, "Sign out")
        await grace.until("document.querySelector('a.button')?.textContent === 'Sign in'")
        await grace.open(f"{gateway.url}/_/review/app")
        await grace.until("document.querySelector('.empty b')?.textContent === 'Sign in to continue'")
        assert await texts(ada, ".person") == [BY_ADA]

    run(act)


@pytest.mark.slow
def test_a_sign_in_that_fails_is_explained(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        page = await gateway.open_profile()
        gateway.pages.append(page)
        await page.open(f"{gateway.url}/_/review/signed-in?code=x&state=y")
        await page.until("document.querySelector('.empty b')?.textContent === 'The sign-in did not succeed'")
        assert await page.evaluate("location.search") == ""

    run(act)


@pytest.mark.slow
def test_an_image_is_veiled_until_it_is_shown(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.hold(KEY)
        page = await gateway.sign_in(GRACE)
        await page.until("document.querySelector('.review img')?.naturalWidth === 320")
        assert await page.evaluate(FILTER) == "blur(22px)"
        await click(page, "Show")
        assert await page.evaluate(FILTER) == "none"
        gateway.world.hold("second.png", jpeg_photo())
        await page.until("document.querySelectorAll('.review').length === 2")
        assert await page.evaluate(FILTER) == "none", "an update of the list leaves it as it is"
        assert await page.evaluate("getComputedStyle(document.querySelectorAll('.review img')[1]).filter") != "none"
        await click(page, "Veil")
        assert await page.evaluate(FILTER) == "blur(22px)"

    run(act)


@pytest.mark.slow
def test_the_explanation_is_a_map_over_the_image_and_a_sentence(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.hold(KEY)
        gateway.world.hold("unknown.png", jpeg_photo((900, 150)), explanation=None)
        page = await gateway.sign_in(GRACE)
        await page.until("document.querySelector('.review img')?.naturalWidth === 320")
        await page.until("document.querySelectorAll('.review .reason p').length >= 3")
        assert await texts(page, ".review .head .chip") == ["score 99 %", "score 99 %"]
        first, second = await texts(page, ".review .reason")
        assert first.split("\n")[0] == (
            "Covering 1 cell of 36 (upper centre) lowers the score from 99 % to 4 %. Images are flagged from 80 % on."
        )
        assert second.split("\n")[0] == "The model gave no explanation."
        assert await page.evaluate(
            "[...document.querySelectorAll('[aria-label^=\"Show where\"]')].map(b => b.disabled)"
        ) == [
            False,
            True,
        ]
        shown = "getComputedStyle(document.querySelector('.occlusion')).display"
        assert await page.evaluate(shown) == "none"
        await click(page, "Why")
        assert await page.evaluate(shown) == "grid"
        assert await page.evaluate(FILTER) == "blur(22px)", "the map is seen without the image"
        cells = await page.evaluate(
            """(() => { const image = document.querySelector('.preview').getBoundingClientRect();
              return [...document.querySelectorAll('.occlusion i')].map(cell => {
                const box = cell.getBoundingClientRect(), weight = cell.style.getPropertyValue('--weight');
                return [cell.className, (box.x - image.x) / image.width, (box.y - image.y) / image.height,
                  box.width / image.width, Number(weight)];
              }); })()"""
        )
        assert await page.evaluate(SIZES) == [1, 1, 1, 1], "the map covers the image, and nothing else"
        await click(page, "Show")
        assert await page.evaluate(SIZES) == [1, 1, 1, 1]
        assert len(cells) == GRID**2
        assert [number for number, cell in enumerate(cells) if cell[0] == "named"] == [9]
        for number, (_, left, top, width, weight) in enumerate(cells):
            row, column = divmod(number, GRID)
            assert (left, top, width) == pytest.approx((column / GRID, row / GRID, 1 / GRID), abs=0.01)
            assert (weight > 0.9) is (number in (8, 9))

    run(act)


@pytest.mark.slow
def test_an_image_with_more_views_than_were_analysed_has_no_score_for_that(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.hold(KEY, explanation=None, labels=(Label("nsfw", 0.02), Label(UNSAMPLED, 1.0)))
        page = await gateway.sign_in(GRACE)
        await page.until("document.querySelectorAll('.review .reason p').length >= 2")
        assert await texts(page, ".review .head .chip") == ["score 2 %"]
        [reason] = await texts(page, ".review .reason")
        assert reason.split("\n")[0] == "Not every frame or page was analysed."

    run(act)


@pytest.mark.slow
def test_a_failed_analysis_is_the_reason(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.hold(KEY, error=FAILED)
        page = await gateway.sign_in(GRACE)
        await page.until("document.querySelectorAll('.review .reason p').length >= 1")
        assert await texts(page, ".review .head .chip") == ["no score"]
        [reason] = await texts(page, ".review .reason")
        assert reason == "The analysis failed repeatedly: no model has seen this image."

    run(act)


@pytest.mark.slow
def test_a_review_by_keyboard_alone(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        for key in (KEY, "second.png", "third.png"):
            gateway.world.taken.now_s += 1
            gateway.world.hold(key, jpeg_photo() + key.encode())
        page = await gateway.sign_in(GRACE)
        await page.until("document.querySelectorAll('.review .reason p').length >= 6")
        focused = "document.activeElement.closest('.review')?.querySelector('.key').textContent"
        for _ in range(12):
            await page.press("Tab")
            if await page.evaluate(focused):
                break
        assert await page.evaluate(focused) == KEY
        await page.press("j")
        assert await page.evaluate(focused) == "second.png"
        await page.press("s")
        await page.press("w")
        state = (
            "['unveiled', 'explained'].map(name => document.querySelectorAll('.preview')[1].classList.contains(name))"
        )
        assert await page.evaluate(state) == [True, True]
        await page.press("s")
        assert await page.evaluate(state) == [False, True]
        await page.press("j")
        await page.press("j")
        assert await page.evaluate(focused) == "third.png"
        await page.press("k")
        await page.press("r")
        assert await page.evaluate("document.activeElement.textContent") == "Release"
        assert gateway.world.taken.messages("reviews") == [], "the letter alone decides nothing"
        await page.press("Enter")
        await page.until(
            "[...document.querySelectorAll('.review .status')].some(each => each.innerText.startsWith('Released'))"
        )
        assert gateway.world.carry_out() == [IngestOutcome.RELEASED]
        await page.until(f"{CARDS}.join() === '{KEY},third.png'")
        assert await page.evaluate(focused) == "third.png", "the focus goes on to the next image"
        await page.press("c")
        await page.press("Enter")
        await page.until(
            "[...document.querySelectorAll('.review .status')].some(each => each.innerText.startsWith('Confirmed'))"
        )
        assert gateway.world.carry_out() == [IngestOutcome.CONFIRMED]
        assert gateway.world.taken.record("third.png").held.reviewed

    run(act)


@pytest.mark.slow
def test_the_audit_log_has_the_persons_name(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.hold(KEY)
        page = await gateway.sign_in(GRACE)
        await page.until("!!document.querySelector('.review')")
        await click(page, "Release")
        await page.until(f"{STATUS}?.startsWith('Released')")
        assert gateway.world.carry_out() == [IngestOutcome.RELEASED]
        await page.until("document.querySelector('.empty b')?.checkVisibility()")
        assert gateway.world.taken.record(KEY).state == READY
        await click(page, "Audit log")
        await page.until("document.querySelectorAll('.logs > li').length === 1")
        [entry] = await texts(page, ".logs > li")
        assert f"{BY_GRACE} released the image" in entry
        raw = await page.evaluate("document.querySelector('.logs pre').textContent")
        assert hash_key(KEY) in raw
        assert KEY not in entry + raw

    run(act)


@pytest.mark.slow
def test_of_two_reviewers_at_once_the_second_gets_a_conflict(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.hold(KEY)
        ada, grace = await gateway.sign_in(ADA), await gateway.sign_in(GRACE)
        for page in (ada, grace):
            await page.until("!!document.querySelector('.review')")
        await asyncio.gather(click(ada, "Release"), click(grace, "Confirm"))
        for page in (ada, grace):
            await page.until(f"{STATUS} && !{STATUS}.startsWith('Sending')")
        said = [await ada.evaluate(STATUS), await grace.evaluate(STATUS)]
        [won] = [number for number, text in enumerate(said) if text.startswith(("Released", "Confirmed"))]
        winner, loser = (BY_ADA, grace) if won == 0 else (BY_GRACE, ada)
        assert said[1 - won].startswith(f"{winner} has {'released' if won == 0 else 'confirmed'} it at ")
        assert "Your decision changed nothing." in said[1 - won]
        outcome, state = (IngestOutcome.RELEASED, READY) if won == 0 else (IngestOutcome.CONFIRMED, HELD)
        assert gateway.world.carry_out() == [outcome]
        assert gateway.world.taken.record(KEY).state == state
        await (ada if won == 0 else grace).until(f"{CARDS}.length === 0")
        assert await loser.evaluate(CARDS) == [KEY], "the message stays until it is dismissed"
        assert await loser.evaluate("document.querySelector('.review .actions button:nth-child(3)').disabled")
        await click(loser, "Dismiss")
        await loser.until(f"{CARDS}.length === 0")
        assert [entry["by"] for entry in gateway.world.audit.list_newest(9)] == [winner]

    run(act)


@pytest.mark.slow
def test_a_session_that_has_ended_loses_no_view(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.hold(KEY)
        page = await gateway.sign_in(GRACE)
        await page.until("!!document.querySelector('.review')")
        await page.tab.context.clear_cookies()
        await click(page, "Release")
        await page.until(f"{STATUS} === 'Sign in first.'")
        assert gateway.world.taken.messages("reviews") == []
        await page.until("document.getElementById('trouble').innerText.startsWith('Your session has ended')")
        assert await page.evaluate(CARDS) == [KEY]
        await click(page, "Sign in again")
        await page.tab.click("#grace")
        await page.until("!!document.querySelector('.review')")

    run(act)


@pytest.mark.slow
def test_a_list_that_cannot_be_read_is_not_shown_as_empty(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        page = await gateway.sign_in(GRACE)
        empty = "document.querySelector('.empty').checkVisibility()"
        await page.until(empty)
        await page.tab.route("**/api/review", lambda route: route.abort())
        await page.tab.reload()
        await page.until("document.getElementById('trouble').innerText.startsWith('The service does not respond')")
        assert not await page.evaluate(empty)

    run(act)


@pytest.mark.slow
def test_keys_are_text_and_not_markup(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        key = HOSTILE.replace("/", "-")
        gateway.world.hold(key)
        page = await gateway.sign_in(GRACE)
        await page.until("document.querySelector('.review img')?.naturalWidth === 320")
        assert await page.evaluate(CARDS) == [key]
        assert await page.evaluate("document.title") == "Review · Darkroom"
        assert await page.evaluate("document.querySelectorAll('main script, main img[onerror]').length") == 0

    run(act)


@pytest.mark.slow
def test_the_playground_signs_what_the_unsigned_set_lacks(run: Run) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.taken.vault("media").put(
            "masters/a/1.jpg", b"x", headers={"Content-Type": "image/jpeg"}, metadata={}, replaces=None
        )
        page = await gateway.sign_in(ADA, "#/playground")
        await page.until("document.querySelector('#shown img')?.naturalWidth === 300")
        assert await page.evaluate("document.getElementById('url').value") == f"{gateway.url}/a/1.jpg"
        assert "unsigned" not in (await texts(page, "#guard"))[0]
        await page.evaluate(
            """(() => { const labels = [...document.querySelectorAll('#form label')];
              const label = labels.find(each => each.querySelector('code')?.textContent === 'blur');
              const input = label.querySelector('input');
              input.value = '7'; input.dispatchEvent(new Event('input', { bubbles: true })); })()"""
        )
        await page.until("document.getElementById('url').value.includes('s=')")
        assert gateway.images[-2] == "/a/1.jpg?blur=7"
        assert gateway.images[-1].startswith("/a/1.jpg?blur=7&exp=")
        assert "Outside the unsigned set" in (await texts(page, "#guard"))[0]
        rows = "[...document.querySelectorAll('#headers tr')].map(row => [...row.cells].map(cell => cell.textContent))"
        assert ["status", "200 OK"] in await page.evaluate(rows)

    run(act)


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1400])
def test_the_app_fits_the_window(run: Run, width: int) -> None:
    async def act(gateway: Gateway) -> None:
        gateway.world.hold("trips/" + "a-very-long-folder-name/" * 8 + "photograph" * 12 + ".png")
        page = await gateway.sign_in(ADA)
        await page.resize(width=width)
        await page.until("document.querySelector('.review img')?.naturalWidth === 320")
        for view, there in (("review", ".review"), ("audit", ".empty"), ("playground", ".search")):
            await page.evaluate(f"location.hash = '#/{view}'")
            await page.until(f"!!document.querySelector('#view {there}')")
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, view

    run(act)
