"""Register a raster: check its header, measure it, and store its descriptor."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from rasterio.crs import CRS
from rasterio.enums import ColorInterp, MaskFlags
from rasterio.errors import RasterioError
from rasterio.warp import calculate_default_transform, transform_bounds

from darkroom.aws.s3_fast import FastBucket
from darkroom.errors import DamagedSource, SourceMissing, TypeNotAllowed

from .descriptor import DESCRIPTORS, RASTERS, Descriptor, check_raster_key
from .gdal import open_environment
from .grid import HALF_M, MAX_ZOOM, Bounds, pixel_size_m
from .header import check_header
from .rasters import open_dataset
from .render import open_reader

MERCATOR, WGS84 = CRS.from_epsg(3857), CRS.from_epsg(4326)
MAX_DECIMATION = 8
"""Pixels of the smallest overview by side that one pixel of a tile may stand for: a tile reads at most 2,048²."""

SAMPLE_PX = 1024
"""Longer side of the sample by which ranges of values are chosen."""

PERCENTILES = (2, 98)
"""Values that become black and white where nothing else is given, as in QGIS and ArcGIS."""

AREA_CRS = CRS.from_epsg(6933)
"""Equal-area projection of the world (EASE-Grid 2.0, NSIDC), valid between 86° north and south."""

MAX_LATITUDE = 85.051128
"""Limit of Web Mercator."""


def register(bucket: FastBucket, root: str, options: Mapping[str, Any], key: str) -> Descriptor:
    """Check and measure the raster ``key``, and store its descriptor, replacing an earlier one.

    Raises BadKey, SourceMissing, TypeNotAllowed, OverLimits, DamagedSource, and Unavailable if S3 does not respond.
    """
    name = RASTERS.name(check_raster_key(key))
    found = bucket.open(name, 1)
    if found is None:
        raise SourceMissing(f"There is no object {name}")
    etag, size_bytes = found.etag, found.size_bytes
    found.close()

    def read_at(offset: int, length: int) -> bytes:
        if offset >= size_bytes or length <= 0:
            return b""
        return bucket.read_range(name, offset, min(offset + length, size_bytes), etag)

    check_header(read_at, size_bytes)
    with open_environment(options):
        dataset = open_dataset(root + name)
        try:
            descriptor = describe(dataset, key, etag, size_bytes)
        except RasterioError as error:
            raise DamagedSource("The raster cannot be decoded", detail=str(error)) from error
        finally:
            dataset.close()
    bucket.put(DESCRIPTORS.name(f"{key}.json"), descriptor.to_json(), {"Content-Type": "application/json"})
    return descriptor


def describe(dataset: Any, key: str, etag: str, size_bytes: int) -> Descriptor:
    """Measure an open dataset; raises TypeNotAllowed for one without coordinates."""
    if dataset.crs is None or dataset.transform.is_identity or dataset.gcps[0]:
        raise TypeNotAllowed("The raster has no coordinate system with an affine transform")
    if any(np.dtype(kind).kind not in "uif" for kind in dataset.dtypes) or len(set(dataset.dtypes)) > 1:
        raise TypeNotAllowed("The raster's bands are no real numbers of one type")
    geographic = Bounds(*transform_bounds(dataset.crs, WGS84, *dataset.bounds, densify_pts=21))
    if geographic.west > geographic.east:
        raise TypeNotAllowed("The raster crosses the antimeridian; cut it into two")
    shown = geographic._replace(south=max(geographic.south, -MAX_LATITUDE), north=min(geographic.north, MAX_LATITUDE))
    if shown.south >= shown.north:
        raise TypeNotAllowed(f"The raster lies beyond {MAX_LATITUDE}° of latitude, the limit of Web Mercator")
    bounds = Bounds(*transform_bounds(WGS84, MERCATOR, *shown, densify_pts=21))
    size = (dataset.width, dataset.height)
    transform, _, _ = calculate_default_transform(dataset.crs, MERCATOR, *size, *dataset.bounds)
    resolution = max(abs(transform.a), abs(transform.e))
    minzoom, maxzoom = find_zooms(resolution, max(dataset.overviews(1), default=1), open_reader(dataset).maxzoom)
    paletted = dataset.colorinterp[0] == ColorInterp.palette
    return Descriptor(
        key=key,
        etag=etag,
        size_bytes=size_bytes,
        width=dataset.width,
        height=dataset.height,
        band_count=dataset.count,
        dtype=dataset.dtypes[0],
        crs=dataset.crs.to_string(),
        resolution=resolution,
        area_km2=measure_area_km2(dataset),
        bounds=Bounds(*(max(-HALF_M, min(HALF_M, value)) for value in bounds)),
        geographic=geographic,
        minzoom=minzoom,
        maxzoom=maxzoom,
        bands=choose_bands(dataset),
        rescale=() if dataset.dtypes[0] == "uint8" else measure_ranges(dataset),
        nodata=describe_nodata(dataset),
        paletted=paletted,
    )


def find_zooms(resolution: float, smallest: int, native: int) -> tuple[int, int]:
    """Return the first and the last zoom of a raster with pixels of ``resolution`` metres (EPSG:3857).

    ``smallest`` is the factor of its smallest overview; ``native`` is the zoom with pixels like the raster's.
    """
    last = min(native, MAX_ZOOM)
    coarsest = resolution * smallest * MAX_DECIMATION
    first = math.ceil(math.log2(pixel_size_m(0) / coarsest))
    return max(0, min(first, last)), last


def choose_bands(dataset: Any) -> tuple[int, ...]:
    """Return the bands that are red, green and blue, else the first three without alpha, else the first."""
    named = {kind: band for band, kind in zip(dataset.indexes, dataset.colorinterp, strict=True)}
    colours = (ColorInterp.red, ColorInterp.green, ColorInterp.blue)
    if all(colour in named for colour in colours):
        return tuple(named[colour] for colour in colours)
    plain = [band for band, kind in zip(dataset.indexes, dataset.colorinterp, strict=True) if kind != ColorInterp.alpha]
    return tuple(plain[:3]) if len(plain) >= 3 else (1,)


def measure_ranges(dataset: Any) -> tuple[tuple[float, float], ...]:
    """Return the percentiles 2 and 98 of each band, of a sample that GDAL reads from an overview."""
    shrink = max(dataset.width, dataset.height) / SAMPLE_PX
    shape = tuple(max(1, round(side / max(shrink, 1))) for side in (dataset.height, dataset.width))
    found = []
    for band in dataset.indexes:
        values = dataset.read(band, out_shape=shape, masked=True).compressed()
        values = values[np.isfinite(values)]
        low, high = np.percentile(values, PERCENTILES) if values.size else (0.0, 1.0)
        found.append((float(low), float(high) if high > low else float(low) + 1))
    return tuple(found)


def measure_area_km2(dataset: Any) -> float:
    """Return the area of the raster's rectangle on the ground, by an equal-area projection of its densified outline."""
    from rasterio.warp import transform as transform_points

    bounds, steps = dataset.bounds, np.linspace(0, 1, 50, endpoint=False)
    wide, high = bounds.right - bounds.left, bounds.top - bounds.bottom
    xs = np.concatenate(
        [bounds.left + wide * steps, np.full(50, bounds.right), bounds.right - wide * steps, np.full(50, bounds.left)]
    )
    ys = np.concatenate(
        [np.full(50, bounds.bottom), bounds.bottom + high * steps, np.full(50, bounds.top), bounds.top - high * steps]
    )
    east, north = (np.asarray(values) for values in transform_points(dataset.crs, AREA_CRS, xs, ys))
    doubled = np.sum(east * np.roll(north, -1) - np.roll(east, -1) * north)  # the shoelace formula
    return float(abs(doubled) / 2 / 1e6)


def describe_nodata(dataset: Any) -> str:
    """Return how pixels without data are marked: ``value``, ``alpha``, ``mask`` or ``none``."""
    flags = dataset.mask_flag_enums[0]
    if MaskFlags.nodata in flags:
        return "value"
    if MaskFlags.alpha in flags:
        return "alpha"
    return "none" if MaskFlags.all_valid in flags else "mask"
