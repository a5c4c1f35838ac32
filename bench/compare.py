"""A trial of several cases at equal quality: installs the contenders, asks them, and scores what they answered."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from .cases import Case
from .competitors.darkroom import NAME
from .competitors.dit import NAME as DIT
from .competitors.model import Competitor, MissingCompetitor
from .emulator import install_emulator
from .environment import LATENCY_MS, MEGABYTES_PER_S, describe_machine, describe_size
from .equal_quality import match_peers
from .link.process import run_link
from .machine import Core, separate_cores
from .measure import Counts, Progress, run
from .pictures import describe_sources, make_images
from .quality import resize_reference, ssimulacra2
from .report import Findings
from .statistics import SAID

type Makes = Callable[[str], Competitor]

OURS, STORED = f"{NAME}, storing nothing", NAME
"""Contenders' names: without the wait for the write-back, and as deployed."""


def measure_cases(who: Mapping[Case, Sequence[Makes]], counts: Mapping[Case, Counts], progress: Progress) -> Findings:
    """What the contenders that this machine can install did in their cases; the first of each case is Darkroom."""
    load = os.getloadavg()[0]
    progress("building the layers and installing the peers")
    files = {file.name: file for file in make_images()}
    wanted = {case: resize_reference(files[case.picture], case.width) for case in who}
    results, scores, missing = {}, {}, []
    with separate_cores() as core, run_link(list(files.values()), LATENCY_MS, MEGABYTES_PER_S) as endpoint_url:
        for case, makes in who.items():
            contenders, lacking = list_installed(makes, endpoint_url)
            missing += lacking
            progress(f"{case.title}: looking for equal quality")
            chosen = match_peers(case, contenders[0], contenders, wanted[case], install_emulator(), core)
            results[case] = run(case, chosen, counts[case], install_emulator(), core, progress)
            for result in results[case]:
                scores[case, result.contender.name] = ssimulacra2(result.body, wanted[case])
    return Findings(results, scores, DIT, describe_conditions(counts, core, files, load), list(dict.fromkeys(missing)))


def list_installed(makes: Sequence[Makes], endpoint_url: str) -> tuple[list[Competitor], list[str]]:
    """The contenders that this machine can run, and why it cannot run the others."""
    contenders, missing = [], []
    for make in makes:
        try:
            contenders.append(make(endpoint_url))
        except MissingCompetitor as reason:
            missing.append(f"{reason}.")
    return contenders, missing


def describe_conditions(counts: Mapping[Case, Counts], core: Core, files: Mapping[str, Path], load: float) -> list[str]:
    """What the numbers hold for."""
    cores_used = "no core of its own" if core is None else "one core, S3 and the clock on another"
    times = "; ".join(f"{case.title}: {_times(one)}" for case, one in counts.items())
    return [
        f"{describe_machine()}; the function has {cores_used}.",
        f"S3 is {LATENCY_MS:.0f} ms from its first byte and {MEGABYTES_PER_S:.0f} MB/s fast; "
        f"{', '.join(map(describe_size, files.values()))}.",
        f"{describe_sources()}.",
        f"{times}, of each in turn: {SAID}. Load average before: {load:.1f}.",
    ]


def _times(counts: Counts) -> str:
    cold = f"{counts.cold} cold starts and " if counts.cold else ""
    processes = f" in {counts.processes} processes" if counts.processes > 1 else ""
    return f"{cold}{counts.warm} warm requests{processes} (after {counts.unmeasured} in each)"
