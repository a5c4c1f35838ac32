"""From sharp's resize, turns and regions to our options of geometry."""

from __future__ import annotations

from math import floor

from ...plan.model import Extension, Gravity, Scale
from ...plan.option_types import Value
from ..common.validate import refused
from ..imgproxy.gravity import Pull
from .model import Json, Wanted, colour, number

COMPASS = ("center", "north", "east", "south", "west", "northeast", "southeast", "southwest", "northwest")
"""sharp's numbers of gravity are places in this list."""

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
"""sharp's words for what a cover keeps, and where a contained picture stands."""

FITS = ("cover", "contain", "fill", "inside", "outside")
BLACK = "000000"


def geometry(wanted: Wanted) -> dict[str, Value]:
    """The options of geometry, by short name; raises BadOption for what sharp can do and we cannot."""
    values = _resized(wanted)
    if not wanted.turn_first and wanted.turn % 180 == 90:
        values = _turned_before_the_cut(values) if _cuts(wanted, values) else _swapped(values)
    if wanted.crop:
        values["crop"] = wanted.crop
    return {**values, **_turned(wanted)}


def _cuts(wanted: Wanted, values: dict[str, Value]) -> bool:
    """Whether sharp cuts the turned image to the box: it resizes, turns, and cuts, whatever the order of the edits."""
    fit = wanted.resize.get("fit") or "cover"
    return fit == "cover" and bool(values.keys() & {"w", "h"}) and "cov" not in values


def _turned_before_the_cut(values: dict[str, Value]) -> dict[str, Value]:
    """A box that cuts the turned image, which before its turn is large enough to cover it."""
    least = {f"min{other}": values[short] for short, other in (("w", "h"), ("h", "w")) if short in values}
    return {**{short: value for short, value in values.items() if short != "fit"}, **least}


def _swapped(values: dict[str, Value]) -> dict[str, Value]:
    """Our box is about the turned image."""
    across, down = values.pop("w", None), values.pop("h", None)
    return values | {short: side for short, side in (("w", down), ("h", across)) if side is not None}


def side(resize: Json, name: str) -> int | None:
    """A side of the box in px, None where there is none: strings are numbers too, as in DIT."""
    value = resize.get(name)
    if value is None or value == "":
        return None
    try:
        return _nearest(number(name, float(value) if isinstance(value, str) else value))
    except ValueError as error:
        raise refused(name, "it must be a number of px") from error


def _nearest(length: float) -> int:
    """As JavaScript's ``Math.round``: halves go up."""
    return floor(length + 0.5)


def has_box(resize: Json) -> bool:
    """Whether sharp resizes by ``resize`` at all."""
    return any(side(resize, name) is not None for name in ("width", "height"))


def _resized(wanted: Wanted) -> dict[str, Value]:
    resize = wanted.resize
    ratio = resize.get("ratio")
    fit = resize.get("fit") or ("inside" if ratio else "cover")
    if fit not in FITS:
        raise refused("fit", f"it must be one of {', '.join(FITS)}")
    if is_given(resize, "withoutReduction"):
        raise refused("withoutReduction", "what is larger than its box is always made smaller here")
    box = {
        short: length for short, name in (("w", "width"), ("h", "height")) if (length := side(resize, name)) is not None
    }
    if ratio:
        factor = number("ratio", ratio)
        if len(box) < 2:
            return {"zoom": Scale(factor, factor), "up": False}
        box = {short: _nearest(length * factor) for short, length in box.items()}
    if not box:
        return {}
    grows = not is_given(resize, "withoutEnlargement")
    return {**box, "up": grows, **_fitted(wanted, str(fit), grows=grows, sides=len(box))}


def is_given(resize: Json, name: str) -> bool:
    return resize.get(name) not in (None, False)


def _fitted(wanted: Wanted, fit: str, *, grows: bool, sides: int) -> dict[str, Value]:
    if fit == "fill":
        if not grows:
            raise refused("fit", "fill goes without withoutEnlargement here")
        own: dict[str, Value] = {"own": "h" if side(wanted.resize, "height") is None else "w"} if sides == 1 else {}
        return {"fit": "fill", **own}
    if fit == "outside":
        return {"fit": "cover", "cov": "uncut"}
    if fit == "inside" or sides == 1:
        return {}
    place = POSITIONS.get(_hashable(wanted.resize.get("position", "center")))
    if place is None:
        raise refused("position", "it must be a position, gravity or strategy of sharp")
    if fit == "cover":
        cut: dict[str, Value] = {} if grows else {"cov": "clip"}
        return {"fit": "cover", "g": _kept(wanted, place), **cut}
    if place in ("entropy", "attention"):
        place = "center"
    wanted.once("resize", bgm=colour("background", wanted.resize.get("background", BLACK)))
    return {"fit": "letterbox"} if place == "center" else {"ext": Extension(position=place)}


def _hashable(value: object) -> object:
    return value if isinstance(value, str | int) else None


def _kept(wanted: Wanted, place: str) -> Gravity:
    """sharp cuts after it has mirrored, and after it has turned first. Our gravity is about the picture before that."""
    if place in ("entropy", "attention"):
        return Gravity(place)
    degrees = int(wanted.turn) if wanted.turn_first and wanted.turn % 90 == 0 else 0
    turn = -degrees if wanted.flip != wanted.flop else degrees
    return Gravity(Pull(place).before(turn % 360, flip_x=wanted.flop, flip_y=wanted.flip).word)


def _turned(wanted: Wanted) -> dict[str, Value]:
    """sharp mirrors and then turns. We turn first: around one mirror, the other way."""
    values: dict[str, Value] = {"flip": ("h" if wanted.flop else "") + ("v" if wanted.flip else "") or "none"}
    if wanted.turn % 90:
        if wanted.turn_first and has_box(wanted.resize):
            raise refused("rotate", "an angle that is no multiple of 90 must come after the resize here")
        wanted.once("rotate", bgm=BLACK)
        return {**values, "angle": round(wanted.turn % 360, 2)}
    turn = -wanted.turn if wanted.flip != wanted.flop else wanted.turn
    return {**values, "rot": int(turn) % 360}
