"""Compare the worked example's month with that of AWS's solution, each with the cheapest way to pay for the CDN."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from darkroom_pipeline.operations.cost_model import PriceTable

from .example import OURS, THEIRS, read_misses
from .month import INPUTS, Line, list_month_offers

_GROUPS = {"renders": "misses: renders", "ingest of new images": "ingest", "storage": "storage", "alarms": "alarms"}
"""Beginnings of the lines of the bill that make a row."""


class PeerRow(NamedTuple):
    """US dollars a month for one part, of both."""

    label: str
    ours: float
    theirs: float


def compare_month(prices: PriceTable, lines: Sequence[Line], page: str) -> list[PeerRow]:
    """Return the parts of the example's month. Raises ValueError unless ``page`` has the price of a million misses.

    AWS's solution renders at each of them, and stores masters only. It has no ingest, no alarms and no queues.
    """
    values = {one.name: one.default for one in INPUTS}
    megabyte = sum(prices.cost({"s3-gb-months": 1e-3}).values())
    theirs = {
        "renders": read_misses(page)["once"][THEIRS] / 1e6 * values["views"] * values["miss_percent"] / 100,
        "storage": megabyte * values["master_mb"] * values["images"],
    }
    found = [PeerRow("the CDN, with reads of what is stored", *(_pay_cdn(prices, values, reads) for reads in (1, 0)))]
    for label, start in _GROUPS.items():
        ours = sum(line.usd(values) for line in lines if line.period == "month" and line.label.startswith(start))
        found.append(PeerRow(label, ours, theirs.get(label, 0.0)))
    return [*found, PeerRow("**together**", sum(row.ours for row in found), sum(row.theirs for row in found))]


def _pay_cdn(prices: PriceTable, values: Mapping[str, float], reads: float) -> float:
    """Return the least price of the CDN, with ``reads`` of the store in each miss."""
    offers = list_month_offers(prices, {**values, "miss_percent": reads * values["miss_percent"]})
    return min(one.usd for one in offers if one.usd is not None)


def format_peer_month(rows: Sequence[PeerRow]) -> str:
    """Format the comparison as Markdown."""
    head = [f"| a month in the cheapest way, USD | {OURS} | {THEIRS} |", "| --- | ---: | ---: |"]
    return "\n".join([*head, *(f"| {row.label} | {row.ours:,.2f} | {row.theirs:,.2f} |" for row in rows)])
