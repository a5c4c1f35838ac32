"""Measure the CPU time of background re-encoding (`Refine`)."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom_pipeline.reencode.search import reencode

REFINE_CONCURRENCY = 2
"""Maximum concurrency of RefineQueue's event source mapping in template.yaml."""

PLANS: Mapping[str, Plan] = {
    "200": Plan("", width=200, format="webp"),
    "800": Plan("", width=800, format="webp"),
    "2000": Plan("", width=2000, format="webp"),
    "800 AVIF": Plan("", width=800, format="avif"),
}
"""Outputs of bench/growth/misses.py."""


def measure_reencode_ms(masters: Sequence[Path]) -> dict[str, float]:
    """Return the CPU time by output: the median of ``masters``."""
    return {
        output: round(median(_measure(plan, file.read_bytes()) for file in masters), 1)
        for output, plan in PLANS.items()
    }


def _measure(plan: Plan, master: bytes) -> float:
    limits = Limits()
    stored = render(plan, Source.from_bytes(master), limits=limits).body
    started_s = time.process_time()
    reencode(plan, Source.from_bytes(master), stored, limits=limits)
    return (time.process_time() - started_s) * 1000
