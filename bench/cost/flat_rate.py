"""Price the CDN and its misses for a month: pay-as-you-go, the same after its free tier, and each flat-rate plan."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from bench.cost.pricing import MEZZANINE_READS
from cli.flat_rate.plans import FlatRatePlans
from cli.library.prices import LATENCY_MS
from darkroom_pipeline.operations.cost_model import EDGE_FUNCTIONS, Amounts, PriceTable, function_amounts
from darkroom_pipeline.operations.cost_model import sum_amounts as add

STORED_READS = 3 + MEZZANINE_READS
"""S3 requests of the function for a stored derivative: it starts those of a render, master, derivative, refusals and
mezzanines, at the same time."""

PLAN = "plan"
"""Part of a bill that is the price of a plan, whatever it includes."""

OWN_MS = 5.0
"""Assumed time of the function beside S3's. Measured are 1 ms of CPU for 77 kB without Lambda's runtime."""


@dataclass(frozen=True, slots=True)
class Rates:
    """US dollars of one request, one view's edge functions, one GB, and one miss by S3 or by the function.

    ``miss_compute`` is the function's time in ``miss_by_function``.
    """

    request: float
    functions: float
    gigabyte: float
    miss: float
    miss_by_function: float
    miss_compute: float


@dataclass(frozen=True, slots=True)
class Offer:
    """What the CDN and its misses cost a month, by part of the bill; None for a plan whose allowances it exceeds."""

    label: str
    parts: Mapping[str, float] | None

    @property
    def usd(self) -> float | None:
        """Return the sum of the parts."""
        return None if self.parts is None else sum(self.parts.values())


def read_rates(prices: PriceTable, memory_mb: float, architecture: str) -> Rates:
    """Return the rates by the price table, for a function with this memory."""

    def cost(amounts: Amounts) -> float:
        return sum(prices.cost(amounts).values())

    called = add(function_amounts(memory_mb, LATENCY_MS + OWN_MS, 1, architecture), {"s3-gets": STORED_READS})
    return Rates(
        cost({"cdn-requests": 1}),
        cost({"cdn-functions": EDGE_FUNCTIONS}),
        cost({"cdn-gb": 1}),
        cost({"s3-gets": 1}),
        cost(called),
        prices.cost(called)["compute"],
    )


def list_offers(plans: FlatRatePlans, rates: Rates, views: float, gigabytes: float, misses: float) -> list[Offer]:
    """Return pay-as-you-go, the same after its free tier, and each level of each plan, in this order."""
    free, functions = plans.free_tier, EDGE_FUNCTIONS * views
    requests = views * (rates.request + rates.functions) + misses * rates.miss
    saved = min(views, free.requests) * rates.request
    saved += min(functions, free.functions) * rates.functions / EDGE_FUNCTIONS
    paid_gigabytes = max(0.0, gigabytes - free.gigabytes)
    return [
        Offer("pay-as-you-go", {"requests": requests, "delivery": gigabytes * rates.gigabyte}),
        Offer(
            "pay-as-you-go, after its free tier",
            {"requests": max(0.0, requests - saved), "delivery": paid_gigabytes * rates.gigabyte},
        ),
        *_list_levels(plans, rates, views, gigabytes, misses),
    ]


def _list_levels(plans: FlatRatePlans, rates: Rates, views: float, gigabytes: float, misses: float) -> Iterator[Offer]:
    for plan in plans.plans:
        by_store = plans.has(plan.tier, "origin_failover")
        compute, requests = (
            (0.0, rates.miss) if by_store else (rates.miss_compute, rates.miss_by_function - rates.miss_compute)
        )
        for level in plan.levels:
            parts = {PLAN: float(level.usd_per_month), "compute": misses * compute, "requests": misses * requests}
            yield Offer(plan.label(level), parts if level.covers(views, gigabytes) else None)


def find_cheapest_plan(offers: list[Offer]) -> Offer | None:
    """Return the cheapest flat-rate plan among the offers, None if no plan covers the month."""
    covering = [one for one in offers[2:] if one.usd is not None]
    return min(covering, key=lambda one: one.usd or 0.0, default=None)
