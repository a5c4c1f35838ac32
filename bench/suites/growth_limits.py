"""The first bottleneck at each factor of ten in images and views, and the limits of AWS, computed."""

from __future__ import annotations

from collections.abc import Sequence

from ..goals import Rounds, Section
from ..growth.bill import PEAK_FACTOR
from ..growth.figures import DrainFigures, MissFigures, read_drains, read_misses
from ..growth.limits import Limit, Load, Use, find_bottleneck, find_reached, read_limits
from ..growth.shop import Shop
from ..tables import Table
from . import Progress

IMAGES = tuple(2 * 10**power for power in range(3, 9))
VIEWS_A_MONTH = tuple(5 * 10**power for power in range(4, 10))


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Compute the tables from the stored measurements; ``rounds`` changes nothing."""
    del rounds
    progress("limits")
    misses, drains, limits = read_misses(), read_drains(), read_limits()
    tables = [
        tabulate_sizes(misses, drains, limits),
        tabulate_bottlenecks(misses, drains, limits),
        tabulate_limits(misses, drains, limits),
    ]
    return Section("\n\n".join([*(table.markdown() for table in tables), describe()]))


def tabulate_sizes(misses: MissFigures, drains: DrainFigures, limits: Sequence[Limit]) -> Table:
    """Format a row for each factor of ten in images and views together."""
    rows = []
    for images, views in zip(IMAGES, VIEWS_A_MONTH, strict=True):
        load = Load(Shop(images=images, views_a_month=views), misses, drains)
        setting, service = (find_bottleneck(load, limits, kind) for kind in ("template", "aws"))
        rows.append(
            (
                f"{format_count(images)}, {format_count(views)}",
                f"{load.state.cdn_hit_ratio:.0%}",
                f"{load.views_a_second:,.3g}",
                f"{load.renders_a_second:,.3g}",
                f"{load.functions_at_once:,.3g}",
                f"{load.import_days:,.1f}",
                _name(setting),
                _name(service),
            )
        )
    headings = (
        *("images, views a month", "CDN hits", "views/s", "renders/s", "functions at once", "import, days"),
        *("first setting of the template", "first limit of AWS"),
    )
    return Table("Growth by factors of ten", headings, rows)


def tabulate_bottlenecks(misses: MissFigures, drains: DrainFigures, limits: Sequence[Limit]) -> Table:
    """Format the most used limit of AWS for each number of images (rows) and views (columns)."""
    rows = []
    for images in IMAGES:
        loads = [Load(Shop(images=images, views_a_month=views), misses, drains) for views in VIEWS_A_MONTH]
        rows.append((format_count(images), *(_short(find_bottleneck(load, limits, "aws")) for load in loads)))
    headings = ("images", *(f"{format_count(views)} views" for views in VIEWS_A_MONTH))
    return Table("First limit of AWS, by images and views a month", headings, rows)


def tabulate_limits(misses: MissFigures, drains: DrainFigures, limits: Sequence[Limit]) -> Table:
    """Format where each limit is reached if images and views grow together."""
    load = Load(Shop(), misses, drains)
    rows = []
    for limit in limits:
        reached = find_reached(load, limit)
        rows.append(
            (
                limit.name + (f" (`{limit.optional}`)" if limit.optional else ""),
                _percent(getattr(load, limit.load) / limit.value),
                f"{format_count(Shop().images * reached)}" if reached else "–",
                limit.unit,
                limit.effect,
                limit.page,
            )
        )
    headings = ("limit", "used by the shop", "reached at images", "of", "then", "source")
    return Table("Limits", headings, rows)


def describe() -> str:
    """Describe how the tables are computed."""
    shop = Shop()
    return "\n".join(
        [
            "- Computed from the measured times, by the steady state of the simulated shop: the same variants, "
            f"masters, regions and shares, {shop.new_share:.0%} new images a month, and "
            f"{shop.views_a_month // shop.images} views of an image a month where both grow together. Rates are of the "
            f"busiest hour, assumed as {PEAK_FACTOR:g} times the mean, except for re-encoding.",
            "- A percentage is the load as a share of the limit. Limits are AWS's defaults in us-east-1, most of which "
            "can be increased. *Import* is the ingest of all images by 10 functions at a time.",
            "- Limits with an option in brackets count as a bottleneck only if the year has the option (`Refine=on`). "
            "**–** is beyond a million times the shop.",
        ]
    )


def format_count(value: float) -> str:
    """Format a count with two digits and k, million or billion."""
    for name, size in ((" billion", 1e9), (" million", 1e6), ("k", 1e3)):
        if value >= size:
            return f"{value / size:.2g}{name}" if value / size < 100 else f"{value / size:.0f}{name}"
    return f"{value:.0f}"


def _name(use: Use) -> str:
    text = f"{use.limit.name}: {_percent(use.share)}"
    return f"**{text}**" if use.share >= 1 else text


def _short(use: Use) -> str:
    text = f"{use.limit.id} {_percent(use.share)}"
    return f"**{text}**" if use.share >= 1 else text


def _percent(share: float) -> str:
    return f"{share:,.0%}" if share >= 0.1 else f"{100 * share:.2g}%"
