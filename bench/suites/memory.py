"""Memory of the function over 500 mixed images."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from ..competitors.darkroom import darkroom
from ..emulator import install_emulator
from ..goals import Figure, Rounds, Section
from ..link.process import run_link
from ..machine import separate_cores
from ..memory.requests import COUNT, OUTPUTS, MemoryRequest, draw_requests
from ..memory.run import LAST, WARMING, MemoryResult, find_peaks_by_type, growth_mb, measure_requests
from ..memory.sources import MIXED, make_files
from ..runtime import Sandbox
from ..tables import Table
from . import Progress

QUICK = 150

AV1_BYTES_PER_PIXEL = 34
"""Peak of resident memory of heifsave beyond the image, with full chroma at effort 2 (1,280 × 960 px; 21 with a quarter
of the chroma, 43 at effort 3)."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure the mix in one process."""
    requests = draw_requests()[: QUICK if rounds == "quick" else COUNT]
    with (
        separate_cores() as core,
        run_link(make_files(), 0, 10_000) as url,
        Sandbox(install_emulator(), darkroom(url), core) as sandbox,
    ):
        seen = measure_requests(sandbox, requests, progress)
    return Section(mixed_table(seen).markdown(), figures(seen))


def figures(seen: Sequence[MemoryResult]) -> list[Figure]:
    """Return peak and growth. The lower bound of the peak is what stays resident, with the AV1 encoder's own memory."""
    top = max(seen, key=lambda one: one.peak_mb)
    least = min(one.peak_mb for one in seen)
    growth = growth_mb(seen)
    why = f"{describe(top.request)} is the peak of the mix; the floor is what stays resident and libaom's own memory"
    floor = median(one.after_mb for one in seen[-LAST:]) + _encoder_mb(top.request)
    return [
        Figure("peak-500", top.peak_mb, least, top.peak_mb, floor=floor, why=why),
        Figure("peak-500-growth", growth, growth, growth, why="residual memory differs between images"),
    ]


def _encoder_mb(request: MemoryRequest) -> float:
    """Return the memory of the AV1 encoder for a width in AVIF; 0 for other outputs."""
    width, _, form = request.output.removeprefix("w-").partition(".")
    if form != "avif":
        return 0.0
    height = int(width) * request.source.height / request.source.width
    return AV1_BYTES_PER_PIXEL * int(width) * height / 1e6


def describe(request: MemoryRequest) -> str:
    """Describe a request: its source and output."""
    source = request.source
    return f"{source.what}, {source.megapixels:.2g} MP, as `{request.output}`"


def mixed_table(seen: Sequence[MemoryResult]) -> Table:
    """Format a row for each type: the count, and the request with the highest peak."""
    rows = []
    for what, most in find_peaks_by_type(seen).items():
        times = sum(one.request.source.what == what for one in seen)
        largest = f"{most.request.source.megapixels:.2g} MP as `{most.request.output}`"
        rows.append((what, str(times), largest, f"{most.peak_mb:.0f}", f"{most.after_mb:.0f}"))
    return Table(
        f"{len(seen)} mixed images in one process",
        ("", "images", "peak for", "peak MB", "then MB"),
        rows,
        [notes(seen)],
    )


def notes(seen: Sequence[MemoryResult]) -> str:
    """Describe the course and the requests."""
    blocks = [seen[start : start + LAST] for start in range(0, len(seen), LAST)]
    after = ", ".join(f"{median(one.after_mb for one in block):.0f}" for block in blocks)
    sizes = [source.megapixels for source in MIXED]
    return "\n".join(
        [
            f"- Resident after each image, medians of {LAST} in turn, MB: {after}. Growth is the median of the last "
            f"{LAST} less that of the {LAST} that follow the first {WARMING}.",
            f"- {len(MIXED)} sources of {min(sizes):.1f} to {max(sizes):.0f} MP, made from one photograph, each as "
            f"often as its type is uploaded, mixed with {len(OUTPUTS)} outputs: `{'`, `'.join(OUTPUTS)}`.",
            "- The whole handler under Lambda's emulator, one core, S3 without latency; the kernel's VmRSS after each "
            "response, and its VmHWM during the request. MB are 10⁶ bytes.",
        ]
    )
