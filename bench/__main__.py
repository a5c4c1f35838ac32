"""``python -m bench [requests|ingest|endpoint] [--quick]``: measure, print, write docs/performance.md and its chart."""

from __future__ import annotations

import argparse
import asyncio
import os
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

from local import venvs
from local.place import MODELS
from local.progress import Progress
from tools.fetch_models import PLACES, fetch

from . import ingest
from .chart import chart
from .contenders.darkroom import darkroom
from .contenders.model import Contender, Missing
from .contenders.node import node, node_that_stores, versions
from .contenders.pillow import pillow
from .emulator import emulator
from .endpoint import batching
from .link.process import linked
from .machine import Core, cores, described
from .paths import ROOT
from .pictures import pictures
from .quality import reference, ssim
from .report import ENDPOINT, INGEST, Findings, for_page, for_terminal, write_page
from .trial import Case, Rounds, run

PAGE = ROOT / "docs" / "performance.md"
CHART = ROOT / "docs" / "images" / "performance.svg"

LATENCY_MS = 25.0
MEGABYTES_PER_S = 85.0
"""S3's first byte and throughput as a Lambda function in the same region sees them."""

CASES = (
    Case("12 MP JPEG to 800 px WebP", "12mp.jpg", 800),
    Case("2 MP JPEG to 400 px WebP", "2mp.jpg", 400),
)
CONTENDERS: tuple[Callable[[str], Contender], ...] = (darkroom, node, node_that_stores, pillow)
FULL = Rounds(cold=11, warm=25)
QUICK = Rounds(cold=3, warm=5)

ELSEWHERE = (
    "AWS itself: its cold start also places the function's environment and loads the layers, and S3's line varies.",
    "TLS to S3: the line here is plain HTTP, so no contender pays for a handshake or encryption.",
    "AWS's Dynamic Image Transformation: it is in no package registry. The Node handler is made of the same parts.",
    "A disc that has not read the files before: every cold start finds them in the system's cache.",
)


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("part", nargs="?", choices=PARTS, help="one of the parts; all if none is named")
    parser.add_argument("--quick", action="store_true", help="few rounds, and leave docs/performance.md as it is")
    arguments = parser.parse_args()
    if not sys.platform.startswith("linux"):
        parser.error("AWS's Runtime Interface Emulator runs on Linux only")
    started_s = time.monotonic()
    for part in [arguments.part] if arguments.part else PARTS:
        PARTS[part](arguments.quick)
    print(f"Took {time.monotonic() - started_s:.0f} s")


def requests(quick: bool) -> None:
    """A viewer's requests, through the function as deployed."""
    findings = measured(QUICK if quick else FULL)
    print(f"\r\033[K{for_terminal(findings)}")
    if not quick:
        write_page(PAGE, for_page(findings))
        CHART.write_text(chart(findings.results), encoding="utf-8")
        print(f"Wrote {PAGE.relative_to(ROOT)} and {CHART.relative_to(ROOT)}")


def uploads(quick: bool) -> None:
    """What an upload takes."""
    load = os.getloadavg()[0]
    core, our_core = cores()
    if our_core is not None:
        os.sched_setaffinity(0, {our_core})
    picture = next(file for file in pictures() if file.name == ingest.PICTURE)
    rounds = 5 if quick else 21
    findings = ingest.measured(picture, rounds, core, upload_conditions(rounds, core, picture, load), progress)
    print(f"\r\033[K{ingest.for_terminal(findings)}")
    if not quick:
        write_page(PAGE, ingest.for_page(findings), INGEST)
        print(f"Wrote {PAGE.relative_to(ROOT)}")


def models(quick: bool) -> None:
    """Pictures a second through the model server."""
    load = os.getloadavg()[0]
    asyncio.run(venvs.ensure_endpoint(Progress()))
    fetch(PLACES["endpoint"], MODELS)
    count, rounds = (batching.AT_ONCE, 1) if quick else (2 * batching.AT_ONCE, 3)
    findings = batching.measured(count, rounds, endpoint_conditions(count, rounds, load), progress)
    print(f"\r\033[K{batching.for_terminal(findings)}")
    if not quick:
        write_page(PAGE, batching.for_page(findings), ENDPOINT)
        print(f"Wrote {PAGE.relative_to(ROOT)}")


PARTS: dict[str, Callable[[bool], None]] = {"requests": requests, "ingest": uploads, "endpoint": models}


def measured(rounds: Rounds) -> Findings:
    """All contenders that this machine can install, in all cases."""
    load = os.getloadavg()[0]
    progress("building the layers and installing the peers")
    files = {file.name: file for file in pictures()}
    function_core, our_core = cores()
    if our_core is not None:
        os.sched_setaffinity(0, {our_core})
    with linked(list(files.values()), LATENCY_MS, MEGABYTES_PER_S) as endpoint_url:
        contenders, missing = installed(endpoint_url)
        found = {case: run(case, contenders, rounds, emulator(), function_core, progress) for case in CASES}
    wanted = {case: reference(files[case.picture], case.width) for case in CASES}
    return Findings(
        found,
        {(case, result.contender.name): ssim(result.body, wanted[case]) for case in CASES for result in found[case]},
        baseline="Node" if any(contender.name == "Node" for contender in contenders) else contenders[-1].name,
        conditions=conditions(rounds, function_core, files, load),
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


def conditions(rounds: Rounds, function_core: Core, files: dict[str, Path], load: float) -> list[str]:
    """What the numbers hold for."""
    sizes = ", ".join(f"{name} {file.stat().st_size / 1e6:.1f} MB" for name, file in files.items())
    cores_used = "no core of its own" if function_core is None else "one core, S3 and the clock on another"
    return [
        f"{machine()}; the function has {cores_used}.",
        f"S3 is {LATENCY_MS:.0f} ms from its first byte and {MEGABYTES_PER_S:.0f} MB/s fast; sources: {sizes}.",
        f"{rounds.cold} cold starts and {rounds.warm} warm requests of each, in turn: median (least–greatest), "
        "and the median of the ratios within each turn. "
        f"Load average before: {load:.1f}.",
    ]


def upload_conditions(rounds: int, core: Core, picture: Path, load: float) -> list[str]:
    """What the numbers of uploads hold for."""
    threads = "one thread each" if core is None else "one thread each on one core"
    return [
        f"{machine()}; {threads}, in warm processes; {picture.name} has {picture.stat().st_size / 1e6:.1f} MB.",
        f"{rounds} turns: median (least–greatest), and the median of the ratios within each turn. "
        f"Load average before: {load:.1f}.",
    ]


def endpoint_conditions(count: int, rounds: int, load: float) -> list[str]:
    """What the numbers of the endpoint hold for."""
    return [
        f"{described()}, all of them for the server; Python {platform.python_version()}.",
        f"{batching.AT_ONCE} requests at any time, {count} JPEGs of {batching.SIDE_PX} px a turn; ms: the mean of the "
        "turns' median answers; together: how many were answered at once.",
        f"{rounds} turns: median (least–greatest), and the median of the ratios within each turn. "
        f"Load average before: {load:.1f}.",
    ]


def machine() -> str:
    """The processor, and the versions of what runs on it."""
    try:
        peers = f", {versions()}"
    except Missing:
        peers = ""
    return f"{described()}; Python {platform.python_version()}{peers}"


def progress(text: str) -> None:
    """Say on one line what is being done."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\033[K{text} ...")
        sys.stderr.flush()


if __name__ == "__main__":
    main()
