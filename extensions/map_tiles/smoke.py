"""Check the stack on AWS, as its users use it, and say when to do so (`./darkroom smoke`)."""

from __future__ import annotations

import json
import struct
from collections.abc import Sequence
from urllib.parse import urlsplit

from cli.smoke.failures import require
from cli.smoke.further import find_further
from cli.smoke.model import Check
from cli.smoke.plan import Step
from cli.smoke.world import World

TILE = (12, 2200, 1400)
"""Zoom, column and row of a map tile in the Alps."""
WEB_MERCATOR = 3857
"""EPSG code of the coordinates of map tiles."""

_HALF_WORLD_M = 20_037_508.342789244
"""Half of the width of the world in Web Mercator."""


def draw_map_tile(world: World) -> str:
    """Register a raster, and get a tile of it through the stack's distribution."""
    stack = find_further(world, "map-tiles")
    key, bucket = f"{world.folder}tile.tif", world.outputs["MediaBucketName"]
    world.objects += [(bucket, f"map-tiles/rasters/{key}"), (bucket, f"map-tiles/descriptors/{key}")]
    world.client("s3").put_object(Bucket=bucket, Key=f"map-tiles/rasters/{key}", Body=geotiff(*TILE))
    found = world.client("lambda").invoke(
        FunctionName=stack.outputs["RastersFunctionName"],
        Payload=json.dumps({"action": "register", "key": key}).encode(),
    )
    described = json.loads(found["Payload"].read())
    require("maxzoom" in described, f"the raster was not registered: {described}")
    zoom, column, row = TILE
    target, public = f"/tiles/{key}/{zoom}/{column}/{row}.webp", stack.parameters.get("PublicUrl", "")
    if world.is_local:
        answer = world.request("GET", world.cdn_url + target, {"Host": urlsplit(public).netloc.split(":")[0]})
    else:
        answer = world.request("GET", (public or stack.outputs["TilesUrl"]) + target)
    require(answer.status == 200, f"the answer is {answer.status}: {answer.body[:200]!r}")
    return f"zoom {described['minzoom']} to {described['maxzoom']}; {len(answer.body):,} bytes"


def geotiff(zoom: int, column: int, row: int, side_px: int = 256) -> bytes:
    """Make a grey GeoTIFF in Web Mercator that covers one map tile exactly."""
    tile_m = 2 * _HALF_WORLD_M / 2**zoom
    west, north = column * tile_m - _HALF_WORLD_M, _HALF_WORLD_M - row * tile_m
    pixels = bytes((x + y) % 256 for y in range(side_px) for x in range(side_px))
    short, long, double = (3, "H"), (4, "I"), (12, "d")
    entries: Sequence[tuple[int, tuple[int, str], Sequence[float]]] = (
        (256, short, [side_px]),
        (257, short, [side_px]),
        (258, short, [8]),
        (259, short, [1]),
        (262, short, [1]),
        (273, long, [8]),
        (277, short, [1]),
        (278, short, [side_px]),
        (279, long, [len(pixels)]),
        (33550, double, [tile_m / side_px, tile_m / side_px, 0]),
        (33922, double, [0, 0, 0, west, north, 0]),
        (34735, short, [1, 1, 0, 3, 1024, 0, 1, 1, 1025, 0, 1, 1, 3072, 0, 1, WEB_MERCATOR]),
    )
    directory = 8 + len(pixels)
    after, further = directory + 2 + 12 * len(entries) + 4, b""
    rows = b""
    for tag, (kind, letter), values in entries:
        packed = struct.pack(f"<{len(values)}{letter}", *values)
        if len(packed) > 4:
            rows += struct.pack("<HHII", tag, kind, len(values), after + len(further))
            further += packed
        else:
            rows += struct.pack("<HHI4s", tag, kind, len(values), packed)
    head = struct.pack("<2sHI", b"II", 42, directory)
    return head + pixels + struct.pack("<H", len(entries)) + rows + struct.pack("<I", 0) + further


CHECK = Check(
    "map-tile",
    "rasterio and GDAL run in Lambda, and the stack's distribution may invoke its function",
    "the log of the rasters function; an error of imports names a library",
    draw_map_tile,
)

STEP = Step(
    "Map tiles: rasterio and GDAL on arm64",
    15,
    "the largest library with the most shared objects, and a distribution of its own",
    ("the commands of extensions/map_tiles/docs/guide.md, section Deploy",),
    "CREATE_COMPLETE of {stack}-map-tiles",
    {"map-tile": "zoom 10 to 12, and the bytes of a tile"},
    "the log of the rasters function: an error of imports names the library",
)
