"""Ingest: the presets of an upload compared with sharp, and metadata removal compared with re-encoding."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from ..competitors.darkroom import darkroom_at_ingest
from ..competitors.model import Competitor, MissingCompetitor
from ..competitors.node import sharp_at_ingest
from ..corpus.packages import PackageUnavailable
from ..environment import describe_machine, describe_rounds, describe_size
from ..equal_quality import Match
from ..equal_quality_set import match_presets, render_presets
from ..goals import Figure, Rounds, Section
from ..images import QUALITY, make_images
from ..machine import Core, separate_cores
from ..measure import order_turns
from ..photographs.comparing import Outcome, compare_presets, list_photographs
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
SEGMENTS = (
    (0xE1, b"Exif\0\0MM\0*\0\0\0\x08\0\0" + bytes(20_000)),
    (0xE1, b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta/>" + b" " * 4_000),
    (0xFE, b"comment"),
)
"""Segments that a camera writes before an image: an EXIF block as long as one with a thumbnail, XMP, a comment."""

ALONE = "one decode, and the rendered images encoded with sharp's effort"
FLOOR = "the floor is one decode, and libwebp alone with sharp's effort, the lowest without more bytes"

HEADINGS = ("", "ms", "ratio", "bytes")


@dataclass(frozen=True, slots=True)
class Timed:
    """One competitor's times by turn, and its last images."""

    competitor: Competitor
    ms: Spread
    made: Mapping[str, bytes]


@dataclass(frozen=True, slots=True)
class Findings:
    """All results; ratios are to the last of each.

    ``floor`` is decoding once and encoding with sharp's effort, alone, in the turns of the presets. ``scores`` are
    means of SSIMULACRA2 over the widths by competitor; ``equal_bytes`` the interpolated size of sharp's images at
    exactly Darkroom's scores, if sharp is installed. ``over_many`` compares bytes over many photographs.
    """

    presets: Sequence[Timed]
    floor: Spread
    cleaning: Sequence[Timed]
    scores: Mapping[str, float]
    equal_bytes: int | None
    missing: Sequence[str]
    conditions: Sequence[str]
    over_many: Outcome | None = None


def measure(rounds: Rounds, progress: Progress) -> Section:
    """Measure both, and compute the presets' figure."""
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
    """Measure presets and metadata removal of ``image``, ``rounds`` times in turn."""
    with TemporaryDirectory() as scratch:
        camera = Path(scratch) / "camera.jpg"
        camera.write_bytes(with_metadata(image.read_bytes()))
        competitors, missing = list_competitors(camera)
        originals = {name: resize_reference(image, width) for name, width in zip(MATCHED, WIDTHS, strict=True)}
        equal_bytes = None
        if competitors[-1].name == SHARP:
            progress("six presets: searching for equal quality")
            found = match_presets(
                sharp_at_ingest, camera, PRESETS, render_presets(competitors[0], core), originals, core
            )
            competitors[-1] = sharp_at_ingest(camera, request_presets(found))
            equal_bytes = sum(match.equal_bytes for match in found.values())
        *presets, floor = timed([*competitors, alone(camera)], rounds, core, progress)
        cleaning = timed(list_strippers(camera), rounds, core, progress)
    scores = {
        one.competitor.name: fmean(ssimulacra2(one.made[name], pixels) for name, pixels in originals.items())
        for one in presets
    }
    return Findings(presets, floor.ms, cleaning, scores, equal_bytes, missing, conditions)


def request_presets(found: Mapping[str, Match]) -> Mapping[str, Mapping[str, object]]:
    """Return the presets with a peer's qualities; the cover, which is not scored, has that of the smallest width."""
    least = found[f"w{min(WIDTHS)}"]
    return {name: {**preset, "quality": found.get(name, least).quality} for name, preset in PRESETS.items()}


def list_competitors(image: Path) -> tuple[list[Competitor], list[str]]:
    """Return the competitors that make all presets of ``image``, and the reasons for missing ones."""
    cascade = "one decode, each image from a larger one"
    mezzanines = f"{cascade}; and two mezzanines"
    apart = "the same images as by six requests: six decodes"
    found = [
        darkroom_at_ingest("Darkroom", mezzanines, "ingest", image, PRESETS),
        darkroom_at_ingest("Darkroom, without mezzanines", cascade, "series", image, PRESETS),
        darkroom_at_ingest("Darkroom, one by one", apart, "renders", image, PRESETS),
    ]
    try:
        return [*found, sharp_at_ingest(image, PRESETS)], []
    except MissingCompetitor as reason:
        return found, [f"{reason}."]


def alone(image: Path) -> Competitor:
    """Return the lower bound."""
    return darkroom_at_ingest("Decode and encode alone", ALONE, "alone", image, PRESETS)


def list_strippers(image: Path) -> list[Competitor]:
    """Return two ways to remove the metadata of ``image``."""
    reencoded = {"encoded": {"format": "jpeg", "quality": QUALITY}}
    return [
        darkroom_at_ingest(
            "Cleaned", "reads the header and leaves metadata out; pixels unchanged", "cleaned", image, {}
        ),
        darkroom_at_ingest(
            "Re-encoded", "libvips decodes and encodes with the same quality", "encoded", image, reencoded
        ),
    ]


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


def with_metadata(jpeg: bytes) -> bytes:
    """Insert :data:`SEGMENTS` at the start of ``jpeg``."""
    segments = (bytes((0xFF, marker)) + struct.pack(">H", len(body) + 2) + body for marker, body in SEGMENTS)
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def tables(findings: Findings) -> list[Table]:
    """Format the tables of presets and metadata removal."""
    rows = [(*row, f"{findings.scores[row[0]]:.1f}") for row in _rows(findings.presets)]
    floor, base = findings.floor, findings.presets[-1].ms
    rows.append(("Decode and encode alone", str(floor), f"{floor.ratio_to(base):.2f}", "", ""))
    alike = [f"At exactly equal scores, Darkroom's images have {one_ratio(findings):.2f} of sharp's bytes."]
    if findings.over_many:
        count, worst = len({one.name for one in findings.over_many.found}), findings.over_many.worst
        alike.append(
            f"Over {count} photographs, {findings.over_many.mean:.3f} in the geometric mean of all widths, at most "
            f"{worst.ratio:.2f} ({worst.name.replace('_', ' ')})."
        )
    title, headings = f"Six presets of a 12 MP JPEG: {', '.join(PRESETS)}", (*HEADINGS, "SSIMULACRA2")
    cleaned, reencoded = findings.cleaning
    faster = f"Removal is {reencoded.ms.ratio_to(cleaned.ms):,.0f} times as fast."
    return [
        Table(title, headings, rows, alike if findings.equal_bytes else ()),
        Table("Metadata removal of the same JPEG", HEADINGS, _rows(findings.cleaning), [faster]),
    ]


def notes(findings: Findings) -> list[str]:
    """Describe competitors, conditions and missing ones."""
    who = [one.competitor for one in (*findings.presets, *findings.cleaning)]
    named = [f"{competitor.name}: {competitor.what}." for competitor in who]
    named.append(f"Decode and encode alone: {ALONE}.")
    return [*named, *findings.conditions]


def format_page(findings: Findings) -> str:
    """Return the generated part of docs/explanation/performance.md."""
    return "\n\n".join(
        [*(table.markdown() for table in tables(findings)), "\n".join(f"- {line}" for line in notes(findings))]
    )


def _rows(results: Sequence[Timed]) -> list[tuple[str, ...]]:
    """Return rows; times are median (least–greatest)."""
    return [
        (
            one.competitor.name,
            _spelled(one.ms),
            f"{one.ms.ratio_to(results[-1].ms):.{2 if one.ms.median > 1 else 4}f}",
            f"{sum(map(len, one.made.values())):,}",
        )
        for one in results
    ]


def _spelled(ms: Spread) -> str:
    return str(ms) if ms.median >= 10 else f"{ms.median:.2f} ({ms.low:.2f}–{ms.high:.2f})"
