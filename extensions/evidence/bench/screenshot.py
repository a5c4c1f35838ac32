"""Draw the report of a spliced photograph in Chromium: ``python -m extensions.evidence.bench.screenshot FILE``.

The photograph is by a camera, with its EXIF block and thumbnail (Debian's mate-backgrounds). It is compressed, gets a
part of another one, and is compressed again with its EXIF block, as a careless editor does.
"""

from __future__ import annotations

import shutil
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from PIL import Image

from bench.corpus.packages import MATE, unpack
from darkroom_pipeline.aws.record import READY, Record
from evidence.analysis import analyse
from evidence.jpeg_header import parse_header
from evidence.page import format_report
from evidence.report import NO_TOTAL, build_measures

from .scenes import compress, decode, paste

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
WIDTH_PX, HEIGHT_PX = 980, 3_000
BOX = (1_060, 590, 480, 360)
COPY = "weather/storm-2007.jpg"


def make_splice() -> tuple[bytes, bytes]:
    """Return a spliced photograph with the EXIF block of its camera, and the photograph. Raises PackageUnavailable."""
    folder = unpack(MATE) / "usr" / "share" / "backgrounds" / "mate" / "nature"
    camera = (folder / "Storm.jpg").read_bytes()
    with Image.open(folder / "TwoWings.jpg") as opened:
        other = decode(compress(opened.convert("RGB").resize((1280, 800)), 88))
    spliced = compress(paste(decode(compress(decode(camera), 78)), other, BOX), 92)
    exif = b"Exif\0\0" + parse_header(camera).exif
    segment = b"\xff\xe1" + (len(exif) + 2).to_bytes(2) + exif
    return spliced[:2] + segment + spliced[2:], camera


def make_report(image: bytes, copy: bytes) -> dict[str, Any]:
    """Return the report about ``image``, of which the deployment has a near copy."""
    record = Record("weather/storm.jpg", READY, "1")
    copies = [{"key": COPY, "score": 0.9312, "perceptual_distance": 6, "copy": True}]
    return {
        "version": 1,
        "key": record.key,
        "state": record.state,
        "at": "2026-11-29T10:00:00+00:00",
        "original": {
            "place": "custody",
            "version_id": "3sL4kqtJlcpXroDTDmJ.rmSpXd3dIbrHY",
            "size_bytes": len(image),
            "sha256": sha256(image).hexdigest(),
            "matches_index": True,
        },
        "measures": build_measures(record, analyse(image, {COPY: copy}), copies, ""),
        "total": None,
        "why_no_total": NO_TOTAL,
    }


def photograph(page: str, target: Path) -> None:
    """Write a screenshot of the upper part of ``page``."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_page(viewport={"width": WIDTH_PX, "height": 800})
        tab.set_default_timeout(240_000)
        tab.set_content(page)
        tab.screenshot(
            path=target,
            full_page=True,
            clip={"x": 0, "y": 0, "width": WIDTH_PX, "height": HEIGHT_PX},
            quality=70 if target.suffix == ".jpg" else None,
        )
        browser.close()


if __name__ == "__main__":
    photograph(format_report(make_report(*make_splice())), Path(sys.argv[1]))
