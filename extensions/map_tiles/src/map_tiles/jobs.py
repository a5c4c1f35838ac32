"""Work that operators request: registration of rasters, and change detection between two of them."""

from __future__ import annotations

import hashlib
import time
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

from darkroom.aws.s3_fast import FastBucket
from darkroom.errors import BadOption, DarkroomError
from darkroom_pipeline.operations.cost_model import PRICES

from .comparison import CHANGED_FROM, compare
from .descriptor import RASTERS
from .gdal import open_environment
from .rasters import RasterStore, open_dataset
from .registration import register

CHANGE_FOUND = "ChangeFound"
CHANGES = "changes/"
"""Start of the keys of results."""

_PRICES = {"arm64": "lambda-arm64-gb-seconds", "x86_64": "lambda-x86-gb-seconds"}


class Publisher(Protocol):
    """Where events are published, such as :class:`darkroom_pipeline.aws.eventbridge.EventBus`."""

    def publish(self, detail_type: str, detail: Mapping[str, object]) -> None:
        """Publish one event; raises Unavailable."""


class Jobs:
    """Jobs on the rasters of one bucket. ``folder`` is where results are written before they are stored."""

    def __init__(
        self,
        bucket: FastBucket,
        root: str,
        options: Mapping[str, Any],
        events: Publisher,
        *,
        memory_mb: int,
        arch: str,
        folder: Path,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._bucket, self._root, self._options, self._events = bucket, root, options, events
        self._gb, self._folder, self._clock = memory_mb / 1024, folder, clock
        self._usd_per_gb_s = read_price(arch)

    def run(self, request: Mapping[str, Any]) -> dict[str, object]:
        """Run one job; a refusal is returned as problem details. Faults are raised, so that Lambda counts them."""
        try:
            match request.get("action"):
                case "register":
                    return asdict(register(self._bucket, self._root, self._options, _text(request, "key")))
                case "compare":
                    return self.compare(_text(request, "before"), _text(request, "after"))
            raise BadOption("action is register or compare", option="action")
        except DarkroomError as error:
            if error.is_fault:
                raise
            return error.to_problem()

    def compare(self, before: str, after: str) -> dict[str, object]:
        """Compare two registered rasters, register the result, and publish ChangeFound if anything changed.

        Raises SourceMissing, BadOption, OverLimits, DamagedSource and Unavailable.
        """
        started_s = self._clock()
        store = RasterStore(self._bucket, self._root, self._options)
        pair = store.describe(before), store.describe(after)
        identity = identify(pair[0].etag, pair[1].etag)
        key = f"{CHANGES}{identity}.tif"
        with TemporaryDirectory(dir=self._folder) as folder:
            path = Path(folder) / "result.tif"
            with open_environment(self._options):
                first, second = (open_dataset(self._root + RASTERS.name(one.key)) for one in pair)
                with first, second:
                    found = compare(first, second, pair, path)
            self._bucket.put(RASTERS.name(key), path.read_bytes(), {"Content-Type": "image/tiff"})
        register(self._bucket, self._root, self._options, key)
        seconds = self._clock() - started_s
        usd = seconds * self._gb * self._usd_per_gb_s
        detail: dict[str, object] = {
            "id": identity,
            "before": before,
            "after": after,
            "result": key,
            "share": round(found.share, 6),
            "changed_km2": round(found.changed_km2, 6),
            "compared_km2": round(found.compared_km2, 6),
            "threshold": CHANGED_FROM,
            "seconds": round(seconds, 3),
            "usd": round(usd, 9),
            "usd_per_km2": round(usd / found.compared_km2, 12) if found.compared_km2 else 0.0,
        }
        if found.share > 0:
            self._events.publish(CHANGE_FOUND, detail)
        return detail


def identify(before_etag: str, after_etag: str) -> str:
    """Return an id of two contents: a repeated comparison replaces its own result, and its event has the same id."""
    return hashlib.sha256(f"{before_etag}\n{after_etag}".encode()).hexdigest()[:32]


def read_price(arch: str) -> float:
    """Return the price of a GB-second of Lambda in US dollars."""
    prices = tomllib.loads(PRICES.read_text(encoding="utf-8"))["prices"][_PRICES[arch]]
    return float(prices["usd"]) / float(prices["per"])


def _text(request: Mapping[str, Any], name: str) -> str:
    value = request.get(name)
    if not isinstance(value, str):
        raise BadOption(f"{name} is missing", option=name)
    return value
