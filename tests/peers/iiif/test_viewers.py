"""Mirador and Universal Viewer in guarded mode: their requests are served and photographs appear."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from obstore.store import MemoryStore

from bench.competitors.model import MissingCompetitor
from darkroom.aws.s3_fast import FastBucket
from darkroom.plan.geometry.placement import Size
from darkroom_dialects.iiif.spec import V2, V3, Version
from tests.component.browser.browser import CHROMIUM, Page, open_browser
from tests.component.services.dialects.iiif_serving import service
from tests.images.photographs import jpeg_photo
from tests.waiting import wait_until_async

from .packages import MIRADOR, UNIVERSAL_VIEWER, Package, install
from .serving import MANIFEST, Site, serve

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")]

IMAGES = {"trips/a (1).jpg": Size(2600, 1733), "trips/é.jpg": Size(900, 1350), "zoo.jpg": Size(300, 200)}


@dataclass(frozen=True, slots=True)
class Viewer:
    """A viewer: its package, and a page that opens the manifest."""

    package: Package
    page: str


VIEWERS = {
    "mirador": Viewer(
        MIRADOR,
        f"""<!doctype html><meta charset=utf-8><div id=m style="position:absolute;inset:0"></div>
        <script src="/viewer/dist/mirador.min.js"></script>
        <script>Mirador.viewer({{id: 'm', windows: [{{manifestId: location.origin + '{MANIFEST}',
          thumbnailNavigationPosition: 'far-bottom'}}]}})</script>""",
    ),
    "universal-viewer": Viewer(
        UNIVERSAL_VIEWER,
        f"""<!doctype html><meta charset=utf-8><link rel=stylesheet href="/viewer/dist/uv.css">
        <script src="/viewer/dist/umd/UV.js"></script>
        <div id=uv class=uv style="position:absolute;inset:0"></div>
        <script>UV.init('uv', {{iiifManifestId: location.origin + '{MANIFEST}', embedded: true}})</script>""",
    ),
}


@pytest.fixture(scope="module")
def bucket() -> FastBucket:
    bucket = FastBucket(MemoryStore())
    names = service(bucket).transform.source_names
    for key, size in IMAGES.items():
        bucket.put(names.name(key), jpeg_photo(size), {"Content-Type": "image/jpeg"})
    return bucket


@pytest.mark.parametrize("version", [V2, V3], ids=["image-api-2", "image-api-3"])
@pytest.mark.parametrize("name", VIEWERS)
def test_a_viewer_shows_tiles_and_thumbnails_without_permission(
    bucket: FastBucket, name: str, version: Version
) -> None:
    viewer = VIEWERS[name]
    try:
        files = install(viewer.package)
    except MissingCompetitor as error:
        pytest.skip(str(error))
    site = Site(service(bucket), version, IMAGES, viewer.page, files)

    def images() -> list[str]:
        return [path for path, status in site.requests if path.endswith("/default.jpg") and status == 200]

    async def show(page: Page, address: str) -> None:
        await page.resize(width=1280)
        await page.open(address)
        await wait_until_async(lambda: len({path.split("/")[3] for path in images()}) == len(IMAGES), "thumbnails")
        await wait_until_async(lambda: any("/512" in path or ",512/" in path for path in images()), "tiles")
        await page.tab.wait_for_load_state("networkidle")
        if folder := os.environ.get("SCREENSHOTS"):
            await page.screenshot(Path(folder) / f"{name}-{version.number}.png")

    async def run() -> None:
        async with serve(site) as address, open_browser() as page:
            await show(page, address)

    asyncio.run(run())
    assert {status for _, status in site.requests} <= {200, 303}, site.requests
    assert all(path.startswith(version.prefix) for path, _ in site.requests)
