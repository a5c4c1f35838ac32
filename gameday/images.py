"""Draw photographs at random: usual ones, and ones for a shifted input distribution."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import NamedTuple

from PIL import Image, ImageEnhance
from skimage import data

USUAL, SHIFTED = "usual", "shifted"

_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")
_SIDES_PX = (160, 400)
_TINY_PX = (20, 48)
_DARK = 0.15
"""Brightness factor of a dark image, as with a lens cap or without flash."""


class DrawnImage(NamedTuple):
    """A file to upload. ``suffix`` is its file extension."""

    body: bytes
    suffix: str


def draw_image(kind: str, seed: str, number: int) -> DrawnImage:
    """Draw image ``number`` of ``seed``: always the same bytes, different from all others.

    KeyError for unknown kinds.
    """
    rng = random.Random(f"{kind} {seed} {number}")
    return _KINDS[kind](rng)


def _usual(rng: random.Random) -> DrawnImage:
    image = _cut(rng, _SIDES_PX)
    return _encoded(image, *rng.choices((("JPEG", "jpg"), ("PNG", "png")), (4, 1))[0])


def _shifted(rng: random.Random) -> DrawnImage:
    return rng.choice((_dark, _tiny, _other_format))(rng)


def _dark(rng: random.Random) -> DrawnImage:
    return _encoded(ImageEnhance.Brightness(_cut(rng, _SIDES_PX)).enhance(_DARK), "JPEG", "jpg")


def _tiny(rng: random.Random) -> DrawnImage:
    return _encoded(_cut(rng, _TINY_PX), "JPEG", "jpg")


def _other_format(rng: random.Random) -> DrawnImage:
    return _encoded(_cut(rng, _SIDES_PX), *rng.choice((("WEBP", "webp"), ("GIF", "gif"))))


_KINDS: Mapping[str, Callable[[random.Random], DrawnImage]] = {USUAL: _usual, SHIFTED: _shifted}


def _cut(rng: random.Random, sides_px: tuple[int, int]) -> Image.Image:
    """Crop a random part of a photograph, resize it within ``sides_px``, and vary its brightness."""
    whole = _photograph(rng.choice(_PHOTOGRAPHS))
    side = int(min(whole.size) * rng.uniform(0.4, 0.9))
    left, top = (rng.randint(0, extent - side) for extent in whole.size)
    size = (rng.randint(*sides_px), rng.randint(*sides_px))
    cut = whole.crop((left, top, left + side, top + side)).resize(size)
    return ImageEnhance.Brightness(cut).enhance(rng.uniform(0.75, 1.25))


def _encoded(image: Image.Image, kind: str, suffix: str) -> DrawnImage:
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 88} if kind in ("JPEG", "WEBP") else {}))
    return DrawnImage(out.getvalue(), suffix)


@cache
def _photograph(name: str) -> Image.Image:
    return Image.fromarray(getattr(data, name)())


def read_size(image: DrawnImage) -> tuple[int, int]:
    """Return width and height in px."""
    return Image.open(io.BytesIO(image.body)).size
