"""Price a month of a deployment from the number of its images and views, and write the calculator of the documentation.

Coefficients in docs/explanation/calculator-data.js give the same sums in a browser. Durations are those that
``make cost`` measured.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import prod

from bench.cost.flat_rate import Offer, find_cheapest_plan, list_offers, read_rates
from bench.cost.idle import monthly_amounts
from bench.cost.pricing import MASTER_BYTES, MEZZANINE_BYTES, MEZZANINE_READS, RENDER_READS
from bench.page import Markers
from bench.paths import ROOT
from cli.flat_rate.plans import FlatRatePlans, load_flat_rate_plans
from cli.library.prices import PRESETS, price_ingest
from darkroom_pipeline.operations.cost_model import EDGE_FUNCTIONS, Amounts, PriceTable, function_amounts
from darkroom_pipeline.operations.cost_model import sum_amounts as add

DATA = ROOT / "docs" / "explanation" / "calculator-data.js"
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


@dataclass(frozen=True, slots=True)
class Input:
    """A number that describes a deployment. ``default`` is that of the worked example."""

    name: str
    label: str
    default: float


INPUTS = (
    Input("images", "images", 2_000_000),
    Input("new_images", "new images a month", 20_000),
    Input("master_mb", "MB of an upload, on average", 2.3),
    Input("views", "views a month", 50_000_000),
    Input("image_kb", "kB of a delivered image, on average", 77),
    Input("miss_percent", "percent of the views that the CDN does not have", 10),
    Input("active_percent", "percent of the images that are viewed within three months", 25),
    Input("widths", "derivatives of such an image that are requested", 4),
)

type Term = tuple[float, tuple[str, ...]]
"""A coefficient, and the inputs by which it is multiplied."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the bill, in US dollars: the sum of its terms. ``period`` is ``month`` or ``once``."""

    label: str
    period: str
    terms: tuple[Term, ...]

    def usd(self, values: Mapping[str, float]) -> float:
        """Return the cost for the inputs ``values``. Raises KeyError for a missing one."""
        return sum(prod((coefficient, *(values[name] for name in names))) for coefficient, names in self.terms)


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

    def cost(amounts: Amounts) -> float:
        return sum(prices.cost(amounts).values())

    rendered = cost(render)
    megabyte, kilobyte = cost({"s3-gb-months": 1e-3}), cost({"s3-gb-months": 1e-6})
    idle = cost(add(*monthly_amounts()["essential"].values()))
    kept = ("image_kb", "widths", "images", "active_percent")
    return (
        Line("ingest of the images, copied from another bucket", "once", (
            (cost(price_ingest(ARCHITECTURE, copied=True)), ("images",)),
        )),
        Line("CDN: requests and edge functions", "month", (
            (cost({"cdn-requests": 1, "cdn-functions": EDGE_FUNCTIONS}), ("views",)),
        )),
        Line("CDN: delivery", "month", ((cost({"cdn-gb": 1e-6}), ("image_kb", "views")),)),
        Line("misses: reads of stored derivatives", "month", ((cost({"s3-gets": 0.01}), ("views", "miss_percent")),)),
        Line("misses: renders, each stored for three months", "month", (
            (rendered / MONTHS_STORED / 100, ("images", "active_percent", "widths")),
            (rendered, ("new_images", "widths")),
        )),
        Line("ingest of new images, with their presets", "month", (
            (cost(price_ingest(ARCHITECTURE, copied=False)), ("new_images",)),
        )),
        Line("storage: masters and mezzanines", "month", ((megabyte * (1 + mezzanines), ("master_mb", "images")),)),
        Line("storage: derivatives", "month", (
            (kilobyte / 100, kept),
            (kilobyte * MONTHS_STORED * PRESETS, ("image_kb", "new_images")),
        )),
        Line("alarms, metrics, idle queues, keys", "month", ((idle, ()),)),
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
    shown = [*offers[:2], Offer(f"cheapest flat-rate plan: {cheapest.label}", cheapest.usd)] if cheapest else offers[:2]
    rows = ["| the CDN and its misses | a month, USD |", "| --- | ---: |"]
    rows += [f"| {one.label} | {one.usd:,.2f} |" for one in shown]
    if not cheapest:
        rows.append("| no flat-rate plan covers it |  |")
    return "\n".join([*rows, f"| **the month together, with the cheapest** | **{together:,.2f}** |"])


def sum_period(lines: Sequence[Line], values: Mapping[str, float], period: str) -> float:
    """Return US dollars of all lines of ``period``."""
    return sum(line.usd(values) for line in lines if line.period == period)


def format_example(prices: PriceTable, lines: Sequence[Line], peer: str) -> str:
    """Return the generated part of the page; ``peer`` is the comparison with AWS's solution."""
    values = {one.name: one.default for one in INPUTS}
    listed_offers = list_month_offers(prices, values)
    offers = format_offers(listed_offers, sum_cheapest(lines, values, listed_offers))
    listed = "; ".join(f"{one.label}: {one.default:,.10g}" for one in INPUTS)
    return f"{listed}.\n\n{format_table(lines, values)}\n\n{offers}\n\n{peer}\n\n{_cite(prices)}"


def _cite(prices: PriceTable) -> str:
    plans = load_flat_rate_plans()
    return f"Prices of us-east-1, on demand, as read on {prices.read_on}; of plans on {plans.read_on}."


def format_data(prices: PriceTable, lines: Sequence[Line]) -> str:
    """Return the coefficients for the calculator, as a script."""
    plans = load_flat_rate_plans()
    model = {
        "read": str(prices.read_on),
        "inputs": [*map(asdict, INPUTS)],
        "lines": [*map(asdict, lines)],
        "rates": asdict(read_rates(prices, MEMORY_MB, ARCHITECTURE)),
        "functions": EDGE_FUNCTIONS,
        "free": asdict(plans.free_tier),
        "levels": [*_list_levels(plans)],
    }
    text = json.dumps(model, indent=1)
    return f"// Written by `make alarms` (bench/cost/month.py). Do not edit.\nconst MODEL = {text};\n"


def _list_levels(plans: FlatRatePlans) -> Iterator[dict[str, object]]:
    for plan in plans.plans:
        by_store = plans.has(plan.tier, "origin_failover")
        yield from ({**asdict(level), "label": plan.label(level), "by_store": by_store} for level in plan.levels)


def read_inputs(given: Sequence[str]) -> Iterator[tuple[str, float]]:
    """Yield name and value of each ``INPUT=NUMBER``. Raises ValueError."""
    known = {one.name for one in INPUTS}
    for pair in given:
        name, _, value = pair.partition("=")
        if name not in known:
            raise ValueError(f"there is no input {name}; inputs: {', '.join(sorted(known))}")
        yield name, float(value)
