"""When storing pays: all derivatives, none, by chance, and by an oracle, over a simulated year of shops."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

from cli.library.prices import LATENCY_MS
from darkroom.services.serve.rendering import OBJECTS_READ
from darkroom.services.serve.store_policy import (
    MAX_SEEN,
    MissCosts,
    Rendering,
    StorePolicy,
    compute_probability,
    load_unit_prices,
)

from ..chart import Chart
from ..cost import PAGE
from ..cost.inputs import DEFAULTS
from ..cost.month import ARCHITECTURE, COLD_SHARE, MEMORY_MB, read_durations
from ..cost.pricing import MEZZANINE_READS
from ..goals import Figure, Rounds, Section
from ..shop import MONTHS, REGIONS, Misses, Shop, list_misses
from ..storing import Prices, Processes, expect_ratio, price_misses, price_oracle, price_unstored, read_misses
from ..tables import Table
from . import Progress

SAMPLE = {"full": 400, "quick": 4_000}
EXPONENTS = (0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
STORED_DAYS = (30, 180, 365)
TIMES = (1, 2, 3, 5, 10, 20, 50)
MOST_TIMES = 200
POPULARITY = "popularity: "
ARCHIVE_VIEWS = 1_000_000
"""Views a month of a shop whose derivatives are mostly missed once."""


@dataclass(frozen=True, slots=True)
class Compared:
    """US dollars of the same misses by what is stored: everything, presets at ingest only, by chance, by an oracle."""

    always: float
    never: float
    chance: float
    oracle: float

    @property
    def to_better(self) -> float:
        """Ratio of storing by chance to the better of storing all and nothing."""
        return self.chance / min(self.always, self.never)


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Simulate shops, and compute the worst case."""
    prices, rows, compared = read_prices(), list[tuple[str, ...]](), dict[str, Compared]()
    for name, shop in list_shops(SAMPLE[rounds]).items():
        progress(name)
        misses = list_misses(shop)
        compared[name] = compare(misses, prices, shop)
        rows.append(format_site(name, misses, compared[name], shop))
    charts = {"storing-popularity.svg": draw_popularity(compared), "storing-times.svg": draw_times(prices.miss_costs)}
    tables = [tabulate_sites(rows), tabulate_times(prices.miss_costs)]
    text = [
        part
        for table, name in zip(tables, charts, strict=True)
        for part in (table.markdown(), f"![{charts[name].title}](../images/{name})")
    ]
    return Section("\n\n".join([*text, describe(prices)]), figures(compared, prices), charts=charts)


def list_shops(sample: int) -> Mapping[str, Shop]:
    """Return the simulated shops by name."""
    base = Shop(sample=sample)
    return {
        **{f"{POPULARITY}rank^−{exponent:g}": replace(base, exponent=exponent) for exponent in EXPONENTS},
        "one regional cache": replace(base, regions=(1.0,)),
        "three regional caches": replace(base, regions=REGIONS[:3]),
        "a regional cache keeps an image 1 day": replace(base, retention_days=1),
        "a regional cache keeps an image 30 days": replace(base, retention_days=30),
        f"{ARCHIVE_VIEWS:,} views a month": replace(base, views_a_month=ARCHIVE_VIEWS),
        **{f"`RetentionDays` of derivatives: {days}": replace(base, stored_days=days) for days in STORED_DAYS},
    }


def read_prices() -> Prices:
    """Return what the policy computes for the render of docs/explanation/cost.md, whose time includes that of a PUT."""
    render_ms, start_ms = read_durations(PAGE.read_text(encoding="utf-8"))
    image_kb = DEFAULTS["image_kb"]
    units = load_unit_prices("aarch64" if ARCHITECTURE == "arm64" else ARCHITECTURE)
    billed_ms = render_ms - LATENCY_MS + COLD_SHARE * start_ms
    gets = OBJECTS_READ + MEZZANINE_READS
    costs = StorePolicy(lambda: units, MEMORY_MB).price(
        Rendering("", "", int(image_kb * 1000), billed_ms, LATENCY_MS, gets)
    )
    month = image_kb / 1e6 * units.gb_month
    return Prices(costs.render, costs.read, costs.storing - month, month)


def compare(misses: Misses, prices: Prices, shop: Shop) -> Compared:
    """Price ``misses`` of ``shop``."""
    prices = replace(prices, stored_days=shop.stored_days)

    def is_preset(number: int) -> bool:
        return shop.variants[number % len(shop.variants)].preset

    most = max(1, MAX_SEEN // shop.sample)
    return _compare(misses, prices, Processes(prices.miss_costs, np.random.default_rng(shop.seed), most, is_preset))


def _compare(misses: Misses, prices: Prices, processes: Processes) -> Compared:
    return Compared(
        price_misses(misses, prices, lambda *_: True),
        price_unstored(misses, prices, processes.is_preset),
        price_misses(misses, prices, processes.chooses),
        price_oracle(misses, prices),
    )


def format_site(name: str, misses: Misses, compared: Compared, shop: Shop | None = None) -> tuple[str, ...]:
    """Format a row of :func:`tabulate_sites`. Without ``shop``, the number of views is unknown."""
    sample = shop.sample if shop else 1
    always, *others = (usd * sample for usd in (compared.always, compared.never, compared.chance, compared.oracle))
    return (
        name,
        f"{1 - len(misses.days) * sample / (shop.views_a_month * MONTHS):.1%}" if shop else "–",
        f"{len(misses.days) / len(np.unique(misses.derivatives)):.1f}",
        _format_usd(always),
        *(f"{_format_usd(usd)} ({usd / always:.2f})" for usd in others),
        f"{compared.to_better:.2f}",
    )


def _format_usd(usd: float) -> str:
    return f"{usd:,.0f}" if usd >= 10 else f"{usd:.2g}"


def tabulate_sites(rows: Sequence[tuple[str, ...]]) -> Table:
    """Format the costs of each site, those in parentheses in units of storing all."""
    headings = (
        "",
        "CDN hits",
        "misses of a derivative",
        "storing all, USD",
        "nothing",
        "by chance",
        "an oracle",
        "chance ÷ the better",
    )
    return Table("Misses of a year, and storage", headings, rows)


def tabulate_times(costs: MissCosts) -> Table:
    """Format the ratios to an oracle by the number of misses."""
    chance = compute_probability(costs)
    by_chance: list[Callable[[int], float]] = [lambda _: chance, partial(compute_probability, costs)]
    headings = ("missed", "storing all", "storing nothing", "by chance", "by chance, all misses seen")
    rows = [
        (
            "once" if times == 1 else f"{times} times",
            f"{expect_ratio(costs, times, lambda _: 1.0):.2f}",
            f"{(1 - costs.read / costs.render) * expect_ratio(costs, times, lambda _: 0.0):.2f}",
            *(f"{expect_ratio(costs, times, one):.2f}" for one in by_chance),
        )
        for times in TIMES
    ]
    return Table("Cost of a derivative by its misses in a month, in units of an oracle's", headings, rows)


def draw_popularity(compared: Mapping[str, Compared]) -> Chart:
    """Draw the costs by popularity, in units of the better of storing all and nothing."""
    shops = {name.removeprefix(f"{POPULARITY}rank^−"): one for name, one in compared.items() if POPULARITY in name}
    better = [min(one.always, one.never) for one in shops.values()]
    costs = {
        "storing all": [one.always for one in shops.values()],
        "storing nothing": [one.never for one in shops.values()],
        "by chance": [one.chance for one in shops.values()],
        "an oracle": [one.oracle for one in shops.values()],
    }
    series = {name: [usd / least for usd, least in zip(values, better, strict=True)] for name, values in costs.items()}
    title = "Cost of a shop's year, in units of the better of storing all and nothing"
    return Chart(title, "exponent of the popularity", list(shops), series)


def draw_times(costs: MissCosts) -> Chart:
    """Draw the ratios to an oracle by the number of misses."""
    table = tabulate_times(costs)
    columns = zip(*table.rows, strict=True)
    points = [str(times) for times in TIMES]
    series = {
        name: [float(cell) for cell in column]
        for name, column in zip(table.headings, columns, strict=True)
        if name != table.headings[0]
    }
    return Chart(f"{table.title}", "misses", points, series)


def figures(compared: Mapping[str, Compared], prices: Prices) -> list[Figure]:
    """Return the figures of the worst case, and of the shops by popularity."""
    costs = prices.miss_costs
    chance = compute_probability(costs)
    worst, floor = find_worst(costs, chance), find_floor(costs)
    ratios = {name: one.to_better for name, one in compared.items() if name.startswith(POPULARITY)}
    highest = max(ratios, key=lambda name: ratios[name])
    ratio, less = ratios[highest], sum(one < 1 for one in ratios.values()) / len(ratios)
    return [
        Figure("store-worst", worst, worst, worst, floor, "no constant probability is below the floor"),
        Figure("store-popularity", ratio, ratio, ratio, why=f"with {highest}"),
        Figure("store-popularity-less", less, less, less, why="storing all costs least where images are missed often"),
    ]


def find_worst(costs: MissCosts, chance: float) -> float:
    """Return the worst ratio to an oracle if each miss is stored with the same ``chance``."""
    return max(expect_ratio(costs, times, lambda _: chance) for times in range(1, MOST_TIMES))


def find_floor(costs: MissCosts) -> float:
    """Return the worst ratio of the best constant probability, in steps of a percent."""
    return min(find_worst(costs, percent / 100) for percent in range(1, 101))


def describe(prices: Prices) -> str:
    """Describe assumptions, prices and sources."""
    million = {"render": prices.render, "read": prices.read, "PUT and check": prices.put, "month": prices.month}
    listed = ", ".join(f"{name} {usd * 1e6:.2f}" for name, usd in million.items())
    shop = Shop()
    variants = ", ".join(f"{variant.name} {variant.share:.0%}" for variant in shop.variants)
    return "\n".join(
        [
            f"- Simulated: every view is drawn, seed {shop.seed}, one image for {SAMPLE['full']} of neighbouring "
            "ranks.",
            f"- Assumed: {shop.images:,} images imported on the first day, {shop.new_share:.0%} replaced a month; "
            f"{shop.views_a_month:,} views a month; popularity by rank^−{shop.exponent:g}; variants: {variants}; "
            f"{len(REGIONS)} regional caches with {REGIONS[0]:.0%} to {REGIONS[-1]:.0%} of the views, each of which "
            f"keeps an image without a request for {shop.retention_days} days. AWS does not document the eviction. Two "
            "processes of the function live four hours each.",
            f"- Of the template: derivatives expire after {shop.stored_days} days, presets are rendered at ingest, "
            "which is not counted.",
            f"- USD of a million: {listed}, with the time of a 12 MP render of [cost](cost.md), before which the CDN "
            "asks S3, also for the oracle, but not where nothing but presets is stored; storage is charged until "
            f"derivatives expire. A miss is stored with a probability of {compute_probability(prices.miss_costs):.2f}.",
        ]
    )


def format_logs(files: Sequence[Path]) -> str:
    """Return the table for the misses in access logs. Raises ValueError without a miss."""
    misses, prices = read_misses(files), read_prices()
    if not len(misses.days):
        raise ValueError("the logs have no miss of an image")
    found = _compare(misses, prices, Processes(prices.miss_costs, np.random.default_rng(), MAX_SEEN))
    return tabulate_sites([format_site(f"{len(misses.days):,} misses", misses, found)]).markdown()


if __name__ == "__main__":
    print(format_logs([Path(name) for name in sys.argv[1:]]))
