"""A simulated year of a shop with 2 million images and 50 million views a month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ..cost.pricing import read_prices
from ..goals import Rounds, Section
from ..growth.bill import MODES, Bill
from ..growth.charts import YEAR_CHART, Line, draw_year
from ..growth.figures import DrainFigures, MissFigures, read_drains, read_misses
from ..growth.render_times import SLOW_MS, slow_down
from ..growth.shop import MASTERS, MONTHS, REGIONS, Shop, Year, simulate
from ..tables import Table
from . import Progress

if TYPE_CHECKING:
    from darkroom_pipeline.operations.cost_model import PriceTable

SAMPLE = {"full": 10, "quick": 100}
RETENTIONS_DAYS = (1, 7, 30)
EXPONENTS = (0.7, 0.8, 0.9, 1.0)
STORED_DAYS = (30, 90, 180, 365)
SLOWER = 2.0
"""Factor of CPU time on slower cores."""

VARIED_SAMPLE = 50
"""Sample of the simulations that vary a parameter."""

CHARTED = ("CloudFront", "S3", "Lambda")


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Simulate with the stored measurements of misses and drains; a full run draws the chart."""
    misses, drains, prices = read_misses(), read_drains(), read_prices()
    progress("a year of a shop")
    year = simulate(Shop(sample=SAMPLE[rounds]))
    bills = [Bill(year, misses, drains, prices, mode) for mode in MODES]
    year_bill = Bill(year, misses, drains, prices)
    if rounds == "full":
        YEAR_CHART.write_text(_draw(year_bill), encoding="utf-8")
    progress("other parameters")
    tables = [
        tabulate_months(year_bill),
        tabulate_bill(year_bill),
        tabulate_modes(bills),
        _tabulate_variations(misses, drains, prices),
    ]
    return Section("\n\n".join([*(table.markdown() for table in tables), describe(year, prices)]))


def _ratios(year: Year) -> tuple[Sequence[float], Sequence[float]]:
    """Return the hit ratios of CDN and store by month."""
    views, cdn, store = (year.monthly(one) for one in (year.views, year.cdn_hits, year.store_hits))
    return list(cdn / views), list(store / (views - cdn))


def tabulate_months(bill: Bill) -> Table:
    """Format a row for each month."""
    year = bill.year
    views, renders = year.monthly(year.views), year.monthly(year.renders)
    rows: list[tuple[str, ...]] = [
        (
            str(month + 1),
            f"{views[month] / 1e6:.1f}",
            f"{cdn:.1%}",
            f"{store:.1%}",
            f"{renders[month].sum() / 1e6:.2f}",
            f"{bill.share_slow(month):.2%}",
            f"{bill.cold_share(month):.1%}",
            f"{bill.reencode_backlog(month):.1f}",
            f"{sum(bill.price_month(month).values()):,.0f}",
        )
        for month, (cdn, store) in enumerate(zip(*_ratios(year), strict=True))
    ]
    rows.append(("**year**", *_sum_year(bill), f"**{_sum_usd(bill):,.0f}**"))
    headings = (
        *("month", "views, million", "CDN hits", "store hits", "renders, million", f"misses over {SLOW_MS:.0f} ms"),
        *("cold renders", "re-encoding load", "USD"),
    )
    return Table("The year", headings, rows)


def _sum_year(bill: Bill) -> tuple[str, ...]:
    year = bill.year
    views, cdn, store = (int(one.sum()) for one in (year.views, year.cdn_hits, year.store_hits))
    months = range(MONTHS)
    slow = sum(bill.share_slow(month) * bill.count_misses(month) for month in months)
    return (
        f"{views / 1e6:.1f}",
        f"{cdn / views:.1%}",
        f"{store / (views - cdn):.1%}",
        f"{int(year.renders.sum()) / 1e6:.2f}",
        f"{slow / (views - cdn):.2%}",
        "",
        f"{sum(bill.reencode_backlog(month) for month in months) / MONTHS:.1f}",
    )


def _sum_usd(bill: Bill) -> float:
    """Return the year's cost."""
    return sum(sum(bill.price_month(month).values()) for month in range(MONTHS))


def tabulate_bill(bill: Bill) -> Table:
    """Format US dollars by service: the first month, which imports all images, some others, and the year."""
    shown = (0, 1, 2, 3, 6, 11)
    months = [bill.price_month(month) for month in range(MONTHS)]
    rows = [
        (service, *(f"{months[month][service]:,.0f}" for month in shown), f"{sum(one[service] for one in months):,.0f}")
        for service in months[0]
    ]
    totals = [sum(one.values()) for one in months]
    rows.append(("**together**", *(f"**{totals[month]:,.0f}**" for month in shown), f"**{sum(totals):,.0f}**"))
    headings = ("USD", *(f"month {month + 1}" for month in shown), "year")
    return Table("The bill", headings, rows)


def tabulate_modes(bills: Sequence[Bill]) -> Table:
    """Compare the modes of mezzanines."""
    rows = []
    for bill in bills:
        months = [bill.price_month(month) for month in range(MONTHS)]
        renders = bill.year.monthly(bill.year.renders).sum(axis=(1, 2, 3))
        mean_ms = sum(bill.mean_ms(month) * renders[month] for month in range(MONTHS)) / renders.sum()
        rows.append(
            (
                MODES[bill.mode],
                f"{mean_ms:.0f}",
                _sum_year(bill)[4],
                f"{sum(one['Lambda'] for one in months):,.0f}",
                f"{sum(one['S3'] for one in months):,.0f}",
                f"{sum(sum(one.values()) for one in months):,.0f}",
            )
        )
    headings = ("", "mean render, ms", f"misses over {SLOW_MS:.0f} ms", "Lambda, USD", "S3, USD", "year, USD")
    return Table("Mezzanines", headings, rows)


def _tabulate_variations(misses: MissFigures, drains: DrainFigures, prices: PriceTable) -> Table:
    """Vary one assumption at a time."""
    base = Shop(sample=VARIED_SAMPLE)
    shops = {
        **{
            f"a regional cache keeps an image without a request for {days} days": replace(base, retention_days=days)
            for days in RETENTIONS_DAYS
        },
        **{f"popularity: rank^−{exponent:g}": replace(base, exponent=exponent) for exponent in EXPONENTS},
        **{f"`RetentionDays` of derivatives: {days}": replace(base, stored_days=days) for days in STORED_DAYS},
    }
    years = {name: simulate(shop) for name, shop in shops.items()}
    bills = {name: Bill(year, misses, drains, prices) for name, year in years.items()}
    bills["`Refine=off`"] = Bill(simulate(replace(base, refines=False)), misses, drains, prices)
    year = years[f"`RetentionDays` of derivatives: {base.stored_days}"]
    bills[f"functions with {SLOWER:g} times the CPU time"] = Bill(year, slow_down(misses, SLOWER), drains, prices)
    rows = []
    for name, bill in bills.items():
        _, cdn, store, renders, slow, *_ = _sum_year(bill)
        rows.append((name, cdn, store, renders, slow, f"{_sum_usd(bill):,.0f}"))
    headings = ("", "CDN hits", "store hits", "renders, million", f"misses over {SLOW_MS:.0f} ms", "year, USD")
    return Table("Other assumptions", headings, rows)


def describe(year: Year, prices: PriceTable) -> str:
    """Describe assumptions and sources."""
    shop = year.shop
    variants = ", ".join(f"{variant.name} {variant.share:.0%}" for variant in shop.variants)
    masters = ", ".join(f"{megapixels} MP {share:.0%}" for megapixels, share in MASTERS.items())
    return "\n".join(
        [
            f"- Simulated: every view is drawn, seed {shop.seed}, one image for {shop.sample} of neighbouring ranks. "
            "Views are CDN hits, store hits and renders, and nothing else.",
            f"- Assumed: {shop.images:,} images imported on the first day, {shop.new_share:.0%} replaced a month; "
            f"{shop.views_a_month:,} views a month; popularity by rank^−{shop.exponent:g}; variants: {variants}; "
            f"masters: {masters}; {len(REGIONS)} regional caches with {REGIONS[0]:.0%} to {REGIONS[-1]:.0%} of the "
            f"views, each of which keeps an image without a request for {shop.retention_days} days, and at most for "
            "`cdn_max_age_s`. AWS documents neither the eviction of its caches nor when it ends idle functions (10 "
            "minutes are assumed).",
            f"- Of the template: derivatives expire after {shop.stored_days} days, six presets are rendered at ingest, "
            "`Refine` is on, which the default lacks: the first response of a new derivative is cached for two hours.",
            "- Store hits: misses of the CDN that S3 answers. A miss is slow by the measured time of its render, and "
            f"S3's 404 before it; a cold start adds the measured difference. {SLOW_MS:.0f} ms include neither the "
            "network between CloudFront and the viewer nor that to the region.",
            "- Cold renders: of an hour with evenly distributed requests. Re-encoding load: the work that a month "
            "adds, as a multiple of what the queue's two functions can do. Above 1, messages expire after four days, "
            "and those images keep their first encoding.",
            "- All other tables are with mezzanines that expire. Background re-encoding stores those of requested "
            "images again, which is not modelled: a deployment is between the last two rows of that table.",
            f"- Prices of us-east-1 as read on {prices.read_on.isoformat()}, on demand, first tier, without free "
            "tiers; functions on arm64 with times measured on x86_64; alarms `essential`; delivery in the United "
            "States.",
        ]
    )


def _draw(bill: Bill) -> str:
    cdn, store = _ratios(bill.year)
    months = range(MONTHS)

    def line(name: str, values: Sequence[float]) -> Line:
        return Line(name, [(month + 1, value) for month, value in enumerate(values)])

    hits = [
        line("CDN hits", [100 * one for one in cdn]),
        line("store hits", [100 * one for one in store]),
        line("slow misses", [100 * bill.share_slow(month) for month in months]),
    ]
    prices = [bill.price_month(month) for month in months]
    return draw_year(hits, [line(name, [one[name] for one in prices]) for name in CHARTED])
