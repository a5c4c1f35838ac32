"""A viewer's requests through the function as deployed, beside its peers: cold and warm."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from ..cases import WEBP_2MP, WEBP_12MP
from ..conditions import LATENCY_MS, MEGABYTES_PER_S, machine, size
from ..contenders.darkroom import darkroom
from ..contenders.model import Contender, Missing
from ..contenders.node import node, node_that_stores
from ..contenders.pillow import pillow
from ..emulator import emulator
from ..figures import Rounds, Section
from ..link.process import linked
from ..machine import Core, apart
from ..pictures import pictures
from ..quality import reference, ssim
from ..report import Findings, for_page
from ..trial import Counts, run
from . import Progress

CASES = (WEBP_12MP, WEBP_2MP)
CONTENDERS: tuple[Callable[[str], Contender], ...] = (darkroom, node, node_that_stores, pillow)
COUNTS = {"full": Counts(cold=11, warm=25), "quick": Counts(cold=3, warm=5)}

ELSEWHERE = (
    "AWS itself: its cold start also places the function's environment and loads the layers, and S3's line varies.",
    "TLS to S3: the line here is plain HTTP, so no contender pays for a handshake or encryption.",
)


def measure(rounds: Rounds, progress: Progress) -> Section:
    """All contenders that this machine can install, in all cases."""
    findings = measured(COUNTS[rounds], progress)
    return Section(for_page(findings), missing=findings.missing)


def measured(counts: Counts, progress: Progress) -> Findings:
    """What the contenders did."""
    load = os.getloadavg()[0]
    progress("building the layers and installing the peers")
    files = {file.name: file for file in pictures()}
    with apart() as core, linked(list(files.values()), LATENCY_MS, MEGABYTES_PER_S) as endpoint_url:
        contenders, missing = installed(endpoint_url)
        found = {case: run(case, contenders, counts, emulator(), core, progress) for case in CASES}
    wanted = {case: reference(files[case.picture], case.width) for case in CASES}
    return Findings(
        found,
        {(case, result.contender.name): ssim(result.body, wanted[case]) for case in CASES for result in found[case]},
        baseline="Node" if any(contender.name == "Node" for contender in contenders) else contenders[-1].name,
        conditions=conditions(counts, core, files, load),
        missing=[*missing, *ELSEWHERE],
    )


def installed(endpoint_url: str) -> tuple[list[Contender], list[str]]:
    """The contenders that this machine can run, and why it cannot run the others."""
    contenders, missing = [], []
    for make in CONTENDERS:
        try:
            contenders.append(make(endpoint_url))
        except Missing as reason:
            missing.append(f"{reason}.")
    return contenders, list(dict.fromkeys(missing))


def conditions(counts: Counts, core: Core, files: dict[str, Path], load: float) -> list[str]:
    """What the numbers hold for."""
    cores_used = "no core of its own" if core is None else "one core, S3 and the clock on another"
    return [
        f"{machine()}; the function has {cores_used}.",
        f"S3 is {LATENCY_MS:.0f} ms from its first byte and {MEGABYTES_PER_S:.0f} MB/s fast; "
        f"sources: {', '.join(map(size, files.values()))}.",
        f"{counts.cold} cold starts and {counts.warm} warm requests of each, in turn: median (least–greatest), "
        f"and the median of the ratios within each turn. Load average before: {load:.1f}.",
    ]
