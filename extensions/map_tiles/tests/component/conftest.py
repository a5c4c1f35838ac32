"""The packages of the layer, real rasters, and a bucket of MiniStack with registered rasters.

The layer's packages are installed in an environment of their own, since no other test needs them. Its interpreter is
that of the tests, so its packages are importable from the end of the path: those of the tests precede them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from extensions.map_tiles.bench.rasters import fetch_rasters
from local import tool_venvs

tool_venvs.make_importable("map-tiles")

from darkroom.aws.credentials import CredentialSource  # noqa: E402
from darkroom.aws.s3_fast import FastBucket, connect  # noqa: E402

from .world import World  # noqa: E402

BUCKET = "map-tiles-media"


@pytest.fixture(scope="session")
def rasters() -> Path:
    return fetch_rasters()


@pytest.fixture(scope="package")
def bucket(aws: Callable[[str], Any], aws_environment: dict[str, str]) -> Iterator[FastBucket]:
    """A bucket; GDAL reads it with the credentials of the process."""
    aws("s3").create_bucket(Bucket=BUCKET)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_environment.items():
            patch.setenv(name, value)
        yield connect(BUCKET, CredentialSource(aws_environment), aws_environment)


@pytest.fixture(scope="package")
def world(bucket: FastBucket, aws_environment: Mapping[str, str], rasters: Path) -> World:
    """A bucket in which Landsat 7, seven bands and heights are registered."""
    found = World(bucket, BUCKET, aws_environment)
    for name in ("landsat7.tif", "landsat.tif", "srtm90.tif"):
        found.put(name, (rasters / name).read_bytes())
        found.register(name)
    return found
