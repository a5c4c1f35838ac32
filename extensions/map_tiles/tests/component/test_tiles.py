"""Tiles and TileJSON of real rasters in S3, beside rio-tiler's own output."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rio_tiler.constants import WEB_MERCATOR_TMS
from rio_tiler.io import Reader

from darkroom.errors import DamagedSource, SourceMissing, TypeNotAllowed
from extensions import find_extension
from extensions.map_tiles.smoke import TILE, geotiff
from extensions.map_tiles.tests.prepared import RASTER
from local.events import LOCAL_KEY, read_events
from map_tiles.app import MapTiles
from map_tiles.descriptor import DESCRIPTORS, RASTERS, Descriptor
from map_tiles.grid import Bounds, Tile, list_tiles
from map_tiles.rasters import FRESH_S
from tests.fixed_keys import FixedKeys

from .tiffs import write_tiff
from .world import HOST, NOW_S, World, decode, middle, sign

EARTH_RADIUS_M = 6_378_137


def read_own(path: Path, tile: Tile, **options: Any) -> np.ndarray:
    """Return what rio-tiler renders from the local file: bands and alpha, in its own words."""
    with Reader(str(path)) as reader:
        image = reader.tile(tile.x, tile.y, tile.z, **options)
        return np.moveaxis(np.concatenate([image.array.data, image.mask[None]]), 0, -1)


def to_degrees(x: float) -> float:
    return math.degrees(x / EARTH_RADIUS_M)


def to_latitude(y: float) -> float:
    return math.degrees(2 * math.atan(math.exp(y / EARTH_RADIUS_M)) - math.pi / 2)


def test_landsat_is_described(world: World) -> None:
    found = world.store.describe("landsat7.tif")
    assert (found.width, found.height, found.band_count) == (2181, 1917, 3)
    assert (found.bands, found.nodata) == ((1, 2, 3), "value")
    assert (found.minzoom, found.maxzoom) == (8, 12)
    corners = -13_651_650.0, 4_518_780.0, -13_586_220.0, 4_576_290.0
    expected = [to_degrees(corners[0]), to_latitude(corners[1]), to_degrees(corners[2]), to_latitude(corners[3])]
    assert found.geographic == pytest.approx(expected, abs=1e-6)
    assert found.area_km2 == pytest.approx(65.43 * 57.51 * math.cos(math.radians(37.774)) ** 2, rel=0.01)
    assert Descriptor.from_json(found.to_json()) == found


@pytest.mark.parametrize("zoom", [8, 10, 12])
def test_tiles_are_those_of_rio_tiler(world: World, rasters: Path, zoom: int) -> None:
    tile = middle(world.store.describe("landsat7.tif"), zoom)
    found = decode(world.get(f"/tiles/landsat7.tif/{tile.z}/{tile.x}/{tile.y}.png"))
    own = read_own(
        rasters / "landsat7.tif", tile, indexes=(1, 2, 3), resampling_method="bilinear", reproject_method="bilinear"
    )
    assert found.shape == (256, 256, 4)
    assert np.array_equal(found, own)
    assert np.unique(found[..., 3]).tolist() in ([255], [0, 255])


def test_heights_are_rescaled_by_their_percentiles(world: World, rasters: Path) -> None:
    raster = world.store.describe("srtm90.tif")
    tile = middle(raster)
    found = decode(world.get(f"/tiles/srtm90.tif/{tile.z}/{tile.x}/{tile.y}.png"))
    assert found.shape == (256, 256, 2)
    with Reader(str(rasters / "srtm90.tif")) as reader:
        image = reader.tile(tile.x, tile.y, tile.z, resampling_method="bilinear", reproject_method="bilinear")
        image.rescale(in_range=raster.rescale)
    assert np.array_equal(found[..., 0], image.array.data[0])


def test_a_signed_query_selects_bands_ranges_and_resampling(world: World, rasters: Path) -> None:
    tile = middle(world.store.describe("landsat.tif"))
    template = "/tiles/landsat.tif/{z}/{x}/{y}.png"
    signed = sign(f"{template}?bands=5,4,3&rescale=20,180&resampling=nearest")
    found = decode(world.get(signed.replace("{z}/{x}/{y}", f"{tile.z}/{tile.x}/{tile.y}")))
    with Reader(str(rasters / "landsat.tif")) as reader:
        image = reader.tile(tile.x, tile.y, tile.z, indexes=(5, 4, 3))
        image.rescale(in_range=((20, 180),) * 3)
    assert np.array_equal(found[..., :3], np.moveaxis(image.array.data, 0, -1))
    plain = decode(world.get(f"/tiles/landsat.tif/{tile.z}/{tile.x}/{tile.y}.png"))
    assert not np.array_equal(found, plain)


def test_pixels_without_data_are_transparent_in_png_and_webp(world: World) -> None:
    raster = world.store.describe("landsat7.tif")
    corner = next(
        list_tiles(10, Bounds(raster.bounds.west, raster.bounds.north - 1, raster.bounds.west + 1, raster.bounds.north))
    )
    shown = {}
    for extension in ("png", "webp", "jpg"):
        response = world.get(f"/tiles/landsat7.tif/{corner.z}/{corner.x}/{corner.y}.{extension}")
        shown[extension] = decode(response)
        assert response["headers"]["content-type"] == f"image/{extension}".replace("jpg", "jpeg")
    transparent = shown["png"][..., 3] == 0
    assert 0.1 < transparent.mean() < 1
    assert np.array_equal(shown["webp"][..., 3] == 0, transparent)
    assert shown["jpg"].shape == (256, 256, 3)


def test_tilejson_has_what_map_libraries_need(world: World) -> None:
    response = world.get("/tiles/landsat7.tif/tilejson.json")
    document = json.loads(response["body"])
    assert document["tilejson"] == "3.0.0"
    assert document["tiles"] == [f"https://{HOST}/tiles/landsat7.tif/{{z}}/{{x}}/{{y}}.webp"]
    assert (document["minzoom"], document["maxzoom"]) == (8, 12)
    west, south, east, north = document["bounds"]
    longitude, latitude, _ = document["center"]
    assert west < longitude < east
    assert south < latitude < north
    query = "bands=3&rescale=0,90"
    signed = json.loads(world.get(sign(f"/tiles/landsat7.tif/tilejson.json?{query}"))["body"])
    [template] = signed["tiles"]
    tile = middle(world.store.describe("landsat7.tif"))
    target = template.removeprefix(f"https://{HOST}").replace("{z}/{x}/{y}", f"{tile.z}/{tile.x}/{tile.y}")
    assert decode(world.get(target)).shape[:2] == (256, 256)


def test_tiles_beyond_the_raster_read_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    raster = world.store.describe("landsat7.tif")
    monkeypatch.setattr(world.store, "open", lambda _: pytest.fail("the raster was opened"))
    tile = middle(raster)
    outside = [tile._replace(x=0), tile._replace(y=0), tile._replace(z=2, x=0, y=1), tile._replace(z=13, x=tile.x * 2)]
    for one in [*outside, Tile(1, 7, 7)]:
        response = world.get(f"/tiles/landsat7.tif/{one.z}/{one.x}/{one.y}.png")
        assert (response["statusCode"], response["headers"]["cache-control"]) == (404, "public, max-age=60")


def test_the_number_of_tiles_without_a_signature_is_finite(world: World) -> None:
    raster = world.store.describe("landsat7.tif")
    tiles = [one for zoom in range(raster.minzoom, raster.maxzoom + 1) for one in list_tiles(zoom, raster.bounds)]
    assert all(raster.has_tile(one) for one in tiles)
    own = WEB_MERCATOR_TMS.tiles(*raster.geographic, zooms=list(range(raster.minzoom, raster.maxzoom + 1)))
    assert {tuple(one) for one in tiles} == {(one.z, one.x, one.y) for one in own}
    assert len(tiles) < 100


def test_methods_and_missing_rasters(world: World) -> None:
    tile = middle(world.store.describe("landsat7.tif"))
    target = f"/tiles/landsat7.tif/{tile.z}/{tile.x}/{tile.y}.png"
    assert world.get(target, "HEAD")["body"] == ""
    assert world.get(target, "POST")["statusCode"] == 405
    assert world.get("/tiles/none.tif/1/0/0.png")["statusCode"] == 404
    assert world.get(f"{target}?bands=1")["statusCode"] == 403
    assert world.get(f"{target}?bands=1")["headers"]["cache-control"] == "no-store"


@pytest.mark.slow
def test_a_raster_that_was_replaced_is_served_after_its_next_registration(world: World, rasters: Path) -> None:
    world.put("replaced.tif", (rasters / "landsat7.tif").read_bytes())
    first = world.register("replaced.tif")
    tile = middle(first)
    target = f"/tiles/replaced.tif/{tile.z}/{tile.x}/{tile.y}.png"
    before = decode(world.get(target))
    with rasterio.open(rasters / "landsat7.tif") as source, rasterio.MemoryFile() as memory:
        with memory.open(**{**source.profile, "driver": "GTiff"}) as written:
            written.write(255 - source.read())
        world.put("replaced.tif", memory.read())
    world.now_s += FRESH_S
    assert world.get(target)["statusCode"] == 404
    world.register("replaced.tif")
    world.now_s += FRESH_S
    assert not np.array_equal(decode(world.get(target)), before)


def test_what_is_no_raster_is_not_registered(world: World, rasters: Path) -> None:
    world.put("plain.tif", write_tiff())
    world.put("vrt.tif", f'<VRTDataset rasterXSize="9"><x>{rasters}/landsat7.tif</x></VRTDataset>'.encode())
    world.put("cut.tif", (rasters / "landsat7.tif").read_bytes()[:3000])
    for key, error in {"plain.tif": TypeNotAllowed, "vrt.tif": TypeNotAllowed, "none.tif": SourceMissing}.items():
        with pytest.raises(error):
            world.register(key)
    with pytest.raises((DamagedSource, TypeNotAllowed)):
        world.register("cut.tif")
    assert all(
        world.bucket.etag(DESCRIPTORS.name(f"{key}.json")) is None for key in ("plain.tif", "vrt.tif", "cut.tif")
    )
    assert world.bucket.etag(RASTERS.name("plain.tif")) is not None


EVENTS = find_extension("map_tiles").folder / "events"
STATUS = {"tile.json": 200, "signed.json": 200, "unsigned.json": 403, "tilejson.json": 200}


def test_the_sample_events_get_the_response_of_their_names(world: World, rasters: Path) -> None:
    world.put(RASTER, (rasters / "landsat7.tif").read_bytes())
    world.register(RASTER)
    app = MapTiles(world.store, FixedKeys((LOCAL_KEY,)), clock=lambda: NOW_S)
    assert {
        name: app.respond(event)[0]["statusCode"] for name, event in read_events("map_tiles", EVENTS).items()
    } == STATUS


def test_the_raster_of_darkroom_smoke_fills_its_tile(world: World) -> None:
    world.put("smoke.tif", geotiff(*TILE))
    assert world.register("smoke.tif").maxzoom == TILE[0]
    zoom, column, row = TILE
    found = decode(world.get(f"/tiles/smoke.tif/{zoom}/{column}/{row}.png"))
    assert found.shape == (256, 256, 2)
    assert found[..., 1].min() == 255
