"""Draw images at random: usual photographs, ones for a shifted input distribution, and fabrics of a shop."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance

from chaos.images import PHOTOGRAPHS, load_photograph

USUAL, SHIFTED = "usual", "shifted"
STRIPED, DOTTED, CHECKED, PLAIN = "striped", "dotted", "checked", "plain"
FABRICS = (STRIPED, DOTTED, CHECKED, PLAIN)
"""Kinds of fabrics. The model of the project has no tags for patterns."""

MIXED_FABRICS = "fabrics"
"""A fabric of a kind that is chosen at random."""

_SIDES_PX = (160, 400)
_TINY_PX = (20, 48)
_FABRIC_PX = 256
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


def _fabric(rng: random.Random, kind: str) -> DrawnImage:
    """Draw a fabric in two colours, turned a little, under uneven light."""
    angle, period_px = rng.uniform(-0.4, 0.4), rng.uniform(14, 44)
    y, x = np.mgrid[:_FABRIC_PX, :_FABRIC_PX] / period_px
    across, down = x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle)
    ground, ink = (np.array([rng.randint(*span) for _ in range(3)]) for span in ((150, 255), (0, 130)))
    share = _PATTERNS[kind](across % 1, down % 1, rng.uniform(0.3, 0.6))[..., np.newaxis]
    light = 1 + rng.uniform(-0.3, 0.3) * (x / x.max() - 0.5)[..., np.newaxis]
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, 6, (_FABRIC_PX, _FABRIC_PX, 1))
    pixels = (ground + (ink - ground) * share) * light + noise
    return _encoded(Image.fromarray(pixels.clip(0, 255).astype(np.uint8)), "JPEG", "jpg")


type _Grid = NDArray[np.float64]

_PATTERNS: Mapping[str, Callable[[_Grid, _Grid, float], NDArray[Any]]] = {
    STRIPED: lambda across, _, part: (across < part) * 1.0,
    DOTTED: lambda across, down, part: (np.hypot(across - 0.5, down - 0.5) < part / 1.6) * 1.0,
    CHECKED: lambda across, down, part: ((across < part) * 1.0 + (down < part)) / 2,
    PLAIN: lambda across, _, __: across * 0.0,
}
"""The share of the second colour, by the place within a period and the part that it covers."""

_KINDS: Mapping[str, Callable[[random.Random], DrawnImage]] = {
    USUAL: _usual,
    SHIFTED: _shifted,
    MIXED_FABRICS: lambda rng: _fabric(rng, rng.choice(FABRICS)),
    **{kind: partial(_fabric, kind=kind) for kind in FABRICS},
}


def _cut(rng: random.Random, sides_px: tuple[int, int]) -> Image.Image:
    """Crop a random part of a photograph, resize it within ``sides_px``, and vary its brightness."""
    whole = load_photograph(rng.choice(PHOTOGRAPHS))
    side = int(min(whole.size) * rng.uniform(0.4, 0.9))
    left, top = (rng.randint(0, extent - side) for extent in whole.size)
    size = (rng.randint(*sides_px), rng.randint(*sides_px))
    cut = whole.crop((left, top, left + side, top + side)).resize(size)
    return ImageEnhance.Brightness(cut).enhance(rng.uniform(0.75, 1.25))


def _encoded(image: Image.Image, kind: str, suffix: str) -> DrawnImage:
    out = io.BytesIO()
    image.save(out, kind, **({"quality": 88} if kind in ("JPEG", "WEBP") else {}))
    return DrawnImage(out.getvalue(), suffix)


def read_size(image: DrawnImage) -> tuple[int, int]:
    """Return width and height in px."""
    return Image.open(io.BytesIO(image.body)).size
