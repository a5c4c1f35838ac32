"""Render a page with two textured cubes in Chromium: ``python -m extensions.textures.bench.cube IMAGE FILE``.

The left cube has IMAGE as ETC1S, the right one as UASTC. Both are made by the textures function's converter and loaded
by three.js's KTX2Loader. Chromium renders by SwiftShader, without a GPU.
"""

from __future__ import annotations

import argparse
import shutil
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.presets import load_default_presets
from textures.container import MEDIA_TYPE
from textures.converter import TextureConverter
from textures.encoder import Encoder
from textures.request import parse_request

from .programs import HERE, find_basisu, find_modules

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
WIDTH_PX, HEIGHT_PX = 900, 460
TIMEOUT_MS = 240_000


@dataclass(frozen=True, slots=True)
class Cubes:
    """What the page loaded, for each cube, and the RGBA values of the requested pixels."""

    loaded: Sequence[Mapping[str, Any]]
    pixels: Sequence[tuple[int, int, int, int]]


def make_texture(image: bytes, query: str) -> bytes:
    """Return the texture of ``image`` with the options of ``query``, as the textures function renders it."""
    plan = parse_request("/image/_/texture", query, load_default_presets()).plan
    converter = TextureConverter(Encoder(find_basisu(), timeout_s=600))
    pixels = render(converter.choose_pixels(plan), Source.from_bytes(image), limits=Limits())
    return converter.convert(plan, pixels).body


def photograph(
    left: bytes, right: bytes, screenshot: Path | None = None, points: Sequence[tuple[int, int]] = ()
) -> Cubes:
    """Load both textures in Chromium; raises RuntimeError with the page's error if it fails.

    ``points`` are places in the canvas in px from its top left, whose colours are returned.
    """
    from playwright.sync_api import sync_playwright

    _, modules = find_modules()
    files = {"/left.ktx2": left, "/right.ktx2": right, "/": (HERE / "cube.html").read_bytes()}
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, files=files, directory=str(modules))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
                page = browser.new_page(viewport={"width": WIDTH_PX, "height": HEIGHT_PX})
                page.set_default_timeout(TIMEOUT_MS)
                page.goto(f"http://127.0.0.1:{server.server_port}/?left=/left.ktx2&right=/right.ktx2")
                page.wait_for_function("window.loaded || window.failed")
                if failed := page.evaluate("window.failed"):
                    raise RuntimeError(failed)
                pixels = [tuple(page.evaluate(f"window.pixel({x}, {y})")) for x, y in points]
                if screenshot is not None:
                    page.screenshot(path=screenshot)
                found = Cubes(page.evaluate("window.loaded"), pixels)
                browser.close()
                return found
        finally:
            server.shutdown()


class _Handler(SimpleHTTPRequestHandler):
    """Serves ``files`` by path, and the modules of npm."""

    def __init__(self, *arguments: Any, files: Mapping[str, bytes], **options: Any) -> None:
        self._files = files
        super().__init__(*arguments, **options)

    def do_GET(self) -> None:
        """Send a file of the test, or one of the folder."""
        path = self.path.partition("?")[0]
        if path not in self._files:
            super().do_GET()
            return
        body = self._files[path]
        self.send_response(200)
        self.send_header("content-type", MEDIA_TYPE if path.endswith(".ktx2") else "text/html; charset=utf-8")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write no log."""


def main() -> None:
    """Write the screenshot, and print what was loaded."""
    parser = argparse.ArgumentParser(prog="python -m extensions.textures.bench.cube", description=__doc__)
    parser.add_argument("image", type=Path, help="any image that Darkroom renders")
    parser.add_argument("screenshot", type=Path, help="the PNG or JPEG to write")
    parser.add_argument("--width", type=int, default=256, help="width of the textures in px")
    chosen = parser.parse_args()
    image = chosen.image.read_bytes()
    left, right = (make_texture(image, f"f=ktx2&w={chosen.width}&codec={codec}") for codec in ("etc1s", "uastc"))
    found = photograph(left, right, chosen.screenshot)
    for texture, one in zip((left, right), found.loaded, strict=True):
        print(len(texture), "bytes", dict(one))


if __name__ == "__main__":
    main()
