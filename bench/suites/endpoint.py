"""Throughput of the model server, with batches and without."""

from __future__ import annotations

import asyncio
import os
import platform

from cli.models.fetch_models import PLACES, fetch
from local import tool_venvs
from local.paths import MODELS
from local.progress import Progress as Installing

from ..endpoint import batching
from ..environment import describe_rounds
from ..goals import Rounds, Section
from ..machine import describe_processor
from . import Progress


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure the same images through a server with batches and one without, in turn."""
    load = os.getloadavg()[0]
    asyncio.run(tool_venvs.ensure_one(tool_venvs.ENDPOINT, Installing()))
    fetch(PLACES["endpoint"], MODELS)
    count, times = (batching.AT_ONCE, 1) if rounds == "quick" else (2 * batching.AT_ONCE, 3)
    findings = batching.measure_batches(count, times, conditions(count, times, load), progress)
    return Section(batching.format_page(findings))


def conditions(count: int, times: int, load: float) -> list[str]:
    """Describe the conditions."""
    return [
        f"{describe_processor()}, all of them for the server; Python {platform.python_version()}.",
        f"{batching.AT_ONCE} concurrent requests, {count} JPEGs of {batching.SIDE_PX} px a turn, of 28 photographs by "
        "cameras and 4 images of scikit-image, 2 of them text; ms: the mean of the turns' median latencies; together: "
        "the mean batch size.",
        describe_rounds(times, load),
    ]
