"""Describe the conditions of measurements: S3's latency, machine, versions."""

from __future__ import annotations

import platform
from pathlib import Path

from .competitors.model import MissingCompetitor
from .competitors.node import read_versions
from .machine import describe_processor
from .statistics import RATIO_NOTE


def describe_machine() -> str:
    """Return the processor and software versions."""
    try:
        peers = f", {read_versions()}"
    except MissingCompetitor:
        peers = ""
    return f"{describe_processor()}; Python {platform.python_version()}{peers}"


def describe_rounds(count: int, load: float) -> str:
    """Describe the number of turns and the load average before."""
    return f"{count} turns: {RATIO_NOTE}. Load average before: {load:.1f}."


def describe_size(image: Path) -> str:
    """Return an image's name and megabytes."""
    return f"{image.name} {image.stat().st_size / 1e6:.1f} MB"
