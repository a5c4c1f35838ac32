"""Cold starts from disk: file caches dropped before each, and the files that a start reads."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S

from ..cases import WEBP_12MP
from ..cold.starts import Starts, State, measure_read_mb_per_s, measure_starts
from ..competitors.darkroom import darkroom
from ..competitors.dit import dit
from ..competitors.model import Competitor, MissingCompetitor
from ..competitors.pillow import pillow
from ..environment import describe_machine
from ..goals import Rounds, Section
from ..images import make_images
from ..link.process import run_link
from ..machine import separate_cores
from ..paths import WORK
from ..statistics import RATIO_NOTE
from ..tables import Table
from . import Progress

COMPETITORS: tuple[Callable[[str], Competitor], ...] = (darkroom, dit, pillow)
BASELINE = 1
ROUNDS = {"full": 5, "quick": 2}
LARGEST = 10
SHOWN: tuple[State, ...] = ("cached", "code dropped", "all dropped")
HEADINGS = ("", *(cell for state in SHOWN for cell in (f"{state} ms", "ratio")))
READ = ("", "code MB", "files", "runtime MB", "files")


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure starts of all competitors that this machine can install."""
    load = os.getloadavg()[0]
    progress("building the layers and installing the peers")
    with separate_cores() as core, run_link(make_images(), LATENCY_MS, MEGABYTES_PER_S) as endpoint_url:
        competitors, missing = installed(endpoint_url)
        starts = measure_starts(WEBP_12MP, competitors, ROUNDS[rounds], core, progress)
    return Section(format_page(starts, conditions(starts, load)), missing=missing)


def installed(endpoint_url: str) -> tuple[list[Competitor], list[str]]:
    """Return the competitors that this machine can run, and the reasons for missing ones."""
    found, missing = [], []
    for make in COMPETITORS:
        try:
            found.append(make(endpoint_url))
        except MissingCompetitor as reason:
            missing.append(f"{reason}.")
    return found, missing


def format_page(starts: Sequence[Starts], notes: Sequence[str]) -> str:
    """Format times, bytes read, and the largest files."""
    ours = starts[0]
    base = starts[BASELINE]
    tables = (
        Table(f"{WEBP_12MP.title}: fresh process to first response", HEADINGS, [times(one, base) for one in starts]),
        Table("Bytes read by a start with all dropped", READ, [read(one) for one in starts]),
        Table(f"Largest files of {ours.competitor.name}", ("file", "read MB", "of MB"), largest(ours)),
    )
    return "\n\n".join([*(table.markdown() for table in tables), "\n".join(f"- {note}" for note in notes)])


def times(starts: Starts, base: Starts) -> tuple[str, ...]:
    """Return a competitor's milliseconds in each state, with ratios to ``base``."""
    cells = ((str(starts.ms[state]), f"{starts.ms[state].ratio_to(base.ms[state]):.2f}") for state in SHOWN)
    return (starts.competitor.name, *(cell for pair in cells for cell in pair))


def read(starts: Starts) -> tuple[str, ...]:
    """Return what a competitor's last start with all dropped read from disk."""
    parts = ((starts.read.mb(files), starts.read.count(files)) for files in (starts.reach.code, starts.reach.runtime))
    return (starts.competitor.name, *(cell for mb, count in parts for cell in (f"{mb:.1f}", str(count))))


def largest(starts: Starts) -> list[tuple[str, ...]]:
    """Return the files with the most bytes read."""
    found = starts.read.largest(LARGEST)
    return [(_name(path), f"{size / 1e6:.2f}", f"{path.stat().st_size / 1e6:.2f}") for path, size in found]


def conditions(starts: Sequence[Starts], load: float) -> list[str]:
    """Describe the conditions."""
    ours = starts[0]
    [(file, _)] = ours.read.largest(1)
    stayed = "; ".join(f"{one.competitor.name} {one.stayed_bytes / 1e6:.1f} MB" for one in starts)
    return [
        "**cached**: an earlier start has read all files. **code dropped**: the function and its layers, which "
        "Lambda fetches for each environment, are not in the file cache. **all dropped**: neither is the "
        f"runtime, except what other processes use ({stayed}).",
        f"The disk reads {measure_read_mb_per_s(file):.0f} MB/s of a large file sequentially. "
        "It is this machine's; Lambda "
        "fetches code in blocks over the network, so bytes cost more there.",
        "Reads are whole pages and include read-ahead.",
        f"{describe_machine()}; one core; S3 is {LATENCY_MS:.0f} ms to the first byte and {MEGABYTES_PER_S:.0f} MB/s "
        "fast.",
        f"{len(ours.ms[SHOWN[0]].values)} starts of each in each state, in turn: {RATIO_NOTE}. "
        f"Load average before: {load:.1f}.",
    ]


def _name(path: Path) -> str:
    """Return a file's path in its layer, or in the system."""
    inside = path.relative_to(WORK) if path.is_relative_to(WORK) else path
    return f"`{inside}`"
