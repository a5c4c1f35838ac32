"""Hashes of an image: a perceptual hash for finding copies, and ThumbHash for placeholders."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, floor, pi
from statistics import median
from typing import NamedTuple

import pyvips

from ..plan.geometry.layout import Size
from .colour.convert import resize_to

PHASH_SIDE_PX = 32
FREQUENCIES = 8
"""On each axis, from 0."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""

_WAVES = [[cos(pi * (2 * x + 1) * k / (2 * PHASH_SIDE_PX)) for x in range(PHASH_SIDE_PX)] for k in range(FREQUENCIES)]
_DIGITS = 6
"""Coefficients are rounded to so many: those of a flat image would be the noise of the arithmetic otherwise."""


def compute_perceptual_hash(sample: pyvips.Image) -> str:
    """Return the hash of an image in sRGB or grey, 8 bits a band, as 16 hex digits; transparency is shown white.

    The hash stays nearly equal when an image is encoded again, resized or retouched. This is pHash as the ``imagehash``
    package computes it (after N. Krawetz, "Looks Like It", 2011, and C. Zauner, "Implementation and Benchmarking of
    Perceptual Image Hash Functions", 2010): 32 × 32 px of luma, the 8 × 8 lowest frequencies of its cosine transform,
    and for each whether it is above their median. Hashes are compared by the number of bits that differ: fewer than
    about 10 of 64 for copies, about 32 for unrelated images.
    """
    luma = _luma_values(sample)
    rows = [luma[start : start + PHASH_SIDE_PX] for start in range(0, len(luma), PHASH_SIDE_PX)]
    across = [[_dot(row, wave) for row in rows] for wave in _WAVES]
    found = [round(_dot(column, wave), _DIGITS) for wave in _WAVES for column in across]
    middle = median(found)
    return f"{int(''.join(str(int(value > middle)) for value in found), 2):016x}"


def _luma_values(sample: pyvips.Image) -> list[float]:
    image = sample.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    rgb = bytes(resize_to(image, Size(PHASH_SIDE_PX, PHASH_SIDE_PX)).cast("uchar").write_to_memory())
    red, green, blue = LUMA
    return [red * r + green * g + blue * b for r, g, b in zip(rgb[::3], rgb[1::3], rgb[2::3], strict=True)]


THUMBHASH_MAX_SIDE_PX = 100


class _Channel(NamedTuple):
    """The mean, the other coefficients as fractions of the largest one, and that one."""

    mean: float
    rest: list[float]
    scale: float


def encode_thumbhash(width: int, height: int, rgba: bytes) -> bytes:
    """Return the ThumbHash of an image of at most 100 × 100 px.

    ``rgba`` has four bytes a pixel, alpha not multiplied in. ThumbHash (Evan Wallace, 2023) is a placeholder in about
    25 bytes: average colour, aspect ratio, alpha and the lowest frequencies of a cosine transform, in the byte layout
    of the reference implementation, with equal results. The ports on PyPI take 100 ms of Python for the plain sums;
    these are the same sums, rows first.
    """
    if not 1 <= width <= THUMBHASH_MAX_SIDE_PX or not 1 <= height <= THUMBHASH_MAX_SIDE_PX:
        raise ValueError(f"{width} × {height} is not within {THUMBHASH_MAX_SIDE_PX} × {THUMBHASH_MAX_SIDE_PX}")
    alpha = [value / 255 for value in rgba[3::4]]
    covered = sum(alpha)
    has_alpha = covered < width * height
    red, green, blue = (_blend_over_mean(rgba[band::4], alpha, covered) for band in range(3))
    light = [(r + g + b) / 3 for r, g, b in zip(red, green, blue, strict=True)]
    yellow = [(r + g) / 2 - b for r, g, b in zip(red, green, blue, strict=True)]
    ruddy = [r - g for r, g in zip(red, green, strict=True)]
    most = 5 if has_alpha else 7
    across, down = (max(1, _round_half_up(most * side / max(width, height))) for side in (width, height))

    lightness = _cosine_transform(light, width, max(3, across), max(3, down))
    p, q = _cosine_transform(yellow, width, 3, 3), _cosine_transform(ruddy, width, 3, 3)
    landscape = width > height
    head = (
        _round_half_up(63 * lightness.mean)
        | _round_half_up(31.5 + 31.5 * p.mean) << 6
        | _round_half_up(31.5 + 31.5 * q.mean) << 12
    )
    head |= _round_half_up(31 * lightness.scale) << 18 | has_alpha << 23
    tail = down if landscape else across
    tail |= _round_half_up(63 * p.scale) << 3 | _round_half_up(63 * q.scale) << 9 | landscape << 15
    nibbles = [*lightness.rest, *p.rest, *q.rest]
    opening = head.to_bytes(3, "little") + tail.to_bytes(2, "little")
    if has_alpha:
        cover = _cosine_transform(alpha, width, 5, 5)
        opening += bytes([_round_half_up(15 * cover.mean) | _round_half_up(15 * cover.scale) << 4])
        nibbles += cover.rest
    return opening + _pack_nibbles(nibbles)


def _blend_over_mean(band: bytes, alpha: list[float], covered: float) -> list[float]:
    """Blend a colour band, 0–1, over its own mean where it is transparent."""
    mean = sum(a * value for a, value in zip(alpha, band, strict=True)) / 255 / covered if covered else 0.0
    return [mean * (1 - a) + a / 255 * value for a, value in zip(alpha, band, strict=True)]


def _cosine_transform(channel: Sequence[float], width: int, across: int, down: int) -> _Channel:
    """Return the lowest coefficients of the cosine transform: those under the diagonal from ``across`` to ``down``."""
    height = len(channel) // width
    waves = [[cos(pi / width * cx * (x + 0.5)) for x in range(width)] for cx in range(across)]
    falls = [[cos(pi / height * cy * (y + 0.5)) for y in range(height)] for cy in range(down)]
    rows = [channel[start : start + width] for start in range(0, len(channel), width)]
    columns = [[_dot(row, wave) for row in rows] for wave in waves]
    found = [
        _dot(columns[cx], falls[cy]) / (width * height)
        for cy in range(down)
        for cx in range(across)
        if cx * down < across * (down - cy)
    ]
    mean, *rest = found
    scale = max(map(abs, rest), default=0.0)
    return _Channel(mean, [0.5 + 0.5 / scale * value for value in rest] if scale else rest, scale)


def _dot(a: Sequence[float], b: Sequence[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _pack_nibbles(fractions: list[float]) -> bytes:
    nibbles = [_round_half_up(15 * value) for value in fractions]
    nibbles += [0] * (len(nibbles) & 1)
    return bytes(low | high << 4 for low, high in zip(nibbles[::2], nibbles[1::2], strict=True))


def _round_half_up(value: float) -> int:
    """Round as JavaScript's Math.round."""
    return floor(value + 0.5)
