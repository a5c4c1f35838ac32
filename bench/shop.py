"""Simulate the views of a shop for a year, day by day, and list those that the CDN misses.

Every view is drawn: an image by its popularity (Zipf), and a variant and a regional cache by their shares. Counts are
exact for the draws, and equal for equal seeds. The grain is a day: of a day's views of an image in a region, only the
first can miss the CDN.

A sample saves time: one simulated image stands for ``sample`` images of neighbouring ranks, with their mean popularity,
and counts are multiplied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

NEVER = -20_000
"""Day of something that has not happened; far enough from day 0 for every period."""

DAYS, MONTHS = 365, 12

type Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant that the shop's pages use, with its share of all views. ``preset``: it is rendered at ingest."""

    name: str
    share: float
    preset: bool


VARIANTS = (
    Variant("preset cover, 256 px", 0.40, preset=True),
    Variant("preset w640", 0.15, preset=True),
    Variant("preset w1280", 0.05, preset=True),
    Variant("w=800, AVIF", 0.25, preset=False),
    Variant("w=800, WebP", 0.10, preset=False),
    Variant("w=1920, WebP", 0.05, preset=False),
)
"""Assumed pages of a shop: lists of covers, and product pages whose main image is negotiated."""

REGIONS = (0.30, 0.18, 0.12, 0.09, 0.07, 0.06, 0.05, 0.04, 0.03, 0.02, 0.02, 0.01, 0.01)
"""Assumed shares of views of CloudFront's thirteen regional edge caches: customers on several continents."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop and its deployment.

    ``exponent``: popularity is proportional to 1/rank^exponent (Breslau et al., "Web Caching and Zipf-like
    Distributions", 1999, found 0.64 to 0.83 for web pages). ``new_share``: share of the images that new ones replace in
    a month. ``retention_days``: how long a regional cache keeps an object without a request; AWS does not document
    it. ``stored_days``: the first of `RetentionDays`, the lifecycle of derivatives.
    """

    images: int = 2_000_000
    views_a_month: int = 50_000_000
    exponent: float = 0.8
    new_share: float = 0.02
    retention_days: int = 7
    stored_days: int = 90
    variants: Sequence[Variant] = VARIANTS
    regions: Sequence[float] = REGIONS
    sample: int = 1
    seed: int = 20


@dataclass(frozen=True, slots=True)
class Misses:
    """Misses of the CDN in order of time, which do not depend on what is stored.

    ``derivatives`` are numbers of an image's variants; an image that replaces another has new ones. ``days`` have
    fractions. ``ingested`` is the day on which ingest stored the derivative, NEVER if it does not.
    """

    derivatives: Numbers
    days: NDArray[np.float64]
    ingested: NDArray[np.float64]


def list_misses(shop: Shop) -> Misses:
    """List a year's misses of ``shop``, of which one stands for ``sample``. Their times within a day are drawn.

    All images are imported with their presets on the first day. Raises ValueError if they are no multiple of the
    sample.
    """
    if shop.images % shop.sample:
        raise ValueError(f"{shop.images} images are no multiple of {shop.sample}")
    state, variants = _State(shop), len(shop.variants)
    imported = np.zeros(state.images)
    is_preset = np.array([variant.preset for variant in shop.variants])
    found = []
    for day in range(DAYS):
        imported[state.replace_images(day)] = day
        missed = state.find_misses(state.draw_views(day), day)
        derivatives = missed // len(shop.regions)
        since = imported[derivatives // variants]
        ingested = np.where(is_preset[derivatives % variants], since, NEVER)
        numbers = since.astype(np.int64) * state.images * variants + derivatives
        times = day + state.random.random(len(missed))
        order = np.argsort(times)
        found.append((numbers[order], times[order], ingested[order]))
    return Misses(*(np.concatenate(column) for column in zip(*found, strict=True)))


@dataclass(slots=True)
class _State:
    """What the caches hold. ``seen`` is the day of the last request, by image, variant and region."""

    shop: Shop
    images: int = field(init=False)
    random: np.random.Generator = field(init=False)
    popularity: NDArray[np.float64] = field(init=False)
    cells: NDArray[np.float64] = field(init=False)
    seen: NDArray[np.int16] = field(init=False)

    def __post_init__(self) -> None:
        shop = self.shop
        self.random = np.random.default_rng(shop.seed)
        self.images = shop.images // shop.sample
        ranks = np.arange(1, shop.images + 1, dtype=np.float64)
        self.popularity = np.cumsum((ranks**-shop.exponent).reshape(-1, shop.sample).sum(axis=1))
        self.popularity /= self.popularity[-1]
        shares = np.outer([variant.share for variant in shop.variants], shop.regions).ravel()
        self.cells = np.cumsum(shares / shares.sum())
        self.seen = np.full(self.images * len(shares), NEVER, np.int16)

    def replace_images(self, day: int) -> Numbers:
        """Replace images of any popularity by new ones, from the second day on. Return their numbers."""
        if not day:
            return np.empty(0, np.int64)
        count = _share_of_year(self.images * self.shop.new_share * MONTHS, day)
        new = np.unique(self.random.integers(0, self.images, count))
        self.seen.reshape(self.images, -1)[new] = NEVER
        return new

    def draw_views(self, day: int) -> Numbers:
        """Draw the day's views as numbers of image, variant and region. Sorting makes the search fast."""
        count = _share_of_year(self.shop.views_a_month * MONTHS // self.shop.sample, day)
        images = np.searchsorted(self.popularity, np.sort(self.random.random(count)), side="right")
        cells = np.searchsorted(self.cells, self.random.random(count), side="right")
        return np.asarray(images * len(self.cells) + cells, dtype=np.int64)

    def find_misses(self, pairs: Numbers, day: int) -> Numbers:
        """Return the pairs that the CDN does not have, once each, and note the day's requests."""
        absent = day - self.seen[pairs] > self.shop.retention_days
        self.seen[pairs] = day
        return np.unique(pairs[absent])


def _share_of_year(a_year: float, day: int) -> int:
    """Return a day's share of a whole number of events in a year."""
    return int(a_year * (day + 1) / DAYS) - int(a_year * day / DAYS)
