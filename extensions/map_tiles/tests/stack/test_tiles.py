"""The deployed stack, used as by its users."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from PIL import Image

from extensions.map_tiles.bench.rasters import fetch_rasters
from extensions.map_tiles.local_stack import HOST
from local.paths import CONTROL
from tests.stack.operating import Operator
from tests.waiting import HANG_S


def test_a_registered_raster_is_served_by_a_distribution_of_its_own(extensions_operator: Operator) -> None:
    operator = extensions_operator
    s3, info = operator.stack.cloud.s3, operator.info
    body = (fetch_rasters() / "landsat7.tif").read_bytes()
    s3.put_object(Bucket=info["media_bucket"], Key="map-tiles/rasters/bay.tif", Body=body)
    request = json.dumps({"action": "register", "key": "bay.tif"}).encode()
    answer = operator.stack.cloud.functions.invoke(FunctionName="darkroom-rasters", Payload=request)
    described = json.load(answer["Payload"])
    assert (described["band_count"], described["maxzoom"]) == (3, 12)
    with urllib.request.urlopen(f"{operator.stack.cdn_url}{CONTROL}/map/rasters", timeout=HANG_S) as answer:
        listed = json.load(answer)
    assert (listed["keys"], urlsplit(listed["url"]).hostname) == (["bay.tif"], HOST)

    def ask(url: str, method: str = "GET", **headers: str) -> Any:
        """Ask the distribution, whose name browsers resolve to this machine and the libraries of others may not."""
        target = operator.stack.cdn_url + url.removeprefix(listed["url"])
        sent = {"Host": HOST, "Origin": "https://maps.example.com", **headers}
        return urllib.request.urlopen(urllib.request.Request(target, method=method, headers=sent), timeout=HANG_S)

    document = "/tiles/bay.tif/tilejson.json"
    with ask(document) as found:
        tiles = json.load(found)["tiles"][0]
    assert tiles == f"{listed['url']}/tiles/bay.tif/{{z}}/{{x}}/{{y}}.webp"
    for word in ("Miss", "Hit"):
        with ask(tiles.format(z=9, x=81, y=197)) as tile:
            assert Image.open(tile).size == (256, 256)
            assert tile.headers["X-Cache"].startswith(word)
            assert tile.headers["Access-Control-Allow-Origin"] == "*"
    with ask(document, "OPTIONS", **{"Access-Control-Request-Method": "GET"}) as preflight:
        assert (preflight.status, preflight.headers["Access-Control-Allow-Methods"]) == (204, "GET, HEAD")
    with pytest.raises(HTTPError, match="403"):
        ask(f"{document}?bands=3")
    target = operator.darkroom("map-tiles", "sign", "bay.tif", "bands=3,2,1", "--expires-in", "600").stdout.strip()
    with ask(target) as found:
        signed = json.load(found)["tiles"][0].format(z=9, x=81, y=197)
    with ask(signed) as tile:
        assert Image.open(tile).size == (256, 256)
    with pytest.raises(HTTPError, match="403"):
        ask(signed.replace("bands=3,2,1", "bands=1,2,3"))
