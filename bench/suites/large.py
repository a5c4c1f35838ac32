"""Large images: 280 MP refused, 100 MP within memory, 24 MP to a small cover compared with sharp and Pillow."""

from __future__ import annotations

import os

from ..competitors.darkroom import darkroom
from ..emulator import install_emulator
from ..environment import describe_machine, describe_rounds
from ..events import build_event
from ..goals import Figure, Rounds, Section
from ..large.covering import SIDE_PX, Findings, find_fastest, measure_all
from ..large.sources import COVERED, HUGE, HUGE_PX, REFUSED, REFUSED_PX, make_files
from ..link.process import run_link
from ..machine import Core, separate_cores
from ..runtime import CompetitorError, Sandbox
from ..statistics import Spread
from ..tables import Table
from . import Progress

WARM = "/{number}/24mp.jpg/_/w-320.webp"
UNMEASURED = 3
TIMES = {"full": (41, 5, 41), "quick": (9, 2, 7)}
"""Refusals, renders of 100 MP, and turns of covers."""


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure all three."""
    refusals, renders, covers = TIMES[rounds]
    load = os.getloadavg()[0]
    with separate_cores() as core:
        with run_link(list(make_files().values()), 0, 10_000) as url:
            refused = refused_ms(url, core, refusals, progress)
            peaks = huge_peaks_mb(url, core, renders, progress)
        findings = measure_all(make_files()[COVERED], covers, core, progress)
    figures = [refusal(refused), huge(peaks), *cover(findings)]
    text = "\n\n".join([alone_table(refused, peaks).markdown(), cover_table(findings, covers, load).markdown()])
    return Section(text, figures, findings.missing)


def refused_ms(url: str, core: Core, times: int, progress: Progress) -> Spread:
    """Measure warm 413 responses, each for an unknown source."""
    found = []
    with Sandbox(install_emulator(), darkroom(url), core) as sandbox:
        sandbox.invoke(build_event(WARM.format(number="warm")))
        for number in range(times + UNMEASURED):
            progress(f"280 MP refused: {number + 1}/{times + UNMEASURED}")
            invocation = sandbox.send(build_event(f"/{number}/{REFUSED}/_/w-800.webp"))
            if invocation.answer["statusCode"] != 413:
                raise CompetitorError(f"280 MP: {str(invocation.answer)[:500]}")
            found.append(invocation.ms)
    return Spread.of(found[UNMEASURED:])


def huge_peaks_mb(url: str, core: Core, times: int, progress: Progress) -> Spread:
    """Measure the peaks of a process that renders images of 100 MP one after another."""
    found = []
    with Sandbox(install_emulator(), darkroom(url), core) as sandbox:
        for number in range(times):
            progress(f"100 MP to 800 px: {number + 1}/{times}")
            sandbox.invoke(build_event(f"/{number}/{HUGE}/_/w-800.webp"))
            found.append(sandbox.peak_rss_mb())
    return Spread.of(found)


def refusal(ms: Spread) -> Figure:
    """Return the median."""
    return Figure("refuse-280mp", ms.median, ms.low, ms.high, why="the header is read and a marker stored, over HTTP")


def huge(peaks_mb: Spread) -> Figure:
    """Return the highest peak."""
    return Figure("rss-100mp", peaks_mb.high, peaks_mb.low, peaks_mb.high, why="the file has 19 MB")


def cover(findings: Findings) -> list[Figure]:
    """Return the ratio to the fastest peer's time; the lower bound is libvips' decode, resize and encode."""
    if not findings.peers:
        return []
    ours, peer = findings.covered[0], find_fastest(findings.peers)
    ratios = [one / other for one, other in zip(ours.ms.values, peer.ms.values, strict=True)]
    floor = findings.floor_ms.ratio_to(peer.ms)
    why = "libvips' decode, resize and encode of the master alone"
    return [Figure("cover-24mp", ours.ms.ratio_to(peer.ms), min(ratios), max(ratios), floor, why)]


def alone_table(refused: Spread, peaks_mb: Spread) -> Table:
    """Format the measurements without a peer."""
    rows = [
        (f"JPEG of {_mp(REFUSED_PX)} refused, ms", _tenths(refused)),
        (f"JPEG of {_mp(HUGE_PX)} to 800 px WebP, most resident MB", f"{peaks_mb.high:.0f}"),
    ]
    notes = [
        "- Refused: 413 from the warm handler under Lambda's emulator, timed from outside, S3 without latency. Each "
        "request has another source, without a marker; reading the header and storing the marker are included.",
        f"- {_mp(HUGE_PX)}: the kernel's VmHWM over {len(peaks_mb.values)} such images in one process, within the "
        "default limits. MB are 10⁶ bytes.",
    ]
    return Table("The largest", ("", ""), rows, ["\n".join(notes)])


def cover_table(findings: Findings, times: int, load: float) -> Table:
    """Format a row for each competitor; ratios are to the fastest peer."""
    found, floor = findings.covered, findings.floor_ms
    base = find_fastest(findings.peers or found)
    rows = [
        (
            one.competitor.name,
            _tenths(one.ms),
            f"{one.ms.ratio_to(base.ms):.2f}",
            str(one.quality),
            f"{one.score:.1f}",
            f"{one.size_bytes:,}",
        )
        for one in found
    ]
    rows.append(("Decode and encode alone", _tenths(floor), f"{floor.ratio_to(base.ms):.2f}", "", "", ""))
    notes = [f"- **{one.competitor.name}**: {one.competitor.what}." for one in found]
    notes += [
        "- **Decode and encode alone**: libvips at an eighth of the size, its resize, and the same encoder.",
        f"- {describe_machine()}; warm processes on one core, one thread each. "
        "Peers' quality is the one whose SSIMULACRA2 is "
        "nearest to Darkroom's.",
        f"- {describe_rounds(times, load)}",
    ]
    title = f"24 MP JPEG to a cover of {SIDE_PX} × {SIDE_PX} px, WebP"
    return Table(title, ("", "ms", "ratio", "quality", "SSIMULACRA2", "bytes"), rows, ["\n".join(notes)])


def _mp(size: tuple[int, int]) -> str:
    return f"{size[0] * size[1] / 1e6:.0f} MP"


def _tenths(ms: Spread) -> str:
    return f"{ms.median:.1f} ({ms.low:.1f}–{ms.high:.1f})"
