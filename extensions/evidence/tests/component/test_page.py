"""The report in a real browser: the evidence function behind an HTTP server, and Chromium that follows a link to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from evidence import measures
from tests.component.aws.similar import direction
from tests.component.browser.browser import CHROMIUM

from .images import build_exif, coffee, make_thumbnail, once, spliced, with_exif
from .world import World

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

IMAGE = "trips/rome & paris.jpg"
TIMEOUT_MS = 120_000


@pytest.fixture
def world(aws: Callable[[str], Any], aws_environment: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> World:
    for name, value in aws_environment.items():
        monkeypatch.setenv(name, value)
    return World.build(aws, aws_environment)


@pytest.fixture
def site(world: World) -> Iterator[tuple[str, list[str]]]:
    """The address of the API, and the paths that were requested of it."""
    requested: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requested.append(self.path)
            parts = urlsplit(self.path)
            length = int(self.headers.get("content-length", 0))
            answer = world.request(
                unquote(parts.path).removeprefix("/_evidence/"),
                method=self.command,
                query=parse_qs(parts.query).get("f", [""])[0],
                body=self.rfile.read(length).decode(),
                accept=self.headers["accept"],
            )
            body = answer["body"].encode()
            self.send_response(answer["statusCode"])
            for name, value in answer["headers"].items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET  # noqa: N815 - a name of http.server

        def log_message(self, *_: Any) -> None:
            """Write no log."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", requested
        server.shutdown()


@pytest.mark.slow
def test_a_link_with_a_token_shows_the_report_of_a_splice(world: World, site: tuple[str, list[str]]) -> None:
    from playwright.sync_api import sync_playwright

    url, requested = site
    world.upload(IMAGE, with_exif(spliced(), build_exif(make_thumbnail(coffee()), "SONY", "ILCE-6000")))
    world.upload("trips/<before>.jpg", once())
    for key in (IMAGE, "trips/<before>.jpg"):
        world.embed(key, direction(1))
    token = world.token()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        problems: list[str] = []
        page.on("console", lambda message: problems.append(message.text))
        page.goto(f"{url}/_evidence/trips/rome%20&%20paris.jpg?f=evidence#{token}")
        page.wait_for_selector("section")
        assert page.locator("h2 .flagged").count() == len(measures.MEASURES) - 1, "all but Content Credentials"
        assert page.locator("h3").inner_text() == "trips/<before>.jpg"
        assert page.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
        assert page.evaluate("document.images.length") == 7
        assert page.evaluate("getComputedStyle(document.querySelector('section')).borderTopWidth") == "1px"
        assert page.evaluate("document.querySelector('svg').clientHeight") > 100
        assert "#" not in page.url
        assert problems == []
        browser.close()
    assert not [path for path in requested if token in path], "the token is in no address"
    assert [one.document["by"] for one in world.custody.read(IMAGE)] == ["anna@example.com"]
