"""Price hosted image services by the plans of ``hosted.toml``, which names its sources.

A service that stores the masters keeps derivatives too, and transforms for new images only. The others read masters
from the bucket and render derivatives that have expired again, as often as Darkroom.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from darkroom_pipeline.operations.cost_model import PriceTable

from .month import RENDERED, RENDERED_SHARE, Term, price_terms

TABLE = Path(__file__).with_name("hosted.toml")
CREDITS = "credits"
"""Part of the terms that are credits, not US dollars."""


@dataclass(frozen=True, slots=True)
class HostedPlan:
    """A monthly price, and the credits that it includes."""

    name: str
    usd_per_month: float
    credits: float


@dataclass(frozen=True, slots=True)
class HostedService:
    """A service with its plans by rising price, as on the page ``page`` of the day ``read``."""

    name: str
    page: str
    read: date
    transformations_per_credit: float
    credits_per_gb_stored: float
    credits_per_gb_delivered: float
    stores_masters: bool
    plans: tuple[HostedPlan, ...]

    def credit_terms(self) -> tuple[Term, ...]:
        """Return the credits of a month."""
        stored, delivered = self.credits_per_gb_stored, self.credits_per_gb_delivered
        render = 1 / self.transformations_per_credit
        terms = (
            Term(CREDITS, delivered * 1e-6, ("image_kb", "views")),
            Term(CREDITS, stored * 1e-8, ("image_kb", *RENDERED)),
            Term(CREDITS, render, ("new_images", "widths")),
        )
        if self.stores_masters:
            return (*terms, Term(CREDITS, stored * 1e-3, ("master_mb", "images")))
        return (
            *terms,
            Term(CREDITS, render * RENDERED_SHARE, RENDERED),
            Term(CREDITS, delivered * 1e-8, ("image_kb", "views", "miss_percent")),
        )

    def bucket_terms(self, prices: PriceTable) -> tuple[Term, ...]:
        """Return US dollars a month of the bucket with the masters, without the transfer out of AWS."""
        if self.stores_masters:
            return ()
        return (
            *price_terms(prices, {"s3-gb-months": 1e-3}, "master_mb", "images"),
            *price_terms(prices, {"s3-gets": 1}, *RENDERED, share=RENDERED_SHARE),
            *price_terms(prices, {"s3-gets": 1}, "new_images", "widths"),
        )


def load_hosted_services(path: Path = TABLE) -> tuple[HostedService, ...]:
    """Read the table."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    return tuple(
        HostedService(**{**one, "plans": tuple(HostedPlan(**plan) for plan in one["plans"])})
        for one in document["services"]
    )
