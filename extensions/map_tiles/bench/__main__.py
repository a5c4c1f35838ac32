"""Print the tables of extensions/map_tiles/docs/guide.md: ``python -m extensions.map_tiles.bench``."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from extensions import add_packages
from local import tool_venvs

from .changes import plant_changes
from .range_server import Traffic, serve_ranges
from .rasters import fetch_rasters

GB = 1769 / 1024
REQUEST_USD, GET_USD = 0.20 / 1e6, 0.0004 / 1e3
"""An invocation of Lambda and a GET of S3 in us-east-1, as in darkroom/prices.toml."""

TILES = 12
THRESHOLDS = (0.1, 0.2, 0.25, 0.3, 0.35, 0.4)


def main() -> None:
    """Print all tables."""
    add_packages()
    tool_venvs.make_importable("map-tiles")
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    folder = fetch_rasters()
    _print(
        ("raster", "zoom", "first tile, ms", "next tiles, ms", "requests", "KB read", "USD a million"), _measure(folder)
    )
    _print(("raster", "zoom", "format", "differing pixels", "largest difference"), _compare_pixels(folder))
    _print(("threshold", "precision", "recall", "share found", "share planted"), _compare_changes(folder))


def _print(head: tuple[str, ...], rows: Iterator[tuple[object, ...]]) -> None:
    print(f"| {' | '.join(head)} |\n| {' | '.join('---' for _ in head)} |")
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)
    print()


def _measure(folder: Path) -> Iterator[tuple[object, ...]]:
    """Time of the first tile of a process that has imported everything, and of the next ones; PNG."""
    from map_tiles.gdal import s3_options

    with serve_ranges(folder) as (url, traffic):
        options = s3_options("media", {"AWS_ENDPOINT_URL": url})
        for name in ("landsat7.tif", "landsat.tif", "srtm90.tif"):
            for zoom in _zooms(folder / name):
                yield name, zoom, *_measure_zoom(f"/vsis3/media/{name}", zoom, options, traffic)


def _zooms(path: Path) -> tuple[int, ...]:
    raster = _describe(path)
    return raster.minzoom, (raster.minzoom + raster.maxzoom) // 2, raster.maxzoom


def _describe(path: Path) -> Any:
    from map_tiles.gdal import open_environment
    from map_tiles.rasters import open_dataset
    from map_tiles.registration import describe

    with open_environment({}), open_dataset(str(path)) as dataset:
        return describe(dataset, path.name, "", path.stat().st_size)


def _measure_zoom(path: str, zoom: int, options: Any, traffic: Traffic) -> tuple[object, ...]:
    from map_tiles.gdal import open_environment
    from map_tiles.grid import list_tiles
    from map_tiles.rasters import open_dataset
    from map_tiles.registration import describe
    from map_tiles.render import render_tile
    from map_tiles.requests import Style

    with open_environment(options):
        with open_dataset(path) as dataset:
            raster = describe(dataset, path, "", 0)
        traffic.reset()
        spent = []
        started = time.perf_counter()
        with open_dataset(path) as dataset:
            for tile in islice(list_tiles(zoom, raster.bounds), TILES):
                render_tile(dataset, raster, tile, Style(), "png")
                now = time.perf_counter()
                spent.append(now - started)
                started = now
    later = statistics.median(spent[1:] or spent)
    requests, size_bytes = traffic.requests / len(spent), traffic.bytes / len(spent)
    usd = later * GB * _gb_second_usd() + REQUEST_USD + requests * GET_USD
    return round(spent[0] * 1000), round(later * 1000), f"{requests:.1f}", round(size_bytes / 1000), f"{usd * 1e6:.2f}"


def _gb_second_usd() -> float:
    from map_tiles.jobs import read_price

    return read_price("arm64")


def _compare_pixels(folder: Path) -> Iterator[tuple[object, ...]]:
    """Tiles of the app's code beside those of rio-tiler's reader with its defaults for the same arguments."""
    import numpy as np
    from rasterio import MemoryFile
    from rio_tiler.io import Reader

    from map_tiles.gdal import open_environment
    from map_tiles.grid import list_tiles
    from map_tiles.rasters import open_dataset
    from map_tiles.render import render_tile
    from map_tiles.requests import Style

    for name in ("landsat7.tif", "landsat.tif", "srtm90.tif"):
        raster = _describe(folder / name)
        for zoom in (raster.minzoom, raster.maxzoom):
            tiles = list(islice(list_tiles(zoom, raster.bounds), TILES))
            for image_format in ("png", "webp", "jpg"):
                differing, largest, pixels = 0, 0, 0
                for tile in tiles:
                    with open_environment({}), open_dataset(str(folder / name)) as dataset:
                        encoded = render_tile(dataset, raster, tile, Style(), image_format)
                        with MemoryFile(encoded) as memory, memory.open() as shown:
                            found = shown.read().astype(int)
                    with Reader(str(folder / name)) as reader:
                        own = reader.tile(
                            *tile[1:],
                            tile.z,
                            indexes=raster.bands,
                            resampling_method="bilinear",
                            reproject_method="bilinear",
                        )
                    if raster.rescale:
                        own.rescale(in_range=tuple(raster.rescale[band - 1] for band in raster.bands))
                    expected = np.where(own.mask[None] > 0, own.array.data, 0).astype(int)
                    found = found[: len(expected)]  # without alpha
                    difference = np.abs(found - expected) * (own.mask[None] > 0)
                    differing += int(difference.any(axis=0).sum())
                    largest, pixels = max(largest, int(difference.max())), pixels + difference[0].size
                yield name, zoom, image_format, f"{differing / pixels:.2%}", largest


def _compare_changes(folder: Path) -> Iterator[tuple[object, ...]]:
    """Precision and recall of changed pixels in a later date with known changes, by threshold."""
    import rasterio

    from map_tiles.comparison import compare
    from map_tiles.gdal import open_environment
    from map_tiles.rasters import open_dataset

    body, truth = plant_changes(folder / "landsat7.tif")
    with tempfile.TemporaryDirectory() as scratch:
        later, result = Path(scratch) / "later.tif", Path(scratch) / "result.tif"
        later.write_bytes(body)
        pair = _describe(folder / "landsat7.tif"), _describe(later)
        with open_environment({}), open_dataset(str(folder / "landsat7.tif")) as a, open_dataset(str(later)) as b:
            started, cpu = time.perf_counter(), time.process_time()
            found = compare(a, b, pair, result)
            spent, cpu = time.perf_counter() - started, time.process_time() - cpu
        with rasterio.open(result) as dataset:
            scores = dataset.read(1)
    valid = scores > 0
    for threshold in THRESHOLDS:
        flagged = valid & (scores >= 1 + 254 * threshold)
        right = (flagged & truth).sum()
        yield (
            *(threshold, f"{right / flagged.sum():.3f}", f"{right / (truth & valid).sum():.3f}"),
            *(f"{flagged.sum() / valid.sum():.2%}", f"{truth[valid].mean():.2%}"),
        )
    usd = cpu * GB * _gb_second_usd()
    print(
        f"\n{valid.size / 1e6:.1f} megapixels, {found.compared_km2:.0f} km²: {spent:.2f} s, {cpu:.2f} s of CPU; "
        f"at one core of Lambda {usd:.7f} USD, {usd / found.compared_km2 * 1e6:.3f} USD for a million km²"
    )


if __name__ == "__main__":
    main()
