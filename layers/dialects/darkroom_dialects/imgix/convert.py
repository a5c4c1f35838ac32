"""Convert imgix's parameters to values of our options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.plan.model import (
    IDENTITY,
    SOURCE_CONTENT_TYPES,
    Crop,
    CropTo,
    Gravity,
    Matrix,
    Padding,
    Scale,
    TrimOptions,
)
from darkroom.plan.option_types import Value
from darkroom.plan.options import MAX_SIDE_PX

from ..common.anchor import Anchor
from ..common.colours import TRANSPARENT, split_channels
from ..common.matrices import LUMA_709, compose, linear, mix, round_matrix, sepia
from ..common.rotation import flip_then_rotate
from ..common.validate import bad_option
from .model import ImgixOptions, Rect

_FITS = {
    "clip": ("contain", True),
    "crop": ("cover", True),
    "fill": ("letterbox", True),
    "fillmax": ("letterbox", False),
    "max": ("contain", False),
    "min": ("cover", False),
    "scale": ("fill", True),
}
"""Our ``fit`` and ``up`` for each fit."""

_ORIENTATIONS = {0: (0, ""), 1: (0, ""), 2: (0, "h"), 3: (180, ""), 4: (0, "v"), 6: (90, ""), 8: (270, "")} | {
    degrees: (degrees, "") for degrees in (90, 180, 270)
}
"""Degrees clockwise and a flip for each ``orient``."""

_SEARCHES = {"faces": "face", "entropy": "entropy", "edges": "attention"}
_SIDES = {"top": "north", "bottom": "south", "left": "west", "right": "east"}
_WHITE = "ffffff"
_WHOLE_SOURCE_PX = 65_535
_ELLIPSE_PX = 4096
"""A radius that is limited to half of each side."""


def convert_options(options: ImgixOptions) -> dict[str, Value]:
    """Return option values by short name. Raises BadOption for what our options cannot express."""
    return {
        **options.values,
        **_convert_rect(options.rect),
        **_convert_trim(options),
        **_convert_box(options),
        **_convert_turns(options),
        **_convert_gravity(options),
        **_convert_margins(options),
        **_convert_mask(options),
        **_convert_tones(options),
        **_convert_output(options),
    }


def _convert_rect(rect: Rect | None) -> dict[str, Value]:
    if rect is None:
        return {}
    if rect.place:
        return {"cut": CropTo(rect.width, rect.height, rect.place)}
    if rect.unit == "px":
        return {"crop": Crop("px", rect.x, rect.y, rect.width or _WHOLE_SOURCE_PX, rect.height or _WHOLE_SOURCE_PX)}
    x, y = round(rect.x * 100, 2), round(rect.y * 100, 2)
    across, down = (round(side * 100, 2) or 100.0 for side in (rect.width, rect.height))
    return {"crop": Crop("pct", x, y, min(across, 100 - x), min(down, 100 - y))}


def _convert_trim(options: ImgixOptions) -> dict[str, Value]:
    if not options.trim:
        return {}
    if options.trim == "auto":
        return {"trim": max(1, options.trim_difference)}
    colour = TRANSPARENT if options.trim == "alpha" else options.trim_colour
    return {"trim": max(1, options.trim_tolerance), "trimx": TrimOptions(colour)}


def _convert_box(options: ImgixOptions) -> dict[str, Value]:
    fit, grows = _FITS[options.fit]
    values: dict[str, Value] = {"fit": fit}
    width, height = _find_sides(options)
    if any(0 < side <= 1 for side in (width, height)):
        return {**values, **_convert_share(width, height, options.dpr)}
    padding = _padding(options)
    margins = (padding.left + padding.right, padding.top + padding.bottom)
    for short, side, margin in zip(("w", "h"), (width, height), margins, strict=True):
        if side:
            values[short] = max(1, _scale(side, options.dpr) - margin)
            values["up"] = grows
    return values


def _find_sides(options: ImgixOptions) -> tuple[float, float]:
    """Return width and height, one of them by ``ar``, which only fit=crop and fit=fill read."""
    width, height = options.width, options.height
    if not options.ratio or options.fit not in ("crop", "fill") or (width and height):
        return width, height
    if max(width, height) <= 1:
        raise bad_option("ar", "needs w or h in px")
    return (width, max(1, round(width / options.ratio))) if width else (max(1, round(height * options.ratio)), height)


def _convert_share(width: float, height: float, dpr: float) -> dict[str, Value]:
    """Convert fractions of the source's sides."""
    if width and height and width != height:
        raise bad_option("w", "fractions of both sides must be equal, and cannot be combined with px")
    factor = min(100.0, max(0.0001, round((width or height) * dpr, 4)))
    return {} if factor == 1 else {"zoom": Scale(factor, factor), "up": factor > 1}


def _scale(side: float, ratio: float) -> int:
    """Scale ``side`` within our range. Sides beyond it are left to be refused."""
    return int(side) if side > MAX_SIDE_PX else min(MAX_SIDE_PX, max(1, round(side * ratio)))


def _find_turn(options: ImgixOptions) -> tuple[int, str]:
    """Return degrees clockwise, and then a flip. ``rot`` is counter-clockwise, and keeps the frame."""
    degrees = round(-options.rotate) % 360 if options.rotate % 90 == 0 else 0
    if degrees % 180 and not (options.fit == "crop" and all(_find_sides(options))):
        raise bad_option("rot", "90 and 270 need fit=crop, w and h, because they keep the frame; use orient")
    turned = flip_then_rotate(options.flip, degrees)
    first, mirror = _ORIENTATIONS[options.orient or 0]
    rotate, flip = turned["rot"], turned["flip"]
    assert isinstance(rotate, int)
    assert isinstance(flip, str)
    if mirror and (flip != "none" or rotate):
        raise bad_option("orient", "2 and 4 cannot be combined with rot and flip")
    return (first + rotate) % 360, mirror or flip


def _convert_turns(options: ImgixOptions) -> dict[str, Value]:
    degrees, flip = _find_turn(options)
    values: dict[str, Value] = {"rot": degrees, "flip": flip}
    if options.orient is not None:
        if options.rect is not None and options.orient > 1:
            raise bad_option("orient", "cannot be combined with rect, except 0 and 1")
        values["orient"] = False
    if options.rotate % 90:
        if options.rot_type != "pivot":
            raise bad_option("rot", "other angles than multiples of 90 need rot-type=pivot: nothing is zoomed")
        values["angle"] = round(360 - options.rotate, 2)
    return values


def _convert_gravity(options: ImgixOptions) -> dict[str, Value]:
    if _FITS[options.fit][0] != "cover" or not options.crop:
        return {}
    word = options.crop[0]
    if word in _SEARCHES:
        return {"g": Gravity(_SEARCHES[word])}
    degrees, flip = _find_turn(options)
    if word == "focalpoint":
        return _convert_focus(options, degrees, flip)
    sides = [_SIDES[one] for one in options.crop if one in _SIDES]
    vertical = next((one for one in sides if one in ("north", "south")), "")
    anchor = Anchor(vertical + next((one for one in sides if one in ("west", "east")), ""))
    return {"g": Gravity(anchor.before_rotation(degrees, flip_x="h" in flip, flip_y="v" in flip).word)}


def _convert_focus(options: ImgixOptions, degrees: int, flip: str) -> dict[str, Value]:
    """Convert a focal point. A zoom crops around it before the cover."""
    point = Anchor("fp", options.focus_x, options.focus_y)
    point = point.before_rotation(degrees, flip_x="h" in flip, flip_y="v" in flip)
    if options.focus_zoom == 1:
        return {"g": Gravity("fp", round(point.x, 2), round(point.y, 2))}
    if options.rect is not None and options.rect.place:
        raise bad_option("fp-z", "cannot be combined with words in rect")
    share = round(1 / options.focus_zoom, 4)
    x, y = (_locate(at, share) for at in (point.x, point.y))
    return {
        "cut": CropTo(share, share, "fp", round(point.x, 4), round(point.y, 4)),
        "g": Gravity("fp", round(x, 2), round(y, 2)),
    }


def _locate(at: float, share: float) -> float:
    """Return where ``at`` is in a window of ``share`` that is centred on it as far as the image allows."""
    return (at - min(max(at - share / 2, 0.0), 1 - share)) / share


def _padding(options: ImgixOptions) -> Padding:
    every = options.pads.get("", 0)
    top, right, bottom, left = (options.pads.get(side, every) for side in ("top", "right", "bottom", "left"))
    return Padding(top, right, bottom, left)


def _convert_margins(options: ImgixOptions) -> dict[str, Value]:
    values: dict[str, Value] = {"pad": _padding(options)}
    if options.background:
        values["bg"] = options.background
    if _FITS[options.fit][0] == "letterbox":
        if options.fill == "blur":
            values["bgx"] = "blur"
        elif options.fill_colour or not options.background:
            values["bgm"] = options.fill_colour or _WHITE
    return values


def _convert_mask(options: ImgixOptions) -> dict[str, Value]:
    if not options.mask:
        return {}
    values: dict[str, Value] = (
        {"radius": _ELLIPSE_PX, "ry": _ELLIPSE_PX} if options.mask == "ellipse" else {"radius": options.corner_radius}
    )
    return values | ({"bgm": options.mask_background} if options.mask_background else {})


def _convert_tones(options: ImgixOptions) -> dict[str, Value]:
    """Convert effects to one matrix: inversion, then sepia, then a duotone."""
    matrix: Matrix = linear(-1.0, 1.0) if options.invert else IDENTITY
    if options.sepia:
        matrix = compose(matrix, sepia(options.sepia))
    if options.duotone is not None:
        matrix = compose(matrix, mix(_duotone(*options.duotone), options.duotone_alpha))
    matrix = round_matrix(matrix)
    return {} if matrix == IDENTITY else {"mat": matrix}


def _duotone(dark: str, light: str) -> Matrix:
    """Return the matrix that maps lightness to the colours between ``dark`` and ``light``."""
    rows: list[float] = []
    for low, high in zip(split_channels(dark), split_channels(light), strict=True):
        rows += [*((high - low) * weight for weight in LUMA_709), low]
    return tuple(rows)


def _convert_output(options: ImgixOptions) -> dict[str, Value]:
    """Convert the format. Only ``auto=format`` negotiates, whatever ``fm`` is."""
    values: dict[str, Value] = {"f": "auto" if "format" in options.auto else options.output or "auto-legacy"}
    if options.output == "json":
        values["f"] = "json"
    if "enhance" in options.auto:
        values["enh"] = "auto"
    if "redeye" in options.auto:
        values["reye"] = True
    return values


def describe(description: Mapping[str, Any]) -> dict[str, Any]:
    """Return imgix's object about the source in ``description``."""
    return {
        "Content-Type": SOURCE_CONTENT_TYPES.get(description["format"], f"image/{description['format']}"),
        "Content-Length": str(description["bytes"]),
        "PixelWidth": description["width"],
        "PixelHeight": description["height"],
    }
