"""The upload element in a real browser, in front of responses of the test."""

from __future__ import annotations

import asyncio
import hashlib
import io
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from PIL import ExifTags, Image

from tests.images.photographs import jpeg_photo

from .browser import CHROMIUM, Page, open_browser
from .serving import served

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

FRONTENDS = Path(__file__).parents[3] / "frontends"
PAGE = """<!doctype html><html lang="en"><meta name="color-scheme" content="light dark"><title>Test</title>
<body style="font: 15px/1.5 system-ui; margin: 1rem">
<form><darkroom-upload id="upload" token-url="/token" prefix="trips/" name="keys" {attributes}></darkroom-upload></form>
<script type="module">import '/upload-element.mjs'; window.defined = true;</script>"""
SHADOW = "document.getElementById('upload').shadowRoot"
STATES = f"[...{SHADOW}.querySelectorAll('.file')].map(card => card.dataset.state)"
REASONS = f"[...{SHADOW}.querySelectorAll('.reason')].map(reason => reason.innerText)"
SPOKEN = f"{SHADOW}.querySelector('[role=status]').textContent"


@dataclass
class Backend:
    """An upload API and an S3, which does not respond while ``hold`` is set. ``bodies`` of files by their keys."""

    attributes: str = ""
    declared: list[dict[str, Any]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    states: dict[str, dict[str, Any]] = field(default_factory=dict)
    reports: list[dict[str, Any]] = field(default_factory=list)
    prefixes: list[str] = field(default_factory=list)
    refusal: dict[str, Any] | None = None
    s3_error: str = ""
    state_error: tuple[int, str] | None = None
    hold: bool = False

    async def answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path == "/":
            return web.Response(text=PAGE.replace("{attributes}", self.attributes), content_type="text/html")
        if path == "/token":
            self.prefixes.append(request.query["prefix"])
            return web.json_response({"token": "t", "expires_s": 2**33, "api": f"http://{request.host}"})
        if path == "/uploads/report":
            self.reports.append(await request.json())
            return web.json_response({"accepted": 1}, status=202)
        if path == "/uploads":
            return await self._form(request)
        if path == "/s3":
            return await self._store(request)
        if path.startswith("/uploads/"):
            return self._state(path.removeprefix("/uploads/"))
        return web.FileResponse(FRONTENDS / path.rsplit("/", 1)[1])

    async def _form(self, request: web.Request) -> web.StreamResponse:
        upload = await request.json()
        self.declared.append(upload)
        if self.refusal:
            return web.json_response(self.refusal, status=400, content_type="application/problem+json")
        form = {"url": f"http://{request.host}/s3", "fields": {"key": upload["key"]}, "key": upload["key"]}
        return web.json_response(
            form | {"status": f"/uploads/{upload['key']}", "expires_at": "2126-01-01T00:00:00+00:00"}, status=201
        )

    async def _store(self, request: web.Request) -> web.StreamResponse:
        if self.s3_error:
            return web.Response(status=400, text=f"<Error><Code>{self.s3_error}</Code></Error>")
        while self.hold:
            await asyncio.sleep(0.05)
        form = await request.post()
        sent = form["file"]
        assert isinstance(sent, web.FileField)
        self.bodies[str(form["key"])] = sent.file.read()
        return web.Response(status=204, headers={"x-amz-version-id": f"v{len(self.bodies)}"})

    def _state(self, key: str) -> web.StreamResponse:
        body = self.bodies.get(key)
        if body is None or self.state_error:
            status, code = self.state_error or (404, "not-ingested")
            return web.json_response({"code": code}, status=status)
        version = f"v{[*self.bodies].index(key) + 1}"
        known = {"key": key, "state": "ready", "version": version, "sha256": hashlib.sha256(body).hexdigest()}
        return web.json_response(known | self.states.get(key, {}))


def run(backend: Backend, act: Callable[[Page], Awaitable[None]]) -> None:
    async def on_page() -> None:
        async with served(backend.answer) as url, open_browser() as page:
            await page.resize(width=720)
            await page.open(f"{url}/")
            await page.until("window.defined")
            await act(page)
            assert page.errors == []

    asyncio.run(on_page())


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A photograph of 900 × 600 px, to be shown upright in 600 × 900 px, with a location."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.Make] = "A user's camera"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    path = tmp_path / "photo.jpg"
    Image.open(io.BytesIO(jpeg_photo(size=(900, 600)))).save(path, "JPEG", exif=exif)
    return path


def add(name: str, content: str = "'bytes'", media_type: str = "image/png") -> str:
    return f"document.getElementById('upload').add([new File([{content}], '{name}', {{ type: '{media_type}' }})]) && 1"


def test_a_chosen_photograph_is_resized_upright_and_has_no_metadata(photo: Path) -> None:
    backend = Backend('max-pixels="240000"')

    async def act(page: Page) -> None:
        await page.choose_files("#choose", photo)
        await page.until(f"{STATES}.join() === 'ready'")
        assert "photo.jpg: ready" in await page.evaluate(SPOKEN)
        keys = "new FormData(document.querySelector('form')).getAll('keys').join()"
        assert await page.evaluate(keys) == "trips/photo.jpg"

    run(backend, act)
    sent = backend.bodies["trips/photo.jpg"]
    assert backend.declared == [
        {"key": "trips/photo.jpg", "type": "image/jpeg", "size": len(sent), "sha256": hashlib.sha256(sent).hexdigest()}
    ]
    image = Image.open(io.BytesIO(sent))
    assert image.size == (400, 600)
    assert not image.getexif()
    assert b"camera" not in sent
    (report,) = backend.reports
    assert report["uploads"][0]["outcome"] == "stored"
    assert 0 < report["uploads"][0]["ms"] < 3_600_000


@pytest.mark.slow
def test_a_small_jpeg_is_stripped_without_encoding_it_again(photo: Path) -> None:
    backend = Backend()

    async def act(page: Page) -> None:
        await page.choose_files("#choose", photo)
        await page.until(f"{STATES}.join() === 'ready'")

    run(backend, act)
    sent, before = Image.open(io.BytesIO(backend.bodies["trips/photo.jpg"])), Image.open(photo)
    assert dict(sent.getexif()) == {ExifTags.Base.Orientation: 6}
    assert sent.tobytes() == before.tobytes()


@pytest.mark.slow
def test_dropped_pasted_and_photographed_files() -> None:
    backend = Backend("capture keep-metadata")
    dropped = f"""(() => {{
      const files = new DataTransfer();
      files.items.add(new File(['dropped'], 'dropped.png', {{ type: 'image/png' }}));
      {SHADOW}.querySelector('.drop').dispatchEvent(
        new DragEvent('drop', {{ dataTransfer: files, bubbles: true, composed: true, cancelable: true }}));
    }})()"""
    pasted = f"""(() => {{
      const files = new DataTransfer();
      files.items.add(new File(['pasted'], 'image.png', {{ type: 'image/png' }}));
      {SHADOW}.getElementById('choose').dispatchEvent(
        new ClipboardEvent('paste', {{ clipboardData: files, bubbles: true, composed: true, cancelable: true }}));
    }})()"""

    async def act(page: Page) -> None:
        await page.evaluate(dropped)
        await page.evaluate(pasted)
        await page.until(f"{STATES}.join() === 'ready,ready'")
        camera = f"{SHADOW}.getElementById('camera')"
        assert await page.evaluate(f"{camera}.getAttribute('capture')") == "environment"

    run(backend, act)
    assert sorted(backend.bodies.values()) == [b"dropped", b"pasted"]
    assert "trips/dropped.png" in backend.bodies
    (other,) = backend.bodies.keys() - {"trips/dropped.png"}
    assert other.startswith("trips/image-2"), "each pasted image has a name of its own"


@pytest.mark.slow
def test_errors_can_be_read_and_tried_again() -> None:
    problem = {"code": "bad-upload", "field": "type", "detail": "type: expected one of image/jpeg"}
    backend = Backend("keep-metadata", refusal=problem)

    async def act(page: Page) -> None:
        await page.evaluate(add("notes.txt", media_type="text/plain"))
        await page.until(f"{STATES}.join() === 'failed'")
        reasons = await page.evaluate(REASONS)
        assert reasons == ["Files of this type are not accepted.\ntype: expected one of image/jpeg"]
        backend.refusal, backend.s3_error = None, "EntityTooLarge"
        await page.evaluate(f"{SHADOW}.querySelector('button').click()")
        await page.until(f"{REASONS}[0].startsWith('The file has changed')")
        assert "notes.txt: failed. The file has changed" in await page.evaluate(SPOKEN)
        backend.s3_error = ""
        backend.states["trips/notes.txt"] = {"state": "refused", "code": "type-not-allowed", "reason": "This is text"}
        await page.evaluate(f"{SHADOW}.querySelector('button').click()")
        await page.until(f"{STATES}.join() === 'refused'")
        assert await page.evaluate(REASONS) == ["The file is not an image of a supported type.\nThis is text"]
        assert await page.evaluate("document.activeElement.id") == "upload", "the focus stays in the card"

    run(backend, act)


@pytest.mark.slow
def test_hidden_characters_of_names_are_escaped() -> None:
    """The key has them: the element changes what is shown, and not what is sent."""
    problem = {"code": "bad-upload", "field": "key", "detail": "key: has photo\u202egpj.exe"}
    backend = Backend("keep-metadata", refusal=problem)
    shown = f"""[{SPOKEN}, {SHADOW}.querySelector('.files').textContent,
      ...[...{SHADOW}.querySelectorAll('.file [aria-label]')].map(part => part.getAttribute('aria-label'))]"""

    async def act(page: Page) -> None:
        await page.evaluate(add(r"photo\u202egpj.exe"))
        await page.until(f"{STATES}.join() === 'failed'")
        texts = await page.evaluate(shown)
        assert all(r"photo\u202egpj.exe" in text for text in texts), texts
        assert len(texts) == 6
        assert "\u202e" not in "".join(texts)

    run(backend, act)
    assert backend.declared[0]["key"] == "trips/photo\u202egpj.exe"


@pytest.mark.slow
def test_an_upload_continues_after_a_reload_and_after_being_offline() -> None:
    backend = Backend('keep-metadata resume="anna"', hold=True)

    async def act(page: Page) -> None:
        await page.evaluate(add("first.png"))
        await page.until(f"{STATES}.join() === 'sending'")
        await page.tab.reload()
        await page.until(f"window.defined && {STATES}.join() === 'sending'")
        assert "continued" in await page.evaluate(SPOKEN)
        backend.hold = False
        await page.until(f"{STATES}.join() === 'ready'")
        await page.tab.reload()
        await page.until("window.defined")
        await page.tab.context.set_offline(True)
        await page.evaluate(add("second.png"))
        await page.until(f"{STATES}.join() === 'offline'")
        await page.tab.context.set_offline(False)
        await page.until(f"{STATES}.join() === 'ready'")

    run(backend, act)
    assert backend.bodies == {"trips/first.png": b"bytes", "trips/second.png": b"bytes"}
    forms = [upload["key"] for upload in backend.declared]
    assert forms == ["trips/first.png", "trips/second.png"], "the form of the first page was used again"
    assert {"outcome": "stored"} in [each for report in backend.reports for each in report["uploads"]]


@pytest.mark.slow
def test_files_that_wait_for_their_turn_are_shown_after_a_reload() -> None:
    backend = Backend('keep-metadata resume="anna"', hold=True)
    names = [f"{number}.png" for number in range(5)]
    shown = f"[...{SHADOW}.querySelectorAll('.file b')].map(name => name.textContent).sort()"

    async def act(page: Page) -> None:
        for name in names:
            await page.evaluate(add(name))
        await page.until(f"{STATES}.filter(state => state === 'sending').length === 3")
        await page.tab.reload()
        await page.until(f"window.defined && {STATES}.filter(state => state === 'sending').length === 3")
        assert await page.evaluate(shown) == names
        assert (await page.evaluate(STATES)).count("waiting") == 2
        backend.hold = False
        await page.until(f"{STATES}.join() === 'ready,ready,ready,ready,ready'")

    run(backend, act)
    assert backend.bodies.keys() == {f"trips/{name}" for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("again", [f"{SHADOW}.querySelector('button').click()", "location.reload()"])
def test_an_upload_that_was_sent_before_a_reload_can_be_tried_again(again: str) -> None:
    backend = Backend('keep-metadata resume="anna"', state_error=(404, "not-ingested"))

    async def act(page: Page) -> None:
        await page.evaluate(add("first.png"))
        await page.until(f"{STATES}.join() === 'processing'")
        backend.state_error = 401, "bad-token"
        await page.tab.reload()
        await page.until(f"window.defined && {STATES}.join() === 'failed'")
        assert await page.evaluate(REASONS) == ["Your permission to upload has ended. Reload the page."]
        backend.state_error = None
        await page.evaluate(again)
        await page.until(f"window.defined && {STATES}.join() === 'ready'")

    run(backend, act)
    assert len(backend.declared) == len(backend.bodies) == 1, "the file was sent once"


@pytest.mark.slow
def test_what_was_cancelled_or_forgotten_is_not_continued() -> None:
    backend = Backend('keep-metadata resume="anna"', hold=True)

    async def act(page: Page) -> None:
        for name in ("first.png", "second.png"):
            await page.evaluate(add(name))
        await page.until(f"{STATES}.join() === 'sending,sending'")
        await page.evaluate(f"{SHADOW}.querySelectorAll('button')[1].click()")
        await page.until(f"{STATES}.join() === 'cancelled,sending'")
        await page.evaluate("document.getElementById('upload').forget()")
        assert await page.evaluate(f"{STATES}.join()") == "cancelled,cancelled"
        await page.tab.reload()
        await page.until("window.defined")
        assert await page.evaluate("document.getElementById('upload').uploader.resume().then(all => all.length)") == 0

    with suppress(ConnectionError):
        run(backend, act)
    assert backend.bodies == {}


@pytest.mark.slow
def test_the_element_works_by_keyboard_and_names_its_parts() -> None:
    backend = Backend("keep-metadata", refusal={"code": "not-granted"})

    async def act(page: Page) -> None:
        await page.evaluate(add("a.png"))
        await page.until(f"{STATES}.join() === 'failed'")
        focused = f"{SHADOW}.activeElement"
        seen = []
        for _ in range(3):
            await page.press("Tab")
            seen.append(await page.evaluate(f"{focused}.id || {focused}.getAttribute('aria-label')"))
        assert seen == ["choose", "Try again: a.png", "Remove: a.png"]
        await page.press("Enter")
        await page.until(f"{STATES}.length === 0")

    run(backend, act)
