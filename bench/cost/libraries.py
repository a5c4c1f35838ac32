"""Price bulk jobs by AWS's price list: a million images, and model analysis.

Counts are those of the code. Times are measured where stated.
"""

from __future__ import annotations

from dataclasses import dataclass

from cli.library.prices import (
    ENDPOINT_MS,
    IMAGES,
    LATENCY_MS,
    MASTER_MB,
    MEGABYTES_PER_S,
    MEMORY_MB,
    PREPARE_MS,
    PRESETS,
    PRESETS_MS,
    Amounts,
    price_analysis,
    price_ingest,
    price_presets,
    sum_usd,
)
from darkroom_pipeline.bulk.messages import BATCH_SIZE
from darkroom_pipeline.operations.cost_model import (
    HOURS_A_MONTH,
    Architecture,
    PriceTable,
    function_amounts,
    sum_amounts,
)

from ..tables import Table

IMAGES_PER_HOUR = 36_000
"""Throughput of one machine, by the share of ``ENDPOINT_MS``."""

MACHINE = "endpoint-hours-ml-g4dn-xlarge"
"""An hour costs the same for real-time and asynchronous inference and for Batch Transform (Amazon SageMaker AI pricing,
us-east-1).
"""

START_HOURS = 0.15
"""Start time of a machine, assumed: about nine minutes, most of them for the container image."""

IDLE_HOURS = 0.25
"""Time until an idle machine is removed: the usual cool-down of scaling policies."""


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


@dataclass(frozen=True, slots=True)
class AnalysisMode:
    """A mode of analysis: instance hours beyond those of inference, and the other costs of an image."""

    name: str
    further_hours: float
    each: Amounts

    def dollars(self, prices: PriceTable, images: float) -> float:
        """Return all costs of ``images`` images at once."""
        hours = images / IMAGES_PER_HOUR + self.further_hours
        return hours * prices.prices[MACHINE].usd_per_unit + sum_usd(prices, self.each, images)


def list_modes(architecture: Architecture) -> tuple[AnalysisMode, ...]:
    """List the ways. infer uses real-time inference; the others are priced with the input and output that they need.

    Asynchronous inference reads the prepared image from S3, writes its result there and sends a notification; another
    function reads and stores the result. A Batch Transform job also reads prepared images, and its results are read in
    the same way. If it reads masters, only the instance prepares them.
    """
    live = price_analysis(architecture)
    quick = sum_amounts(live, function_amounts(MEMORY_MB, -ENDPOINT_MS, 0, architecture))
    answered = function_amounts(512, 6 * LATENCY_MS, 1, architecture)
    apart = sum_amounts(quick, {"s3-puts": 2, "s3-gets": 2}, answered)
    kept = {"s3-puts": 2, "s3-gets": 3, "dynamodb-writes": 4, "dynamodb-reads": 6, "events": 1}
    return (
        AnalysisMode("real-time, an instance that runs anyway", 0.0, live),
        AnalysisMode("real-time, for the job alone", START_HOURS, live),
        AnalysisMode("real-time, an instance kept all month", HOURS_A_MONTH, live),
        AnalysisMode("asynchronous, scaled to zero", START_HOURS + IDLE_HOURS, sum_amounts(apart, {"sqs-requests": 3})),
        AnalysisMode("Batch Transform, of prepared images", START_HOURS, apart),
        AnalysisMode("Batch Transform, of unprepared masters", START_HOURS, sum_amounts(answered, kept)),
    )


COUNTS = (1_000, 100_000, IMAGES)


def tabulate_modes(prices: PriceTable, architecture: Architecture) -> Table:
    """Return the table that compares the ways."""
    rows = [(way.name, *(f"{way.dollars(prices, count):,.2f}" for count in COUNTS)) for way in list_modes(architecture)]
    headings = ("inference", *(f"{count:,} images" for count in COUNTS))
    return Table("Analysis with instances, USD", headings, rows)


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
        f"An instance starts in {START_HOURS * 60:.0f} minutes; scaled to zero, "
        f"it idles for {IDLE_HOURS * 60:.0f} more.",
    ]


def format_page(prices: PriceTable, architecture: Architecture) -> str:
    """Return the generated part of docs/explanation/cost.md about bulk jobs."""
    tables = (tabulate_operations, tabulate_modes)
    notes = "\n".join(f"- {note}" for note in describe_conditions(prices, architecture))
    return "\n\n".join([*(table(prices, architecture).markdown() for table in tables), notes])
