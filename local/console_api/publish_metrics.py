"""Putting what has been counted into CloudWatch."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from itertools import batched, groupby
from operator import attrgetter
from typing import Any, Protocol

from .service_metrics import Metric

PUBLISH_EVERY_S = 10.0
DATA_AT_ONCE = 500
"""Fewer than PutMetricData takes."""


class MetricSource(Protocol):
    """Where figures come together."""

    def taken(self) -> list[Metric]:
        """What has come together since the last time."""


async def publish(client: Any, sources: Sequence[MetricSource], report: Callable[[str], None]) -> None:
    """For ever: what ``sources`` have counted, each few seconds. A failure is told, and its figures are lost."""
    while True:
        await asyncio.sleep(PUBLISH_EVERY_S)
        figures = [figure for source in sources for figure in source.taken()]
        try:
            await asyncio.to_thread(put, client, figures)
        except Exception as error:  # whatever it is, the next figures may come through
            report(f"figures could not be put into CloudWatch: {error!r}")


def put(client: Any, figures: Iterable[Metric]) -> None:
    """Put all of ``figures``, now."""
    for namespace, some in groupby(sorted(figures, key=attrgetter("namespace")), attrgetter("namespace")):
        data = [datum for figure in some for datum in figure.data()]
        for part in batched(data, DATA_AT_ONCE, strict=False):
            client.put_metric_data(Namespace=namespace, MetricData=list(part))
