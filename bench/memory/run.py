"""Send requests to the function, and measure its resident memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from ..events import build_event
from ..measure import Progress
from ..runtime import CompetitorError, Sandbox
from .requests import MemoryRequest

WARMING = 50
"""Images until all libraries are loaded; memory should stay constant afterwards."""

LAST = 50


@dataclass(frozen=True, slots=True)
class MemoryResult:
    """The milliseconds of a request, and the process' peak and later resident memory in MB (10^6 bytes)."""

    request: MemoryRequest
    ms: float
    peak_mb: float
    after_mb: float


def measure_requests(sandbox: Sandbox, requests: Sequence[MemoryRequest], progress: Progress) -> list[MemoryResult]:
    """Send each request in turn. Raises CompetitorError unless the response is the requested image."""
    seen = []
    for number, one in enumerate(requests, start=1):
        progress(f"Memory: {number}/{len(requests)}")
        invocation = sandbox.send(build_event(one.path(number)))
        if invocation.answer["statusCode"] != 200:
            raise CompetitorError(f"{one}: {str(invocation.answer)[:500]}")
        seen.append(MemoryResult(one, invocation.ms, sandbox.peak_rss_mb(), sandbox.rss_mb()))
        sandbox.reset_peak()
    return seen


def growth_mb(seen: Sequence[MemoryResult]) -> float:
    """Return the growth of resident memory from after the warm-up to the end (medians)."""
    early = seen[WARMING : 2 * WARMING]
    return median(one.after_mb for one in seen[-LAST:]) - median(one.after_mb for one in early)


def find_peaks_by_type(seen: Sequence[MemoryResult]) -> Mapping[str, MemoryResult]:
    """Return the request with the highest peak by the source's type."""
    found: dict[str, MemoryResult] = {}
    for one in seen:
        what = one.request.source.what
        if what not in found or one.peak_mb > found[what].peak_mb:
            found[what] = one
    return found
