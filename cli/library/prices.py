"""Amounts that AWS charges for an image of a bulk job, by operation.

Counts are those of the code. Times are measured where stated. All are for a 12 MP JPEG of 2.3 MB.
"""

from __future__ import annotations

from collections.abc import Mapping

from darkroom_pipeline.bulk.messages import BATCH_SIZE
from darkroom_pipeline.operations.cost_model import Architecture, PriceTable, function_amounts, sum_amounts

LATENCY_MS = 25.0
MEGABYTES_PER_S = 85.0
"""S3's latency and throughput from a Lambda function in the same region."""

IMAGES = 1_000_000

MEMORY_MB = 3008
"""Default memory of ingest, infer and library: more than one core."""

MASTER_MB = 2.3

PRESETS, PRESETS_MS = 6, 238.0
"""Number of presets, and their time on one core (docs/explanation/performance.md, "Uploads")."""

PREPARE_MS = 83.0
"""Time to prepare an image for models:

`prepare_jpeg` of bench/images.py's 12mp.jpg, the median of five on an EPYC core.
"""

ENDPOINT_MS = 100.0
"""Assumed response time of an endpoint: at 600 images a minute, a machine's share in EndpointScaling."""

SAVES = 3
"""How often a worker stores the state of a batch: at its start, sometimes in between, at its end."""

type Amounts = Mapping[str, float]


def estimate_fetch_ms(megabytes: float) -> float:
    """Estimate the time to read an object from S3."""
    return LATENCY_MS + megabytes / MEGABYTES_PER_S * 1000


def price_conducting(architecture: Architecture, work_ms: float) -> dict[str, float]:
    """Price an image's share of its batch in any operation; ``work_ms`` is the image's time in the worker.

    A batch is a child execution with one task, which reads its item and writes its result.
    """
    return sum_amounts(
        {"state-transitions": 2 / BATCH_SIZE, "s3-puts": SAVES / BATCH_SIZE, "s3-gets": 3 / BATCH_SIZE},
        function_amounts(MEMORY_MB, conducting_ms(work_ms), 1 / BATCH_SIZE, architecture),
    )


def conducting_ms(work_ms: float) -> float:
    """Return an image's share of the time of its batch."""
    return work_ms + (SAVES + 1) * LATENCY_MS / BATCH_SIZE


def presets_ms(presets: int = PRESETS) -> float:
    """Return the time of a worker that renders ``presets`` of an image."""
    return estimate_fetch_ms(MASTER_MB) + PRESETS_MS * presets / PRESETS + (presets + 1) * LATENCY_MS


def ingest_ms(presets: int = PRESETS) -> float:
    """Return the time of ingest for an image with ``presets``, whose PUTs run four at a time."""
    return estimate_fetch_ms(MASTER_MB) + PRESETS_MS * presets / PRESETS + LATENCY_MS * (2 + presets / 4)


def analysis_ms() -> float:
    """Return the time of infer for an image."""
    return estimate_fetch_ms(MASTER_MB) + PREPARE_MS + ENDPOINT_MS + 4 * LATENCY_MS


def price_presets(architecture: Architecture, presets: int = PRESETS) -> dict[str, float]:
    """Price the presets of an image: a GET, a HEAD, the PUTs."""
    return sum_amounts(price_conducting(architecture, presets_ms(presets)), {"s3-gets": 2, "s3-puts": presets})


def price_ingest(architecture: Architecture, *, copied: bool, presets: int = PRESETS) -> dict[str, float]:
    """Price the ingest of an image: the worker requests it and waits; ``copied`` from another bucket before."""
    asks_ms = LATENCY_MS * (5 if copied else 3)
    does_ms = ingest_ms(presets)
    return sum_amounts(
        price_conducting(
            architecture, asks_ms + does_ms / 4
        ),  # it waits for its batch, of which four are processed at a time
        function_amounts(MEMORY_MB, does_ms, 1, architecture),
        {"s3-puts": presets + 1, "s3-gets": 5, "dynamodb-writes": 3, "dynamodb-reads": 6},
        {"sqs-requests": 3, "events": 2},
        {"s3-puts": 1, "s3-gets": 3, "events": 1} if copied else {},
    )


def price_analysis(architecture: Architecture) -> dict[str, float]:
    """Price the analysis of an image without the instance: the worker requests it, infer prepares it and waits."""
    return sum_amounts(
        price_conducting(architecture, 3 * LATENCY_MS),
        function_amounts(MEMORY_MB, analysis_ms(), 1, architecture),
        {"s3-puts": 1, "s3-gets": 5, "dynamodb-writes": 4, "dynamodb-reads": 6, "sqs-requests": 3, "events": 1},
    )


def sum_usd(prices: PriceTable, amounts: Amounts, times: float = IMAGES) -> float:
    """Return US dollars for ``times`` of them."""
    return times * sum(prices.cost(amounts).values())
