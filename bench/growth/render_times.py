"""Times of renders by master size, from mezzanines, and of cold starts, by the measured misses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from cli.library.prices import LATENCY_MS

from .figures import MissFigures

SLOW_MS = 500.0
"""Time from which a miss counts as slow."""

FAILOVER_MS = LATENCY_MS
"""S3's response that a derivative does not exist, before CloudFront requests the function."""

IDLE_S = 600.0
"""Time until Lambda ends an idle process, assumed: AWS does not document it."""


@dataclass(frozen=True, slots=True)
class RenderTimes:
    """Times of one kind of render: a sample for each measured photograph, CPU time, and what follows the response."""

    samples_ms: Sequence[float]
    cpu_ms: float
    later_ms: float = 0.0

    @property
    def ms(self) -> float:
        """Return the mean time until the response."""
        return sum(self.samples_ms) / len(self.samples_ms)

    @property
    def billed_ms(self) -> float:
        """Return the mean time that the function is busy."""
        return self.ms + self.later_ms

    def share_slow(self, more_ms: float = 0.0) -> float:
        """Return the share of renders that take more than SLOW_MS for the CDN, if each takes ``more_ms`` longer."""
        return sum(ms + FAILOVER_MS + more_ms > SLOW_MS for ms in self.samples_ms) / len(self.samples_ms)


def read_times(figures: MissFigures, megapixels: float, output: str, *, mezzanines: bool = False) -> RenderTimes:
    """Return the times of a source with any number of megapixels, interpolated between the measured ones."""
    measured = sorted({one.megapixels for one in figures.misses})
    found = [figures.find(megapixels, output, mezzanines=mezzanines) for megapixels in measured]
    low = max((one for one in found if one.megapixels <= megapixels), key=lambda one: one.megapixels, default=found[0])
    high = min((one for one in found if one.megapixels >= megapixels), key=lambda one: one.megapixels, default=low)
    span = high.megapixels - low.megapixels
    share = (megapixels - low.megapixels) / span if span else 0.0
    pairs = zip(low.samples_ms, high.samples_ms, strict=True)
    return RenderTimes(
        [one + share * (other - one) for one, other in pairs],
        low.cpu_ms + share * (high.cpu_ms - low.cpu_ms),
        (low.billed_rounds - low.rounds) * LATENCY_MS,
    )


def slow_down(figures: MissFigures, factor: float) -> MissFigures:
    """Return the figures of a machine with ``factor`` times the CPU time."""
    more = factor - 1
    misses = [
        replace(one, samples_ms=[ms + more * one.cpu_ms for ms in one.samples_ms], cpu_ms=factor * one.cpu_ms)
        for one in figures.misses
    ]
    return replace(figures, misses=misses, start_cpu_ms=factor * figures.start_cpu_ms)


def cold_start_ms(figures: MissFigures) -> float:
    """Return the additional time of a first request: CPU time, as its requests to S3 are those of others."""
    warm = min(figures.misses, key=lambda one: (one.megapixels, one.cpu_ms))
    return max(0.0, figures.start_cpu_ms - warm.cpu_ms)


def count_cold_starts(arrivals_s: Iterable[float], duration_s: float, idle_s: float = IDLE_S) -> int:
    """Count the requests for which Lambda starts a process: all others are busy, or have ended.

    ``arrivals_s`` ascend. A request goes to the process that was used last.
    """
    ends: list[float] = []  # of each process, the end of its last request, ascending
    cold = 0
    for arrival in arrivals_s:
        ends = [end for end in ends if arrival - end < idle_s]
        if ready := [end for end in ends if end <= arrival]:
            ends.remove(ready[-1])
        else:
            cold += 1
        ends.append(arrival + duration_s)
    return cold
