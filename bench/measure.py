"""The measurement: all contenders in turn, again and again, so that what else the machine does meets all of them."""

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
    """How often each contender starts cold, and is asked when warm, in how many processes one after the other.

    ``unmeasured`` warm requests come first in each. Two processes of one program differ by some percent for as long as
    they live.
    """

    cold: int
    warm: int
    unmeasured: int = 3
    processes: int = 1

    @property
    def shares(self) -> Iterator[int]:
        """Of the warm requests each process' share."""
        return (
            self.warm * (at + 1) // self.processes - self.warm * at // self.processes for at in range(self.processes)
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender, and the quality that its encoder is asked for.

    ``equal_bytes`` is what its picture would take to score exactly as Darkroom's does, if that was looked for.
    """

    contender: Competitor
    quality: int = DEFAULT_QUALITY
    equal_bytes: int | None = None

    def event(self, case: Case, number: int) -> Event:
        """What it is sent; each ``number`` has its own source."""
        return self.contender.asks(case, number, self.quality)


@dataclass(frozen=True, slots=True)
class Result:
    """What one contender did in one case.

    ``cold_ms`` is None for a server, and where nothing was started. ``cpu_ms`` is processor time per warm request,
    ``stages_ms`` the medians of the answers' Server-Timing, if any.
    """

    contender: Competitor
    cold_ms: Spread | None
    warm_ms: Spread
    cpu_ms: float
    peak_rss_mb: float
    stages_ms: Mapping[str, float]
    body: bytes
    quality: int = DEFAULT_QUALITY
    equal_bytes: int | None = None


class Running(Protocol):
    """A contender's process."""

    def __enter__(self) -> Self:
        """It has been started."""

    def __exit__(self, *_: object) -> None:
        """It ends."""

    def invoke(self, event: Event) -> Invocation:
        """Ask it; raises NoAnswer."""

    def cpu_ms(self) -> float:
        """Processor time that it has used until now."""

    def peak_rss_mb(self) -> float:
        """The most memory that it has had resident."""


def start(contender: Competitor, emulator: Path, core: Core) -> Running:
    """The contender's process, to be closed by ``with``."""
    return HttpServer(contender, core) if contender.is_server else Sandbox(emulator, contender, core)


def run(
    case: Case,
    contenders: Sequence[Competitor | Entry],
    counts: Counts,
    emulator: Path,
    core: Core,
    progress: Progress,
) -> list[Result]:
    """Measure ``contenders`` in ``case``; raises NoAnswer."""
    entries = [one if isinstance(one, Entry) else Entry(one) for one in contenders]
    numbers = count(1)
    cold = _cold(case, entries, counts, emulator, core, numbers, progress)
    warm = [_Warm() for _ in entries]
    for share in counts.shares:
        with ExitStack() as stack:
            running = [stack.enter_context(start(entry.contender, emulator, core)) for entry in entries]
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
            entry.contender,
            Spread.of(cold_ms) if cold_ms else None,
            Spread.of(invocation.ms for invocation in one.invocations),
            one.cpu_ms / counts.warm,
            one.peak_rss_mb,
            read_stages(one.invocations),
            b64decode(one.invocations[-1].answer["body"]),
            entry.quality,
            entry.equal_bytes,
        )
        for entry, cold_ms, one in zip(entries, cold, warm, strict=True)
    ]


@dataclass(slots=True)
class _Warm:
    """What one contender's processes have done until now, when warm."""

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
    """The time of each first answer of a fresh process. A round before those warms the file caches alike for all."""
    found: list[list[float]] = [[] for _ in entries]
    functions = [index for index, entry in enumerate(entries) if not entry.contender.is_server]
    for turn in range(-1, counts.cold) if counts.cold else ():
        progress(f"{case.title}: cold {turn + 1}/{counts.cold}")
        for at in order_turns(len(functions), turn):
            entry = entries[functions[at]]
            with Sandbox(emulator, entry.contender, core) as sandbox:
                ms = sandbox.invoke(entry.event(case, next(numbers))).ms
            if turn >= 0:
                found[functions[at]].append(ms)
    return found


def read_stages(invocations: Sequence[Invocation]) -> dict[str, float]:
    """The median of each stage in ms, as the answers' Server-Timing headers name them."""
    found: dict[str, list[float]] = {}
    for invocation in invocations:
        for entry in filter(None, invocation.answer["headers"].get("server-timing", "").split(", ")):
            name, _, spent = entry.partition(";dur=")
            found.setdefault(name, []).append(float(spent))
    return {name: median(times) for name, times in found.items()}


def order_turns(contenders: int, turn: int) -> list[int]:
    """The order of contenders in a turn: each is first equally often."""
    return [(turn + index) % contenders for index in range(contenders)]


def build_event(case: Case, number: int, quality: int | None = None) -> Event:
    """What CloudFront sends to Darkroom's function on a miss; each ``number`` has its own source."""
    return build_function_url_event(case, number, quality or case.quality or DEFAULT_QUALITY)
