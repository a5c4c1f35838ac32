"""Price a month of a deployment from its images and views, with the durations that ``make cost`` measured."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import NamedTuple

from bench.cost.flat_rate import PLAN, Offer, find_cheapest_plan, list_offers, read_rates
from bench.cost.idle import monthly_amounts
from bench.cost.inputs import DEFAULTS, ENDPOINT_INSTANCE, INPUTS
from bench.cost.pricing import MASTER_BYTES, MEZZANINE_BYTES, MEZZANINE_READS, RENDER_READS
from bench.page import Markers
from cli.flat_rate.plans import load_flat_rate_plans
from cli.library.prices import PRESETS, price_ingest
from darkroom_pipeline.operations.cost_model import (
    EDGE_FUNCTIONS,
    Amounts,
    PriceTable,
    endpoint_amounts,
    function_amounts,
)
from darkroom_pipeline.operations.cost_model import sum_amounts as add

MARKERS = Markers("<!-- priced by `make alarms`, do not edit: example -->", "<!-- end of the example -->")

CASE = "12 MP JPEG to 800 px WebP"
MEMORY_MB = 1769
"""Memory of ``Size=standard``, the default, of which the page has the duration."""

ARCHITECTURE = "arm64"
MONTHS_STORED = 3
"""Derivatives expire after 90 days (``RetentionDays``), and are rendered again when they are requested later."""

COLD_SHARE = 0.01
"""Share of renders that wait for the start of a process, as in the tables of the page."""

GETS = 1 + RENDER_READS + MEZZANINE_READS

RENDERED = ("images", "active_percent", "widths")
"""Inputs whose product is a hundred times the number of derivatives in use."""

RENDERED_SHARE = 1 / MONTHS_STORED / 100
"""Share of that product that is rendered in a month."""

PARTS = ("compute", "requests", "storage", "delivery", "monitoring", "endpoint", PLAN)
"""Parts of a bill, as in the price table, and of the CDN's charges delivery by itself."""

DELIVERY = ("cdn-gb",)
"""Prices of delivery."""


class Term(NamedTuple):
    """US dollars of a part of the bill: ``coefficient`` times the inputs."""

    part: str
    coefficient: float
    inputs: tuple[str, ...] = ()

    def multiply(self, values: Mapping[str, float]) -> float:
        """Return the product for the inputs ``values``. Raises KeyError for a missing one."""
        return prod((self.coefficient, *(values[name] for name in self.inputs)))


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill, in US dollars: the sum of its terms. ``period`` is ``month`` or ``once``.

    ``in_offer``: an offer of the CDN takes the place of the line (:mod:`bench.cost.flat_rate`).
    """

    label: str
    period: str
    terms: tuple[Term, ...]
    in_offer: bool = False

    def usd(self, values: Mapping[str, float]) -> float:
        """Return the cost for the inputs ``values``. Raises KeyError for a missing one."""
        return sum(term.multiply(values) for term in self.terms)


def price_terms(prices: PriceTable, amounts: Amounts, *inputs: str, share: float = 1.0) -> tuple[Term, ...]:
    """Return the cost of ``amounts`` times ``share`` and the inputs, a term for each part of the bill."""
    delivery = {name: amount for name, amount in amounts.items() if name in DELIVERY}
    parts = prices.cost({name: amount for name, amount in amounts.items() if name not in DELIVERY})
    parts["delivery"] = sum(prices.cost(delivery).values())
    return tuple(Term(part, usd * share, inputs) for part, usd in parts.items() if usd)


def read_durations(page: str) -> tuple[float, float]:
    """Return the billed ms of a render at MEMORY_MB, and those of a cold start beyond. Raises ValueError without."""
    section = page.partition(f"### {CASE}: USD for a million misses")[2]
    start = re.search(r"^- Darkroom: (\d+) MB, \d+ ms a render, and (\d+) ms more for a cold start", section, re.M)
    render = re.search(rf"^\| {MEMORY_MB} \| (\d+) \|", section, re.MULTILINE)
    if start is None or render is None:
        raise ValueError(f"The page has no measurements of {CASE}")
    return float(render[1]), float(start[2]) * min(1.0, float(start[1]) / MEMORY_MB)


def build_lines(prices: PriceTable, page: str) -> tuple[Line, ...]:
    """Return the lines of the bill, with the measurements of ``page``."""
    render_ms, start_ms = read_durations(page)
    render = add(
        function_amounts(MEMORY_MB, render_ms + COLD_SHARE * start_ms, 1, ARCHITECTURE), {"s3-gets": GETS, "s3-puts": 1}
    )
    mezzanines = sum(MEZZANINE_BYTES) / MASTER_BYTES
    terms = partial(price_terms, prices)
    megabyte, kilobyte = {"s3-gb-months": 1e-3}, {"s3-gb-months": 1e-6}
    idle = add(*monthly_amounts()["essential"].values())
    return (
        Line("ingest of the images, copied from another bucket", "once", (
            terms(price_ingest(ARCHITECTURE, copied=True), "images")
        )),
        Line("CDN: requests and edge functions", "month", (
            terms({"cdn-requests": 1, "cdn-functions": EDGE_FUNCTIONS}, "views")
        ), in_offer=True),
        Line("CDN: delivery", "month", terms({"cdn-gb": 1e-6}, "image_kb", "views"), in_offer=True),
        Line("misses: reads of stored derivatives", "month", (
            terms({"s3-gets": 0.01}, "views", "miss_percent")
        ), in_offer=True),
        Line("misses: renders, each stored for three months", "month", (
            *terms(render, *RENDERED, share=RENDERED_SHARE),
            *terms(render, "new_images", "widths"),
        )),
        Line("ingest of new images, with their presets", "month", (
            terms(price_ingest(ARCHITECTURE, copied=False), "new_images")
        )),
        Line("storage: masters and mezzanines", "month", (
            terms(megabyte, "master_mb", "images", share=1 + mezzanines)
        )),
        Line("storage: derivatives", "month", (
            *terms(kilobyte, "image_kb", *RENDERED, share=0.01),
            *terms(kilobyte, "image_kb", "new_images", share=MONTHS_STORED * PRESETS),
        )),
        Line("alarms, metrics, idle queues, keys", "month", terms(idle)),
        Line("endpoint", "month", terms(endpoint_amounts(ENDPOINT_INSTANCE, 1, 1), "endpoint_hours")),
    )  # fmt: skip


def format_table(lines: Sequence[Line], values: Mapping[str, float]) -> str:
    """Format the bill as Markdown."""
    rows = ["| line | once, USD | a month, USD |", "| --- | ---: | ---: |"]
    for line in lines:
        amount = f"{line.usd(values):,.2f}"
        rows.append(f"| {line.label} | {amount if line.period == 'once' else ''} | "
                    f"{amount if line.period == 'month' else ''} |")  # fmt: skip
    once, month = (sum_period(lines, values, period) for period in ("once", "month"))
    rows.append(f"| **together, pay-as-you-go** | **{once:,.2f}** | **{month:,.2f}** |")
    return "\n".join(rows)


def list_month_offers(prices: PriceTable, values: Mapping[str, float]) -> list[Offer]:
    """Return what the CDN and its misses cost a month, by each way to pay for it."""
    rates = read_rates(prices, MEMORY_MB, ARCHITECTURE)
    views = values["views"]
    gigabytes, misses = values["image_kb"] * views / 1e6, values["miss_percent"] / 100 * views
    return list_offers(load_flat_rate_plans(), rates, views, gigabytes, misses)


def sum_cheapest(lines: Sequence[Line], values: Mapping[str, float], offers: Sequence[Offer]) -> float:
    """Return US dollars of the month with the cheapest of ``offers``, the first of which is in ``lines``."""
    known = [one.usd for one in offers if one.usd is not None]
    return sum_period(lines, values, "month") - known[0] + min(known)


def format_offers(offers: Sequence[Offer], together: float) -> str:
    """Format pay-as-you-go, the same after its free tier, the cheapest plan, and the month with the cheapest."""
    cheapest = find_cheapest_plan([*offers])
    shown = [(one.label, one.usd) for one in offers[:2]]
    if cheapest:
        shown.append((f"cheapest flat-rate plan: {cheapest.label}", cheapest.usd))
    rows = ["| the CDN and its misses | a month, USD |", "| --- | ---: |"]
    rows += [f"| {label} | {usd:,.2f} |" for label, usd in shown]
    if not cheapest:
        rows.append("| no flat-rate plan covers it |  |")
    return "\n".join([*rows, f"| **the month together, with the cheapest** | **{together:,.2f}** |"])


def sum_period(lines: Sequence[Line], values: Mapping[str, float], period: str) -> float:
    """Return US dollars of all lines of ``period``."""
    return sum(line.usd(values) for line in lines if line.period == period)


def format_example(prices: PriceTable, lines: Sequence[Line], peer: str) -> str:
    """Return the generated part of the page; ``peer`` is the comparison with AWS's solution."""
    listed_offers = list_month_offers(prices, DEFAULTS)
    offers = format_offers(listed_offers, sum_cheapest(lines, DEFAULTS, listed_offers))
    listed = "; ".join(f"{one.label}: {one.default:,.10g}" for one in INPUTS)
    return f"{listed}.\n\n{format_table(lines, DEFAULTS)}\n\n{offers}\n\n{peer}\n\n{_cite(prices)}"


def _cite(prices: PriceTable) -> str:
    plans = load_flat_rate_plans()
    return f"Prices of us-east-1, on demand, as read on {prices.read_on}; of plans on {plans.read_on}."
