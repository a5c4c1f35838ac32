"""A simulated year of a shop: misses, and what they cost if all derivatives are stored, or none but presets."""

from __future__ import annotations

from dataclasses import replace

from darkroom_pipeline.operations.cost_model import function_amounts
from darkroom_pipeline.operations.cost_model import sum_amounts as add

from ..cost import PAGE
from ..cost.month import ARCHITECTURE, COLD_SHARE, GETS, INPUTS, MEMORY_MB, MONTHS_STORED, read_durations
from ..cost.pricing import read_prices
from ..goals import Rounds, Section
from ..shop import REGIONS, Shop, Year, simulate
from ..tables import Table
from . import Progress

SAMPLE = {"full": 10, "quick": 100}
VARIED_SAMPLE = 50
"""Sample of the simulations that vary a parameter."""

DAYS_KEPT = (1, 30)
EXPONENTS = (0.7, 0.9, 1.0, 1.2)
STORED_DAYS = (30, 180, 365)


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Simulate the shop, then with other parameters."""
    base = Shop(sample=max(SAMPLE[rounds], VARIED_SAMPLE))
    varied = {
        "the shop": base,
        "with `Refine=on`": replace(base, refines=True),
        **{f"popularity: rank^−{exponent:g}": replace(base, exponent=exponent) for exponent in EXPONENTS},
        **{f"a regional cache keeps an image {days} days": replace(base, retention_days=days) for days in DAYS_KEPT},
        **{f"`RetentionDays` of derivatives: {days}": replace(base, stored_days=days) for days in STORED_DAYS},
    }
    rows = []
    for name, shop in varied.items():
        progress(name)
        stored, nothing = simulate(shop), simulate(replace(shop, stores=False, refines=False))
        usd, usd_nothing = price_misses(stored), price_misses(nothing)
        rows.append((name, *_ratios(stored), f"{usd:,.0f}", f"{usd_nothing:,.0f}", f"{usd / usd_nothing:.2f}"))
    headings = ("", "CDN hits", "store hits", "renders, million", "storing all, USD", "storing presets", "ratio")
    progress("the months")
    tables = [tabulate_months(simulate(Shop(sample=SAMPLE[rounds]))), Table("Misses of the year", headings, rows)]
    return Section("\n\n".join([*(table.markdown() for table in tables), describe(base)]))


def price_misses(year: Year) -> float:
    """Return US dollars of a year's misses: reads, renders, and derivatives that were stored after a render."""
    prices = read_prices()
    render_ms, start_ms = read_durations(PAGE.read_text(encoding="utf-8"))
    renders, reads = float(year.renders.sum()), float(year.store_hits.sum())
    image_kb = next(one.default for one in INPUTS if one.name == "image_kb")
    kept_months = MONTHS_STORED * year.shop.stored_days / 90
    amounts = add(
        function_amounts(MEMORY_MB, (render_ms + COLD_SHARE * start_ms) * renders, renders, ARCHITECTURE),
        {"s3-gets": GETS * renders + reads},
        {"s3-puts": renders, "s3-gb-months": renders * kept_months * image_kb / 1e6} if year.shop.stores else {},
    )
    return sum(prices.cost(amounts).values())


def tabulate_months(year: Year) -> Table:
    """Format a row for each month, and one for the year."""
    months = (year.monthly(one) for one in (year.views, year.cdn_hits, year.store_hits, year.renders.sum(axis=1)))
    rows = [
        (str(month), f"{views / 1e6:.1f}", *_format(views, cdn, store, renders))
        for month, (views, cdn, store, renders) in enumerate(zip(*months, strict=True), start=1)
    ]
    rows.append(("**year**", f"{year.views.sum() / 1e6:.1f}", *_ratios(year)))
    return Table("The months", ("month", "views, million", "CDN hits", "store hits", "renders, million"), rows)


def _ratios(year: Year) -> tuple[str, ...]:
    return _format(*(float(one.sum()) for one in (year.views, year.cdn_hits, year.store_hits, year.renders)))


def _format(views: float, cdn: float, store: float, renders: float) -> tuple[str, ...]:
    return f"{cdn / views:.1%}", f"{store / max(1, views - cdn):.1%}", f"{renders / 1e6:.2f}"


def describe(shop: Shop) -> str:
    """Describe assumptions and sources."""
    variants = ", ".join(f"{variant.name} {variant.share:.0%}" for variant in shop.variants)
    return "\n".join(
        [
            f"- Simulated: every view is drawn, seed {shop.seed}, one image for {SAMPLE['full']} of neighbouring "
            f"ranks, or for {VARIED_SAMPLE} in the second table.",
            f"- Assumed: {shop.images:,} images imported on the first day, {shop.new_share:.0%} replaced a month; "
            f"{shop.views_a_month:,} views a month; popularity by rank^−{shop.exponent:g}; variants: {variants}; "
            f"{len(REGIONS)} regional caches with {REGIONS[0]:.0%} to {REGIONS[-1]:.0%} of the views, each of which "
            f"keeps an image without a request for {shop.retention_days} days. AWS does not document the eviction.",
            f"- Of the template: derivatives expire after {shop.stored_days} days, presets are rendered at ingest.",
            "- Store hits: misses of the CDN that S3 answers. USD: renders with their reads, PUTs and storage until "
            "they expire, and reads of stored derivatives, with the time of a 12 MP render of [cost](cost.md); "
            "presets at ingest and delivery are the same for both.",
        ]
    )
