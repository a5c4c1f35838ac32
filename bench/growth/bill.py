"""Price a simulated year by month and service, with the price table of the monitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bench.cost.idle import LOG_BYTES, monthly_amounts
from cli.library.prices import MEMORY_MB as INGEST_MB
from cli.library.prices import PRESETS
from darkroom_pipeline.operations.cost_check import PER_UPLOAD
from darkroom_pipeline.operations.cost_model import EDGE_FUNCTIONS, PriceTable, function_amounts, sum_amounts

from ..cost.pricing import REFINING, RENDER_READS
from ..cost.render_cost import FULL_CORE_MB
from .drain_model import estimate_wait_ms
from .figures import DrainFigures, MissFigures
from .reencodes import REFINE_CONCURRENCY
from .render_times import RenderTimes, cold_start_ms, count_cold_starts, read_times
from .shop import DAYS, MASTERS, MONTHS, Counts, Variant, Year

MONTH_S = DAYS * 86_400 / MONTHS
UPLOADS_KEPT_DAYS = 60
"""Days that an original is stored: RetentionDays as the current version, as long again as an old one."""

RECORD_BYTES = 1_500
"""Bytes of an index record with its secondary indexes, assumed."""

MEZZANINE_SHARE = 0.25
"""Bytes of an image's mezzanines as a share of its master's: a fifth to a third, by their quality and size."""

FROM_MASTERS = "preset cover, 256 px"
"""The variant that is rendered from the master: covers by attention are."""

MEZZANINES = 2
"""Mezzanines of an image."""

PEAK_FACTOR = 3.0
"""Assumed ratio of the busiest hour's rate to the mean."""

SERVICES: Mapping[str, str] = {
    "cdn-": "CloudFront",
    "lambda-": "Lambda",
    "s3-": "S3",
    "dynamodb-": "DynamoDB",
    "sqs-": "SQS, EventBridge",
    "events": "SQS, EventBridge",
}
"""Service of a charge by the start of its name in the price table."""

OTHERS = "CloudWatch, X-Ray, secrets"

type Mode = str
MODES: Mapping[Mode, str] = {
    "off": "without mezzanines",
    "expiring": "with mezzanines, which expire with derivatives",
    "kept": "with mezzanines of every image",
}


@dataclass(frozen=True)
class Bill:
    """A year's costs and slow misses, with one mode of mezzanines."""

    year: Year
    misses: MissFigures
    drains: DrainFigures
    prices: PriceTable
    mode: Mode = "expiring"
    architecture: str = "arm64"

    def price_month(self, month: int) -> dict[str, float]:
        """Return US dollars by service."""
        found = dict.fromkeys([*dict.fromkeys(SERVICES.values()), OTHERS], 0.0)
        for name, amount in self.list_amounts(month).items():
            service = next((of for start, of in SERVICES.items() if name.startswith(start)), OTHERS)
            found[service] += amount * self.prices.prices[name].usd_per_unit
        return found

    def list_amounts(self, month: int) -> dict[str, float]:
        """Return what is charged in a month."""
        return sum_amounts(
            self._delivery_amounts(month),
            self._render_amounts(month),
            self._upload_amounts(month),
            self._refine_amounts(month),
            self._storage_amounts(month),
            *monthly_amounts()["essential"].values(),
        )

    def share_slow(self, month: int) -> float:
        """Return the share of the CDN's misses that take more than half a second."""
        cold = self.cold_share(month)
        extra_ms = cold_start_ms(self.misses)
        slow = sum(
            count * ((1 - cold) * times.share_slow() + cold * times.share_slow(extra_ms))
            for count, times in self._list_renders(month)
        )
        return slow / self.count_misses(month)

    def count_misses(self, month: int) -> int:
        """Count the CDN's misses."""
        return int(self._renders[month].sum() + self._monthly_store_hits[month])

    def cold_share(self, month: int) -> float:
        """Return the share of renders that are cold starts, by one hour of evenly random requests at the mean rate."""
        count = int(self._renders[month].sum() / MONTH_S * 3600)
        if not count:
            return 1.0
        arrivals = np.sort(np.random.default_rng(month).random(count)) * 3600
        return count_cold_starts(arrivals.tolist(), self.mean_busy_ms(month) / 1000) / count

    def mean_ms(self, month: int) -> float:
        """Return the mean time of a warm render."""
        renders = self._list_renders(month)
        return sum(count * times.ms for count, times in renders) / max(1, sum(count for count, _ in renders))

    def mean_busy_ms(self, month: int) -> float:
        """Return the mean time that a function is busy with a warm render."""
        renders = self._list_renders(month)
        return sum(count * times.billed_ms for count, times in renders) / max(1, sum(count for count, _ in renders))

    def reencode_backlog(self, month: int) -> float:
        """Return the work of re-encoding that a month adds, relative to what its functions can do."""
        return self._reencode_s(month) / (REFINE_CONCURRENCY * MONTH_S)

    @cached_property
    def _renders(self) -> Counts:
        return self.year.monthly(self.year.renders)

    @cached_property
    def _monthly_store_hits(self) -> Counts:
        return self.year.monthly(self.year.store_hits)

    @cached_property
    def _uploads(self) -> Counts:
        return self.year.monthly(self.year.uploads)

    def _list_renders(self, month: int) -> list[tuple[int, RenderTimes]]:
        """Return counts and times by variant, master size and age."""
        return [
            (int(self._renders[month, at, size, old]), self._times(variant, megapixels, bool(old)))
            for at, variant in enumerate(self.year.shop.variants)
            for size, megapixels in enumerate(MASTERS)
            for old in (0, 1)
        ]

    def _times(self, variant: Variant, megapixels: int, old: bool) -> RenderTimes:
        stored = self.mode == "kept" or (self.mode == "expiring" and not old)
        used = stored and variant.name != FROM_MASTERS
        return read_times(self.misses, megapixels, variant.output, mezzanines=used)

    def _delivery_amounts(self, month: int) -> dict[str, float]:
        views = self.year.monthly(self.year.by_variant)[month]
        gigabytes = sum(count * size for count, size in zip(views, self._image_bytes, strict=True)) / 1e9
        count = float(views.sum())
        gets = float(self.count_misses(month))
        return {"cdn-requests": count, "cdn-functions": EDGE_FUNCTIONS * count, "cdn-gb": gigabytes, "s3-gets": gets}

    def _render_amounts(self, month: int) -> dict[str, float]:
        renders = float(self._renders[month].sum())
        billed_ms = sum(count * times.billed_ms for count, times in self._list_renders(month))
        billed_ms += renders * self.cold_share(month) * cold_start_ms(self.misses)
        reads = 1 + RENDER_READS + (self.mode != "off")
        return sum_amounts(
            function_amounts(FULL_CORE_MB, billed_ms, renders, self.architecture),
            {"s3-gets": reads * renders, "s3-puts": renders},
            _telemetry_amounts(renders),
        )

    def _upload_amounts(self, month: int) -> dict[str, float]:
        uploads = float(self._uploads[month])
        service_ms = self.drains.cpu_ms + estimate_wait_ms(self.drains.upload_bytes / 1e6)
        puts = PRESETS + (MEZZANINES if self.mode != "off" else 0)
        each = sum_amounts(PER_UPLOAD, {"s3-puts": puts})
        return sum_amounts(
            {name: amount * uploads for name, amount in each.items()},
            function_amounts(INGEST_MB, service_ms * uploads, uploads, self.architecture),
            _telemetry_amounts(uploads),
        )

    def _refine_amounts(self, month: int) -> dict[str, float]:
        """Return the charges of re-encoding, at most what its functions can do: older messages expire."""
        if not self.year.shop.refines:
            return {}
        count, seconds = self._count_reencodes(month), self._reencode_s(month)
        done = count / max(1.0, self.reencode_backlog(month))
        amounts = {name: amount * done for name, amount in REFINING.items() if not name.startswith("lambda")}
        billed_ms = seconds * 1000 * done / count if count else 0.0
        return sum_amounts(amounts, function_amounts(FULL_CORE_MB, billed_ms, done, self.architecture))

    def _count_reencodes(self, month: int) -> float:
        return float(self._renders[month].sum() + PRESETS * self._uploads[month])

    def _reencode_s(self, month: int) -> float:
        """Return the CPU time for all derivatives that a month stores; a preset takes as long as an 800 px WebP."""
        by_variant = self._renders[month].sum(axis=(1, 2))
        work_ms = [self.drains.reencode_ms[variant.output] for variant in self.year.shop.variants]
        renders_ms = sum(count * ms for count, ms in zip(by_variant, work_ms, strict=True))
        return float(renders_ms + PRESETS * self._uploads[month] * self.drains.reencode_ms["800"]) / 1000

    def _storage_amounts(self, month: int) -> dict[str, float]:
        shop = self.year.shop
        last = (month + 1) * DAYS // MONTHS - 1
        recent = {
            days: float(self.year.uploads[max(0, last - days + 1) : last + 1].sum())
            for days in (UPLOADS_KEPT_DAYS, shop.stored_days)
        }
        master = self._mean(lambda megapixels: self.misses.find(megapixels, "800").master_bytes)
        derivative = float(np.dot([variant.share for variant in shop.variants], self._image_bytes))
        others = PRESETS - sum(variant.preset for variant in shop.variants)
        young = min(recent[shop.stored_days], shop.images)
        with_mezzanines = {"off": 0.0, "expiring": young, "kept": float(shop.images)}[self.mode]
        stored_bytes = (
            shop.images * master
            + recent[UPLOADS_KEPT_DAYS] * master
            + float(self.year.stored[last]) * derivative
            + young * others * derivative
            + with_mezzanines * master * MEZZANINE_SHARE
        )
        return {"s3-gb-months": stored_bytes / 1e9, "dynamodb-gb-months": shop.images * RECORD_BYTES / 1e9}

    @cached_property
    def _image_bytes(self) -> Sequence[float]:
        """Mean bytes of each variant."""
        return [
            self._mean(lambda megapixels, output=variant.output: self.misses.find(megapixels, output).image_bytes)
            for variant in self.year.shop.variants
        ]

    def _mean(self, value: Callable[..., float]) -> float:
        return sum(share * value(megapixels) for megapixels, share in MASTERS.items())


def _telemetry_amounts(requests: float) -> dict[str, float]:
    """Return logs and traces: X-Ray's default rule records one request a second, and 5 % of the others."""
    traces = min(requests, MONTH_S + 0.05 * max(0.0, requests - MONTH_S))
    return {"log-gb": requests * LOG_BYTES / 1e9, "traces": traces}
