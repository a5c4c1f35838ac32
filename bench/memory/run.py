"""Requests through the function, and the memory that its process has resident."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from ..competitors.model import Competitor
from ..events import build_event
from ..machine import Core
from ..measure import Progress
from ..runtime import NoAnswer, Sandbox
from .requests import MemoryRequest

WARMING = 50
"""Pictures until every library has loaded what it needs; from then on memory is to stay as it is."""

LAST = 50


@dataclass(frozen=True, slots=True)
class MemoryResult:
    """One request's answer: its milliseconds, and the process' resident MB (of 10^6 bytes) at most and afterwards."""

    wanted: MemoryRequest
    ms: float
    peak_mb: float
    after_mb: float


def measure_requests(sandbox: Sandbox, wanted: Sequence[MemoryRequest], progress: Progress) -> list[MemoryResult]:
    """Each of the requests in turn; raises NoAnswer where one is not answered by what it asks for."""
    seen = []
    for number, one in enumerate(wanted, start=1):
        progress(f"Memory: {number}/{len(wanted)}")
        asked = sandbox.ask(build_event(one.path(number)))
        if asked.answer["statusCode"] != 200:
            raise NoAnswer(f"{one}: {str(asked.answer)[:500]}")
        seen.append(MemoryResult(one, asked.ms, sandbox.peak_rss_mb(), sandbox.rss_mb()))
        sandbox.forget_peak()
    return seen


def growth_mb(seen: Sequence[MemoryResult]) -> float:
    """How much more is resident after the last pictures than after those that followed the warming (medians)."""
    early = seen[WARMING : 2 * WARMING]
    return median(one.after_mb for one in seen[-LAST:]) - median(one.after_mb for one in early)


def find_peaks_by_type(seen: Sequence[MemoryResult]) -> Mapping[str, MemoryResult]:
    """By the source's type, the request with the highest peak."""
    found: dict[str, MemoryResult] = {}
    for one in seen:
        what = one.wanted.source.what
        if what not in found or one.peak_mb > found[what].peak_mb:
            found[what] = one
    return found


def measure_alone(
    contender: Competitor,
    emulator: Path,
    core: Core,
    wanted: Sequence[MemoryRequest],
    first: MemoryRequest,
    progress: Progress,
) -> list[MemoryResult]:
    """Each of ``wanted`` in a process of its own, after the request ``first``."""
    found = []
    for one in wanted:
        with Sandbox(emulator, contender, core) as sandbox:
            found.append(measure_requests(sandbox, [first, one], progress)[-1])
    return found
