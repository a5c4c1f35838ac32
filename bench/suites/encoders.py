"""Bytes and CPU time of AV1 encoders at an equal score, over many photographs."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ..competitors.model import MissingCompetitor
from ..corpus.packages import PackageUnavailable
from ..encoders.comparing import Measured, compare_encoders
from ..goals import Rounds, Section
from ..photographs.comparing import WIDTH_PX, list_photographs
from ..tables import Table
from . import Progress

EVERY = {"full": 1, "quick": 5}
"""Every n-th photograph is measured."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Compare all encoders."""
    try:
        files = list_photographs()[:: EVERY[rounds]]
        found = compare_encoders(files, progress)
    except (MissingCompetitor, PackageUnavailable) as reason:
        return Section("", missing=[f"AV1 encoders: {reason}."])
    return Section(text(found))


def text(found: Sequence[Measured]) -> str:
    """Format the table and its explanation."""
    rows = [
        [
            one.name,
            f"{one.mean_bytes:.3f}",
            f"{max(one.bytes_ratios):.3f}",
            f"{one.mean_cpu:.2f}",
            f"{max(one.cpu_ratios):.2f}",
            f"{median(one.cpu_ms):.0f}",
        ]
        for one in found
    ]
    count = len(found[0].bytes_ratios)
    headings = ("", "bytes", "worst", "CPU time", "worst", "median ms")
    return "\n\n".join(
        [
            Table(f"AVIF of {count} photographs, {WIDTH_PX} px wide", headings, rows).markdown(),
            "Ratios to the encoder's part of Darkroom's first response (libaom, effort 2, or 3 for images with little "
            "detail, 4:4:4) at its score: geometric mean, and the photograph with the largest. CPU time of all "
            "threads, contenders in turn. libaom is that of libvips, with `tune=iq`; SVT-AV1 is that of "
            "pillow-avif-plugin, one thread, 4:2:0, which is all that it encodes. Bytes and scores are the same under "
            "load.",
        ]
    )
