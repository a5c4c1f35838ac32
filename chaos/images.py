"""Draw uploads: small photographs that differ in colour, and files that ingest must refuse."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from PIL import Image
from skimage import data

from .seeded_rng import seeded_random

MAX_PIXELS = 16_000_000
"""The functions' pixel limit; larger images are refused by their header."""

LARGE = (1800, 1200)
LARGE_EVERY = 40
TINT = 0.7
_LEVELS = (20, 128, 235)
COLOURS = tuple((red, green, blue) for red in _LEVELS for green in _LEVELS for blue in _LEVELS)
"""Colours far enough apart that derivatives of different images are never alike, even small or sharpened ones."""

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


@dataclass(frozen=True, slots=True)
class Content:
    """A file. ``code`` is the reason for its refusal, empty if it is valid; ``colour`` identifies the image."""

    name: str
    data: bytes
    code: str = ""
    colour: int = -1


@dataclass(frozen=True)
class ImageFactory:
    """Draws the files of one seed. A name always has the same bytes."""

    seed: int

    def photograph(self, number: int) -> Content:
        """Draw photograph ``number``: 64 to 600 pixels a side, sometimes 2 megapixels."""
        rng = seeded_random(self.seed, "photograph", number)
        size = LARGE if number % LARGE_EVERY == LARGE_EVERY - 1 else (rng.randint(64, 600), rng.randint(64, 600))
        colour = number % len(COLOURS)
        image = _tinted(_cropped(rng.choice(PHOTOGRAPHS), rng.random(), size), COLOURS[colour])
        return Content(f"photograph {number}", rng.choices(_FORMATS, _FORMAT_WEIGHTS)[0](image), colour=colour)

    def damaged(self, number: int) -> Content:
        """Draw photograph ``number`` with its end missing."""
        whole = self.photograph(number).data
        kept = int(len(whole) * (0.5 + 0.3 * seeded_random(self.seed, "damage", number).random()))
        return Content(f"damaged {number}", whole[:kept], "damaged")

    def other(self, number: int) -> Content:
        """Draw a file that is no image, or one that is too large."""
        return seeded_random(self.seed, "other", number).choice(_others())


def _cropped(name: str, place: float, size: tuple[int, int]) -> Image.Image:
    whole = load_photograph(name)
    side = min(whole.size) * 3 // 4
    left, top = (int((extent - side) * place) for extent in whole.size)
    return whole.crop((left, top, left + side, top + side)).resize(size)


@cache
def load_photograph(name: str) -> Image.Image:
    """Return one of PHOTOGRAPHS."""
    return Image.fromarray(getattr(data, name)())


def _tinted(image: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    return Image.blend(image, Image.new("RGB", image.size, colour), TINT)


def _jpeg(image: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "Chaos Camera"  # Model
    exif[0x0112] = 6  # Orientation: stored rotated
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    out = io.BytesIO()
    image.rotate(90, expand=True).save(out, "JPEG", quality=88, exif=exif)
    return out.getvalue()


def _plain(kind: str) -> Callable[[Image.Image], bytes]:
    def encode(image: Image.Image) -> bytes:
        out = io.BytesIO()
        image.save(out, kind)
        return out.getvalue()

    return encode


_FORMATS = (_jpeg, _plain("JPEG"), _plain("PNG"), _plain("WEBP"))
_FORMAT_WEIGHTS = (3, 3, 2, 2)


@cache
def _others() -> tuple[Content, ...]:
    side = int(MAX_PIXELS**0.5) + 1
    large = io.BytesIO()
    Image.fromarray(np.zeros((side, side), dtype=bool)).save(large, "PNG")
    return (
        Content("a text", b"Hello darkroom, please find no image attached.\n" * 40, "type-not-allowed"),
        Content("a page", b"<!doctype html><title>x</title><script>alert(1)</script>", "type-not-allowed"),
        Content("nothing", b"", "type-not-allowed"),
        Content("a large image", large.getvalue(), "over-limits"),
    )
