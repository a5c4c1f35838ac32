"""Images as web sites show them: whole photographs and parts at usual widths.

Learning and testing use different photographs, not parts of the same ones. A few images of the packages are excluded:
one colour, one motif in several sizes, or transparent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import skimage
from PIL import Image, ImageOps

from ..build_cache import build_once
from ..paths import WORK
from .drawn import DRAWN, draw
from .packages import LOMIRI_16, LOMIRI_20, MATE, PLASMA, UKUI, Package, unpack

type Kind = Literal["photograph", "graphic"]
type Half = Literal["learned", "unseen"]

WIDTHS_PX = (480, 640, 800, 960)
"""Widths of whole images, in turn."""
PART_WIDTHS_PX = (400, 720, 560)
"""Widths of the left and the right part."""


@dataclass(frozen=True, slots=True)
class View:
    """An image: 8-bit sRGB, height × width × 3."""

    name: str
    kind: Kind
    pixels: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


_LEARNED: tuple[tuple[Package, Kind, str], ...] = (
    (MATE, "photograph", "**/nature/*.jpg"),
    (MATE, "graphic", "**/abstract/Elephants.jpg"),
    (MATE, "graphic", "**/desktop/[FG]*.*"),
    (MATE, "graphic", "**/desktop/Ubuntu-Mate-[CW]*.png"),
    *(
        (PLASMA, "photograph", f"**/{name}/contents/images/2560x1600.jpg")
        for name in (
            "Autumn",
            "BytheWater",
            "ColdRipple",
            "ColorfulCups",
            "DarkestHour",
            "EveningGlow",
            "FallenLeaf",
            "Grey",
            "Kite",
            "OneStandsOut",
            "Path",
            "summer_1am",
        )
    ),
    (PLASMA, "graphic", "**/images/3840x2160.png"),
    (PLASMA, "graphic", "**/images/5120x2880.png"),
)
_UNSEEN: tuple[tuple[Package, Kind, str], ...] = (
    (LOMIRI_16, "photograph", "**/*.jpg"),
    (LOMIRI_20, "photograph", "**/*.jpg"),
    (UKUI, "graphic", "**/*.png"),
    (UKUI, "graphic", "**/*.jpg"),
)
_GRAPHICS = ("analogpattern", "umang", "Fossa", "Infinite-Sea", "Painting-Colors")
"""Graphics among the photographs of a package."""
_LEFT_OUT = ("focal-ubuntukylin",)
_PACKAGED = ("astronaut.png", "coffee.png", "chelsea.png", "rocket.jpg", "retina.jpg", "motorcycle_left.png", "ihc.png")
"""Photographs in scikit-image's wheel."""


def list_views(half: Half) -> list[View]:
    """List all images of one half. Raises PackageUnavailable."""
    folder = build_once(WORK / "corpus" / half, [Path(__file__).parent], lambda folder: _make(half, folder))
    return [_read_image(file) for file in sorted(folder.glob("*.png"))]


def _read_image(file: Path) -> View:
    _, kind, name = file.stem.split(";")
    with Image.open(file) as image:
        return View(name, "graphic" if kind == "graphic" else "photograph", np.asarray(image))


def _make(half: Half, folder: Path) -> None:
    for number, view in enumerate(_made(half)):
        Image.fromarray(view.pixels).save(folder / f"{number:03};{view.kind};{view.name}.png", compress_level=1)


def _made(half: Half) -> Iterator[View]:
    for number, (name, kind, image) in enumerate(_originals(half)):
        yield from _of(name, kind, image, number)
    for number, name in enumerate(DRAWN):
        if (half == "unseen") == bool(number % 2):
            yield View(f"drawn {name}", "graphic", np.asarray(draw(name)))


def _originals(half: Half) -> Iterator[tuple[str, Kind, Image.Image]]:
    for package, kind, pattern in _LEARNED if half == "learned" else _UNSEEN:
        for file in sorted(_images(unpack(package), pattern)):
            named = f"{package.name} {file.stem if 'x' not in file.stem else file.parts[-4]}"
            drawing = any(prefix in file.stem for prefix in _GRAPHICS)
            yield named, "graphic" if drawing else kind, _opened(file)
    if half == "unseen":
        for name in _PACKAGED:
            yield f"scikit-image {name}", "photograph", _opened(Path(skimage.data.__file__).with_name(name))


def _images(folder: Path, pattern: str) -> Iterable[Path]:
    return (file for file in folder.glob(pattern) if file.is_file() and file.stem not in _LEFT_OUT)


def _opened(file: Path) -> Image.Image:
    with Image.open(file) as image:
        return ImageOps.exif_transpose(image).convert("RGB")


def _of(name: str, kind: Kind, image: Image.Image, number: int) -> Iterator[View]:
    """Yield the whole of ``image``, and its left and right part if it is large enough."""
    yield View(name, kind, _resized(image, WIDTHS_PX[number % len(WIDTHS_PX)]))
    part_px = PART_WIDTHS_PX[number % len(PART_WIDTHS_PX)]
    half_px = image.width // 2
    if half_px >= part_px:
        top = image.height // 4
        side = min(half_px, image.height - top)
        yield View(f"{name}, left", kind, _resized(image.crop((0, top, half_px, top + side)), part_px))
        yield View(f"{name}, right", kind, _resized(image.crop((half_px, 0, 2 * half_px, side)), part_px))


def _resized(image: Image.Image, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    width = min(width, image.width)
    height = round(image.height * width / image.width)
    return np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
