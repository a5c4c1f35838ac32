"""What is uploaded: small photographs that can be told apart by their colour, and files that have to be refused."""

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
"""The limit that the functions run under; a picture of more is refused from its header."""

LARGE = (1800, 1200)
LARGE_EVERY = 40
TINT = 0.7
_LEVELS = (20, 128, 235)
COLOURS = tuple((red, green, blue) for red in _LEVELS for green in _LEVELS for blue in _LEVELS)
"""Two pictures of different colours are told apart in any derivative, however small or sharpened."""

_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


@dataclass(frozen=True, slots=True)
class Content:
    """A file. ``code`` is why it must be refused, empty if it must not; ``colour`` tells pictures apart."""

    name: str
    data: bytes
    code: str = ""
    colour: int = -1


@dataclass(frozen=True)
class ImageFactory:
    """Makes the files of one seed. The same name is always the same bytes."""

    seed: int

    def photograph(self, number: int) -> Content:
        """Picture ``number``: 64 to 600 pixels a side, now and then 2 megapixels."""
        chance = seeded_random(self.seed, "photograph", number)
        size = LARGE if number % LARGE_EVERY == LARGE_EVERY - 1 else (chance.randint(64, 600), chance.randint(64, 600))
        colour = number % len(COLOURS)
        picture = _tinted(_cropped(chance.choice(_PHOTOGRAPHS), chance.random(), size), COLOURS[colour])
        return Content(f"photograph {number}", chance.choices(_FORMATS, _FORMAT_WEIGHTS)[0](picture), colour=colour)

    def damaged(self, number: int) -> Content:
        """Picture ``number``, of which the end is missing."""
        whole = self.photograph(number).data
        kept = int(len(whole) * (0.5 + 0.3 * seeded_random(self.seed, "damage", number).random()))
        return Content(f"damaged {number}", whole[:kept], "damaged")

    def other(self, number: int) -> Content:
        """A file that is no picture, or one that is too large."""
        return seeded_random(self.seed, "other", number).choice(_others())


def _cropped(name: str, place: float, size: tuple[int, int]) -> Image.Image:
    whole = _photograph(name)
    side = min(whole.size) * 3 // 4
    left, top = (int((extent - side) * place) for extent in whole.size)
    return whole.crop((left, top, left + side, top + side)).resize(size)


@cache
def _photograph(name: str) -> Image.Image:
    return Image.fromarray(getattr(data, name)())


def _tinted(picture: Image.Image, colour: tuple[int, int, int]) -> Image.Image:
    return Image.blend(picture, Image.new("RGB", picture.size, colour), TINT)


def _jpeg(picture: Image.Image) -> bytes:
    exif = Image.Exif()
    exif[0x0110] = "Chaos Camera"  # Model
    exif[0x0112] = 6  # Orientation: stored turned
    exif.get_ifd(0x8825)[1] = "N"  # GPS
    out = io.BytesIO()
    picture.rotate(90, expand=True).save(out, "JPEG", quality=88, exif=exif)
    return out.getvalue()


def _plain(kind: str) -> Callable[[Image.Image], bytes]:
    def encode(picture: Image.Image) -> bytes:
        out = io.BytesIO()
        picture.save(out, kind)
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
        Content("a text", b"Dear darkroom, please find no picture attached.\n" * 40, "type-not-allowed"),
        Content("a page", b"<!doctype html><title>x</title><script>alert(1)</script>", "type-not-allowed"),
        Content("nothing", b"", "type-not-allowed"),
        Content("a large picture", large.getvalue(), "over-limits"),
    )
