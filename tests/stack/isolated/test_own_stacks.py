"""Stacks beside the first one, each deployed beside one local stack and used as by its users."""

from __future__ import annotations

import io
import json
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest
from PIL import Image

from bench.map_tiles.rasters import fetch_rasters
from darkroom.textures.container import IDENTIFIER
from extensions.map_tiles.local_stack import HOST
from local.paths import CONTROL
from tests.component.conversion.files import RED_HALF
from tests.images.photographs import jpeg_photo
from tests.stack.operating import Operator, fetch
from tests.waiting import HANG_S, wait_until
from tools.smoke.checks.further import CHECKS


@pytest.fixture
def operator(extensions_operator: Operator) -> Operator:
    return extensions_operator


def test_a_texture_is_made_once_and_served_by_its_signed_url(operator: Operator) -> None:
    operator.upload("cube/side.jpg", jpeg_photo())
    url = operator.darkroom("textures", "sign", "cube/side.jpg", "w=128").stdout.strip()
    for _ in range(2):
        with urllib.request.urlopen(url, timeout=HANG_S) as answer:
            assert answer.headers["content-type"] == "image/ktx2"
            assert answer.read(len(IDENTIFIER)) == IDENTIFIER
    assert len(operator.keys("media_bucket", "derivatives/cube/side.jpg/")) >= 1


def test_a_registered_raster_is_served_by_a_distribution_of_its_own(operator: Operator) -> None:
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


def test_the_first_page_of_a_document_is_an_image(operator: Operator) -> None:
    s3, bucket = operator.stack.cloud.s3, operator.read_outputs("document_pages")["DocumentsBucketName"]
    s3.put_object(Bucket=bucket, Key="reports/annual.pdf", Body=RED_HALF)
    wait_until(lambda: operator.state("documents/reports/annual.pdf") == "ready", "the page is ready")
    with fetch(operator.darkroom("sign", "/documents/reports/annual.pdf?w=200&f=png").stdout.strip()) as answer:
        image = Image.open(io.BytesIO(answer.read())).convert("RGB")
    assert image.size == (200, 100)
    assert (image.getpixel((50, 50)), image.getpixel((150, 50))) == ((255, 0, 0), (255, 255, 255))
    s3.put_object(Bucket=bucket, Key="no.pdf", Body=b"no document")

    def read_tags() -> dict[str, str]:
        return {one["Key"]: one["Value"] for one in s3.get_object_tagging(Bucket=bucket, Key="no.pdf")["TagSet"]}

    wait_until(lambda: read_tags() == {"darkroom": "refused", "code": "type-not-allowed"}, "the refusal is tagged")


def test_darkroom_smoke_checks_each_stack_and_leaves_locked_copies_only(operator: Operator, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    operator.darkroom("smoke", "--only", "further", "--output", str(report))
    document = json.loads(report.read_text())
    outcomes = {one["name"]: one["outcome"] for one in document["checks"]}
    assert outcomes == {check.name: "passed" for check in CHECKS} | {"source": "skipped"}, document
    assert document["not_removed"] == []
    s3 = operator.stack.cloud.s3
    listing = s3.get_paginator("list_object_versions")
    left = {
        one["Name"]
        for one in s3.list_buckets()["Buckets"]
        for page in listing.paginate(Bucket=one["Name"])
        if any(document["folder"].strip("/") in version["Key"] for version in page.get("Versions", []))
    }
    for bucket in left:
        assert s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]["ObjectLockEnabled"]
