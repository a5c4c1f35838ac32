"""AVIF compared with sharp's, JPEG with DIT's, and a render without latency with its lower bound."""

from __future__ import annotations

import os
from dataclasses import dataclass

from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S

from ..cases import AVIF_12MP, JPEG_12MP, WEBP_12MP, Case
from ..compare import STORED, Makes, measure_cases
from ..competitors.darkroom import darkroom, darkroom_unstored
from ..competitors.dit import NAME as DIT
from ..competitors.dit import dit
from ..competitors.node import node
from ..emulator import install_emulator
from ..environment import describe_rounds
from ..goals import Figure, Rounds, Section
from ..images import make_images
from ..link.process import run_link
from ..lower_bound import REQUEST, find_source, measure_lower_bound, start_worker
from ..machine import separate_cores
from ..measure import Counts, build_event, order_turns
from ..report import ALLOWANCE, format_page, select_results
from ..runtime import Sandbox
from ..statistics import Spread
from ..tables import Table
from . import Progress
from .photographs import AVIF_ALLOWANCE, mean_ratio

UNMEASURED = 3
SHARP = "Node"

WHO: dict[Case, tuple[Makes, ...]] = {
    JPEG_12MP: (darkroom_unstored, darkroom, dit, node),
    AVIF_12MP: (darkroom_unstored, darkroom, dit, node),
}
COUNTS = {
    "full": {
        JPEG_12MP: Counts(cold=0, warm=26, unmeasured=15, processes=2),
        AVIF_12MP: Counts(cold=0, warm=14, unmeasured=5, processes=2),
    },
    "quick": {JPEG_12MP: Counts(cold=0, warm=5), AVIF_12MP: Counts(cold=0, warm=3, unmeasured=1)},
}
INSTANT_TURNS = {"full": 41, "quick": 9}


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure both formats, then the lower bound."""
    findings = measure_cases(WHO, COUNTS[rounds], progress)
    with separate_cores() as core:
        floors = {case: measure_lower_bound(case, find_source(case), core, 9) for case in WHO}
    figures = []
    for case, goal, theirs, allowance in (
        (JPEG_12MP, "warm-12mp-jpeg", DIT, ALLOWANCE),
        (AVIF_12MP, "warm-12mp-avif", SHARP, AVIF_ALLOWANCE),
    ):
        pair = select_results(findings, case, STORED, theirs, allowance, mean_ratio(case.form, rounds, progress))
        if pair:
            least_ms = floors[case].request_ms(LATENCY_MS, MEGABYTES_PER_S)
            figures.append(pair.warm(goal, least_ms, REQUEST))
    load = os.getloadavg()[0]
    handler, bare = instant(INSTANT_TURNS[rounds], progress)
    text = "\n\n".join(
        [
            format_page(findings),
            instant_table(handler, bare).markdown(),
            f"- {describe_rounds(len(bare.ms.values), load)}",
        ]
    )
    return Section(text, [*figures, above_floor(handler, bare)], findings.missing)


@dataclass(frozen=True, slots=True)
class Instant:
    """Requests without S3 latency, or decode and encode alone: wall and CPU time of each in ms."""

    ms: Spread
    cpu_ms: float


def instant(times: int, progress: Progress) -> tuple[Instant, Instant]:
    """Measure the handler, and decode and encode alone, in turn on one core."""
    found: tuple[list[float], list[float]] = ([], [])
    image = next(file for file in make_images() if file.name == WEBP_12MP.image)
    with (
        separate_cores() as core,
        run_link([image], 0, 10_000) as url,
        Sandbox(install_emulator(), darkroom_unstored(url), core) as sandbox,
        start_worker(WEBP_12MP, image, core) as worker,
    ):
        for number in range(UNMEASURED):
            sandbox.invoke(build_event(WEBP_12MP, number))
        before = sandbox.cpu_ms(), worker.cpu_ms()
        for turn in range(times):
            progress(f"Above the floor: {turn + 1}/{times}")
            for index in order_turns(2, turn):
                request = build_event(WEBP_12MP, UNMEASURED + turn)
                found[index].append(sum(worker.stages_ms()) if index else sandbox.invoke(request).ms)
        after = sandbox.cpu_ms(), worker.cpu_ms()
    handler, bare = (
        Instant(Spread.of(ms), (end - start) / times) for ms, start, end in zip(found, before, after, strict=True)
    )
    return handler, bare


def above_floor(handler: Instant, bare: Instant) -> Figure:
    """Return the ratio of the two."""
    ratios = [one / other for one, other in zip(handler.ms.values, bare.ms.values, strict=True)]
    why = f"by CPU time it is {handler.cpu_ms / bare.cpu_ms:.2f}; the rest is the emulator and HTTP"
    return Figure("render-over-floor", handler.ms.ratio_to(bare.ms), min(ratios), max(ratios), floor=1.0, why=why)


def instant_table(handler: Instant, bare: Instant) -> Table:
    """Format both and the ratios."""
    rows = [
        (name, str(one.ms), f"{one.ms.ratio_to(bare.ms):.2f}", f"{one.cpu_ms:.0f}", f"{one.cpu_ms / bare.cpu_ms:.2f}")
        for name, one in (("Darkroom, whole handler", handler), ("Decode and encode alone", bare))
    ]
    return Table(f"{WEBP_12MP.title}, S3 without latency", ("", "ms", "ratio", "CPU ms", "ratio"), rows)
