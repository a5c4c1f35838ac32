"""The app and the jobs on a bucket of MiniStack, and requests to them."""

from __future__ import annotations

import base64
import io
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from darkroom.aws.s3_fast import FastBucket
from map_tiles.app import MapTiles
from map_tiles.descriptor import RASTERS, Descriptor
from map_tiles.gdal import s3_options
from map_tiles.grid import HALF_M, Tile
from map_tiles.jobs import Jobs
from map_tiles.rasters import RasterStore
from map_tiles.registration import register
from map_tiles.requests import sign_target
from tests.fixed_keys import FixedKeys

KEY = "0123456789abcdef0123456789abcdef"
HOST = "maps.example.com"
NOW_S = 1_800_000_000


class Events:
    """Events that were published."""

    def __init__(self) -> None:
        self.published: list[tuple[str, Mapping[str, object]]] = []

    def publish(self, detail_type: str, detail: Mapping[str, object]) -> None:
        self.published.append((detail_type, detail))


class World:
    """A bucket with rasters. ``now_s`` advances the clock of its store."""

    def __init__(self, bucket: FastBucket, name: str, environment: Mapping[str, str]) -> None:
        self.bucket, self.root, self.options = bucket, f"/vsis3/{name}/", s3_options(name, environment)
        self.now_s = 0.0
        self.store = RasterStore(bucket, self.root, self.options, lambda: self.now_s)
        self.app = MapTiles(self.store, FixedKeys((KEY,)), clock=lambda: NOW_S)
        self.events = Events()
        self.jobs = Jobs(
            *(bucket, self.root, self.options, self.events),
            memory_mb=1769,
            arch="arm64",
            folder=Path(tempfile.gettempdir()),
        )

    def put(self, key: str, body: bytes) -> None:
        self.bucket.put(RASTERS.name(key), body, {})

    def register(self, key: str) -> Descriptor:
        return register(self.bucket, self.root, self.options, key)

    def get(self, target: str, method: str = "GET") -> dict[str, Any]:
        path, _, query = target.partition("?")
        event = {
            "rawPath": path,
            "rawQueryString": "",
            "headers": {"x-viewer-host": HOST} | ({"x-viewer-query": query} if query else {}),
            "requestContext": {"http": {"method": method}},
        }
        return dict(self.app.respond(event)[0])


def sign(target: str) -> str:
    """Add the signature of ``target``, with placeholders for a tile, as it is written."""
    return sign_target(target, KEY)


def decode(response: Mapping[str, Any]) -> np.ndarray:
    """Return the pixels of a response with an image."""
    assert response["statusCode"] == 200, response
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(response["body"]))))


def middle(raster: Descriptor, zoom: int | None = None) -> Tile:
    """Return the tile in the middle of a raster, by default of its last zoom."""
    z = raster.maxzoom if zoom is None else zoom
    side, bounds = 2 * HALF_M / 2**z, raster.bounds
    x, y = (bounds.west + bounds.east) / 2, (bounds.south + bounds.north) / 2
    return Tile(z, int((x + HALF_M) // side), int((HALF_M - y) // side))
