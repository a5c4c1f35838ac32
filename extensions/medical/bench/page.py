"""Show a CT slice in Chromium with a window slider: ``python -m extensions.medical.bench.page FILE SCREENSHOT``.

FILE is ingested as by the function and served by the DICOMweb app, from memory. The page has the slice twice: in
Cornerstone3D, which loads 16-bit values by WADO-RS and windows them itself, and rendered by the server.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from filelock import FileLock
from obstore.store import MemoryStore

from bench.competitors.model import MissingCompetitor
from darkroom.aws.s3_fast import FastBucket
from local.paths import ROOT
from medical.access import Grant, make_token
from medical.app import Medical
from medical.ingest import build_instance
from medical.instance import Instance
from medical.master import write_master
from medical.process import decode_upload
from medical.store import document_name

from .files import install_layer, list_files

HERE = Path(__file__).parent / "viewer"
INSTALLED = ROOT / ".local" / "bench" / "medical-viewer"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ("--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist")
TIMEOUT_MS = 240_000
KEY = "a signing key of measurements"
PRESETS = (("soft tissue", 40, 400), ("lung", -600, 1500), ("bone", 400, 1800))
WORKER = Path("node_modules/@cornerstonejs/dicom-image-loader/dist/esm/decodeImageFrameWorker.js")
NODE_MODULES = ("fs", "path", "crypto", "url", "util", "events")
"""Modules of Node that libraries of the viewer import for other environments than browsers."""


def build_viewer() -> Path:
    """Return the folder with the bundled viewer, after an installation by npm. Raises MissingCompetitor."""
    npm = shutil.which("npm")
    if npm is None:
        raise MissingCompetitor("npm is not installed")
    INSTALLED.mkdir(parents=True, exist_ok=True)
    sources = [HERE / name for name in ("package.json", "package-lock.json", "viewer.js", "stub.js")]
    with FileLock(INSTALLED / ".lock"):
        copies = [(INSTALLED / source.name, source) for source in sources]
        if not all(copy.exists() and copy.read_bytes() == source.read_bytes() for copy, source in copies):
            for copy, source in copies:
                shutil.copy(source, copy)
            _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"])
            (INSTALLED / "out" / "viewer.js").unlink(missing_ok=True)
        if not (INSTALLED / "out" / "viewer.js").exists():
            _run(
                [
                    *("node_modules/.bin/esbuild", "viewer.js", str(WORKER), "--bundle", "--format=esm", "--minify"),
                    *("--outdir=out", "--entry-names=[name]", "--log-level=error", "--define:global=globalThis"),
                    *(f"--alias:{name}=./stub.js" for name in NODE_MODULES),
                ]
            )
    return INSTALLED / "out"


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingCompetitor(f"{command[0]} failed:\n{done.stderr[-2000:]}")


@dataclass(frozen=True, slots=True)
class Study:
    """An instance in memory, and the app that serves it."""

    instance: Instance
    app: Medical

    @classmethod
    def ingest(cls, path: Path) -> Study:
        """Ingest a file as the function does. Raises DarkroomError."""
        bucket = FastBucket(MemoryStore())
        with tempfile.TemporaryDirectory() as scratch:
            folder = Path(scratch)
            instance = build_instance(decode_upload(path, folder), "a key of measurements")
            size = {"width": instance.width, "height": instance.height, "count": instance.pages}
            levels = write_master(folder / "pages.raw", folder / "master.tif", **size, colour=instance.colour)
            bucket.put("master.tif", (folder / "master.tif").read_bytes(), {})
        stored = replace(instance, levels=levels, master="master.tif")
        name = document_name(stored.study, stored.series, stored.instance)
        bucket.put(name, stored.to_json(), {})
        return cls(stored, Medical(bucket, lambda prefix, _, __: _list(prefix, name), _Keys()))

    def describe(self) -> dict[str, object]:
        """Return what the page needs to know."""
        token = make_token(Grant(int(time.time()) + 3600, self.instance.study), KEY)
        names = {"study": self.instance.study, "series": self.instance.series, "instance": self.instance.instance}
        return {"base": "/dicomweb", "token": token, "frame": 1, "presets": PRESETS, **names}


def _list(prefix: str, name: str) -> Iterator[str]:
    if name.startswith(prefix):
        yield name


class _Keys:
    def get(self, *, refresh: bool = False) -> tuple[str, ...]:  # noqa: ARG002
        """Return the key of the page's token."""
        return (KEY,)


def open_page[T](study: Study, use: Callable[[Any], T]) -> T:
    """Open the page in Chromium; return what ``use`` returns of it. Raises RuntimeError with the page's error."""
    from playwright.sync_api import sync_playwright

    viewer = build_viewer()
    files = {f"/{path.name}": path.read_bytes() for path in viewer.glob("*.js")}
    page_text = (HERE / "viewer.html").read_text(encoding="utf-8").replace("STUDY", json.dumps(study.describe()))
    files["/"] = page_text.encode()
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, files=files, app=study.app)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
                page = browser.new_page(viewport={"width": 940, "height": 590})
                page.set_default_timeout(TIMEOUT_MS)
                page.goto(f"http://127.0.0.1:{server.server_port}/")
                page.wait_for_function("window.applied || window.failed")
                if failed := page.evaluate("window.failed"):
                    raise RuntimeError(failed)
                try:
                    return use(page)
                finally:
                    browser.close()
        finally:
            server.shutdown()


def set_window(page: Any, center: float, width: float) -> None:
    """Move the sliders, and wait until both images have the window."""
    for name, value in (("center", center), ("width", width)):
        page.evaluate(
            "([id, value]) => { const one = document.getElementById(id); one.value = value; "
            "one.dispatchEvent(new Event('input')); }",
            [name, value],
        )
    page.wait_for_function(f"window.applied === '{center:g},{width:g}'")
    page.wait_for_timeout(300)  # the viewer draws in the next frame


class _Handler(BaseHTTPRequestHandler):
    """Serves ``files`` by path, and DICOMweb by ``app``."""

    def __init__(self, *arguments: Any, files: Mapping[str, bytes], app: Medical) -> None:
        self._files, self._app = files, app
        super().__init__(*arguments)

    def do_GET(self) -> None:
        """Send a file, or a response of the app."""
        path, _, query = self.path.partition("?")
        if path in self._files:
            kind = "text/javascript" if path.endswith(".js") else "text/html; charset=utf-8"
            self._send(200, {"content-type": kind}, self._files[path])
            return
        event = {
            "rawPath": path,
            "rawQueryString": query,
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": {"http": {"method": "GET"}},
        }
        response: dict[str, Any] = dict(self._app.respond(event)[0])
        text = str(response["body"])
        body = b64decode(text) if response.get("isBase64Encoded") else text.encode()
        self._send(int(response["statusCode"]), response["headers"], body)

    def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in {**headers, "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Write no log."""


def main() -> None:
    """Write the screenshot, and print grey levels of both images for each preset."""
    parser = argparse.ArgumentParser(prog="python -m extensions.medical.bench.page", description=__doc__)
    parser.add_argument("file", help="a DICOM file, or the name of one that pydicom ships")
    parser.add_argument("screenshot", type=Path, help="the PNG or JPEG to write")
    chosen = parser.parse_args()
    install_layer()
    path = Path(chosen.file)
    if not path.exists():
        [path] = [one for one in list_files() if one.name == chosen.file]

    def use(page: Any) -> None:
        for name, center, width in PRESETS[::-1]:
            set_window(page, center, width)
            print(name, [page.evaluate(f"window.levels({x}, {y})") for x, y in ((0.5, 0.5), (0.3, 0.6), (0.7, 0.4))])
        page.screenshot(path=chosen.screenshot)

    open_page(Study.ingest(path), use)


if __name__ == "__main__":
    main()
