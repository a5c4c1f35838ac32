"""Compare the load of a shop of any size with limits of AWS and of the template."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from cli.library.prices import PRESETS
from darkroom.plan.variants import AccessMode
from darkroom.settings import Settings
from darkroom_pipeline.operations.cost_check import PER_UPLOAD
from darkroom_pipeline.plan.edge_settings import build_edge_entries

from .bill import FROM_MASTERS, PEAK_FACTOR
from .drain_model import estimate_wait_ms
from .figures import DrainFigures, MissFigures
from .reencodes import REFINE_CONCURRENCY
from .render_times import RenderTimes, read_times
from .shop import DAYS, MASTERS, MONTHS, Shop, Variant
from .steady_state import SteadyState, compute_steady_state

LIMITS = Path(__file__).with_name("limits.toml")

DAY_S = 86_400
MONTH_S = DAYS * DAY_S / MONTHS
LISTED_DAYS = 30
"""Days that uploads are listed by the sweep: the second of RetentionDays."""

LISTED_AT_ONCE, LIST_S = 1_000, 0.15
"""Keys of a ListObjectsV2 call, and the assumed time of one with its index reads."""

SEARCH_S_AN_IMAGE = 0.2 / 10_000
"""Time of a search in the similarity table (decision 12)."""

GIGABIT_BYTES = 1e9 / 8

type Kind = str


@dataclass(frozen=True, slots=True)
class Limit:
    """A row of limits.toml."""

    id: str
    name: str
    value: float
    load: str
    kind: Kind
    unit: str
    page: str
    effect: str
    optional: str = ""
    grows: bool = True


def read_limits(path: Path = LIMITS) -> Sequence[Limit]:
    """Read all limits, in the file's order."""
    return [Limit(**row) for row in tomllib.loads(path.read_text(encoding="utf-8"))["limit"]]


@dataclass(frozen=True)
class Load:
    """The load of a shop in a steady state. Rates are of the busiest hour unless stated otherwise."""

    shop: Shop
    misses: MissFigures
    drains: DrainFigures

    @cached_property
    def state(self) -> SteadyState:
        """The means of a day."""
        return compute_steady_state(self.shop)

    @property
    def images(self) -> float:
        """Number of images."""
        return self.shop.images

    @property
    def views_a_second(self) -> float:
        """Requests of viewers."""
        return self._peak(self.state.views)

    @property
    def gigabits_a_second(self) -> float:
        """Delivery by the CDN."""
        return self.views_a_second * self._mean_bytes / GIGABIT_BYTES

    @property
    def renders_a_second(self) -> float:
        """Renders, which are misses of CDN and store."""
        return self._peak(float(self.state.renders.sum()))

    @property
    def uploads_a_second(self) -> float:
        """New images: 2 % of all in a month."""
        return self.shop.images * self.shop.new_share / MONTH_S * PEAK_FACTOR

    @property
    def uploads_at_once(self) -> float:
        """Busy ingest functions."""
        return self.uploads_a_second * self._upload_s

    @property
    def functions_at_once(self) -> float:
        """Busy functions: renders, uploads within IngestConcurrency, re-encodes."""
        renders = self.renders_a_second * self._render_s
        return renders + min(self.uploads_at_once, INGEST_CONCURRENCY) + min(self.reencodes_at_once, REFINE_CONCURRENCY)

    @property
    def functions_after_purge(self) -> float:
        """Functions needed at once if every view were a render."""
        return self.views_a_second * self._render_s

    @property
    def reencodes_at_once(self) -> float:
        """Functions that re-encoding would need without a maximum, on average: the queue buffers peaks."""
        renders_ms = sum(
            count * self.drains.reencode_ms[variant.output]
            for count, variant in zip(self.state.renders, self.shop.variants, strict=True)
        )
        uploads_ms = self._uploads_a_day * PRESETS * self.drains.reencode_ms["800"]
        return float(renders_ms + uploads_ms) / 1000 / DAY_S

    @property
    def s3_gets_a_second(self) -> float:
        """GETs below ``derivatives/``: the CDN's, and two of each render."""
        return self._peak(self.state.cdn_misses) + 2 * self.renders_a_second

    @property
    def s3_puts_a_second(self) -> float:
        """PUTs below ``derivatives/``: renders, presets, and re-encodes, which their maximum limits."""
        return self.renders_a_second + PRESETS * self.uploads_a_second

    @property
    def events_a_second(self) -> float:
        """Events that match a rule: each upload, each derivative."""
        return self.s3_puts_a_second + self.uploads_a_second

    @property
    def index_writes_a_second(self) -> float:
        """Write units of the index."""
        return self.uploads_a_second * PER_UPLOAD["dynamodb-writes"]

    @property
    def sweep_s(self) -> float:
        """Seconds of an hourly sweep."""
        return self._uploads_a_day * LISTED_DAYS / LISTED_AT_ONCE * LIST_S

    @property
    def similarity_table_s(self) -> float:
        """Seconds of a search, which reads all embeddings."""
        return self.shop.images * SEARCH_S_AN_IMAGE

    @property
    def edge_bytes(self) -> float:
        """Bytes of the key-value store, with default settings."""
        settings = Settings()
        entries = build_edge_entries(AccessMode(settings.access_mode), "", settings.presets)
        return sum(len((key + value).encode()) for key, value in entries.items())

    @property
    def import_days(self) -> float:
        """Days to ingest all images with IngestConcurrency."""
        return self.shop.images * self._upload_s / INGEST_CONCURRENCY / DAY_S

    def _peak(self, a_day: float) -> float:
        return a_day / DAY_S * PEAK_FACTOR

    @property
    def _uploads_a_day(self) -> float:
        return self.shop.images * self.shop.new_share * MONTHS / DAYS

    @property
    def _upload_s(self) -> float:
        return (self.drains.cpu_ms + estimate_wait_ms(self.drains.upload_bytes / 1e6)) / 1000

    @cached_property
    def _render_s(self) -> float:
        """Mean time that a function is busy with a render."""
        counts = self.state.renders
        return sum(
            float(count) * self._mean_times(variant) for count, variant in zip(counts, self.shop.variants, strict=True)
        ) / (1000 * float(counts.sum()))

    def _mean_times(self, variant: Variant) -> float:
        times: Mapping[int, RenderTimes] = {
            mp: read_times(self.misses, mp, variant.output, mezzanines=variant.name != FROM_MASTERS) for mp in MASTERS
        }
        return sum(share * times[megapixels].billed_ms for megapixels, share in MASTERS.items())

    @cached_property
    def _mean_bytes(self) -> float:
        return sum(
            variant.share * share * self.misses.find(megapixels, variant.output).image_bytes
            for variant in self.shop.variants
            for megapixels, share in MASTERS.items()
        )


INGEST_CONCURRENCY = int(next(limit.value for limit in read_limits() if limit.id == "ingest"))


@dataclass(frozen=True, slots=True)
class Use:
    """How much of a limit a load uses."""

    limit: Limit
    share: float


def list_uses(load: Load, limits: Sequence[Limit]) -> list[Use]:
    """Return the use of every limit, the highest first."""
    uses = [Use(limit, getattr(load, limit.load) / limit.value) for limit in limits]
    return sorted(uses, key=lambda use: -use.share)


def find_bottleneck(load: Load, limits: Sequence[Limit], kind: Kind) -> Use:
    """Return the limit of ``kind`` that is used most, if the deployment of the year can reach it."""
    return next(use for use in list_uses(load, limits) if use.limit.kind == kind and is_modelled(use.limit))


def is_modelled(limit: Limit) -> bool:
    """Return whether the deployment of the year, the default with ``Refine=on``, has the limit and can outgrow it."""
    return limit.grows and limit.optional in {"", "Refine=on"}


def find_reached(load: Load, limit: Limit, *, most: float = 1e6) -> float | None:
    """Return the multiple of the shop's images and views at which ``limit`` is reached, None above ``most``."""

    def share(scale: float) -> float:
        shop = load.shop
        scaled = replace(
            shop, images=max(1, round(shop.images * scale)), views_a_month=max(1, round(shop.views_a_month * scale))
        )
        return float(getattr(replace(load, shop=scaled), limit.load)) / limit.value

    low, high = 1 / most, most
    if share(high) < 1 or share(low) >= 1:
        return None
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if share(middle) < 1 else (low, middle)
    return high
