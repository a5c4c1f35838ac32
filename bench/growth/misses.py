"""Measure misses by source pixels and output size, each in a fresh process on one core.

The machine may be busy, so only what other processes do not change is measured: CPU time by the process's own clock,
peak memory, and the number of consecutive requests to S3, which a link with a high latency shows. The time of a
miss is their sum with S3's usual latency.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from statistics import median

from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S

from .. import processes
from ..competitors.darkroom import darkroom
from ..emulator import install_emulator
from ..events import build_event
from ..link.process import run_link
from ..machine import Core
from ..measure import Progress
from ..mezzanines import find_read_file, write_mezzanines
from ..runtime import CompetitorError, Sandbox
from .figures import MissFigure, MissFigures
from .masters import Photograph

OUTPUTS: Mapping[str, str] = {
    "200": "w-200.webp",
    "800": "w-800.webp",
    "2000": "w-2000.webp",
    "800 AVIF": "w-800.avif",
}
"""Last parts of canonical paths by the output's name."""

ROUNDS_OF = {"w-800.avif": "w-800.webp"}
"""Output with the same requests to S3."""

SLOW_LINK_MS = 700.0
MARGIN = 0.3
"""Share of the slow link's latency that a count of requests may lack."""

ATTEMPTS = 4


@dataclass(frozen=True, slots=True)
class Case:
    """A photograph, its master's file, the file that is read, the output's name and the last part of its path."""

    photograph: Photograph
    master: Path
    read: Path
    output: str
    path: str


FIRST = "w-200.webp"
"""Output of the first request of each process, for the smallest photograph: the cold start."""


@dataclass(frozen=True, slots=True)
class Miss:
    """One measured request: CPU ms, peak resident MB (10⁶ bytes), bytes of the image, the master and what was read.

    ``mezzanine``: that is a mezzanine.
    """

    photograph: Photograph
    output: str
    cpu_ms: float
    peak_mb: float
    image_bytes: int
    master_bytes: int
    read_bytes: int
    mezzanine: bool


@dataclass(frozen=True, slots=True)
class Measured:
    """All requests, and the first ones of the processes.

    ``rounds`` are consecutive requests to S3 by megapixels and path: until the response, and all that are billed.
    """

    misses: Sequence[Miss]
    first: Sequence[Miss]
    rounds: Mapping[tuple[int, str], tuple[int, int]]


def list_cases(masters: Mapping[Photograph, Path], rounds: int) -> Iterator[Case]:
    """Yield each photograph and output ``rounds`` times, so that a disturbance affects different cases."""
    for _ in range(rounds):
        for photograph, output in product(masters, OUTPUTS):
            yield Case(photograph, masters[photograph], masters[photograph], output, OUTPUTS[output])


def list_mezzanine_cases(masters: Mapping[Photograph, Path], rounds: int) -> list[Case]:
    """Return the cases that a deployment with mezzanines renders from one."""
    files = _list_jpegs(masters)
    width_px = {output: int(output.split()[0]) for output in OUTPUTS}
    return [
        replace(case, read=read)
        for case in list_cases(masters, rounds)
        if case.master in files
        for read in (find_read_file(case.master, width_px[case.output], files),)
        if read != case.master
    ]


def _list_jpegs(masters: Mapping[Photograph, Path]) -> list[Path]:
    return [file for photograph, file in masters.items() if photograph.kind != "pyramid"]


def measure_misses(masters: Mapping[Photograph, Path], rounds: int, core: Core, progress: Progress) -> Measured:
    """Measure every case. Raises CompetitorError unless the response is an image."""
    cases = [*list_cases(masters, rounds), *list_mezzanine_cases(masters, rounds)]
    smallest = min(masters, key=lambda one: (one.megapixels, one.number))
    warming = Case(smallest, masters[smallest], masters[smallest], "200", FIRST)
    misses, first = [], []
    files, mezzanines = list(masters.values()), write_mezzanines(_list_jpegs(masters))
    with (
        run_link(files, LATENCY_MS, MEGABYTES_PER_S) as without,
        run_link(files, LATENCY_MS, MEGABYTES_PER_S, mezzanines) as stored,
    ):
        for number, case in enumerate(cases, start=1):
            progress(f"misses: {number}/{len(cases)}")
            url = without if case.read == case.master else stored
            start, miss = _measure_process(url, core, warming, case, number)
            first.append(start)
            misses.append(miss)
    return Measured(misses, first, count_rounds(masters, core, progress))


def count_rounds(
    masters: Mapping[Photograph, Path], core: Core, progress: Progress
) -> dict[tuple[int, str], tuple[int, int]]:
    """Count the consecutive requests to S3 of each WebP, by the time of a miss whose requests take SLOW_LINK_MS each.

    JPEGs of all sizes are read in the same way, so the least count of them is that of all.
    """
    chosen = {photograph: file for photograph, file in masters.items() if photograph.number == 0}
    found: dict[tuple[int, str], tuple[int, int]] = {}
    with run_link(list(chosen.values()), SLOW_LINK_MS, MEGABYTES_PER_S) as url:
        for photograph in chosen:
            progress(f"requests to S3: {photograph.megapixels} MP")
            with Sandbox(install_emulator(), darkroom(url), core) as sandbox:
                sandbox.invoke(build_event(f"/first/{photograph.name}/_/{FIRST}"))
                for path in OUTPUTS.values():
                    if path.endswith(".webp"):
                        found[photograph.megapixels, path] = _count_rounds(sandbox, f"/{photograph.name}/_/{path}")
    jpegs = {photograph.megapixels for photograph in chosen if photograph.kind != "pyramid"}
    least = min((count for (megapixels, _), count in found.items() if megapixels in jpegs), default=(0, 0))
    return {case: least if case[0] in jpegs else count for case, count in found.items()}


def _count_rounds(sandbox: Sandbox, path: str) -> tuple[int, int]:
    """Return the least of three requests until the response, and with what follows: other processes lengthen both.

    The CPU time and the wait for a core are subtracted from both, though a part of them follows the response: hence
    ``MARGIN``.
    """
    answered, billed = [], []
    for copy in ("one", "two", "three"):
        before = _read(sandbox.pid)
        invocation = sandbox.invoke(build_event(f"/{copy}{path}"))
        own_ms = sum(_read(sandbox.pid)) - sum(before)
        answered.append((invocation.ms - own_ms) / SLOW_LINK_MS)
        billed.append((invocation.billed_ms - own_ms) / SLOW_LINK_MS)
    return int(min(answered) + MARGIN), int(min(billed) + MARGIN)


def _measure_process(url: str, core: Core, warming: Case, case: Case, number: int) -> tuple[Miss, Miss]:
    """Measure a cold start and ``case`` in one process; again where a busy machine exceeded the handler's time."""
    for attempt in reversed(range(ATTEMPTS)):
        try:
            with Sandbox(install_emulator(), darkroom(url), core) as sandbox:
                copy = f"{number}-{attempt}"
                start = _measure(sandbox, warming, f"first-{copy}", 0.0)
                _measure(sandbox, warming, f"second-{copy}", _read(sandbox.pid)[0])
                sandbox.reset_peak()
                return start, _measure(sandbox, case, copy, _read(sandbox.pid)[0])
        except CompetitorError:
            if not attempt:
                raise
    raise AssertionError


def _measure(sandbox: Sandbox, case: Case, copy: str, before_ms: float) -> Miss:
    """Send one request for a copy of the photograph that was not requested before.

    ``before_ms`` is the process's CPU time until now.
    """
    invocation = sandbox.invoke(build_event(f"/{copy}/{case.photograph.name}/_/{case.path}"))
    return Miss(
        case.photograph,
        case.output,
        _read(sandbox.pid)[0] - before_ms,
        sandbox.peak_rss_mb(),
        len(invocation.answer["body"]) * 3 // 4,
        case.master.stat().st_size,
        case.read.stat().st_size,
        case.read != case.master,
    )


def _read(pid: int) -> tuple[float, float]:
    """Return the process's CPU time, and the time in which its main thread waited for a core."""
    return processes.read_exact_cpu_ms(pid), processes.read_queued_ms(pid)


def summarise(measured: Measured, conditions: str) -> MissFigures:
    """Return the figures of each number of megapixels, output and kind of source. Memory is the highest."""
    groups: dict[tuple[int, str, bool], list[Miss]] = {}
    for one in measured.misses:
        groups.setdefault((one.photograph.megapixels, one.output, one.mezzanine), []).append(one)
    found = [
        _summarise_case(alike, measured.rounds[case[0], ROUNDS_OF.get(OUTPUTS[case[1]], OUTPUTS[case[1]])])
        for case, alike in sorted(groups.items())
    ]
    return MissFigures(conditions, found, round(median(one.cpu_ms for one in measured.first), 1))


def _summarise_case(alike: Sequence[Miss], rounds: tuple[int, int]) -> MissFigure:
    """Add CPU time, S3's latency, and the transfer of a JPEG, of which decoding hides a part."""
    first = alike[0]
    wait_ms = rounds[0] * LATENCY_MS
    if first.photograph.kind != "pyramid":
        wait_ms += median(one.read_bytes for one in alike) / MEGABYTES_PER_S / 1000
    numbers = sorted({one.photograph.number for one in alike})
    return MissFigure(
        first.photograph.megapixels,
        first.output,
        first.photograph.kind,
        first.mezzanine,
        *rounds,
        [round(wait_ms + min(one.cpu_ms for one in alike if one.photograph.number == number), 1) for number in numbers],
        round(median(one.cpu_ms for one in alike), 1),
        round(max(one.peak_mb for one in alike), 1),
        round(median(one.image_bytes for one in alike)),
        round(median(one.master_bytes for one in alike)),
    )
