"""Compare the worked example's month with AWS's solution and imgproxy, each with the cheapest plan of the CDN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from darkroom_pipeline.operations.cost_model import PriceTable

from .example import OURS, THEIRS, read_misses
from .fargate import NAME as FARGATE
from .fargate import price_month
from .inputs import DEFAULTS
from .month import ARCHITECTURE, Line, list_month_offers

_GROUPS = {"renders": "misses: renders", "ingest of new images": "ingest", "storage": "storage", "alarms": "alarms"}
"""Beginnings of the lines of the bill that make a row."""


class PeerRow(NamedTuple):
    """US dollars a month for one part, of all three."""

    label: str
    ours: float
    theirs: float
    fargate: float


def compare_month(prices: PriceTable, lines: Sequence[Line], page: str, cpu_ms: float) -> list[PeerRow]:
    """Return the parts of the example's month. Raises ValueError unless ``page`` has the price of a million misses.

    AWS's solution and imgproxy, with ``cpu_ms`` a render, render at each of them, and store masters only. They have no
    ingest, no alarms and no queues.
    """
    values = DEFAULTS
    megabyte = sum(prices.cost({"s3-gb-months": 1e-3}).values())
    misses, masters = values["views"] * values["miss_percent"] / 100, megabyte * values["master_mb"] * values["images"]
    theirs = {"renders": read_misses(page)["once"][THEIRS] / 1e6 * misses, "storage": masters}
    rendering = price_month(prices, misses, values["image_kb"], cpu_ms, ARCHITECTURE)
    fargate = {"renders": rendering.usd, "storage": masters}
    cdn = (_pay_cdn(prices, values, reads) for reads in (1, 0, 0))
    found = [PeerRow("the CDN, with reads of what is stored", *cdn)]
    for label, start in _GROUPS.items():
        ours = sum(line.usd(values) for line in lines if line.period == "month" and line.label.startswith(start))
        found.append(PeerRow(label, ours, theirs.get(label, 0.0), fargate.get(label, 0.0)))
    sums = (sum(column) for column in zip(*(row[1:] for row in found), strict=True))
    return [*found, PeerRow("**together**", *sums)]


def _pay_cdn(prices: PriceTable, values: Mapping[str, float], reads: float) -> float:
    """Return the least price of the CDN, with ``reads`` of the store in each miss."""
    offers = list_month_offers(prices, {**values, "miss_percent": reads * values["miss_percent"]})
    return min(one.usd for one in offers if one.usd is not None)


def format_peer_month(rows: Sequence[PeerRow]) -> str:
    """Format the comparison as Markdown."""
    head = [f"| a month in the cheapest way, USD | {OURS} | {THEIRS} | {FARGATE} |", "| --- | ---: | ---: | ---: |"]
    return "\n".join(
        [*head, *(f"| {label} | {' | '.join(f'{usd:,.2f}' for usd in costs)} |" for label, *costs in rows)]
    )
