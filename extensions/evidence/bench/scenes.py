"""Photographs of Debian packages as scenes without traces of earlier compression, and what is made of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageFilter

from bench.corpus.packages import LOMIRI_16, MATE, PLASMA, Package, unpack

WIDTH_PX, HEIGHT_PX = 1024, 768
"""Of a scene: a part of a photograph that was reduced by at least 1.6, which leaves no trace of its compression."""

MIN_REDUCTION = 1.6

_SOURCES: tuple[tuple[Package, str], ...] = (
    (LOMIRI_16, "**/*.jpg"),
    (MATE, "**/nature/*.jpg"),
    (PLASMA, "**/contents/images/2560x1600.jpg"),
)
_DRAWINGS = ("analogpattern", "umang", "Flow", "Shell", "Volna", "Honeywave", "PastelHills", "SafeLanding")


@dataclass(frozen=True, slots=True)
class Scene:
    """A photograph or a part of one, of :data:`WIDTH_PX` × :data:`HEIGHT_PX`, in RGB."""

    name: str
    image: Image.Image


def list_scenes() -> list[Scene]:
    """Return all scenes. Large photographs are two, which do not overlap. Raises PackageUnavailable."""
    found: list[Scene] = []
    for package, pattern in _SOURCES:
        for file in sorted(unpack(package).glob(pattern)):
            if not any(name in str(file) for name in _DRAWINGS):
                found += _cut(file)
    return found


def _cut(file: Path) -> Iterator[Scene]:
    name = file.stem if "x" not in file.stem or "_" in file.stem else file.parts[-4]
    with Image.open(file) as opened:
        image = opened.convert("RGB")
    reduction = max(MIN_REDUCTION, min(image.width / (2 * WIDTH_PX), image.height / HEIGHT_PX))
    small = image.resize((int(image.width / reduction), int(image.height / reduction)), Image.Resampling.LANCZOS)
    top = (small.height - HEIGHT_PX) // 2
    if top < 0 or small.width < WIDTH_PX:
        return
    lefts = [0, small.width - WIDTH_PX] if small.width >= 2 * WIDTH_PX else [(small.width - WIDTH_PX) // 2]
    for number, left in enumerate(lefts, start=1):
        part = small.crop((left, top, left + WIDTH_PX, top + HEIGHT_PX))
        yield Scene(f"{name} {number}" if len(lefts) > 1 else name, part)


def compress(image: Image.Image, quality: int, **options: object) -> bytes:
    """Return ``image`` as a JPEG by libjpeg."""
    target = io.BytesIO()
    image.save(target, "JPEG", quality=quality, **options)
    return target.getvalue()


def decode(jpeg: bytes) -> Image.Image:
    """Return the image in ``jpeg``."""
    with Image.open(io.BytesIO(jpeg)) as image:
        return image.convert("RGB")


type Box = tuple[int, int, int, int]
"""Left, top, width and height in px."""


def place_box(number: int, size: tuple[int, int] = (256, 192)) -> Box:
    """Return where image ``number`` gets its splice: another place for each, off the grid of blocks."""
    width, height = size
    left = 37 + (number * 211) % (WIDTH_PX - width - 64)
    top = 29 + (number * 137) % (HEIGHT_PX - height - 64)
    return left, top, width, height


def paste(target: Image.Image, source: Image.Image, box: Box) -> Image.Image:
    """Return ``target`` with the middle of ``source`` in ``box``, its edge softened over 4 px as by an editor."""
    left, top, width, height = box
    middle = ((source.width - width) // 2, (source.height - height) // 2)
    part = source.crop((*middle, middle[0] + width, middle[1] + height))
    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (4, 4, width - 4, height - 4))
    result = target.copy()
    result.paste(part, (left, top), mask.filter(ImageFilter.GaussianBlur(2)))
    return result
