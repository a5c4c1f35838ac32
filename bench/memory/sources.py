"""Make images of every type that the transform function reads, of 0.1 to 24 MP, from a photograph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..build_cache import build_once
from ..images import Recipe, make_photograph
from ..paths import WORK

LARGE = Recipe("large", "coffee", 6000, 4000)
FRAMES = 24
DELAY_MS = 80
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 800">
<defs><linearGradient id="sky" x2="0" y2="1"><stop stop-color="#0b3d91"/><stop offset="1" stop-color="#f6c28b"/>
</linearGradient></defs><rect width="1200" height="800" fill="url(#sky)"/>{shapes}</svg>
"""
CIRCLE = '<circle cx="{x}" cy="{y}" r="{r}" fill="hsl({hue},60%,60%)"/>'


@dataclass(frozen=True, slots=True)
class Source:
    """An image file. ``weight`` is its relative frequency; ``what`` names its type."""

    name: str
    width: int
    height: int
    weight: int
    what: str
    save: Callable[[Image.Image, Path], None]
    """Writes the photograph, which has that size, into a file."""

    @property
    def megapixels(self) -> float:
        """Megapixels of one frame."""
        return self.width * self.height / 1e6


def _saved(**options: Any) -> Callable[[Image.Image, Path], None]:
    return lambda image, file: image.save(file, **options)


def _cmyk(image: Image.Image, file: Path) -> None:
    image.convert("CMYK").save(file, "JPEG", quality=88)


def _png_with_alpha(image: Image.Image, file: Path) -> None:
    """Save with an alpha channel that fades from top to bottom."""
    image = image.convert("RGB")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.save(file, "PNG", compress_level=3)


def _animated(**options: Any) -> Callable[[Image.Image, Path], None]:
    """Save frames of the photograph moving to the side."""

    def save(image: Image.Image, file: Path) -> None:
        first, *others = (
            image.transform(image.size, Image.Transform.AFFINE, (0.8, 0, step * 4, 0, 0.8, 0)) for step in range(FRAMES)
        )
        first.save(file, save_all=True, append_images=others, duration=DELAY_MS, loop=0, **options)

    return save


def _drawing(_: Image.Image, file: Path) -> None:
    steps = range(150)
    shapes = [CIRCLE.format(x=n * 37 % 1200, y=n * 71 % 800, r=10 + n % 60, hue=n * 7 % 360) for n in steps]
    file.write_text(DRAWING.format(shapes="".join(shapes)), encoding="utf-8")


_BASELINE = _saved(format="JPEG", quality=88)
_PROGRESSIVE = _saved(format="JPEG", quality=88, progressive=True)
_WEBP = _saved(format="WEBP", quality=85, method=2)
_PNG = _saved(format="PNG", compress_level=3)
_TIFF = _saved(format="TIFF", compression="tiff_lzw")
_AVIF = _saved(format="AVIF", quality=60, speed=10)

MIXED = (
    Source("jpeg-0.1.jpg", 400, 267, 40, "JPEG", _BASELINE),
    Source("jpeg-0.5.jpg", 900, 600, 40, "JPEG", _BASELINE),
    Source("jpeg-2.jpg", 1800, 1200, 45, "JPEG", _BASELINE),
    Source("jpeg-6.jpg", 3000, 2000, 40, "JPEG", _BASELINE),
    Source("jpeg-12.jpg", 4242, 2828, 40, "JPEG", _BASELINE),
    Source("jpeg-24.jpg", 6000, 4000, 20, "JPEG", _BASELINE),
    Source("progressive-0.5.jpg", 900, 600, 25, "JPEG, progressive", _PROGRESSIVE),
    Source("progressive-3.jpg", 2121, 1414, 25, "JPEG, progressive", _PROGRESSIVE),
    Source("cmyk-2.jpg", 1800, 1200, 15, "JPEG, CMYK", _cmyk),
    Source("cmyk-6.jpg", 3000, 2000, 5, "JPEG, CMYK", _cmyk),
    Source("png-2.png", 1800, 1200, 15, "PNG", _PNG),
    Source("png-6.png", 3000, 2000, 5, "PNG", _PNG),
    Source("alpha-0.3.png", 700, 467, 25, "PNG with alpha", _png_with_alpha),
    Source("alpha-0.7.png", 1024, 683, 15, "PNG with alpha", _png_with_alpha),
    Source("webp-0.5.webp", 900, 600, 30, "WebP", _WEBP),
    Source("webp-3.webp", 2121, 1414, 25, "WebP", _WEBP),
    Source("animation-0.1.gif", 400, 267, 20, "GIF of 24 frames", _animated(format="GIF")),
    Source("animation-0.1.webp", 400, 267, 10, "WebP of 24 frames", _animated(format="WEBP", quality=75, method=2)),
    Source("avif-0.5.avif", 900, 600, 25, "AVIF", _AVIF),
    Source("avif-1.avif", 1224, 816, 15, "AVIF", _AVIF),
    Source("tiff-2.tif", 1800, 1200, 10, "TIFF, LZW", _TIFF),
    Source("tiff-4.tif", 2449, 1633, 5, "TIFF, LZW", _TIFF),
    Source("drawing.svg", 1200, 800, 5, "SVG", _drawing),
)
"""Sources of the 500 images."""


def make_files() -> list[Path]:
    """Return the file of each source, made once."""
    folder = build_once(WORK / "memory", [Path(__file__), Path(__file__).parent.parent / "images.py"], _make)
    return [folder / source.name for source in MIXED]


def _make(folder: Path) -> None:
    large = make_photograph(LARGE)
    for source in MIXED:
        size = (source.width, source.height)
        image = large if size == large.size else large.resize(size, Image.Resampling.LANCZOS)
        source.save(image, folder / source.name)
