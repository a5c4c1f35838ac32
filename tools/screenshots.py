"""Write the screenshots in docs/images from a running stack: ``python -m tools.screenshots [NAME…]``.

Before the screenshots of the console, it uploads samples below ``trips/``, some of them damaged, and requests
derivatives, so that the console has metrics, traces and failures. Start with an empty stack, and with Debian's Chromium
installed. With ``--minutes 0`` it sends nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pyvips
import skimage

from cli import local_stack

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "images"
MINUTES = 4.0
EVERY_S = 2.0
"""Time between two uploads."""

SAMPLES = ("chelsea.png", "coffee.png", "hubble_deep_field.jpg", "rocket.jpg")
"""Files of scikit-image without people."""

DAMAGED_EVERY, TEXT_EVERY = 7, 20
"""Every how many uploads one is cut off, and one is not an image."""

WIDTHS_PX = (320, 640, 960)
WITHIN_MS = 120_000
SETTLE_MS = 2_000
"""Time for images to be decoded and drawn after the last response."""

CONSOLE = "/_local/watch"
DERIVATIVES = "document.querySelectorAll('#derivatives img').length >= 12"
CHARTS = "document.querySelectorAll('#view svg').length > 2"
ROWS = "document.querySelectorAll('#view li, #view .file').length > 2"

type Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Screenshot:
    """A view: its address, the JavaScript that is true when it is complete, and the window in CSS pixels."""

    path: str | Callable[[Facts], str]
    ready: str
    width: int = 1280
    height: int = 900
    dark: bool = False


def main(words: list[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(SCREENSHOTS)}; default: all")
    parser.add_argument("--state-dir", type=Path, default=local_stack.STATE)
    parser.add_argument("--minutes", type=float, default=MINUTES, help="how long samples are uploaded before")
    chosen = parser.parse_args(words)
    if unknown := [name for name in chosen.names if name not in SCREENSHOTS]:
        parser.error(f"unknown screenshot {unknown[0]}")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        parser.error("Chromium is not installed: apt-get install chromium")
    try:
        facts = local_stack.read(chosen.state_dir)
    except ValueError as error:
        parser.error(str(error))
    names = chosen.names or list(SCREENSHOTS)
    take(facts, [name for name in names if not name.startswith("console-")], chromium)
    if console := [name for name in names if name.startswith("console-")]:
        send_samples(facts, chosen.minutes * 60)
        take(facts, console, chromium)
    return 0


def send_samples(facts: Facts, duration_s: float) -> None:
    """Upload samples and request derivatives of them for ``duration_s`` seconds."""
    session = boto3.Session("test", "test", region_name=facts["region"])  # MiniStack's root user
    s3 = session.client("s3", endpoint_url=facts["aws_endpoint_url"])
    started_s, keys = time.monotonic(), list[str]()
    for number in itertools.count(1):
        if time.monotonic() - started_s >= duration_s:
            return
        key, body = make_sample(number)
        s3.put_object(Bucket=facts["uploads_bucket"], Key=key, Body=body)
        keys.append(key)
        for width_px in WIDTHS_PX:
            request(facts, f"/{keys[len(keys) // 2]}?w={width_px}")
        time.sleep(EVERY_S)


def make_sample(number: int) -> tuple[str, bytes]:
    """Return the key and the bytes of upload ``number``: a sample of its own size, cut off or replaced at times."""
    name = SAMPLES[number % len(SAMPLES)]
    stem = name.partition(".")[0].partition("_")[0]
    if number % TEXT_EVERY == 0:
        return f"trips/notes-{number}.txt", b"The cat sat on the mat.\n" * 20
    width_px = 480 + 16 * number
    image = pyvips.Image.thumbnail(str(Path(skimage.__file__).parent / "data" / name), width_px)
    body: bytes = image.write_to_buffer(".jpg")
    if number % DAMAGED_EVERY == 0:
        return f"trips/{stem}-cut-off-{number}.jpg", body[: len(body) // 2]
    return f"trips/{stem}-{number}.jpg", body


def request(facts: Facts, target: str) -> bytes:
    """Return the body of a response of the CDN, also of an error."""
    url = facts["cdn_url"] + target
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": "image/webp"})) as response:  # noqa: S310 (the local stack)
            return bytes(response.read())
    except urllib.error.HTTPError as error:
        return bytes(error.read())


def trace_of_an_upload(facts: Facts) -> str:
    """Return the address of the shortest trace of an upload that models analysed: its stages are the most visible."""
    traces = [
        trace
        for trace in json.loads(request(facts, f"{CONSOLE}/traces?minutes=60&q=ingest"))
        if {"ingest", "infer"} <= set(trace["names"]) and trace["annotations"].get("outcome") == "ready"
    ]
    if not traces:
        raise ValueError("No upload was analysed: start the stack with inference, and send samples.")
    shortest = min(traces, key=lambda trace: float(trace["duration_ms"]))
    return f"{CONSOLE}#/traces/{urllib.parse.quote(shortest['trace_id'])}"


SCREENSHOTS: Mapping[str, Screenshot] = {
    "start-page": Screenshot("/#/samples/coffee.png?w=480&h=320&fit=cover&g=north", DERIVATIVES),
    "zoom": Screenshot("/_local/zoom#samples/hubble-deep-field.jpg", "!!document.querySelector('canvas')", 1200, 760),
    "console-executive": Screenshot(f"{CONSOLE}#/executive", CHARTS),
    "console-on-call": Screenshot(f"{CONSOLE}#/on-call", CHARTS, height=1500),
    "console-on-call-narrow": Screenshot(f"{CONSOLE}#/on-call", CHARTS, 375, 1600, dark=True),
    "console-debug": Screenshot(f"{CONSOLE}#/debug", CHARTS, height=2000, dark=True),
    "console-alarms": Screenshot(f"{CONSOLE}#/alarms", ROWS),
    "console-trace": Screenshot(trace_of_an_upload, "document.querySelectorAll('.segment').length > 10", height=1030),
    "console-failed": Screenshot(f"{CONSOLE}#/failed", "document.querySelectorAll('.file').length > 2", dark=True),
    "console-index": Screenshot(f"{CONSOLE}#/index?prefix=trips/&state=ready", ROWS),
}


def take(facts: Facts, names: list[str], chromium: str) -> None:
    """Write the screenshots ``names``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        try:
            for name in names:
                shot = SCREENSHOTS[name]
                page = browser.new_page(
                    viewport={"width": shot.width, "height": shot.height},
                    color_scheme="dark" if shot.dark else "light",
                )
                page.set_default_timeout(WITHIN_MS)
                open_view(page, facts, shot)
                write(FOLDER / f"{name}.png", page.screenshot())
                page.close()
                sys.stdout.write(f"docs/images/{name}.png\n")
        finally:
            browser.close()


def write(path: Path, png: bytes) -> None:
    """Write a PNG with a palette of 256 colours, which takes a third of the bytes."""
    pyvips.Image.new_from_buffer(png, "").write_to_file(str(path), palette=True, effort=10, strip=True)


def open_view(page: Page, facts: Facts, shot: Screenshot) -> None:
    """Open a view and wait until it is complete. Charts show fifteen minutes."""
    page.add_init_script("sessionStorage.setItem('darkroom-minutes', '15')")
    page.goto(facts["cdn_url"] + (shot.path if isinstance(shot.path, str) else shot.path(facts)))
    page.wait_for_function(shot.ready)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(SETTLE_MS)


if __name__ == "__main__":
    raise SystemExit(main())
