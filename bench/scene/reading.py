"""Render tiles of a large image from S3 and from a local file, with the layers, and print the cost as JSON.

``python reading.py FILE KEY ROUNDS TILES…``: the image is FILE locally and KEY in the bucket of the environment. A line
of each tile: ``{"tile", "cold_ms", "cold_bytes", "cold_requests", "warm_ms", "local_ms", "bytes"}``. Cold: nothing of
the image is cached, and the connection is new. Warm and local: the same render each, in turn, ROUNDS times. The check
whether the image has changed precedes either; its time is left out, because the function makes it concurrently with the
derivative lookup.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pyvips

from darkroom.aws.credentials import CredentialSource
from darkroom.aws.s3_fast import FastBucket, StoredObject, connect
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.rendered_image import RenderedImage
from darkroom.imaging.source import Patch, Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Crop, Plan
from darkroom.services.master_reader import MasterReader

UNMEASURED = 3
"""Turns of each tile that do not count."""


class Local(Source):
    """A file that libvips reads by itself."""

    __slots__ = ("_file", "_path")

    def __init__(self, path: Path) -> None:
        super().__init__(b"", None, path.stat().st_size)
        self._path = path
        self._file = os.open(path, os.O_RDONLY)

    @property
    def is_ranged(self) -> bool:
        """Be ranged as the other source is: its end is not read."""
        return True

    def read_at(self, offset: int, length: int) -> bytes:
        """See Source."""
        return os.pread(self._file, length, offset)

    def open_vips(self, *, whole: bool = False, patches: Sequence[Patch] = ()) -> pyvips.Source:
        """See Source."""
        del whole, patches
        source = pyvips.Source.new_from_file(str(self._path))
        self._opened.append(source)
        return source


class Counted(FastBucket):
    """A bucket that counts received bytes and requests."""

    def __init__(self, bucket: FastBucket) -> None:
        super().__init__(bucket._store)
        self.bytes = self.requests = 0

    def open(self, key: str, first_bytes: int = 0) -> StoredObject | None:
        """See FastBucket."""
        self.requests += 1
        found = super().open(key, first_bytes)
        return replace(found, chunks=map(self._count, found.chunks)) if found else None

    def range(self, key: str, start: int, end: int, etag: str) -> bytes:
        """See FastBucket."""
        self.requests += 1
        return self._count(super().read_range(key, start, end, etag))

    def _count(self, body: bytes) -> bytes:
        self.bytes += len(body)
        return body


def build_tile_plan(tile: str) -> Plan:
    """Build the plan of a tile's derivative."""
    shrink, left, top, width, height = map(int, tile.split(","))
    crop = Crop("px", left, top, width, height)
    across, down = -(-width // shrink), -(-height // shrink)
    return Plan("scene.tif", crop=crop, width=across, height=down, fit="fill", format="jpeg")


def time_tile(scenes: MasterReader, bucket: FastBucket, key: str, plan: Plan) -> tuple[float, float, RenderedImage]:
    """Return the milliseconds of the lookup and of the render."""
    started = time.perf_counter()
    found = scenes.open(bucket, key)
    assert found is not None
    looked = time.perf_counter()
    with scenes.source(bucket, key, found) as source:
        image = render(plan, source, limits=Limits())
    return (looked - started) * 1000, (time.perf_counter() - looked) * 1000, image


def main() -> None:
    """Render all tiles."""
    path, key, rounds = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    render(build_tile_plan(sys.argv[4]), Local(path), limits=Limits())  # modules loaded once
    for tile in sys.argv[4:]:
        plan, scenes = build_tile_plan(tile), MasterReader()
        bucket = Counted(connect("media", CredentialSource()))
        looked, cold, image = time_tile(scenes, bucket, key, plan)
        result = {"tile": tile, "cold_ms": looked + cold, "cold_bytes": bucket.bytes, "cold_requests": bucket.requests}
        warm: list[float] = []
        local: list[float] = []
        for _ in range(rounds + UNMEASURED):
            warm.append(time_tile(scenes, bucket, key, plan)[1])
            scenes.open(bucket, key)  # so that both begin after the same pause, with cold CPU caches
            started = time.perf_counter()
            here = render(plan, Local(path), limits=Limits())
            local.append((time.perf_counter() - started) * 1000)
        if here.body != image.body:
            raise ValueError(f"{tile}: not the same image")
        if result["cold_bytes"] != bucket.bytes:
            raise ValueError(f"{tile}: cached data was read again")
        print(
            json.dumps(
                result | {"warm_ms": warm[UNMEASURED:], "local_ms": local[UNMEASURED:], "bytes": len(image.body)}
            ),
            flush=True,
        )


if __name__ == "__main__":
    main()
