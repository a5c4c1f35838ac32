"""Publish collected metrics to CloudWatch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import batched, groupby
from operator import attrgetter
from typing import Any, Protocol

from .service_metrics import Metric

PUBLISH_EVERY_S = 10.0
DATA_PER_CALL = 500
"""Below the limit of PutMetricData."""


class MetricSource(Protocol):
    """A source of collected metrics."""

    def drain(self) -> list[Metric]:
        """Return the metrics collected since the last call."""


async def publish(client: Any, sources: Sequence[MetricSource], report: Callable[[str], None]) -> None:
    """Publish the metrics of ``sources`` every few seconds until cancelled. A failure is reported, and its data are
    lost.
    """
    while True:
        await asyncio.sleep(PUBLISH_EVERY_S)
        metrics = [metric for source in sources for metric in source.drain()]
        try:
            await asyncio.to_thread(put, client, metrics)
        except Exception as error:  # the next call may succeed
            report(f"PutMetricData failed: {error!r}")


def put(client: Any, metrics: Iterable[Metric]) -> None:
    """Publish all of ``metrics`` now."""
    for namespace, some in groupby(sorted(metrics, key=attrgetter("namespace")), attrgetter("namespace")):
        data = [datum for metric in some for datum in metric.data()]
        for part in batched(data, DATA_PER_CALL, strict=False):
            client.put_metric_data(Namespace=namespace, MetricData=list(part))
