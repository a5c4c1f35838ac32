"""Ingest: the presets of an upload compared with sharp."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from ..competitors.darkroom import darkroom_at_ingest
from ..competitors.model import Competitor, MissingCompetitor
from ..competitors.node import sharp_at_ingest
from ..corpus.packages import PackageUnavailable
from ..environment import describe_machine, describe_rounds, describe_size
from ..equal_quality import Match
from ..equal_quality_set import match_presets, render_presets
from ..goals import Figure, Rounds, Section
from ..images import make_images
from ..machine import Core, separate_cores
from ..measure import order_turns
from ..photographs.comparing import Outcome, compare_presets
from ..photographs.sources import list_photographs
from ..quality import resize_reference, ssimulacra2
from ..report import ALLOWANCE, check_bytes
from ..statistics import Spread
from ..tables import Table
from ..worker import Worker
from . import Progress
from .photographs import EVERY

IMAGE = "12mp.jpg"
SHARP = "sharp"
WEBP_QUALITY = 80
WIDTHS = (320, 640, 960, 1280, 1920)
PRESETS: Mapping[str, Mapping[str, object]] = {
    **{f"w{width}": {"width": width, "format": "webp", "quality": WEBP_QUALITY} for width in WIDTHS},
    "cover": {
        "width": 256,
        "height": 256,
        "fit": "cover",
        "gravity": "attention",
        "format": "webp",
        "quality": WEBP_QUALITY,
    },
}
"""Presets of ``presets.toml`` that are made at ingest."""

MATCHED = tuple(f"w{width}" for width in WIDTHS)
"""Presets that are scored; covers are not, because each competitor chooses their part of the image."""

UNMEASURED = 2
ALONE = "one decode, and the rendered images encoded with sharp's effort"
FLOOR = "the floor is one decode, and libwebp alone with sharp's effort, the lowest without more bytes"


@dataclass(frozen=True, slots=True)
class Timed:
    """One competitor's times by turn, and its last images."""

    competitor: Competitor
    ms: Spread
    made: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Findings:
    """All results; ratios are to the last one.

    ``floor`` is decoding once and encoding with sharp's effort, alone, in the turns of the presets. ``scores`` are
    means of SSIMULACRA2 over the widths by competitor; ``equal_bytes`` the interpolated size of sharp's images at
    exactly Darkroom's scores, if sharp is installed. ``over_many`` compares bytes over many photographs.
    """

    presets: Sequence[Timed]
    floor: Spread
    scores: Mapping[str, float]
    equal_bytes: int | None
    missing: Sequence[str]
    conditions: Sequence[str]
    over_many: Outcome | None = None


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure, and compute the figure."""
    load = os.getloadavg()[0]
    image = next(file for file in make_images() if file.name == IMAGE)
    times = 5 if rounds == "quick" else 21
    with separate_cores() as core:
        findings = measured(image, times, core, conditions(times, core, image, load), progress)
    findings = replace(findings, over_many=compare_many(rounds, progress))
    return Section(format_page(findings), figures(findings), findings.missing)


def compare_many(rounds: Rounds, progress: Progress) -> Outcome | None:
    """Compare the presets' bytes over many photographs, None without the photographs or sharp."""
    try:
        return compare_presets(WIDTHS, list_photographs()[:: EVERY[rounds]], progress)
    except (MissingCompetitor, PackageUnavailable):
        return None


def figures(findings: Findings) -> list[Figure]:
    """Return the ratio of the first competitor's time to sharp's, if installed."""
    ours, theirs = findings.presets[0], findings.presets[-1]
    if theirs.competitor.name != SHARP:
        return []
    ratios = [one / other for one, other in zip(ours.ms.values, theirs.ms.values, strict=True)]
    objection = check_bytes(bytes_ratio(findings), ALLOWANCE)
    value, floor = ours.ms.ratio_to(theirs.ms), findings.floor.ratio_to(theirs.ms)
    why = "; ".join(filter(None, (objection, FLOOR)))
    return [Figure("presets", value, min(ratios), max(ratios), floor, why, unequal=bool(objection))]


def bytes_ratio(findings: Findings) -> float:
    """Return the ratio of Darkroom's bytes to sharp's at equal scores, over many photographs if they are there."""
    return findings.over_many.mean if findings.over_many else one_ratio(findings)


def one_ratio(findings: Findings) -> float:
    """Return the ratio of Darkroom's bytes to sharp's at equal scores, of the one photograph."""
    ours = sum(len(findings.presets[0].made[name]) for name in MATCHED)
    return ours / findings.equal_bytes if findings.equal_bytes else 1.0


def conditions(times: int, core: Core, image: Path, load: float) -> list[str]:
    """Describe the conditions."""
    threads = "one thread each" if core is None else "one thread each on one core"
    return [
        f"{describe_machine()}; {threads}, in warm processes; {describe_size(image)}.",
        describe_rounds(times, load),
    ]


def measured(image: Path, rounds: int, core: Core, conditions: Sequence[str], progress: Progress) -> Findings:
    """Measure the presets of ``image``, ``rounds`` times in turn."""
    competitors, missing = list_competitors(image)
    originals = {name: resize_reference(image, width) for name, width in zip(MATCHED, WIDTHS, strict=True)}
    equal_bytes = None
    if competitors[-1].name == SHARP:
        progress("six presets: searching for equal quality")
        found = match_presets(sharp_at_ingest, image, PRESETS, render_presets(competitors[0], core), originals, core)
        competitors[-1] = sharp_at_ingest(image, request_presets(found))
        equal_bytes = sum(match.equal_bytes for match in found.values())
    *presets, floor = timed([*competitors, alone(image)], rounds, core, progress)
    scores = {
        one.competitor.name: fmean(ssimulacra2(one.made[name], pixels) for name, pixels in originals.items())
        for one in presets
    }
    return Findings(presets, floor.ms, scores, equal_bytes, missing, conditions)


def request_presets(found: Mapping[str, Match]) -> Mapping[str, Mapping[str, object]]:
    """Return the presets with a peer's qualities; the cover, which is not scored, has that of the smallest width."""
    least = found[f"w{min(WIDTHS)}"]
    return {name: {**preset, "quality": found.get(name, least).quality} for name, preset in PRESETS.items()}


def list_competitors(image: Path) -> tuple[list[Competitor], list[str]]:
    """Return the competitors that make all presets of ``image``, and the reasons for missing ones."""
    cascade = "one decode, each image from a larger one"
    mezzanines = f"{cascade}; and two mezzanines"
    found = [
        darkroom_at_ingest("Darkroom", mezzanines, "ingest", image, PRESETS),
        darkroom_at_ingest("Darkroom, without mezzanines", cascade, "series", image, PRESETS),
    ]
    try:
        return [*found, sharp_at_ingest(image, PRESETS)], []
    except MissingCompetitor as reason:
        return found, [f"{reason}."]


def alone(image: Path) -> Competitor:
    """Return the lower bound."""
    return darkroom_at_ingest("Decode and encode alone", ALONE, "alone", image, PRESETS)


def timed(competitors: Sequence[Competitor], rounds: int, core: Core, progress: Progress) -> list[Timed]:
    """Run each competitor in turn, ``rounds`` times; the first turns do not count."""
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(competitor, core)) for competitor in competitors]
        found: list[list[float]] = [[] for _ in workers]
        for turn in range(-UNMEASURED, rounds):
            progress(f"{competitors[0].name} and others: {turn + 1}/{rounds}")
            for index in order_turns(len(workers), turn):
                ms = workers[index].ms()
                if turn >= 0:
                    found[index].append(ms)
        return [
            Timed(worker.competitor, Spread.of(times), worker.made())
            for worker, times in zip(workers, found, strict=True)
        ]


def table(findings: Findings) -> Table:
    """Format the table; times are median (least–greatest)."""
    base = findings.presets[-1].ms
    rows = [
        (
            one.competitor.name,
            str(one.ms),
            f"{one.ms.ratio_to(base):.2f}",
            f"{sum(map(len, one.made.values())):,}",
            f"{findings.scores[one.competitor.name]:.1f}",
        )
        for one in findings.presets
    ]
    rows.append(("Decode and encode alone", str(findings.floor), f"{findings.floor.ratio_to(base):.2f}", "", ""))
    alike = [f"At exactly equal scores, Darkroom's images have {one_ratio(findings):.2f} of sharp's bytes."]
    if findings.over_many:
        count, worst = len({one.name for one in findings.over_many.found}), findings.over_many.worst
        alike.append(
            f"Over {count} photographs, {findings.over_many.mean:.3f} in the geometric mean of all widths, at most "
            f"{worst.ratio:.2f} ({worst.name.replace('_', ' ')})."
        )
    title = f"Six presets of a 12 MP JPEG: {', '.join(PRESETS)}"
    headings = ("", "ms", "ratio", "bytes", "SSIMULACRA2")
    return Table(title, headings, rows, alike if findings.equal_bytes else ())


def format_page(findings: Findings) -> str:
    """Return the generated part of docs/explanation/performance.md."""
    notes = [f"{one.competitor.name}: {one.competitor.what}." for one in findings.presets]
    notes += [f"Decode and encode alone: {ALONE}.", *findings.conditions]
    return f"{table(findings).markdown()}\n\n" + "\n".join(f"- {line}" for line in notes)
