"""Memory of files that are small and declare much, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import tool_venvs
from local.paths import ROOT
from tests.peak_memory import READ_PEAK

MAX_RESIDENT_MB = 420
"""The imports take 120 MB, GDAL's caches up to 104 MB, a tile and its blocks the rest; the function has 1,769 MB."""

CODE = """
import json, sys
import numpy as np, rasterio
from pathlib import Path
from rasterio.transform import from_origin
from map_tiles.gdal import open_environment
from map_tiles.grid import Bounds, list_tiles
from map_tiles.header import check_header
from map_tiles.rasters import open_dataset
from map_tiles.registration import describe
from map_tiles.render import render_tile
from map_tiles.requests import Style

path, side, block = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with rasterio.open(
    path, "w", driver="GTiff", width=side, height=side, count=1, dtype="uint8", crs="EPSG:3857",
    transform=from_origin(0, side, 1, 1), tiled=True, blockxsize=block, blockysize=block, compress="deflate",
) as written:
    blank = np.zeros((1, block, block), np.uint8)
    for row in range(0, side, block):
        for column in range(0, side, block):
            height, width = min(block, side - row), min(block, side - column)
            window = rasterio.windows.Window(column, row, width, height)
            written.write(blank[:, :height, :width], window=window)
body = path.read_bytes()
check_header(lambda at, length: body[at : at + length], len(body))
with open_environment({}), open_dataset(str(path)) as dataset:
    raster = describe(dataset, "bomb.tif", "", len(body))
    tiles = list(list_tiles(raster.minzoom, raster.bounds))
    for tile in tiles[:2]:
        render_tile(dataset, raster, tile, Style(), "png")
print(json.dumps([len(body), side * side, read_peak_kb() // 1024]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(("side", "block"), [(16_384, 4096), (8_192, 64)])
def test_a_compression_bomb_takes_bounded_memory(tmp_path: Path, side: int, block: int) -> None:
    layers = [ROOT / "layers" / "darkroom", Path(__file__).parents[2] / "src"]
    places = [*layers, tool_venvs.site_packages("map-tiles")]
    done = subprocess.run(
        [sys.executable, "-c", READ_PEAK + CODE, tmp_path / "bomb.tif", str(side), str(block)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, places))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    stored, pixels, resident_mb = json.loads(done.stdout)
    assert stored < pixels / 50
    assert resident_mb < MAX_RESIDENT_MB
