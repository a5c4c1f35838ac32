"""Compute what a shop's caches do in a steady state, without drawing views: for any number of images and views.

The model is that of :mod:`.shop` with Poisson requests: a day's first request of an image's variant in a region misses
the CDN if there was none in the days before that the cache keeps; a miss renders if the stored derivative has expired.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .shop import DAYS, MONTHS, Shop

HEAD, BINS = 1_000, 300
"""Ranks that are computed one by one, and groups of later ones, in equal steps of the rank's logarithm."""

type Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SteadyState:
    """Means a day: ``renders`` by variant."""

    views: float
    cdn_misses: float
    renders: Floats

    @property
    def cdn_hit_ratio(self) -> float:
        """Share of views that the CDN answers."""
        return 1 - self.cdn_misses / self.views

    @property
    def store_hit_ratio(self) -> float:
        """Share of the CDN's misses that the store answers."""
        return 1 - float(self.renders.sum()) / self.cdn_misses


def compute_steady_state(shop: Shop) -> SteadyState:
    """Compute the means of a day, long after the import, without new images."""
    counts, popularity = group_images(shop.images, shop.exponent)
    views = shop.views_a_month * MONTHS / DAYS
    variants = np.array([variant.share for variant in shop.variants])
    regions = np.array(shop.regions)
    per_image = views * popularity / counts  # by group: views of one image a day
    rates = per_image[:, None, None] * (variants / variants.sum())[:, None] * (regions / regions.sum())
    misses = ((1 - np.exp(-rates)) * np.exp(-rates * shop.retention_days)).sum(axis=2)
    renders = 1 / (shop.stored_days + 1 / np.maximum(misses, 1e-300))
    return SteadyState(views, float(counts @ misses.sum(axis=1)), counts @ renders)


def group_images(images: int, exponent: float) -> tuple[Floats, Floats]:
    """Return the number of images in each group of ranks, and the group's share of all views.

    The first ranks are groups of their own. Sums over later ones are integrals.
    """
    head = np.arange(1, min(images, HEAD) + 1, dtype=np.float64)
    edges = np.geomspace(len(head) + 0.5, images + 0.5, BINS + 1) if images > len(head) else np.empty(0)
    weights = np.concatenate([head**-exponent, np.diff(_integrate(edges, exponent))])
    return np.concatenate([np.ones(len(head)), np.diff(edges)]), weights / weights.sum()


def _integrate(ranks: Floats, exponent: float) -> Floats:
    """Return the antiderivative of rank⁻ᵉˣᵖᵒⁿᵉⁿᵗ."""
    power = 1 - exponent
    return np.asarray(ranks**power / power if power else np.log(ranks))
