"""sharp's edits of colour: in sharp's own order of work, whatever the order of the edits."""

from __future__ import annotations

from ...plan.model import IDENTITY, Lch
from ...plan.option_types import Value
from ..common.matrices import chained, lightness, linear
from ..common.validate import refused
from .model import Wanted, colour, is_on, mapping, number

EARLY, LATE = ("recomb", "linear"), ("extractChannel", "negate")
"""Matrices in the order of sharp's ``src/pipeline.cc`` (0.35): greys and modulate() stand before and between them."""

_BETWEEN = frozenset({"lev", "clahe", "tint", "wm"})
"""Options that are applied after early matrices and before late ones."""

_CHANNELS: dict[object, int] = {"red": 0, "green": 1, "blue": 2, 0: 0, 1: 1, 2: 2}


def options(wanted: Wanted) -> dict[str, Value]:
    """The options of tones, by short name. A matrix that may be early is: most plans have one then."""
    early, late = ([wanted.tones[name] for name in names if name in wanted.tones] for names in (EARLY, LATE))
    if wanted.grey or wanted.lch is not None:
        first = [] if wanted.grey else early[: "recomb" in wanted.tones]
        early, late = first, early[len(first) :] + late
    if not (wanted.grey or wanted.lch is not None or wanted.values.keys() & _BETWEEN):
        early, late = early + late, []
    values: dict[str, Value] = {"gray": True} if wanted.grey else {}
    if wanted.lch is not None:
        values["lch"] = wanted.lch
    found = (("mat", chained(early)), ("late", chained(late)))
    return values | {short: matrix for short, matrix in found if matrix != IDENTITY}


def greyscale(wanted: Wanted, value: object) -> None:
    wanted.grey = is_on(value)


def negate(wanted: Wanted, value: object) -> None:
    if is_on(value):
        wanted.tones["negate"] = linear(-1, 1)
        if not (isinstance(value, dict) and value.get("alpha") is False):
            wanted.alpha = "invert"


def recomb(wanted: Wanted, value: object) -> None:
    rows = value if isinstance(value, list) else []
    if len(rows) not in (3, 4) or any(not isinstance(row, list) or len(row) != len(rows) for row in rows):
        raise refused("recomb", "it must be three rows of three numbers")
    numbers = [[number("recomb", one) for one in row] for row in rows]
    if len(rows) == 4 and (numbers[3] != [0, 0, 0, 1] or any(row[3] for row in numbers[:3])):
        raise refused("recomb", "a fourth row and column must leave alpha alone here")
    wanted.tones["recomb"] = tuple(one for row in numbers[:3] for one in (*row[:3], 0.0))


def modulate(wanted: Wanted, value: object) -> None:
    given = mapping("modulate", value)
    parts = {
        name: number(name, given.get(name, neutral))
        for name, neutral in (("brightness", 1), ("saturation", 1), ("hue", 0), ("lightness", 0))
    }
    if parts["saturation"] < 0 or parts["brightness"] < 0:
        raise refused("modulate", "saturation and brightness must not be negative")
    change = Lch(parts["brightness"], parts["saturation"], parts["hue"] % 360, parts["lightness"])
    wanted.lch = change if change != Lch() else None


def scale(wanted: Wanted, value: object) -> None:
    """``linear``: DIT hands on one argument, the factor."""
    if value is not None:
        wanted.tones["linear"] = linear(number("linear", value))


def tint(wanted: Wanted, value: object) -> None:
    wanted.values["tint"] = colour("tint", value)[:6]


def extract_channel(wanted: Wanted, value: object) -> None:
    channel = _CHANNELS.get(value if isinstance(value, str | int) else None)
    if channel is None:
        raise refused("extractChannel", "it must be red, green or blue here")
    row = [0.0, 0.0, 0.0]
    row[channel] = 1.0
    wanted.tones["extractChannel"] = lightness(row)
    wanted.drops_alpha = True


def to_colourspace(wanted: Wanted, value: object) -> None:
    if value in ("b-w", "bw"):
        wanted.grey = True
    elif value not in ("srgb", "rgb"):
        raise refused("toColourspace", "every answer is in sRGB or grey here")
