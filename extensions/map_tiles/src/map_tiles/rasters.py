"""Open registered rasters: their descriptors, and datasets of GDAL that read by ranges."""

from __future__ import annotations

import time
import warnings
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError

from darkroom.aws.s3_fast import FastBucket
from darkroom.errors import DamagedSource, SourceMissing, Unavailable

from .descriptor import DESCRIPTORS, RASTERS, Descriptor
from .gdal import DRIVER, open_environment

FRESH_S = 60.0
"""Time for which a descriptor and the raster's entity tag are not read again. Missing ones are looked up as rarely."""

MAX_OPEN = 4
"""Datasets that are kept open; each holds up to 16 MB of block offsets per directory, and its cache."""

MAX_KNOWN = 1024


@dataclass(slots=True)
class _Known:
    descriptor: Descriptor | None
    read_s: float


class RasterStore:
    """Rasters of one bucket. ``root`` is where GDAL finds its objects, such as ``/vsis3/media/``."""

    def __init__(
        self,
        bucket: FastBucket,
        root: str,
        options: Mapping[str, Any],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bucket, self._root, self._options, self._clock = bucket, root, options, clock
        self._known: OrderedDict[str, _Known] = OrderedDict()
        self._open: OrderedDict[str, tuple[str, Any]] = OrderedDict()

    def describe(self, key: str) -> Descriptor:
        """Return the descriptor of ``key``; raises SourceMissing if it is not registered, or was replaced since."""
        known = self._known.get(key)
        if known is None or self._clock() - known.read_s >= FRESH_S:
            known = self._known[key] = _Known(self._read(key), self._clock())
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        if known.descriptor is None:
            raise SourceMissing("No raster is registered under this key")
        return known.descriptor

    def _read(self, key: str) -> Descriptor | None:
        body = self._bucket.read(DESCRIPTORS.name(f"{key}.json"))
        if body is None:
            return None
        try:
            descriptor = Descriptor.from_json(body)
        except (ValueError, KeyError, TypeError) as error:
            raise Unavailable(detail=f"descriptor of {key}: {error!r}") from error
        return descriptor if self._bucket.etag(RASTERS.name(key)) == descriptor.etag else None

    @contextmanager
    def open(self, descriptor: Descriptor) -> Iterator[Any]:
        """Open the raster as a dataset of rasterio, which stays open; raises DamagedSource for what GDAL refuses."""
        with open_environment(self._options):
            etag, dataset = self._open.pop(descriptor.key, ("", None))
            if dataset is not None and etag != descriptor.etag:
                dataset.close()
                dataset = None
            if dataset is None:
                dataset = open_dataset(self._root + RASTERS.name(descriptor.key))
            self._open[descriptor.key] = (descriptor.etag, dataset)
            if len(self._open) > MAX_OPEN:
                self._open.popitem(last=False)[1][1].close()
            try:
                yield dataset
            except RasterioError as error:
                raise DamagedSource("The raster cannot be decoded", detail=str(error)) from error

    def close(self) -> None:
        """Close all datasets."""
        for _, dataset in self._open.values():
            dataset.close()
        self._open.clear()


def open_dataset(path: str) -> Any:
    """Open ``path`` with GDAL's driver for TIFF alone; raises DamagedSource."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            return rasterio.open(path, driver=DRIVER)
    except RasterioError as error:
        raise DamagedSource("The raster cannot be opened", detail=str(error)) from error
