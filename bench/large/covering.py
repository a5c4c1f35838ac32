"""Measure a small cover of a 24 MP photograph: Darkroom's render, sharp and Pillow, at equal quality."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..build_cache import STAMP, hash_sources
from ..competitors.darkroom import ALLOCATOR, darkroom_at_ingest
from ..competitors.model import Competitor, MissingCompetitor
from ..competitors.node import sharp_at_ingest
from ..competitors.pillow import pillow_at_covers
from ..equal_quality import find_nearest
from ..machine import Core
from ..measure import Progress, order_turns
from ..paths import WORK
from ..quality import Pixels, ssimulacra2
from ..statistics import Spread
from ..worker import Worker

SIDE_PX = 200
QUALITY = 80
UNMEASURED = 3
FOUND = WORK / "equal"

type Makes = Callable[[Path, Mapping[str, object]], Competitor]


@dataclass(frozen=True, slots=True)
class CoverTimes:
    """A competitor's times by turn, its WebP quality, and its image's score and bytes."""

    competitor: Competitor
    quality: int
    ms: Spread
    score: float
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Findings:
    """Results of all competitors, Darkroom first, then its render of the master, and the lower bound of that.

    ``missing`` are not installed.
    """

    covered: Sequence[CoverTimes]
    floor_ms: Spread
    missing: Sequence[str]

    @property
    def peers(self) -> Sequence[CoverTimes]:
        """The competitors besides Darkroom's own."""
        return self.covered[2:]


def render_from_mezzanine(source: Path, reference: Mapping[str, object]) -> Competitor:
    """Return Darkroom's render, from the mezzanine's bytes to the image's."""
    what = "`imaging.render`, as a request calls it, from a mezzanine in memory"
    return _render("Darkroom", what, "from-mezzanines", source, reference)


def render_with_darkroom(source: Path, reference: Mapping[str, object]) -> Competitor:
    """Return Darkroom's render of the master, from the file's bytes to the image's."""
    return _render("Darkroom, from the master", "the same from the master in memory", "renders", source, reference)


def _render(name: str, what: str, job: str, source: Path, reference: Mapping[str, object]) -> Competitor:
    made = darkroom_at_ingest(name, what, job, source, reference)
    return replace(made, environment={**made.environment, **ALLOCATOR})


def render_with_libvips(source: Path) -> Competitor:
    """Return libvips' decode, resize and encode alone, in a process like Darkroom's."""
    ours = render_with_darkroom(source, {})
    script = Path(__file__).with_name("floor.py")
    return replace(ours, name="Floor", what="", command=[ours.command[0], script, source, str(SIDE_PX), str(QUALITY)])


MAKES: tuple[Makes, ...] = (render_from_mezzanine, render_with_darkroom, sharp_at_ingest, pillow_at_covers)


def crop_middle(quality: int) -> Mapping[str, object]:
    """Return the options of the square, with the middle of the image."""
    return {
        "cover": {"width": SIDE_PX, "height": SIDE_PX, "fit": "cover", "format": "webp", "quality": quality},
    }


def resize_reference(source: Path) -> Pixels:
    """Return the square by a full Lanczos filter from all pixels, not encoded."""
    with Image.open(source) as image:
        square = ImageOps.fit(image.convert("RGB"), (SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    return np.asarray(square)


def measure_all(source: Path, times: int, core: Core, progress: Progress) -> Findings:
    """Measure all competitors that this machine can install, ``times`` in turn."""
    reference = resize_reference(source)
    target = ssimulacra2(_made(render_from_mezzanine(source, crop_middle(QUALITY)), core), reference)
    chosen, missing = [], []
    for make in MAKES:
        try:
            quality = QUALITY if make in MAKES[:2] else _matched(make, source, reference, target, core, progress)
            chosen.append((make(source, crop_middle(quality)), quality))
        except MissingCompetitor as reason:
            missing.append(f"{reason}.")
    with ExitStack() as stack:
        workers = [stack.enter_context(Worker(competitor, core)) for competitor, _ in chosen]
        floor = stack.enter_context(Worker(render_with_libvips(source), core))
        spreads = _in_turns([*workers, floor], times, progress)
        bodies = [worker.made()["cover"] for worker in workers]
    covered = [
        CoverTimes(competitor, quality, ms, ssimulacra2(body, reference), len(body))
        for (competitor, quality), ms, body in zip(chosen, spreads, bodies, strict=False)
    ]
    return Findings(covered, spreads[-1], missing)


def _in_turns(workers: Sequence[Worker], times: int, progress: Progress) -> list[Spread]:
    for worker in [*workers] * UNMEASURED:
        worker.ms()
    found: list[list[float]] = [[] for _ in workers]
    for turn in range(times):
        progress(f"24 MP to a cover: {turn + 1}/{times}")
        for index in order_turns(len(workers), turn):
            found[index].append(workers[index].ms())
    return [Spread.of(ms) for ms in found]


def find_fastest(peers: Sequence[CoverTimes]) -> CoverTimes:
    """Return the one of ``peers`` with the lowest median."""
    return min(peers, key=lambda peer: peer.ms.median)


def _made(competitor: Competitor, core: Core) -> bytes:
    with Worker(competitor, core) as worker:
        worker.ms()
        return worker.made()["cover"]


def _matched(make: Makes, source: Path, reference: Pixels, target: float, core: Core, progress: Progress) -> int:
    """Return the quality at which the image of ``make`` scores as ``target``. Cached."""
    first = make(source, crop_middle(QUALITY))
    stamp = first.folder / STAMP
    made_from = stamp.read_text(encoding="ascii") if stamp.exists() else ""
    path = FOUND / f"cover-{hash_sources([source], first.name, made_from, f'{target:.3f}')}.json"
    if not path.exists():
        progress(f"24 MP to a cover: searching {first.name}'s equal quality")

        def score_of(quality: int) -> float:
            return ssimulacra2(_made(make(source, crop_middle(quality)), core), reference)

        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(find_nearest(target, score_of)), encoding="ascii")
    return int(json.loads(path.read_text(encoding="ascii")))
