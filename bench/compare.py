"""Measure several cases at equal quality: install competitors, send requests, and score the responses."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cli.library.prices import LATENCY_MS, MEGABYTES_PER_S

from .cases import Case
from .competitors.darkroom import NAME
from .competitors.dit import NAME as DIT
from .competitors.model import Competitor, MissingCompetitor
from .emulator import install_emulator
from .environment import describe_machine, describe_size
from .equal_quality import match_peers
from .images import describe_sources, make_images
from .link.process import describe_protocol, run_link
from .machine import Core, separate_cores
from .measure import Counts, Progress, run
from .mezzanines import write_mezzanines
from .quality import resize_reference, ssimulacra2
from .report import Findings
from .statistics import RATIO_NOTE

type Makes = Callable[[str], Competitor]

OURS, STORED = f"{NAME}, storing nothing", NAME
"""Names of Darkroom's competitors: without storing, and as deployed."""


def measure_cases(who: Mapping[Case, Sequence[Makes]], counts: Mapping[Case, Counts], progress: Progress) -> Findings:
    """Measure the competitors that this machine can install. The first of each case is Darkroom."""
    load = os.getloadavg()[0]
    progress("building the layers and installing peers")
    files = {file.name: file for file in make_images()}
    reference = {case: resize_reference(files[case.image], case.width) for case in who}
    results, scores, missing = {}, {}, []
    derived = write_mezzanines(list(files.values()))
    with separate_cores() as core, run_link([*files.values()], LATENCY_MS, MEGABYTES_PER_S, derived) as endpoint_url:
        for case, makes in who.items():
            competitors, lacking = list_installed(makes, endpoint_url)
            missing += lacking
            progress(f"{case.title}: searching for equal quality")
            chosen = match_peers(case, competitors[0], competitors, reference[case], install_emulator(), core)
            results[case] = run(case, chosen, counts[case], install_emulator(), core, progress)
            for result in results[case]:
                scores[case, result.competitor.name] = ssimulacra2(result.body, reference[case])
    return Findings(results, scores, DIT, describe_conditions(counts, core, files, load), list(dict.fromkeys(missing)))


def list_installed(makes: Sequence[Makes], endpoint_url: str) -> tuple[list[Competitor], list[str]]:
    """Return the competitors that this machine can run, and the reasons for missing ones."""
    competitors, missing = [], []
    for make in makes:
        try:
            competitors.append(make(endpoint_url))
        except MissingCompetitor as reason:
            missing.append(f"{reason}.")
    return competitors, missing


def describe_conditions(counts: Mapping[Case, Counts], core: Core, files: Mapping[str, Path], load: float) -> list[str]:
    """Describe the conditions of the measurement."""
    cores_used = "no separate core" if core is None else "one core, S3 and the clock another"
    times = "; ".join(f"{case.title}: {_times(one)}" for case, one in counts.items())
    return [
        f"{describe_machine()}; the function has {cores_used}.",
        f"S3 is {LATENCY_MS:.0f} ms to the first byte and {MEGABYTES_PER_S:.0f} MB/s, {describe_protocol()}; "
        f"{', '.join(map(describe_size, files.values()))}.",
        f"{describe_sources()}.",
        f"{times}, of each in turn: {RATIO_NOTE}. Load average before: {load:.1f}.",
    ]


def _times(counts: Counts) -> str:
    cold = f"{counts.cold} cold starts and " if counts.cold else ""
    processes = f" in {counts.processes} processes" if counts.processes > 1 else ""
    return f"{cold}{counts.warm} warm requests{processes} (after {counts.unmeasured} in each)"
