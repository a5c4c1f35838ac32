"""MapLibre GL, as it is published, with the deployed stack: a page of another origin."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from extensions.map_tiles.bench.rasters import fetch_rasters
from extensions.map_tiles.local_stack import HOST
from tests.peers.clients import browser as clients
from tests.peers.clients.browser import Browser
from tests.stack.operating import Operator

HEAD = """<link rel="stylesheet" href="/maplibre-gl/maplibre-gl.css">
<script type="importmap">{"imports": {"maplibre-gl": "/maplibre-gl/maplibre-gl.mjs"}}</script>
<style>.map { width: 640px; height: 480px }</style>"""
NOTHING = (255, 0, 255)
"""The colour of the map below its tiles."""


@pytest.fixture(scope="module")
def tiles_url(extensions_operator: Operator) -> str:
    """The address of the tiles, with one raster."""
    stack = extensions_operator.stack
    body = (fetch_rasters() / "landsat7.tif").read_bytes()
    stack.cloud.s3.put_object(Bucket=stack.media_bucket, Key="map-tiles/rasters/bay.tif", Body=body)
    request = json.dumps({"action": "register", "key": "bay.tif"}).encode()
    answer = stack.cloud.functions.invoke(FunctionName="darkroom-rasters", Payload=request)
    assert json.load(answer["Payload"])["band_count"] == 3
    return f"http://{HOST}:{stack.cdn_url.rpartition(':')[2]}"


def sign_tiles(target: str, key: str) -> str:
    """Sign as servers of users do, by the lines of the guide."""
    tile_key = hmac.digest(key.encode(), b"key:tile-url:", "sha256")
    digest = hmac.digest(tile_key, b"tile-url:" + target.encode(), "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    pages = tmp_path_factory.mktemp("pages")
    linked = {"maplibre-gl": "maplibre-gl/dist"}  # it finds its worker beside its module
    clients.bundle(pages, "map", folder=Path(__file__).parent, linked=linked, external=["maplibre-gl"], head=HEAD)
    with clients.open_browser(pages) as opened:
        yield opened


@pytest.mark.parametrize("header", [{}, {"header": "1"}], ids=["plain", "with a header that browsers ask for"])
def test_maplibre_draws_tiles_of_a_signed_tilejson(
    extensions_operator: Operator, tiles_url: str, browser: Browser, header: dict[str, str]
) -> None:
    target = f"/tiles/bay.tif/tilejson.json?bands=3,2,1&exp={int(time.time()) + 3600}"
    browser.open(
        "map", url=f"{tiles_url}{target}&s={sign_tiles(target, extensions_operator.stack.signing_key)}", **header
    )
    shown = browser.wait("window.shown")
    assert (shown["failures"], browser.failed) == ([], [])
    assert (shown["minzoom"], shown["maxzoom"]) == (8, 12)
    assert "&s=" in shown["tiles"][0], "the document has signed tiles"
    colours = {
        tuple(browser.call("([x, y]) => window.pixel(x, y)", [x, y])[:3]) for x in (260, 320) for y in (200, 300)
    }
    assert NOTHING not in colours, "tiles cover the centre of the map"
    assert len(colours) > 1
    browser.page.screenshot(path=str(extensions_operator.folder / f"map{len(header)}.png"))
