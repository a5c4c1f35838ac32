"""Stacks beside the first one, on one local stack: textures through the CDN and the HTTP API, and map tiles."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator

import pytest
from PIL import Image

from bench.map_tiles.rasters import fetch_rasters
from darkroom.textures.container import IDENTIFIER
from local.paths import CONTROL
from tests.images.photographs import jpeg_photo
from tests.stack.conftest import start_stack, stop_stack
from tests.stack.operating import Operator
from tests.waiting import HANG_S


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    options = ("--no-inference", "--no-watch", "--textures", "--map-tiles")
    running = start_stack(tmp_path_factory.mktemp("own"), *options)
    yield Operator(running, tmp_path_factory.mktemp("operator"))
    assert stop_stack(running) == 0


def test_a_texture_is_made_once_and_served_by_its_signed_url(operator: Operator) -> None:
    operator.upload("cube/side.jpg", jpeg_photo())
    url = operator.darkroom("textures", "sign", "cube/side.jpg", "w=128").stdout.strip()
    for _ in range(2):
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
            assert answer.headers["content-type"] == "image/ktx2"
            assert answer.read(len(IDENTIFIER)) == IDENTIFIER
    assert len(operator.keys("media_bucket", "derivatives/cube/side.jpg/")) >= 1


def test_a_registered_raster_is_on_the_map(operator: Operator) -> None:
    s3, info = operator.stack.cloud.s3, operator.info
    body = (fetch_rasters() / "landsat7.tif").read_bytes()
    s3.put_object(Bucket=info["media_bucket"], Key="map-tiles/rasters/bay.tif", Body=body)
    request = json.dumps({"action": "register", "key": "bay.tif"}).encode()
    answer = operator.stack.cloud.functions.invoke(FunctionName="darkroom-rasters", Payload=request)
    described = json.load(answer["Payload"])
    assert (described["band_count"], described["maxzoom"]) == (3, 12)
    page = operator.stack.cdn_url + f"{CONTROL}/map"
    with urllib.request.urlopen(f"{page}/tiles/bay.tif/tilejson.json", timeout=HANG_S) as document:
        tiles = json.load(document)["tiles"][0]
    with urllib.request.urlopen(tiles.format(z=9, x=81, y=197), timeout=HANG_S) as tile:
        assert Image.open(tile).size == (256, 256)
