"""sharp's edits of colour: in sharp's own order of work, whatever the order of the edits."""

from __future__ import annotations

from ...plan.model import IDENTITY, Lch
from ...plan.option_types import Value
from ..common.matrices import combine, lightness, linear
from ..common.validate import bad_option
from .model import DitOptions, is_enabled, require_colour, require_number, require_object

EARLY, LATE = ("recomb", "linear"), ("extractChannel", "negate")
"""Matrices in the order of sharp's ``src/pipeline.cc`` (0.35): greys and modulate() stand before and between them."""

_BETWEEN = frozenset({"lev", "clahe", "tint", "wm"})
"""Options that are applied after early matrices and before late ones."""

_CHANNELS: dict[object, int] = {"red": 0, "green": 1, "blue": 2, 0: 0, 1: 1, 2: 2}


def convert_colour(options: DitOptions) -> dict[str, Value]:
    """The options of tones, by short name. A matrix that may be early is: most plans have one then."""
    early, late = ([options.tones[name] for name in names if name in options.tones] for names in (EARLY, LATE))
    if options.grey or options.lch is not None:
        first = [] if options.grey else early[: "recomb" in options.tones]
        early, late = first, early[len(first) :] + late
    if not (options.grey or options.lch is not None or options.values.keys() & _BETWEEN):
        early, late = early + late, []
    values: dict[str, Value] = {"gray": True} if options.grey else {}
    if options.lch is not None:
        values["lch"] = options.lch
    found = (("mat", combine(early)), ("late", combine(late)))
    return values | {short: matrix for short, matrix in found if matrix != IDENTITY}


def apply_greyscale(options: DitOptions, value: object) -> None:
    options.grey = is_enabled(value)


def apply_negate(options: DitOptions, value: object) -> None:
    if is_enabled(value):
        options.tones["negate"] = linear(-1, 1)
        if not (isinstance(value, dict) and value.get("alpha") is False):
            options.alpha = "invert"


def apply_recomb(options: DitOptions, value: object) -> None:
    rows = value if isinstance(value, list) else []
    if len(rows) not in (3, 4) or any(not isinstance(row, list) or len(row) != len(rows) for row in rows):
        raise bad_option("recomb", "it must be three rows of three numbers")
    numbers = [[require_number("recomb", one) for one in row] for row in rows]
    if len(rows) == 4 and (numbers[3] != [0, 0, 0, 1] or any(row[3] for row in numbers[:3])):
        raise bad_option("recomb", "a fourth row and column must leave alpha alone here")
    options.tones["recomb"] = tuple(one for row in numbers[:3] for one in (*row[:3], 0.0))


def apply_modulate(options: DitOptions, value: object) -> None:
    given = require_object("modulate", value)
    parts = {
        name: require_number(name, given.get(name, neutral))
        for name, neutral in (("brightness", 1), ("saturation", 1), ("hue", 0), ("lightness", 0))
    }
    if parts["saturation"] < 0 or parts["brightness"] < 0:
        raise bad_option("modulate", "saturation and brightness must not be negative")
    change = Lch(parts["brightness"], parts["saturation"], parts["hue"] % 360, parts["lightness"])
    options.lch = change if change != Lch() else None


def apply_linear(options: DitOptions, value: object) -> None:
    """``linear``: DIT hands on one argument, the factor."""
    if value is not None:
        options.tones["linear"] = linear(require_number("linear", value))


def apply_tint(options: DitOptions, value: object) -> None:
    options.values["tint"] = require_colour("tint", value)[:6]


def apply_extract_channel(options: DitOptions, value: object) -> None:
    channel = _CHANNELS.get(value if isinstance(value, str | int) else None)
    if channel is None:
        raise bad_option("extractChannel", "it must be red, green or blue here")
    row = [0.0, 0.0, 0.0]
    row[channel] = 1.0
    options.tones["extractChannel"] = lightness(row)
    options.drops_alpha = True


def apply_to_colourspace(options: DitOptions, value: object) -> None:
    if value in ("b-w", "bw"):
        options.grey = True
    elif value not in ("srgb", "rgb"):
        raise bad_option("toColourspace", "every answer is in sRGB or grey here")
