"""Bytes of a month's views: what is delivered by popularity and browser, beside the defaults of other services.

A derivative is delivered as first encoded until the CDN looks for its replacement. Its views are Poisson in time, so of
``n`` expected ones the first and those of the window after it are about ``(1 − e⁻ⁿ) · (1 + n · window ÷ month)``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path

import numpy as np

from darkroom.services.caching import UNREFINED_S

from ..shop import Shop
from ..tables import Table
from .comparing import WIDTH_PX, Encoder, Outcome

MONTH_S = 30 * 86_400

BROWSERS = {"avif": 0.949, "webp": 0.015, "jpeg": 0.036}
"""Shares of views by the best format that a browser accepts: 94.9 % AVIF and 96.4 % WebP ("Can I Use" of StatCounter,
March 2026, second-hand)."""

PEERS: Mapping[str, Mapping[str, tuple[str, int]]] = {
    "DIT and imgproxy, defaults": dict.fromkeys(BROWSERS, ("jpeg", 80)),
    "imgproxy, formats by Accept": {"avif": ("avif", 63), "webp": ("webp", 79), "jpeg": ("jpeg", 80)},
    "DIT, `AutoWebP`": {"avif": ("webp", 80), "webp": ("webp", 80), "jpeg": ("jpeg", 80)},
}
"""Format and quality that each sends to a browser. By default both keep the format of the source, a JPEG, at quality
80; imgproxy's others are those of ``IMGPROXY_FORMAT_QUALITY``. All are encoded by libvips, here by sharp, so that the
defaults of effort and chroma are sharp's."""


@dataclass(frozen=True, slots=True)
class MonthBytes:
    """Mean bytes of a view of a photograph: Darkroom's, and each peer's by name."""

    ours: float
    peers: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """Ratio of Darkroom's bytes to those of the first peer."""
        return self.ours / self.peers[next(iter(PEERS))]


def compute_first_share(shop: Shop) -> float:
    """Return the share of a first month's views that are delivered as first encoded, of all variants of ``shop``."""
    ranks = np.arange(1, shop.images + 1, dtype=np.float64)
    popularity = ranks**-shop.exponent
    views = popularity / popularity.sum() * shop.views_a_month
    first = [
        ((1 - np.exp(-views * one.share)) * (1 + views * one.share * UNREFINED_S / MONTH_S)).sum()
        for one in shop.variants
    ]
    return fsum(first) / shop.views_a_month


def encode_defaults(files: Sequence[Path]) -> Mapping[tuple[str, int], float]:
    """Return the mean bytes of ``files`` at each of the peers' formats and qualities. Raises MissingCompetitor."""
    wanted = {one for formats in PEERS.values() for one in formats.values()}
    with Encoder() as sharp:
        return {
            (form, quality): fsum(len(sharp.encode(file, WIDTH_PX, form, quality)) for file in files) / len(files)
            for form, quality in sorted(wanted)
        }


def weigh_views(
    outcomes: Sequence[Outcome], defaults: Mapping[tuple[str, int], float], first_share: float
) -> MonthBytes:
    """Return the mean bytes of a view, from ``outcomes`` of photographs: first responses and what replaces them."""
    ours = fsum(
        BROWSERS[one.form] * (1 - first_share if one.reencoded else first_share) * _mean_bytes(one)
        for one in outcomes
        if one.kind == "photographs"
    )
    peers = {
        name: fsum(BROWSERS[form] * defaults[sent] for form, sent in formats.items()) for name, formats in PEERS.items()
    }
    return MonthBytes(ours, peers)


def tabulate_views(month: MonthBytes, first_share: float) -> Table:
    """Tabulate the bytes of a view."""
    rows = [["Darkroom", f"{month.ours:,.0f}", "1.00"]]
    rows += [[name, f"{size:,.0f}", f"{month.ours / size:.2f}"] for name, size in month.peers.items()]
    title = f"Bytes of a view in a shop's first month, {first_share:.1%} of the views as first encoded"
    return Table(title, ["", "bytes of a view", "Darkroom's, ratio"], rows)


def _mean_bytes(one: Outcome) -> float:
    return fsum(found.size_bytes for found in one.found) / len(one.found)
