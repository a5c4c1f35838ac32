"""Compare bytes at equal scores over many images, because one image is not representative.

Each sharp quality is the one whose image scores as Darkroom's (SSIMULACRA2 against a lossless Lanczos resize): its
first response, and the one that replaces it. Bytes do not depend on load.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean
from tempfile import TemporaryDirectory
from typing import Self

from darkroom.imaging.render.output import MezzanineOf
from darkroom.imaging.render.pipeline import render
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom_pipeline.imaging.render_many import decode_once
from darkroom_pipeline.reencode.search import reencode

from ..build_cache import read_stamp
from ..competitors.node import install_encoder
from ..equal_quality import match, remember
from ..mezzanines import choose_mezzanine, make_mezzanines
from ..quality import decode_pixels, resize_reference
from ..ssimulacra2 import Original

WIDTH_PX = 800
BEST_QUALITY = 100
"""sharp's highest."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One image: Darkroom's bytes and score, and sharp's interpolated bytes at that score.

    ``best_score`` is sharp's at quality 100. If it is less than ``score``, sharp has no bytes to compare.
    """

    name: str
    size_bytes: int
    score: float
    equal_bytes: int
    best_score: float = 100.0

    @property
    def is_reached(self) -> bool:
        """Whether sharp can score as high."""
        return self.best_score >= self.score

    @property
    def ratio(self) -> float:
        """Ratio of Darkroom's bytes to sharp's."""
        return self.size_bytes / self.equal_bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """All images of one kind, ``photographs`` or ``graphics``, in one format."""

    form: str
    found: Sequence[Compared]
    reencoded: bool = False
    kind: str = "photographs"

    @property
    def reached(self) -> Sequence[Compared]:
        """The images that sharp can make with as high a score, which all ratios are about."""
        return [one for one in self.found if one.is_reached]

    @property
    def mean(self) -> float:
        """Geometric mean of the ratios."""
        return geometric_mean(one.ratio for one in self.reached)

    @property
    def worst(self) -> Compared:
        """The image with the largest ratio."""
        return max(self.reached, key=lambda one: one.ratio)


def compare_format(
    form: str, files: Sequence[Path], progress: Callable[[str], None], *, reencoded: bool = False
) -> Outcome:
    """Compare Darkroom's first responses in ``form``, or what replaces them, with sharp's. Raises MissingCompetitor."""
    with Encoder() as sharp:
        found = []
        for number, file in enumerate(files, start=1):
            progress(f"{form}: {number} of {len(files)} images")
            plan, master = Plan(file.name, width=WIDTH_PX, format=form), file.read_bytes()
            ours = render_as_deployed(plan, master)
            if reencoded and (found_smaller := reencode(plan, Source.from_bytes(master), ours, limits=Limits())):
                ours = found_smaller.image.body
            found.append(_compare_image(file, WIDTH_PX, form, ours, sharp))
    return Outcome(form, found, reencoded)


def compare_presets(widths: Sequence[int], files: Sequence[Path], progress: Callable[[str], None]) -> Outcome:
    """Compare WebP presets of ``widths``, made at ingest from one decode, with sharp's. Raises MissingCompetitor.

    Presets wider than a photograph are left out.
    """
    plans = {Plan("", width=width, format="webp"): width for width in widths}
    with Encoder() as sharp:
        found = []
        for number, file in enumerate(files, start=1):
            progress(f"presets: {number} of {len(files)} images")
            batch = decode_once(Source.from_bytes(file.read_bytes()), plans, limits=Limits(), mezzanines=True)
            found += [
                _compare_image(file, plans[plan], "webp", made.body, sharp)
                for plan, made in batch.render_all()
                if not isinstance(plan, MezzanineOf) and made.width == plans[plan]
            ]
    return Outcome("webp", found)


class Encoder:
    """sharp in its own process."""

    def __init__(self) -> None:
        runtime, self.folder = install_encoder()
        self._made = TemporaryDirectory()
        self._process = subprocess.Popen(
            [runtime, "encode.mjs"], cwd=self.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def encode(self, source: Path, width_px: int, form: str, quality: int) -> bytes:
        """Return the image of ``source`` at ``width_px``. Raises RuntimeError if the process has failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        target = Path(self._made.name) / "image"
        options = {"source": str(source), "width": width_px, "format": form, "quality": quality, "target": str(target)}
        self._process.stdin.write(json.dumps(options) + "\n")
        self._process.stdin.flush()
        if not self._process.stdout.readline():
            raise RuntimeError(f"sharp ended with status {self._process.wait()}")
        return target.read_bytes()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()
        self._made.cleanup()


def render_as_deployed(plan: Plan, master: bytes) -> bytes:
    """Render as a request does: from a mezzanine, if ``master`` has one with enough pixels."""
    chosen = choose_mezzanine(plan, make_mezzanines(master))
    if chosen is None:
        return render(plan, Source.from_bytes(master), limits=Limits()).body
    return render(plan, Source.from_bytes(chosen.body), limits=Limits(), master=chosen.master).body


def _compare_image(file: Path, width_px: int, form: str, ours: bytes, sharp: Encoder) -> Compared:
    originals: dict[int, Original] = {}

    def score_of(body: bytes) -> float:
        pixels = decode_pixels(body)
        height = pixels.shape[0]  # heights that are not whole are rounded differently
        if height not in originals:
            originals[height] = Original(resize_reference(file, width_px, height))
        return originals[height].score(pixels)

    def image(quality: int) -> tuple[float, int]:
        def encode() -> tuple[float, int]:
            body = sharp.encode(file, width_px, form, quality)
            return score_of(body), len(body)

        score, size = remember(encode, [file], repr((width_px, form, quality)), read_stamp(sharp.folder))
        return score, size

    score = score_of(ours)
    return Compared(file.stem, len(ours), score, match(score, image).equal_bytes, image(BEST_QUALITY)[0])
