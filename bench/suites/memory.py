"""The function's memory: over 500 mixed pictures, and for those that take more than any of them."""

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

PHYSICS: Mapping[str, str] = {
    "jpeg-24.jpg": "the AV1 encoder holds 18 bytes a pixel",
    "alpha-2.png": "the AV1 encoder, for the colours and for alpha",
    "alpha-8.png": "the file itself (deflated photographs are large), and the AV1 encoder twice",
    "progressive-12.jpg": "all coefficients at once, 3 bytes a pixel, before the first line is known",
    "webp-12.webp": "libwebp decodes the whole picture, if smaller, before the first line is given away",
    "avif-3.avif": "libheif decodes the whole picture at its own size: 16 bytes a pixel, all copies together",
    "avif-12.avif": "the same; 12 MP of RGB alone are 36 MB",
    "tiff-12.tif": "the file itself: LZW hardly shrinks photographs",
}
"""Why a request that is measured alone cannot do with less, by its source."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """The mix in one process, then the demanding ones in processes of their own."""
    wanted = draw_requests()[: QUICK if rounds == "quick" else COUNT]
    with separate_cores() as core, run_link(list(make_files().values()), 0, 10_000) as url:
        contender = darkroom(url)
        with Sandbox(install_emulator(), contender, core) as sandbox:
            seen = measure_requests(sandbox, wanted, progress)
        others = measure_alone(contender, install_emulator(), core, list_demanding(), wanted[0], progress)
    return Section(text(seen, others), figures(seen))


def figures(seen: Sequence[MemoryResult]) -> list[Figure]:
    """The peak, and the growth; the floor is what a process holds after its first picture."""
    top = max(seen, key=lambda one: one.peak_mb)
    least = min(one.peak_mb for one in seen)
    growth = growth_mb(seen)
    why = f"{named(top.wanted)} takes the most of the mix"
    return [
        Figure("peak-500", top.peak_mb, least, top.peak_mb, floor=seen[0].after_mb, why=why),
        Figure("peak-500-growth", growth, growth, growth, why="what one picture leaves behind differs"),
    ]


def named(wanted: MemoryRequest) -> str:
    """A request for a reader: what the source is, and what it becomes."""
    source = wanted.source
    return f"{source.what}, {source.megapixels:.2g} MP, as `{wanted.output}`"


def text(seen: Sequence[MemoryResult], others: Sequence[MemoryResult]) -> str:
    """The tables, and what they hold for."""
    return "\n\n".join([mixed_table(seen).markdown(), alone_table(others).markdown()])


def mixed_table(seen: Sequence[MemoryResult]) -> Table:
    """A row for each type: how many there were, and the one that took the most."""
    rows = []
    for what, most in find_peaks_by_type(seen).items():
        times = sum(one.wanted.source.what == what for one in seen)
        largest = f"{most.wanted.source.megapixels:.2g} MP as `{most.wanted.output}`"
        rows.append((what, str(times), largest, f"{most.peak_mb:.0f}", f"{most.after_mb:.0f}"))
    return Table(
        f"{len(seen)} mixed pictures in one process",
        ("", "pictures", "most for", "peak MB", "then MB"),
        rows,
        [notes(seen)],
    )


def notes(seen: Sequence[MemoryResult]) -> str:
    """What happened in time, and what was asked for."""
    blocks = [seen[start : start + LAST] for start in range(0, len(seen), LAST)]
    after = ", ".join(f"{median(one.after_mb for one in block):.0f}" for block in blocks)
    sizes = [source.megapixels for source in MIXED]
    return "\n".join(
        [
            f"- Resident after each picture, medians of {LAST} in turn, MB: {after}. Growth is the median of the last "
            f"{LAST} less that of the {LAST} that follow the first {WARMING}.",
            f"- {len(MIXED)} sources of {min(sizes):.1f} to {max(sizes):.0f} MP, made from one photograph, each as "
            f"often as its type is uploaded, mixed with {len(OUTPUTS)} outputs: {', '.join(map(code, OUTPUTS))}.",
            "- The whole handler under Lambda's emulator, one core, S3 taking no time; the kernel's VmRSS after each "
            "answer, and its VmHWM while it was made. MB are 10⁶ bytes.",
        ]
    )


def code(name: str) -> str:
    """``name`` as markdown shows code."""
    return f"`{name}`"


def alone_table(others: Sequence[MemoryResult]) -> Table:
    """What takes more than the mix, and why."""
    rows = [
        (named(one.wanted), PHYSICS[one.wanted.source.name], f"{one.peak_mb:.0f}", f"{one.after_mb:.0f}")
        for one in others
    ]
    return Table(
        "Not in the mix, each in a process of its own",
        ("", "what it cannot do without", "peak MB", "then MB"),
        rows,
        ["- In a process that has seen all types each of these peaks 10 MB higher: more of libvips' code is in use."],
    )
