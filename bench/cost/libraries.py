"""Price bulk jobs by AWS's price list: a million images.

Counts are those of the code. Times are measured where stated.
"""

from __future__ import annotations

from cli.library.prices import (
    ENDPOINT_MS,
    LATENCY_MS,
    MASTER_MB,
    MEGABYTES_PER_S,
    MEMORY_MB,
    PREPARE_MS,
    PRESETS,
    PRESETS_MS,
    price_analysis,
    price_ingest,
    price_presets,
    sum_usd,
)
from darkroom_pipeline.bulk.messages import BATCH_SIZE
from darkroom_pipeline.operations.cost_model import Architecture, PriceTable

from ..tables import Table

IMAGES_PER_HOUR = 36_000
"""Throughput of one machine, by the share of ``ENDPOINT_MS``."""


def tabulate_operations(prices: PriceTable, architecture: Architecture) -> Table:
    """Return the table of a million images by operation."""
    named = {
        "ingest, of uploads": price_ingest(architecture, copied=False),
        "ingest, copied from another bucket": price_ingest(architecture, copied=True),
        "infer, without its instance": price_analysis(architecture),
        "presets": price_presets(architecture),
    }
    columns = ("state-transitions", "lambda", "s3", "else")
    rows = []
    for name, amounts in named.items():
        dollars = dict.fromkeys(columns, 0.0)
        for charged, amount in amounts.items():
            column = next((one for one in columns if charged.startswith(one)), "else")
            dollars[column] += sum_usd(prices, {charged: amount})
        rows.append((name, *(f"{dollars[column]:.2f}" for column in columns), f"{sum(dollars.values()):.2f}"))
    headings = ("operation", "Step Functions", "Lambda", "S3", "queues, events, index", "together")
    return Table("A bulk job over a million images, USD", headings, rows)


def describe_conditions(prices: PriceTable, architecture: Architecture) -> list[str]:
    """Describe the conditions of the numbers."""
    return [
        f"12 MP JPEGs of {MASTER_MB} MB, functions with {MEMORY_MB} MB on {architecture}, batches of {BATCH_SIZE}; "
        f"S3 is {LATENCY_MS:.0f} ms to the first byte and {MEGABYTES_PER_S:.0f} MB/s. "
        f"Prices of us-east-1 as read on {prices.read_on}.",
        f"{PRESETS} presets take {PRESETS_MS:.0f} ms and an image for models {PREPARE_MS:.0f} ms, measured. "
        "The latter is one opaque frame: animations, pages and transparency cost "
        "[further calls](../guides/image-analysis.md#what-is-analysed). "
        f"An endpoint that responds in {ENDPOINT_MS:.0f} ms, {IMAGES_PER_HOUR:,} images an hour of an "
        f"ml.g4dn.xlarge, is assumed: the template's own `EndpointScaling`.",
    ]


def format_page(prices: PriceTable, architecture: Architecture) -> str:
    """Return the generated part of docs/explanation/cost.md about bulk jobs."""
    notes = "\n".join(f"- {note}" for note in describe_conditions(prices, architecture))
    return f"{tabulate_operations(prices, architecture).markdown()}\n\n{notes}"
