"""What numbers hold for: the line to S3, the machine, and what runs on it."""

from __future__ import annotations

import platform
from pathlib import Path

from .competitors.model import MissingCompetitor
from .competitors.node import read_versions
from .machine import describe_processor
from .statistics import SAID

LATENCY_MS = 25.0
MEGABYTES_PER_S = 85.0
"""S3's first byte and throughput as a Lambda function in the same region sees them."""


def describe_machine() -> str:
    """The processor, and the versions of what runs on it."""
    try:
        peers = f", {read_versions()}"
    except MissingCompetitor:
        peers = ""
    return f"{describe_processor()}; Python {platform.python_version()}{peers}"


def describe_rounds(count: int, load: float) -> str:
    """How often things were measured, and how busy the machine was before (its load average)."""
    return f"{count} turns: {SAID}. Load average before: {load:.1f}."


def describe_size(picture: Path) -> str:
    """A picture's name and megabytes."""
    return f"{picture.name} {picture.stat().st_size / 1e6:.1f} MB"
