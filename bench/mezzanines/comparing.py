"""Bytes of mezzanines, and scores of images rendered from them.

The photographs are those of :mod:`bench.photographs` with mezzanines, and those of Debian's ``mate-backgrounds`` and
``plasma-workspace-wallpapers``: 4 to 16 MP. Each image is rendered twice by the handler's pipeline, from the master and
from the mezzanine that the service chooses, and both are scored against one lossless resize. Bytes and scores do not
depend on load.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from darkroom.imaging.render.pipeline import render
from darkroom.imaging.rendered_image import MezzanineOf
from darkroom.imaging.source import Source
from darkroom.plan.geometry.mezzanines import list_mezzanine_sizes
from darkroom.plan.geometry.placement import Size
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from darkroom.plan.presets import load_default_presets
from darkroom_pipeline.imaging.render.render_many import decode_once

from ..corpus.packages import MATE, PLASMA, unpack
from ..photographs.comparing import list_photographs
from ..quality import Pixels, decode_pixels
from ..ssimulacra2 import Original
from .files import choose_mezzanine

LIMITS = Limits()
WIDTHS_PX = (200, 400, 640, 800, 1200)
FORMATS = ("webp", "jpeg", "avif")
MATE_NAMES = ("Aqua", "Garden", "LadyBird", "TwoWings", "Wood", "YellowFlower")
PLASMA_NAMES = ("Autumn", "BytheWater", "ColdRipple", "EveningGlow", "FallenLeaf", "OneStandsOut", "Path")


@dataclass(frozen=True, slots=True)
class Stored:
    """A photograph's bytes: the master's, its mezzanines' by their longer sides, and its presets'."""

    name: str
    megapixels: float
    master: int
    mezzanines: Mapping[int, int]
    presets: int

    @property
    def share(self) -> float:
        """All mezzanines in proportion to the master."""
        return sum(self.mezzanines.values()) / self.master

    @property
    def share_of_all(self) -> float:
        """All mezzanines in proportion to everything that is stored."""
        mezzanines = sum(self.mezzanines.values())
        return mezzanines / (self.master + mezzanines + self.presets)


@dataclass(frozen=True, slots=True)
class Compared:
    """One image of a photograph: scores from the master and the mezzanine, and the ratio of the images' bytes."""

    photograph: str
    variant: str
    side_px: int
    from_master: float
    from_mezzanine: float
    bytes_ratio: float

    @property
    def difference(self) -> float:
        """How much higher the score from the mezzanine is."""
        return self.from_mezzanine - self.from_master


def list_files() -> list[Path]:
    """List photographs that may have mezzanines. Raises PackageUnavailable."""
    mate = unpack(MATE) / "usr/share/backgrounds/mate/nature"
    plasma = unpack(PLASMA) / "usr/share/wallpapers"
    further = [mate / f"{name}.jpg" for name in MATE_NAMES]
    further += [plasma / name / "contents/images/2560x1600.jpg" for name in PLASMA_NAMES]
    return [file for file in [*list_photographs(), *further] if _is_large(file)]


def name_of(file: Path) -> str:
    """Return the name of a photograph: that of its file, or of its folder in a wallpaper package."""
    return file.parts[-4] if file.stem == "2560x1600" else file.stem


def list_variants() -> Mapping[str, Plan]:
    """List the variants to compare: all presets, and widths in all formats."""
    variants = {name: replace(plan, key="") for name, plan in load_default_presets().build_plans("a").items()}
    for width in WIDTHS_PX:
        variants |= {f"{width} px {form}": Plan("", width=width, format=form) for form in FORMATS}
    variants["cover 200 px"] = Plan("", width=200, height=200, fit="cover", format="webp")
    return variants


def compare(file: Path, progress: Callable[[str], None]) -> tuple[Stored, list[Compared]]:
    """Store and compare one photograph."""
    name, data = name_of(file), file.read_bytes()
    progress(f"mezzanines: {name}")
    plans = load_default_presets().build_ingest_plans("a")
    made = list(decode_once(Source.from_bytes(data), plans.values(), limits=LIMITS, mezzanines=True).render_all())
    mezzanines = [(plan, one.body) for plan, one in made if isinstance(plan, MezzanineOf)]
    presets = sum(len(one.body) for plan, one in made if not isinstance(plan, MezzanineOf))
    with Image.open(file) as image:
        pixels = image.convert("RGB")
    sizes = {of.side_px: len(body) for of, body in mezzanines}
    stored = Stored(name, pixels.width * pixels.height / 1e6, len(data), sizes, presets)
    return stored, list(_compare_variants(name, data, pixels, mezzanines))


def _compare_variants(
    name: str, data: bytes, pixels: Image.Image, mezzanines: Sequence[tuple[MezzanineOf, bytes]]
) -> Iterator[Compared]:
    originals: dict[tuple[int, int], Original] = {}
    for variant, plan in list_variants().items():
        chosen = choose_mezzanine(plan, mezzanines)
        if chosen is None:
            continue
        ours = render(plan, Source.from_bytes(chosen.body), limits=LIMITS, master=chosen.master)
        theirs = render(plan, Source.from_bytes(data), limits=LIMITS)
        size = (theirs.width, theirs.height)
        if plan.fit == "cover":
            original = Original(_cover(plan, data))
        else:
            original = originals.setdefault(size, Original(_resize(pixels, size)))
        scores = [original.score(decode_pixels(one.body)) for one in (theirs, ours)]
        yield Compared(name, variant, chosen.side_px, scores[0], scores[1], len(ours.body) / len(theirs.body))


def _cover(plan: Plan, data: bytes) -> Pixels:
    """Return the cover of the master without loss. Only the pipeline knows which part it shows."""
    return decode_pixels(render(replace(plan, format="png"), Source.from_bytes(data), limits=LIMITS).body)


def _resize(pixels: Image.Image, size: tuple[int, int]) -> Pixels:
    return np.asarray(pixels.resize(size, Image.Resampling.LANCZOS))


def _is_large(file: Path) -> bool:
    with Image.open(file) as image:
        return bool(list_mezzanine_sizes(Size(*image.size)))
