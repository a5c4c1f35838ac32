"""Measure time and cost of a search of the vector table, by the number of images below the prefix."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence

from darkroom_pipeline.aws.clients import create_client
from darkroom_pipeline.aws.vectors.dynamodb import DynamoDBVectors

from ..statistics import Spread
from ..tables import Table
from .pages import DIMENSIONS, count_read_units, serve_table

SIZES = (1_000, 10_000, 50_000, 100_000)
TURNS = 5

READ_DOLLARS = 0.125e-6
"""A read unit on demand in us-east-1, as of November 2024 (DynamoDB's price list)."""

SECOND_DOLLARS = 0.0000133334 * 1769 / 1024
"""A second of a function with 1769 MB on arm64 (Lambda's price list)."""


def time_search(images: int, turns: int) -> Spread:
    """Measure the search of the nearest ten among ``images`` images, in ms."""
    dice = random.Random(1)
    vector = [dice.gauss(0, 1) for _ in range(DIMENSIONS)]
    with serve_table(images) as url:
        where = {"AWS_ENDPOINT_URL": url, "AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}
        store = DynamoDBVectors(create_client("dynamodb", where), "vectors")
        taken = [_timed(store, vector) for _ in range(turns + 1)]
    return Spread.of(taken[1:])  # the first one opens connections


def _timed(store: DynamoDBVectors, vector: Sequence[float]) -> float:
    started_s = time.perf_counter()
    found = store.nearest(vector, count=10, prefix="library/")
    assert len(found) == 10
    return (time.perf_counter() - started_s) * 1000


def format_table(machine: str, turns: int = TURNS) -> Table:
    """Format a row for each size."""
    return Table(
        "One search of the table",
        ("images below the prefix", "ms", "read units", "dollars for 1,000 searches"),
        [_row(images, time_search(images, turns)) for images in SIZES],
        [
            f"Median (least–greatest) of {turns} on {machine}: pages of 1 MB from a process beside it are read, "
            "compared and ranked. The time that DynamoDB takes to send a page is additional, for all shards at once."
        ],
    )


def _row(images: int, duration_ms: Spread) -> tuple[str, ...]:
    units = count_read_units(images)
    dollars = 1000 * (units * READ_DOLLARS + duration_ms.median / 1000 * SECOND_DOLLARS)
    return f"{images:,}", str(duration_ms), f"{units:,.0f}", f"{dollars:.2f}"
