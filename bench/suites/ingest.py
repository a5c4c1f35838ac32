"""What ingest takes: the presets of an upload beside sharp, and cleaning beside encoding anew."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from ..competitors.darkroom import darkroom_at_ingest
from ..competitors.model import Competitor, MissingCompetitor
from ..competitors.node import sharp_at_ingest
from ..environment import describe_machine, describe_rounds, describe_size
from ..equal_quality import Match
from ..equal_quality_set import match_presets, render_presets
from ..goals import Figure, Rounds, Section
from ..machine import Core, separate_cores
from ..measure import order_turns
from ..pictures import QUALITY, make_images
from ..quality import resize_reference, ssimulacra2
from ..report import ALLOWANCE, check_bytes
from ..statistics import Spread
from ..tables import Table
from ..worker import Worker
from . import Progress

PICTURE = "12mp.jpg"
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
"""Those of ``presets.toml`` that are made at ingest."""

MATCHED = tuple(f"w{width}" for width in WIDTHS)
"""Presets that are compared to what they should be: what part of the picture a cover shows is each maker's choice."""

UNMEASURED = 2
SEGMENTS = (
    (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0" + bytes(20_000)),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>" + b" " * 4_000),
    (0xFE, b"comment"),
)
"""What a camera puts before a picture: an EXIF block as long as one with a thumbnail, XMP, a comment."""

ALONE = "one decode, and the finished pictures encoded with sharp's own effort"
FLOOR = "the floor is one decode, and libwebp alone with sharp's effort, the least that needs no more bytes"

HEADINGS = ("", "ms", "ratio", "bytes")


@dataclass(frozen=True, slots=True)
class Timed:
    """What one contender took, turn by turn, and what it made last."""

    contender: Competitor
    ms: Spread
    made: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Findings:
    """All results; ratios are to the last of each.

    ``floor`` is what decoding once and encoding as hard as sharp does take alone, in the turns of the presets.
    ``scores`` are means of SSIMULACRA2 over the widths, by contender; ``equal_bytes`` what sharp's pictures of the
    widths would take to score exactly as Darkroom's do, if it was there.
    """

    presets: Sequence[Timed]
    floor: Spread
    cleaning: Sequence[Timed]
    scores: Mapping[str, float]
    equal_bytes: int | None
    missing: Sequence[str]
    conditions: Sequence[str]


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Both, and the figure of the presets."""
    load = os.getloadavg()[0]
    picture = next(file for file in make_images() if file.name == PICTURE)
    times = 5 if rounds == "quick" else 21
    with separate_cores() as core:
        findings = measured(picture, times, core, conditions(times, core, picture, load), progress)
    return Section(for_page(findings), figures(findings), findings.missing)


def figures(findings: Findings) -> list[Figure]:
    """The time of the first contender to that of sharp, if that is there."""
    ours, theirs = findings.presets[0], findings.presets[-1]
    if theirs.contender.name != SHARP:
        return []
    ratios = [one / other for one, other in zip(ours.ms.values, theirs.ms.values, strict=True)]
    objection = check_bytes(bytes_ratio(findings), ALLOWANCE)
    value, floor = ours.ms.ratio_to(theirs.ms), findings.floor.ratio_to(theirs.ms)
    why = "; ".join(filter(None, (objection, FLOOR)))
    return [Figure("presets", value, min(ratios), max(ratios), floor, why, unequal=bool(objection))]


def bytes_ratio(findings: Findings) -> float:
    """Darkroom's bytes of the widths to sharp's, had they the same scores."""
    ours = sum(len(findings.presets[0].made[name]) for name in MATCHED)
    return ours / findings.equal_bytes if findings.equal_bytes else 1.0


def conditions(times: int, core: Core, picture: Path, load: float) -> list[str]:
    """What the numbers hold for."""
    threads = "one thread each" if core is None else "one thread each on one core"
    return [
        f"{describe_machine()}; {threads}, in warm processes; {describe_size(picture)}.",
        describe_rounds(times, load),
    ]


def measured(picture: Path, rounds: int, core: Core, conditions: Sequence[str], progress: Progress) -> Findings:
    """The presets and the cleaning of ``picture``, ``rounds`` times in turn."""
    with TemporaryDirectory() as scratch:
        camera = Path(scratch) / "camera.jpg"
        camera.write_bytes(with_metadata(picture.read_bytes()))
        contenders, missing = list_competitors(camera)
        originals = {name: resize_reference(picture, width) for name, width in zip(MATCHED, WIDTHS, strict=True)}
        equal_bytes = None
        if contenders[-1].name == SHARP:
            progress("six presets: looking for equal quality")
            found = match_presets(
                sharp_at_ingest, camera, PRESETS, render_presets(contenders[0], core), originals, core
            )
            contenders[-1] = sharp_at_ingest(camera, request_presets(found))
            equal_bytes = sum(match.equal_bytes for match in found.values())
        *presets, floor = timed([*contenders, alone(camera)], rounds, core, progress)
        cleaning = timed(list_strippers(camera), rounds, core, progress)
    scores = {
        one.contender.name: fmean(ssimulacra2(one.made[name], pixels) for name, pixels in originals.items())
        for one in presets
    }
    return Findings(presets, floor.ms, cleaning, scores, equal_bytes, missing, conditions)


def request_presets(found: Mapping[str, Match]) -> Mapping[str, Mapping[str, object]]:
    """The presets with a peer's qualities; the cover, which nobody knows but by trying, has that of the least width."""
    least = found[f"w{min(WIDTHS)}"]
    return {name: {**preset, "quality": found.get(name, least).quality} for name, preset in PRESETS.items()}


def list_competitors(picture: Path) -> tuple[list[Competitor], list[str]]:
    """Who makes all presets of ``picture``, and why others cannot."""
    cascade = "one decode, each picture from a larger one"
    apart = "the same pictures as six requests of viewers make them: six decodes"
    found = [
        darkroom_at_ingest("Darkroom", cascade, "series", picture, PRESETS),
        darkroom_at_ingest("Darkroom, one by one", apart, "renders", picture, PRESETS),
    ]
    try:
        return [*found, sharp_at_ingest(picture, PRESETS)], []
    except MissingCompetitor as reason:
        return found, [f"{reason}."]


def alone(picture: Path) -> Competitor:
    """What no contender can do without."""
    return darkroom_at_ingest("Decode and encode alone", ALONE, "alone", picture, PRESETS)


def list_strippers(picture: Path) -> list[Competitor]:
    """Two ways to rid ``picture`` of its metadata."""
    anew = {"encoded": {"format": "jpeg", "quality": QUALITY}}
    return [
        darkroom_at_ingest("Cleaned", "header read, metadata left out, pixels as they were", "cleaned", picture, {}),
        darkroom_at_ingest("Re-encoded", "libvips decodes and encodes at the same quality", "encoded", picture, anew),
    ]


def timed(contenders: Sequence[Competitor], rounds: int, core: Core, progress: Progress) -> list[Timed]:
    """Each contender in turn, ``rounds`` times, the first turns unmeasured."""
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(contender, core)) for contender in contenders]
        found: list[list[float]] = [[] for _ in workers]
        for turn in range(-UNMEASURED, rounds):
            progress(f"{contenders[0].name} and others: {turn + 1}/{rounds}")
            for index in order_turns(len(workers), turn):
                ms = workers[index].ms()
                if turn >= 0:
                    found[index].append(ms)
        return [
            Timed(worker.contender, Spread.of(times), worker.made())
            for worker, times in zip(workers, found, strict=True)
        ]


def with_metadata(jpeg: bytes) -> bytes:
    """``jpeg`` with :data:`SEGMENTS` before all else."""
    segments = (bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body for marker, body in SEGMENTS)
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def tables(findings: Findings) -> list[Table]:
    """The presets, and the cleaning."""
    rows = [(*row, f"{findings.scores[row[0]]:.1f}") for row in _rows(findings.presets)]
    floor, base = findings.floor, findings.presets[-1].ms
    rows.append(("Decode and encode alone", str(floor), f"{floor.ratio_to(base):.2f}", "", ""))
    ratio = bytes_ratio(findings)
    alike = [f"At exactly equal scores, Darkroom's pictures have {ratio:.2f} of sharp's bytes."]
    title, headings = f"Six presets of a 12 MP JPEG: {', '.join(PRESETS)}", (*HEADINGS, "SSIMULACRA2")
    cleaned, anew = findings.cleaning
    faster = f"Cleaning is {anew.ms.ratio_to(cleaned.ms):,.0f} times as fast."
    return [
        Table(title, headings, rows, alike if findings.equal_bytes else ()),
        Table("Metadata out of the same JPEG", HEADINGS, _rows(findings.cleaning), [faster]),
    ]


def notes(findings: Findings) -> list[str]:
    """Who is who, what the numbers hold for, and what is not there."""
    who = [one.contender for one in (*findings.presets, *findings.cleaning)]
    named = [f"{contender.name}: {contender.what}." for contender in who]
    named.append(f"Decode and encode alone: {ALONE}.")
    return [*named, *findings.conditions]


def for_page(findings: Findings) -> str:
    """The part of docs/explanation/performance.md between its markers."""
    return "\n\n".join(
        [*(table.markdown() for table in tables(findings)), "\n".join(f"- {line}" for line in notes(findings))]
    )


def _rows(results: Sequence[Timed]) -> list[tuple[str, ...]]:
    """Times are median (least–greatest)."""
    return [
        (
            one.contender.name,
            _spelled(one.ms),
            f"{one.ms.ratio_to(results[-1].ms):.{2 if one.ms.median > 1 else 4}f}",
            f"{sum(map(len, one.made.values())):,}",
        )
        for one in results
    ]


def _spelled(ms: Spread) -> str:
    return str(ms) if ms.median >= 10 else f"{ms.median:.2f} ({ms.low:.2f}–{ms.high:.2f})"
