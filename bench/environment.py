"""What numbers hold for: the line to S3, the machine, and what runs on it."""

from __future__ import annotations

import platform
from pathlib import Path

from .competitors.model import Missing
from .competitors.node import versions
from .machine import described
from .statistics import SAID

LATENCY_MS = 25.0
MEGABYTES_PER_S = 85.0
"""S3's first byte and throughput as a Lambda function in the same region sees them."""


def machine() -> str:
    """The processor, and the versions of what runs on it."""
    try:
        peers = f", {versions()}"
    except Missing:
        peers = ""
    return f"{described()}; Python {platform.python_version()}{peers}"


def turns(count: int, load: float) -> str:
    """How often things were measured, and how busy the machine was before (its load average)."""
    return f"{count} turns: {SAID}. Load average before: {load:.1f}."


def size(picture: Path) -> str:
    """A picture's name and megabytes."""
    return f"{picture.name} {picture.stat().st_size / 1e6:.1f} MB"
