"""The measurement: all contenders in turn, again and again, so that what else the machine does meets all of them."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from .cases import Case
from .contenders.model import Contender
from .machine import Core
from .runtime import Invocation, Sandbox
from .statistics import Spread

type Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Counts:
    """How often each contender starts cold, and is asked when warm; ``unmeasured`` warm requests come first."""

    cold: int
    warm: int
    unmeasured: int = 3


@dataclass(frozen=True, slots=True)
class Result:
    """What one contender did in one case.

    ``cpu_ms`` is processor time per warm request, ``stages_ms`` the medians of the answers' Server-Timing, if any.
    """

    contender: Contender
    cold_ms: Spread
    warm_ms: Spread
    cpu_ms: float
    peak_rss_mb: float
    stages_ms: Mapping[str, float]
    body: bytes


def run(
    case: Case, contenders: Sequence[Contender], rounds: Counts, emulator: Path, core: Core, progress: Progress
) -> list[Result]:
    """Measure ``contenders`` in ``case``; raises NoAnswer."""
    numbers = count(1)
    cold = _cold(case, contenders, rounds, emulator, core, numbers, progress)
    with ExitStack() as stack:
        sandboxes = [stack.enter_context(Sandbox(emulator, contender, core)) for contender in contenders]
        for sandbox in sandboxes * rounds.unmeasured:
            sandbox.invoke(event(case, next(numbers)))
        cpu_before = [sandbox.cpu_ms() for sandbox in sandboxes]
        warm: list[list[Invocation]] = [[] for _ in contenders]
        for turn in range(rounds.warm):
            progress(f"{case.title}: warm {turn + 1}/{rounds.warm}")
            for index in in_turn(len(contenders), turn):
                warm[index].append(sandboxes[index].invoke(event(case, next(numbers))))
        return [
            Result(
                contender,
                Spread.of(cold[index]),
                Spread.of(invocation.ms for invocation in warm[index]),
                (sandboxes[index].cpu_ms() - cpu_before[index]) / rounds.warm,
                sandboxes[index].peak_rss_mb(),
                stages(warm[index]),
                b64decode(warm[index][-1].answer["body"]),
            )
            for index, contender in enumerate(contenders)
        ]


def _cold(
    case: Case,
    contenders: Sequence[Contender],
    rounds: Counts,
    emulator: Path,
    core: Core,
    numbers: Iterator[int],
    progress: Progress,
) -> list[list[float]]:
    """The time of each first answer of a fresh process. A round before those warms the file caches alike for all."""
    found: list[list[float]] = [[] for _ in contenders]
    for turn in range(-1, rounds.cold):
        progress(f"{case.title}: cold {turn + 1}/{rounds.cold}")
        for index in in_turn(len(contenders), turn):
            with Sandbox(emulator, contenders[index], core) as sandbox:
                ms = sandbox.invoke(event(case, next(numbers))).ms
            if turn >= 0:
                found[index].append(ms)
    return found


def stages(invocations: Sequence[Invocation]) -> dict[str, float]:
    """The median of each stage in ms, as the answers' Server-Timing headers name them."""
    found: dict[str, list[float]] = {}
    for invocation in invocations:
        for entry in filter(None, invocation.answer["headers"].get("server-timing", "").split(", ")):
            name, _, spent = entry.partition(";dur=")
            found.setdefault(name, []).append(float(spent))
    return {name: median(times) for name, times in found.items()}


def in_turn(contenders: int, turn: int) -> list[int]:
    """The order of contenders in a turn: each is first equally often."""
    return [(turn + index) % contenders for index in range(contenders)]


def event(case: Case, number: int) -> Mapping[str, Any]:
    """The event of the Function URL (payload format 2.0) that CloudFront sends on a miss; each has its own source."""
    path = f"/{number}/{case.picture}/_/w-{case.width}.webp"
    return {
        "version": "2.0",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"accept": "image/avif,image/webp,*/*", "host": "transform.lambda-url.us-east-1.on.aws"},
        "requestContext": {"http": {"method": "GET", "path": path, "protocol": "HTTP/1.1"}},
        "isBase64Encoded": False,
    }
