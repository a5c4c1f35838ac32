"""What is uploaded: photographs drawn by lot, as they usually come, and as they come after the inputs have shifted."""

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
"""What a dark picture's brightness is multiplied with: a lens cap, or a flash that did not fire."""


class DrawnImage(NamedTuple):
    """A file as it is uploaded. ``suffix`` is its name's ending."""

    body: bytes
    suffix: str


def draw_image(kind: str, seed: str, number: int) -> DrawnImage:
    """Picture ``number`` of the ``seed``: the same bytes each time, and like no other's. KeyError for another kind."""
    chance = random.Random(f"{kind} {seed} {number}")
    return _KINDS[kind](chance)


def _usual(chance: random.Random) -> DrawnImage:
    picture = _cut(chance, _SIDES_PX)
    return _encoded(picture, *chance.choices((("JPEG", "jpg"), ("PNG", "png")), (4, 1))[0])


def _shifted(chance: random.Random) -> DrawnImage:
    return chance.choice((_dark, _tiny, _other_format))(chance)


def _dark(chance: random.Random) -> DrawnImage:
    return _encoded(ImageEnhance.Brightness(_cut(chance, _SIDES_PX)).enhance(_DARK), "JPEG", "jpg")


def _tiny(chance: random.Random) -> DrawnImage:
    return _encoded(_cut(chance, _TINY_PX), "JPEG", "jpg")


def _other_format(chance: random.Random) -> DrawnImage:
    return _encoded(_cut(chance, _SIDES_PX), *chance.choice((("WEBP", "webp"), ("GIF", "gif"))))


_KINDS: Mapping[str, Callable[[random.Random], DrawnImage]] = {USUAL: _usual, SHIFTED: _shifted}


def _cut(chance: random.Random, sides_px: tuple[int, int]) -> Image.Image:
    """Somewhere out of a photograph, somewhat brighter or darker, of a size within ``sides_px``."""
    whole = _photograph(chance.choice(_PHOTOGRAPHS))
    side = int(min(whole.size) * chance.uniform(0.4, 0.9))
    left, top = (chance.randint(0, extent - side) for extent in whole.size)
    size = (chance.randint(*sides_px), chance.randint(*sides_px))
    cut = whole.crop((left, top, left + side, top + side)).resize(size)
    return ImageEnhance.Brightness(cut).enhance(chance.uniform(0.75, 1.25))


def _encoded(picture: Image.Image, kind: str, suffix: str) -> DrawnImage:
    out = io.BytesIO()
    picture.save(out, kind, **({"quality": 88} if kind in ("JPEG", "WEBP") else {}))
    return DrawnImage(out.getvalue(), suffix)


@cache
def _photograph(name: str) -> Image.Image:
    return Image.fromarray(getattr(data, name)())


def read_size(picture: DrawnImage) -> tuple[int, int]:
    """Its width and its height in px."""
    return Image.open(io.BytesIO(picture.body)).size
