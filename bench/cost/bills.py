"""Price a month with Darkroom and with other services, by part of the bill, each with the cheapest plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from darkroom_pipeline.operations.cost_model import PriceTable

from .example import OURS, THEIRS, read_misses
from .fargate import NAME as FARGATE
from .fargate import price_month
from .flat_rate import PLAN, Offer
from .hosted import HostedService, load_hosted_services
from .inputs import DEFAULTS
from .month import ARCHITECTURE, PARTS, Line, Term, list_month_offers, price_terms

NO_PRICE = "no public price"


@dataclass(frozen=True, slots=True)
class Bill:
    """US dollars a month by part of PARTS, with the plan that is the cheapest.

    ``parts`` is None if the month exceeds all plans with a public price. ``credits`` are those of a hosted service.
    """

    service: str
    plan: str
    parts: Mapping[str, float] | None
    credits: float = 0.0

    @property
    def usd(self) -> float | None:
        """Return the sum of the parts."""
        return None if self.parts is None else sum(self.parts.values())


@dataclass(frozen=True, slots=True)
class CostModel:
    """What bills are computed from: the price table, the lines of Darkroom's bill and measurements of the pages."""

    prices: PriceTable
    lines: Sequence[Line]
    page: str
    cpu_ms: float

    def our_terms(self) -> tuple[Term, ...]:
        """Return Darkroom's terms of a month, without those of which an offer of the CDN takes the place."""
        monthly = (line for line in self.lines if line.period == "month" and not line.in_offer)
        return tuple(term for line in monthly for term in line.terms)

    def master_terms(self) -> tuple[Term, ...]:
        """Return the storage of masters."""
        return price_terms(self.prices, {"s3-gb-months": 1e-3}, "master_mb", "images")

    def dit_terms(self) -> tuple[Term, ...]:
        """Return the terms of AWS's solution, which renders at each miss: what its requests do not cost is compute."""
        miss = read_misses(self.page)["once"][THEIRS] / 1e6
        called = price_terms(self.prices, {"lambda-requests": 1, "s3-gets": 1, "rest-api-requests": 1})
        requests = sum(term.coefficient for term in called)
        missed = ("views", "miss_percent")
        renders = (Term("compute", (miss - requests) / 100, missed), Term("requests", requests / 100, missed))
        return (*renders, *self.master_terms())


def list_bills(model: CostModel, values: Mapping[str, float] = DEFAULTS) -> list[Bill]:
    """Return the month of each service: Darkroom, AWS's solution, imgproxy, then hosted ones."""
    misses = values["views"] * values["miss_percent"] / 100
    tasks = price_month(model.prices, misses, values["image_kb"], model.cpu_ms, ARCHITECTURE).parts
    offer = find_cheapest(list_month_offers(model.prices, values))
    unread = find_cheapest(list_month_offers(model.prices, {**values, "miss_percent": 0}))
    return [
        _add(OURS, offer.label, values, model.our_terms(), offer.parts or {}),
        _add(THEIRS, unread.label, values, model.dit_terms(), unread.parts or {}),
        _add(FARGATE, unread.label, values, model.master_terms(), unread.parts or {}, tasks),
        *(_price_hosted(one, model.prices, values) for one in load_hosted_services()),
    ]


def find_cheapest(offers: Sequence[Offer]) -> Offer:
    """Return the cheapest way to pay for the CDN, the first of equals."""
    return min(offers, key=lambda one: float("inf") if one.usd is None else one.usd)


def _add(
    service: str, plan: str, values: Mapping[str, float], terms: Sequence[Term], *others: Mapping[str, float]
) -> Bill:
    parts = dict.fromkeys(PARTS, 0.0)
    for term in terms:
        parts[term.part] += term.multiply(values)
    for other in others:
        for part, usd in other.items():
            parts[part] += usd
    return Bill(service, plan, parts)


def _price_hosted(service: HostedService, prices: PriceTable, values: Mapping[str, float]) -> Bill:
    needed = sum(term.multiply(values) for term in service.credit_terms())
    plan = next((one for one in service.plans if needed <= one.credits), None)
    if plan is None:
        return Bill(service.name, NO_PRICE, None, needed)
    bill = _add(service.name, plan.name, values, service.bucket_terms(prices), {PLAN: plan.usd_per_month})
    return Bill(service.name, plan.name, bill.parts, needed)


def format_bills(bills: Sequence[Bill]) -> str:
    """Format the bills as Markdown, a column for each service."""
    rows = [
        f"| a month, USD | {' | '.join(f'{bill.service}: {bill.plan}' for bill in bills)} |",
        "| --- |" + " ---: |" * len(bills),
    ]
    for part in PARTS:
        cells = ("" if bill.parts is None else f"{bill.parts[part]:,.2f}" for bill in bills)
        rows.append(f"| {part} | {' | '.join(cells)} |")
    sums = ("" if bill.usd is None else f"{bill.usd:,.2f}" for bill in bills)
    return "\n".join([*rows, f"| **together** | {' | '.join(sums)} |"])
