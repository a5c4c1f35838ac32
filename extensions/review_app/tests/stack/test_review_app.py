"""The review app as on AWS: its own stack, a user pool with hosted pages and keys, the CDN, and its function's role."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from darkroom.findings import MODERATION, Finding, Findings, Label
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.documents import DocumentStore
from darkroom_pipeline.aws.findings_store import FindingsRecord, FindingsStore
from darkroom_pipeline.aws.record import HELD
from darkroom_pipeline.aws.s3 import S3Bucket
from extensions.review_app.local_stack import ACCOUNTS, PASSWORD
from extensions.review_app.tests.component.world import EXPLANATION
from tests.component.browser.browser import CHROMIUM, Page, open_profiles
from tests.stack.conftest import Stack, start_stack, stop_stack
from tests.stack.operating import Operator
from tests.stack.test_console_stack import flag
from tests.waiting import HANG_S, wait_until

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

ADA, GRACE, ALAN = ACCOUNTS
BY = {address: f"{account.name} <{address}>" for address, account in ACCOUNTS.items()}
KEY, OTHER = "reviewed/one.jpg", "reviewed/two.jpg"
STATUS = "[...document.querySelectorAll('.review .status')].map(each => each.innerText)"


@pytest.fixture(scope="module")
def reviewing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = start_stack(tmp_path_factory.mktemp("reviewing"), "--no-inference", "--no-watch", "--review-app")
    yield running
    assert stop_stack(running) == 0


def explain(operator: Operator, key: str) -> None:
    """Write the findings of a model about what is held."""
    record, info = operator.index.get(key), operator.info
    assert record is not None
    found = Finding(MODERATION, "open-nsfw", "1", labels=(Label("nsfw", 0.986),), flagged=True, explanation=EXPLANATION)
    cloud = operator.stack.cloud
    store = FindingsStore(S3Bucket(cloud.s3, info["media_bucket"]), DocumentStore(cloud.dynamodb, info["index_table"]))
    findings = Findings("1", record.held.master.bare_etag, {MODERATION: found})
    assert store.write_record(key, FindingsRecord(findings, "id", record.held.sha256, flagged=True))


async def sign_in(open_profile: Callable[[], Awaitable[Page]], stack: Stack, address: str) -> Page:
    """Sign in on the hosted pages of the user pool."""
    page = await open_profile()
    await page.open(f"{stack.cdn_url}/_/review/app")
    await page.until("!!document.querySelector('a.button')")
    await page.tab.click("a.button")
    await page.tab.fill("#username", address)
    await page.tab.fill("#password", PASSWORD)
    await page.tab.click("button[type=submit]")
    await page.until("!!document.querySelector('.person')")
    return page


def test_two_reviewers_sign_in_and_decide_about_one_image(reviewing: Stack, tmp_path: Path) -> None:
    operator = Operator(reviewing, tmp_path)
    for key in (KEY, OTHER):
        flag(operator, key)
        explain(operator, key)

    async def act() -> None:
        async with open_profiles() as open_profile:
            ada, grace = [await sign_in(open_profile, reviewing, address) for address in (ADA, GRACE)]
            assert await ada.evaluate("document.querySelector('.person').textContent") == BY[ADA]
            for page in (ada, grace):
                await page.until("document.querySelectorAll('.review .reason p').length >= 4")
                await page.until("document.querySelector('.review img')?.naturalWidth === 900")
            await ada.evaluate(f"document.querySelector(`[data-id='release {KEY}']`).click()")
            await ada.until(f"{STATUS}.some(text => text.startsWith('Released'))")
            await grace.evaluate(f"document.querySelector(`[data-id='confirm {KEY}']`)?.click()")
            await grace.until(
                f"{STATUS}.some(text => text.includes({BY[ADA]!r} + ' has released it')) || "
                "document.querySelectorAll('.review').length === 1"
            )
            wait_until(lambda: operator.state(KEY) == "ready", "ingest has served it")
            await grace.evaluate(f"document.querySelector(`[data-id='confirm {OTHER}']`).click()")
            await grace.until("!document.querySelector(`[data-id='confirm " + OTHER + "']`)")
            assert operator.state(OTHER) == HELD
            await ada.evaluate("location.hash = '#/audit'")
            await ada.until("document.querySelectorAll('.logs > li').length >= 2")
            log = await ada.evaluate("document.querySelector('.logs').innerText")
            assert f"{BY[ADA]} released the image" in log
            assert f"{BY[GRACE]} decided that the image" in log
            await ada.evaluate("location.hash = '#/playground'")
            await ada.until("document.querySelector('#shown img')?.naturalWidth > 0")
            assert (ada.errors, grace.errors) == ([], [])
            await ada.tab.click("text=Sign out")
            await ada.until("document.querySelector('a.button')?.textContent === 'Sign in'")

    asyncio.run(act())
    audit = AuditLog(S3Bucket(reviewing.cloud.s3, operator.info["outputs"]["AuditBucketName"]))
    by = {entry["by"] for entry in audit.list_newest(20) if entry["kind"] == "override"}
    assert by == {BY[ADA], BY[GRACE]}


def test_an_account_without_a_role_sees_nothing(reviewing: Stack) -> None:
    async def act() -> None:
        async with open_profiles() as open_profile:
            page = await sign_in(open_profile, reviewing, ALAN)
            await page.until("document.querySelector('.empty b')?.textContent === 'Your account has no role'")
            statuses = await page.evaluate(
                "Promise.all(['review', 'audit', 'sign?target=/a.jpg'].map(path => fetch(`/_/review/api/${path}`)"
                ".then(answer => answer.status)))"
            )
            assert statuses == [403, 403, 403]
            assert page.errors == []

    asyncio.run(act())


@pytest.mark.parametrize("path", ["api/review", "api/audit", "api/review/image?key=a.jpg", "api/sign?target=/a.jpg"])
def test_nothing_is_answered_without_a_session(reviewing: Stack, path: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(f"{reviewing.cdn_url}/_/review/{path}", timeout=HANG_S)
    assert raised.value.code == 401
    assert raised.value.headers["Cache-Control"] == "no-store"


def test_pages_come_through_the_cdn_with_their_policy(reviewing: Stack) -> None:
    with urllib.request.urlopen(f"{reviewing.cdn_url}/_/review/app", timeout=HANG_S) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
        assert answer.headers["X-Cache"] == "Miss from cloudfront"
    with urllib.request.urlopen(f"{reviewing.cdn_url}/_/review/app", timeout=HANG_S) as answer:
        assert answer.headers["X-Cache"] == "Miss from cloudfront", "the CDN stores nothing of the app"
