"""sharp's edits of colour, as one matrix: in sharp's own order of work, whatever the order of the edits."""

from __future__ import annotations

from ...model import IDENTITY, Matrix
from ..colours import channels
from ..held import refused
from ..matrices import LUMA_709, after, brighter, hue, lightness, linear, saturation
from .wanted import Wanted, colour, is_on, mapping, number

ORDER = ("negate", "greyscale", "recomb", "modulate", "linear", "tint", "extractChannel")
"""Of work in sharp's ``src/pipeline.cc``."""

MEAN_TINT = 2 / 3
"""Of the weights ``1 − 4 (L − ½)²`` that sharp gives a tint from black to white."""

MIDDLE_LIGHTNESS = 50.0

_CHANNELS: dict[object, int] = {"red": 0, "green": 1, "blue": 2, 0: 0, 1: 1, 2: 2}


def matrix(wanted: Wanted) -> Matrix:
    """The product of all tones. Where something follows the greys, they are in it."""
    tones = dict(wanted.tones)
    if wanted.grey and tones.keys() - {"negate"}:
        tones["greyscale"] = lightness(LUMA_709)
    product = IDENTITY
    for name in ORDER:
        product = after(product, tones.get(name, IDENTITY))
    return product


def is_grey(wanted: Wanted) -> bool:
    """Whether the picture ends up as the greys of its own lightness."""
    return wanted.grey and not wanted.tones.keys() - {"negate"}


def greyscale(wanted: Wanted, value: object) -> None:
    wanted.grey = is_on(value)


def negate(wanted: Wanted, value: object) -> None:
    if is_on(value):
        wanted.tones["negate"] = linear(-1, 1)


def recomb(wanted: Wanted, value: object) -> None:
    rows = value if isinstance(value, list) else []
    if len(rows) not in (3, 4) or any(not isinstance(row, list) or len(row) != len(rows) for row in rows):
        raise refused("recomb", "it must be three rows of three numbers")
    numbers = [[number("recomb", one) for one in row] for row in rows]
    if len(rows) == 4 and (numbers[3] != [0, 0, 0, 1] or any(row[3] for row in numbers[:3])):
        raise refused("recomb", "a fourth row and column must leave alpha alone here")
    wanted.tones["recomb"] = tuple(one for row in numbers[:3] for one in (*row[:3], 0.0))


def modulate(wanted: Wanted, value: object) -> None:
    """By matrices, hue by that of CSS: sharp has all four in CIE LCh, where lightness is no weighted sum."""
    given = mapping("modulate", value)
    parts = {
        name: number(name, given.get(name, neutral))
        for name, neutral in (("saturation", 1), ("hue", 0), ("brightness", 1), ("lightness", 0))
    }
    if parts["saturation"] < 0 or parts["brightness"] < 0:
        raise refused("modulate", "saturation and brightness must not be negative")
    toned = (
        after(saturation(parts["saturation"]), hue(parts["hue"] % 360))
        if parts["hue"]
        else saturation(parts["saturation"])
    )
    wanted.tones["modulate"] = after(toned, brighter(parts["brightness"], parts["lightness"] / 100))


def scale(wanted: Wanted, value: object) -> None:
    """``linear``: DIT hands on one argument, the factor."""
    if value is not None:
        wanted.tones["linear"] = linear(number("linear", value))


def tint(wanted: Wanted, value: object) -> None:
    """The greys, moved by the colour's chroma at middle lightness. sharp moves the middle by more, the ends by none."""
    a, b = _chroma(channels(colour("tint", value)))
    grey, tinted = (_from_lab(MIDDLE_LIGHTNESS, *chroma) for chroma in ((0.0, 0.0), (a, b)))
    wanted.tones["tint"] = lightness(
        LUMA_709, [MEAN_TINT * (one - other) for one, other in zip(tinted, grey, strict=True)]
    )


def extract_channel(wanted: Wanted, value: object) -> None:
    channel = _CHANNELS.get(value if isinstance(value, str | int) else None)
    if channel is None:
        raise refused("extractChannel", "it must be red, green or blue here")
    row = [0.0, 0.0, 0.0]
    row[channel] = 1.0
    wanted.tones["extractChannel"] = lightness(row)


def to_colourspace(wanted: Wanted, value: object) -> None:
    if value in ("b-w", "bw"):
        wanted.grey = True
    elif value not in ("srgb", "rgb"):
        raise refused("toColourspace", "every answer is in sRGB or grey here")


def _chroma(rgb: tuple[float, float, float]) -> tuple[float, float]:
    """CIE a* and b* of an sRGB colour with channels from 0 to 1 (IEC 61966-2-1, CIE 15, D65)."""
    red, green, blue = (v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in rgb)
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505
    y = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089
    fx, fy, fz = (v ** (1 / 3) if v > 216 / 24389 else (24389 / 27 * v + 16) / 116 for v in (x, y, z))
    return 500 * (fx - fy), 200 * (fy - fz)


def _from_lab(light: float, a: float, b: float) -> tuple[float, float, float]:
    """The sRGB colour, its channels clipped to 0 to 1."""
    fy = (light + 16) / 116
    x, y, z = (
        scale * (f**3 if f > 6 / 29 else 3 * (6 / 29) ** 2 * (f - 4 / 29))
        for scale, f in ((0.9505, fy + a / 500), (1.0, fy), (1.089, fy - b / 200))
    )
    rgb = (
        3.2406 * x - 1.5372 * y - 0.4986 * z,
        -0.9689 * x + 1.8758 * y + 0.0415 * z,
        0.0557 * x - 0.204 * y + 1.057 * z,
    )
    red, green, blue = (_encoded(min(1.0, max(0.0, v))) for v in rgb)
    return red, green, blue


def _encoded(linear_light: float) -> float:
    return 12.92 * linear_light if linear_light <= 0.0031308 else 1.055 * linear_light ** (1 / 2.4) - 0.055
