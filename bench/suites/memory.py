"""Memory of the function: 500 mixed images, and images that need more than any of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from ..competitors.darkroom import darkroom
from ..emulator import install_emulator
from ..goals import Figure, Rounds, Section
from ..link.process import run_link
from ..machine import separate_cores
from ..memory.requests import COUNT, OUTPUTS, MemoryRequest, draw_requests, list_demanding
from ..memory.run import LAST, WARMING, MemoryResult, find_peaks_by_type, growth_mb, measure_alone, measure_requests
from ..memory.sources import MIXED, make_files
from ..runtime import Sandbox
from ..tables import Table
from . import Progress

QUICK = 150

AV1_BYTES_PER_PIXEL = 34
"""Peak of resident memory of heifsave beyond the image, with full chroma at effort 2 (1,280 × 960 px; 21 with a quarter
of the chroma, 43 at effort 3)."""

PHYSICS: Mapping[str, str] = {
    "jpeg-24.jpg": "the AV1 encoder with full chroma holds 34 bytes a pixel, or 43 where there is little detail",
    "alpha-2.png": "the AV1 encoder, for the colours and for alpha",
    "alpha-8.png": "the file (deflated photographs are large), and the AV1 encoder twice",
    "progressive-12.jpg": "all coefficients at once, 3 bytes a pixel, before the first line",
    "webp-12.webp": "libwebp decodes the whole image, reduced, before the first line",
    "avif-3.avif": "libheif decodes the whole image at full size: 16 bytes a pixel for all copies",
    "avif-12.avif": "the same; 12 MP of RGB alone are 36 MB",
    "tiff-12.tif": "the file: LZW hardly compresses photographs",
}
"""Reasons why requests that are measured alone need as much, by source."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure the mix in one process, then the demanding ones in their own."""
    requests = draw_requests()[: QUICK if rounds == "quick" else COUNT]
    with separate_cores() as core, run_link(list(make_files().values()), 0, 10_000) as url:
        competitor = darkroom(url)
        with Sandbox(install_emulator(), competitor, core) as sandbox:
            seen = measure_requests(sandbox, requests, progress)
        others = measure_alone(competitor, install_emulator(), core, list_demanding(), requests[0], progress)
    return Section(text(seen, others), figures(seen))


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


def text(seen: Sequence[MemoryResult], others: Sequence[MemoryResult]) -> str:
    """Format the tables and their conditions."""
    return "\n\n".join([mixed_table(seen).markdown(), alone_table(others).markdown()])


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
            f"often as its type is uploaded, mixed with {len(OUTPUTS)} outputs: {', '.join(map(code, OUTPUTS))}.",
            "- The whole handler under Lambda's emulator, one core, S3 without latency; the kernel's VmRSS after each "
            "response, and its VmHWM during the request. MB are 10⁶ bytes.",
        ]
    )


def code(name: str) -> str:
    """Return ``name`` as Markdown code."""
    return f"`{name}`"


def alone_table(others: Sequence[MemoryResult]) -> Table:
    """Format the requests outside the mix, with reasons."""
    rows = [
        (describe(one.request), PHYSICS[one.request.source.name], f"{one.peak_mb:.0f}", f"{one.after_mb:.0f}")
        for one in others
    ]
    return Table(
        "Not in the mix, each in its own process",
        ("", "lower bound", "peak MB", "then MB"),
        rows,
        [
            "- In a process that has processed all types, each of these peaks is 10 MB higher: more of "
            "libvips' code is loaded."
        ],
    )
