"""Measure competitors in turn, repeatedly, so that other load affects all of them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Protocol, Self

from .cases import Case
from .competitors.model import DEFAULT_QUALITY, Competitor, Event, build_function_url_event
from .http_competitor import HttpServer
from .machine import Core
from .runtime import Invocation, Sandbox
from .statistics import Spread

type Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of cold starts and warm requests for each competitor, and of its consecutive processes.

    The first ``unmeasured`` warm requests of each process do not count. Two processes of one program differ by some
    percent for their whole life.
    """

    cold: int
    warm: int
    unmeasured: int = 3
    processes: int = 1

    @property
    def shares(self) -> Iterator[int]:
        """Yield each process' share of the warm requests."""
        return (
            self.warm * (at + 1) // self.processes - self.warm * at // self.processes for at in range(self.processes)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A competitor and its encoder quality.

    ``equal_bytes`` is the interpolated size of its image at exactly Darkroom's score, if that was searched.
    """

    competitor: Competitor
    quality: int = DEFAULT_QUALITY
    equal_bytes: int | None = None

    def event(self, case: Case, number: int) -> Event:
        """Return its event; each ``number`` has its own source."""
        return self.competitor.make_event(case, number, self.quality)


@dataclass(frozen=True, slots=True)
class Result:
    """Results of one competitor in one case.

    ``cold_ms`` is None for a server, and without cold starts. ``cpu_ms`` is CPU time per warm request, ``stages_ms``
    the medians of Server-Timing, if any. ``billed_ms`` is the median time until extensions have finished.
    """

    competitor: Competitor
    cold_ms: Spread | None
    warm_ms: Spread
    cpu_ms: float
    peak_rss_mb: float
    stages_ms: Mapping[str, float]
    body: bytes
    billed_ms: float
    quality: int = DEFAULT_QUALITY
    equal_bytes: int | None = None


class Running(Protocol):
    """A competitor's process."""

    def __enter__(self) -> Self:
        """Start it."""

    def __exit__(self, *_: object) -> None:
        """End it."""

    def invoke(self, event: Event) -> Invocation:
        """Send an event. Raises CompetitorError."""

    def cpu_ms(self) -> float:
        """Return its CPU time until now."""

    def peak_rss_mb(self) -> float:
        """Return its peak resident memory."""


def start(competitor: Competitor, emulator: Path, core: Core) -> Running:
    """Return the competitor's process as a context manager."""
    return HttpServer(competitor, core) if competitor.is_server else Sandbox(emulator, competitor, core)


def run(
    case: Case,
    competitors: Sequence[Competitor | Entry],
    counts: Counts,
    emulator: Path,
    core: Core,
    progress: Progress,
) -> list[Result]:
    """Measure ``competitors`` in ``case``. Raises CompetitorError."""
    entries = [one if isinstance(one, Entry) else Entry(one) for one in competitors]
    numbers = count(1)
    cold = _cold(case, entries, counts, emulator, core, numbers, progress)
    warm = [_Warm() for _ in entries]
    for share in counts.shares:
        with ExitStack() as stack:
            running = [stack.enter_context(start(entry.competitor, emulator, core)) for entry in entries]
            for index in [*range(len(entries))] * counts.unmeasured:
                running[index].invoke(entries[index].event(case, next(numbers)))
            cpu_before_ms = [one.cpu_ms() for one in running]
            for turn in range(share):
                progress(f"{case.title}: warm {len(warm[0].invocations) + 1}/{counts.warm}")
                for index in order_turns(len(entries), turn):
                    warm[index].invocations.append(running[index].invoke(entries[index].event(case, next(numbers))))
            for one, process, before_ms in zip(warm, running, cpu_before_ms, strict=True):
                one.cpu_ms += process.cpu_ms() - before_ms
                one.peak_rss_mb = max(one.peak_rss_mb, process.peak_rss_mb())
    return [
        Result(
            entry.competitor,
            Spread.of(cold_ms) if cold_ms else None,
            Spread.of(invocation.ms for invocation in one.invocations),
            one.cpu_ms / counts.warm,
            one.peak_rss_mb,
            read_stages(one.invocations),
            b64decode(one.invocations[-1].answer["body"]),
            median(invocation.billed_ms for invocation in one.invocations),
            entry.quality,
            entry.equal_bytes,
        )
        for entry, cold_ms, one in zip(entries, cold, warm, strict=True)
    ]


@dataclass(slots=True)
class _Warm:
    """Measurements of one competitor's warm processes."""

    invocations: list[Invocation] = field(default_factory=list)
    cpu_ms: float = 0
    peak_rss_mb: float = 0


def _cold(
    case: Case,
    entries: Sequence[Entry],
    counts: Counts,
    emulator: Path,
    core: Core,
    numbers: Iterator[int],
    progress: Progress,
) -> list[list[float]]:
    """Return the times of first responses of fresh processes. One round before warms the file caches."""
    found: list[list[float]] = [[] for _ in entries]
    functions = [index for index, entry in enumerate(entries) if not entry.competitor.is_server]
    for turn in range(-1, counts.cold) if counts.cold else ():
        progress(f"{case.title}: cold {turn + 1}/{counts.cold}")
        for at in order_turns(len(functions), turn):
            entry = entries[functions[at]]
            with Sandbox(emulator, entry.competitor, core) as sandbox:
                ms = sandbox.invoke(entry.event(case, next(numbers))).ms
            if turn >= 0:
                found[functions[at]].append(ms)
    return found


def read_stages(invocations: Sequence[Invocation]) -> dict[str, float]:
    """Return the median of each stage in ms by the responses' Server-Timing headers."""
    found: dict[str, list[float]] = {}
    for invocation in invocations:
        for entry in filter(None, invocation.answer["headers"].get("server-timing", "").split(", ")):
            name, _, spent = entry.partition(";dur=")
            found.setdefault(name, []).append(float(spent))
    return {name: median(times) for name, times in found.items()}


def order_turns(competitors: int, turn: int) -> list[int]:
    """Return the order of competitors in a turn; each is first equally often."""
    return [(turn + index) % competitors for index in range(competitors)]


def build_event(case: Case, number: int, quality: int | None = None) -> Event:
    """Return CloudFront's event on a miss for Darkroom; each ``number`` has its own source."""
    return build_function_url_event(case, number, quality or case.quality or DEFAULT_QUALITY)
