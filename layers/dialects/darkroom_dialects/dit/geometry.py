"""Convert sharp's resize, rotations and regions to our geometry options."""

from __future__ import annotations

from math import floor

from darkroom.plan.model import Extension, Gravity, Scale
from darkroom.plan.option_types import Value

from ..common.anchor import Anchor
from ..common.rotation import flip_then_rotate, swap_sides
from ..common.validate import bad_option
from .model import DitOptions, Json, require_colour, require_number

COMPASS = ("center", "north", "east", "south", "west", "northeast", "southeast", "southwest", "northwest")
"""Indexes are sharp's gravity numbers."""

POSITIONS: dict[object, str] = {
    **{word: word for word in (*COMPASS, "entropy", "attention")},
    **dict(enumerate(COMPASS)),
    "centre": "center",
    "top": "north",
    "right": "east",
    "bottom": "south",
    "left": "west",
    "right top": "northeast",
    "right bottom": "southeast",
    "left bottom": "southwest",
    "left top": "northwest",
    16: "entropy",
    17: "attention",
}
"""sharp's positions, gravities and strategies, and our gravities."""

FITS = ("cover", "contain", "fill", "inside", "outside")
BLACK = "000000"


def convert_geometry(options: DitOptions) -> dict[str, Value]:
    """Return geometry options by short name. Raises BadOption for what our options cannot express."""
    values = _convert_resize(options)
    if not options.turn_first and options.turn % 180 == 90:
        values = _rotate_before_crop(values) if _crops_after_rotation(options, values) else swap_sides(values)
    if options.crop:
        values["crop"] = options.crop
    return {**values, **_convert_rotation(options)}


def _crops_after_rotation(options: DitOptions, values: dict[str, Value]) -> bool:
    """Return whether sharp crops the rotated image to the box: it resizes, rotates and crops in any order of edits."""
    fit = options.resize.get("fit") or "cover"
    return fit == "cover" and bool(values.keys() & {"w", "h"}) and "cov" not in values


def _rotate_before_crop(values: dict[str, Value]) -> dict[str, Value]:
    """Return a box that crops the rotated image, and covers it before the rotation."""
    least = {f"min{other}": values[short] for short, other in (("w", "h"), ("h", "w")) if short in values}
    return {**{short: value for short, value in values.items() if short != "fit"}, **least}


def parse_side(resize: Json, name: str) -> int | None:
    """Parse a side of the box in px; None if missing. Strings are numbers too, as in DIT."""
    value = resize.get(name)
    if value is None or value == "":
        return None
    try:
        return _round_half_up(require_number(name, float(value) if isinstance(value, str) else value))
    except ValueError as error:
        raise bad_option(name, "it must be a number of px") from error


def _round_half_up(length: float) -> int:
    """Round half up, like JavaScript's ``Math.round``."""
    return floor(length + 0.5)


def has_box(resize: Json) -> bool:
    """Return whether ``resize`` has a box."""
    return any(parse_side(resize, name) is not None for name in ("width", "height"))


def _convert_resize(options: DitOptions) -> dict[str, Value]:
    resize = options.resize
    ratio = resize.get("ratio")
    fit = resize.get("fit") or ("inside" if ratio else "cover")
    if fit not in FITS:
        raise bad_option("fit", f"it must be one of {', '.join(FITS)}")
    if is_set(resize, "withoutReduction"):
        raise bad_option("withoutReduction", "images larger than the box are always reduced")
    box = {
        short: length
        for short, name in (("w", "width"), ("h", "height"))
        if (length := parse_side(resize, name)) is not None
    }
    if ratio:
        factor = require_number("ratio", ratio)
        if len(box) < 2:
            return {"zoom": Scale(factor, factor), "up": False}
        box = {short: _round_half_up(length * factor) for short, length in box.items()}
    if not box:
        return {}
    grows = not is_set(resize, "withoutEnlargement")
    return {**box, "up": grows, **_convert_fit(options, str(fit), grows=grows, sides=len(box))}


def is_set(resize: Json, name: str) -> bool:
    return resize.get(name) not in (None, False)


def _convert_fit(options: DitOptions, fit: str, *, grows: bool, sides: int) -> dict[str, Value]:
    if fit == "fill":
        if not grows:
            raise bad_option("fit", "fill cannot be combined with withoutEnlargement")
        own: dict[str, Value] = (
            {"own": "h" if parse_side(options.resize, "height") is None else "w"} if sides == 1 else {}
        )
        return {"fit": "fill", **own}
    if fit == "outside":
        return {"fit": "cover", "cov": "uncut"}
    if fit == "inside" or sides == 1:
        return {}
    place = POSITIONS.get(_hashable(options.resize.get("position", "center")))
    if place is None:
        raise bad_option("position", "it must be a position, gravity or strategy of sharp")
    if fit == "cover":
        cut: dict[str, Value] = {} if grows else {"cov": "clip"}
        return {"fit": "cover", "g": _convert_gravity(options, place), **cut}
    if place in ("entropy", "attention"):
        place = "center"
    options.set_once("resize", bgm=require_colour("background", options.resize.get("background", BLACK)))
    return {"fit": "letterbox"} if place == "center" else {"ext": Extension(position=place)}


def _hashable(value: object) -> object:
    return value if isinstance(value, str | int) else None


def _convert_gravity(options: DitOptions, place: str) -> Gravity:
    """Convert the gravity. sharp crops after flips and earlier rotations; our gravity refers to the source."""
    if place in ("entropy", "attention"):
        return Gravity(place)
    degrees = int(options.turn) if options.turn_first and options.turn % 90 == 0 else 0
    turn = -degrees if options.flip != options.flop else degrees
    return Gravity(Anchor(place).before_rotation(turn % 360, flip_x=options.flop, flip_y=options.flip).word)


def _convert_rotation(options: DitOptions) -> dict[str, Value]:
    """Convert flips and rotation. sharp flips first."""
    flip = "h" * options.flop + "v" * options.flip
    if options.turn % 90:
        if options.turn_first and has_box(options.resize):
            raise bad_option("rotate", "angles other than multiples of 90 must come after the resize")
        options.set_once("rotate", bgm=BLACK)
        return {"flip": flip or "none", "angle": round(options.turn % 360, 2)}
    return flip_then_rotate(flip, int(options.turn))
