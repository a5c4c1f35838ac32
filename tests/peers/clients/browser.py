"""Pages of users' clients in Chromium, bundled by esbuild, and served from another origin than the stack's."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Page, sync_playwright

from bench.competitors import npm
from bench.competitors.model import MissingCompetitor
from local.paths import ROOT
from tests.component.browser.browser import CHROMIUM
from tests.waiting import HANG_S

HERE = Path(__file__).parent
FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
"""WebGL without a GPU."""

PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>
<link rel="icon" href="data:,"><style>body {{ margin: 0; font: 15px system-ui }}</style>{head}
<div id="place" class="{name}"></div><script type="module" src="/{name}.js"></script></html>"""


def install(folder: Path = HERE) -> tuple[str, Path]:
    """Node, and the packages of the lock file in ``folder``; skips the test without npm."""
    name = "-".join(folder.relative_to(ROOT).parts)
    try:
        return npm.install(name, "users' clients", [folder / file for file in npm.LOCKED])
    except MissingCompetitor as missing:
        pytest.skip(str(missing))


def bundle(
    target: Path,
    *names: str,
    folder: Path = HERE,
    linked: Mapping[str, str] | None = None,
    external: Sequence[str] = (),
    head: str = "",
) -> None:
    """Bundle pages of ``folder`` into ``target``, without the packages ``external``; ``head`` is HTML of each page.

    ``linked`` are folders of packages, by their names in ``target``, with the files that these load themselves.
    """
    runtime, installed = install(folder)
    modules = installed / "node_modules"
    command = [runtime, modules / "esbuild" / "bin" / "esbuild", *(folder / f"{name}.mjs" for name in names)]
    options = ["--bundle", "--format=esm", f"--outdir={target}", "--log-level=error"]
    options += [f"--external:{package}" for package in external]
    done = subprocess.run(
        [*map(str, command), *options], env={"NODE_PATH": str(modules)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    for name in names:
        (target / f"{name}.html").write_text(PAGE.format(name=name, head=head), encoding="utf-8")
    for name, path in (linked or {}).items():
        (target / name).symlink_to(modules / path)


class Browser:
    """Chromium with WebGL. ``failed`` are requests without a response of 2xx or 3xx, and errors of the pages."""

    def __init__(self, page: Page, base: str) -> None:
        self.page, self._base = page, base
        self.failed: list[str] = []
        page.set_default_timeout(HANG_S * 1000)
        page.on("requestfailed", lambda request: self.failed.append(f"{request.url}: {request.failure}"))
        page.on("pageerror", lambda error: self.failed.append(str(error)))
        page.on("response", self._note)

    def _note(self, response: Any) -> None:
        if response.status >= 400:
            self.failed.append(f"{response.request.method} {response.url}: {response.status}")

    def open(self, name: str, **query: str) -> None:
        """Open a page of this folder."""
        self.failed.clear()
        self.page.goto(f"{self._base}/{name}.html?{urlencode(query)}")

    def wait(self, expression: str) -> Any:
        """Wait until ``expression`` is true, and return its value."""
        try:
            return self.page.wait_for_function(expression).json_value()
        except Exception as error:
            raise AssertionError(f"{expression} did not come true: {self.failed}") from error

    def call(self, function: str, argument: Any = None) -> Any:
        """Call a function of the page, and wait for its promise."""
        try:
            return self.page.evaluate(function, argument)
        except Exception as error:
            raise AssertionError(f"{error}: {self.failed}") from error


@contextmanager
def open_browser(pages: Path) -> Iterator[Browser]:
    """Serve the folder of bundled pages, and open Chromium; skips the test without one."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(pages))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
                yield Browser(
                    browser.new_page(viewport={"width": 900, "height": 700}), f"http://127.0.0.1:{server.server_port}"
                )
                browser.close()
        finally:
            server.shutdown()


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Write no log."""
