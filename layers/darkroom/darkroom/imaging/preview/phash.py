"""A perceptual hash: 64 bits that stay nearly equal when an image is encoded again, resized or retouched.

This is pHash as the ``imagehash`` package computes it (after N. Krawetz, "Looks Like It", 2011, and C. Zauner,
"Implementation and Benchmarking of Perceptual Image Hash Functions", 2010): 32 × 32 px of luma, the 8 × 8 lowest
frequencies of its cosine transform, and for each whether it is above their median. Hashes are compared by the number of
bits that differ: fewer than about 10 of 64 for copies, about 32 for unrelated images.
"""

from __future__ import annotations

from math import cos, pi
from statistics import median

import pyvips

from ...plan.geometry.layout import Size
from ..resample import resize_to

SIDE_PX = 32
FREQUENCIES = 8
"""On each axis, from 0."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue (ITU-R BT.601)."""

_WAVES = [[cos(pi * (2 * x + 1) * k / (2 * SIDE_PX)) for x in range(SIDE_PX)] for k in range(FREQUENCIES)]
_DIGITS = 6
"""Coefficients are rounded to so many: those of a flat image would be the noise of the arithmetic otherwise."""


def compute_perceptual_hash(sample: pyvips.Image) -> str:
    """Return the hash of an image in sRGB or grey, 8 bits a band, as 16 hex digits; transparency is shown white."""
    luma = _luma_values(sample)
    rows = [luma[start : start + SIDE_PX] for start in range(0, len(luma), SIDE_PX)]
    across = [[_dot(row, wave) for row in rows] for wave in _WAVES]
    found = [round(_dot(column, wave), _DIGITS) for wave in _WAVES for column in across]
    middle = median(found)
    return f"{int(''.join(str(int(value > middle)) for value in found), 2):016x}"


def hamming_distance(a: str, b: str) -> int:
    """Return the number of bits of 64 in which two hashes differ."""
    return (int(a, 16) ^ int(b, 16)).bit_count()


def _luma_values(sample: pyvips.Image) -> list[float]:
    image = sample.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=[255, 255, 255])
    rgb = bytes(resize_to(image, Size(SIDE_PX, SIDE_PX)).cast("uchar").write_to_memory())
    red, green, blue = LUMA
    return [red * r + green * g + blue * b for r, g, b in zip(rgb[::3], rgb[1::3], rgb[2::3], strict=True)]


def _dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))
