"""What its functions need before their events run in the execution environment of Lambda."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from extensions.map_tiles.bench.rasters import fetch_rasters
from local.aws import Cloud
from tests.execution_environment.prepared import invoke

RASTERS = ("bay/1999-07.tif", "bay/2000-06.tif")
"""Keys of the events' rasters."""

RASTER = RASTERS[1]


def _register_rasters(cloud: Cloud, info: Mapping[str, Any]) -> dict[str, Any]:
    raster = (fetch_rasters() / "landsat7.tif").read_bytes()
    for key in RASTERS:
        cloud.s3.put_object(Bucket=info["media_bucket"], Key=f"map-tiles/rasters/{key}", Body=raster)
        invoke(cloud, "RastersFunction", "map-tiles", {"action": "register", "key": key})
    return {}


BEFORE: Mapping[str, Callable[[Cloud, Mapping[str, Any]], dict[str, Any]]] = {
    "TilesFunction": _register_rasters,
    "RastersFunction": _register_rasters,
}
"""By the logical id of the function: stores its objects and returns further events."""
