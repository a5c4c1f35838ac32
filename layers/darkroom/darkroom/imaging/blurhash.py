"""BlurHash: a placeholder as text, for clients with a decoder of that format."""

from __future__ import annotations

from math import cos, floor, pi
from typing import NamedTuple

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~"
_LEVELS = 9
"""Of a coefficient, to each side of 0."""


class Components(NamedTuple):
    """The number of frequencies on each axis, 1 to 9."""

    across: int
    down: int


COMPONENTS = Components(4, 3)
"""What the authors recommend for landscapes. A hash of these has 28 characters."""


def encode_blurhash(width: int, height: int, rgba: bytes, components: Components = COMPONENTS) -> str:
    """Return the BlurHash of an image in sRGB; ``rgba`` has four bytes a pixel.

    BlurHash (Wolt, 2018): the lowest frequencies of a cosine transform of linear light, in base 83. Results are equal
    to those of the reference implementation, which ignores alpha; here transparent pixels are white.
    """
    across, down = components
    waves = [[cos(pi * x * i / width) for x in range(width)] for i in range(across)]
    falls = [[cos(pi * y * j / height) for y in range(height)] for j in range(down)]
    bands = [_transform(_read_linear(rgba, band), waves, falls) for band in range(3)]
    mean, *rest = zip(*bands, strict=True)
    peak = max((value for values in rest for value in values), default=0.0)
    quantised = floor(max(0, min(82, floor(peak * 166 - 0.5)))) if rest else 0
    scale = (quantised + 1) / 166 if rest else 1.0
    red, green, blue = map(_to_srgb, mean)
    text = _to_base83(across - 1 + (down - 1) * 9, 1) + _to_base83(quantised, 1)
    text += _to_base83(red << 16 | green << 8 | blue, 4)
    return text + "".join(_encode_coefficient(values, scale) for values in rest)


def _read_linear(rgba: bytes, band: int) -> list[float]:
    """Return one band over white, in linear light."""
    light = [_to_linear(value) for value in range(256)]
    pairs = zip(rgba[band::4], rgba[3::4], strict=True)
    return [light[floor((value * alpha + 255 * (255 - alpha)) / 255 + 0.5)] for value, alpha in pairs]


def _transform(channel: list[float], waves: list[list[float]], falls: list[list[float]]) -> list[float]:
    """Return the coefficients of one channel, row by row."""
    width, pixels = len(waves[0]), len(channel)
    rows = [channel[start : start + width] for start in range(0, pixels, width)]
    columns = [[_dot(row, wave) for row in rows] for wave in waves]
    return [
        (1 if i == j == 0 else 2) * _dot(columns[i], fall) / pixels
        for j, fall in enumerate(falls)
        for i in range(len(waves))
    ]


def _dot(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True))


def _to_linear(value: int) -> float:
    part = value / 255
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _to_srgb(light: float) -> int:
    part = max(0.0, min(1.0, light))
    return floor((part * 12.92 if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055) * 255 + 0.5)


def _encode_coefficient(values: tuple[float, ...], scale: float) -> str:
    """Return three channels in two digits, each on a square-root scale."""
    total = 0
    for value in values:
        root = (abs(value) / scale) ** 0.5 * (1 if value >= 0 else -1)
        total = total * 19 + max(0, min(2 * _LEVELS, floor(root * _LEVELS + _LEVELS + 0.5)))
    return _to_base83(total, 2)


def _to_base83(value: int, digits: int) -> str:
    return "".join(_DIGITS[value // 83**place % 83] for place in reversed(range(digits)))
