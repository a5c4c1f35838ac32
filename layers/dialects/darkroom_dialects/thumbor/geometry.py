"""Convert thumbor's sizes to our geometry options, by the Transformer of thumbor 7.8."""

from __future__ import annotations

from darkroom.plan.model import Crop, Extension, Focus, Gravity, Proportion
from darkroom.plan.option_types import Value

from ..common.rotation import flip_then_rotate, swap_sides
from ..common.validate import bad_option
from .model import Side, ThumborOptions

MAX_CROP_PX = 65_535
MIN_PROPORTION = 0.0001
"""Our minimum. It leaves less than a pixel of any image, and is ignored then."""

_ACROSS = {"left": "west", "center": "", "right": "east"}
_DOWN = {"top": "north", "middle": "", "bottom": "south"}


def convert_geometry(options: ThumborOptions) -> dict[str, Value]:
    """Return geometry options by short name. Raises BadOption for what our options cannot express."""
    values = _convert_one_side(options) if 0 in _sides(options) else _convert_box(options)
    return {
        **(swap_sides(values) if options.turn % 180 else values),
        **_convert_crop(options),
        **flip_then_rotate(options.flip, options.turn),
        **_convert_proportion(options),
    }


def _sides(options: ThumborOptions) -> tuple[Side, Side]:
    """Return the box. One or both sides equal to the source's own are no box."""
    sides = (options.width, options.height)
    return sides if any(isinstance(side, int) and side for side in sides) else (0, 0)


def convert_gravity(options: ThumborOptions) -> Gravity:
    """Return the gravity of ``smart``, or else of the alignments."""
    if options.smart:
        return Gravity(options.settings.thumbor.smart)
    return Gravity((_DOWN[options.valign] + _ACROSS[options.halign]) or "center")


def _convert_one_side(options: ThumborOptions) -> dict[str, Value]:
    """Convert a box with one side; the other one follows. ``fit-in`` does not enlarge, also with ``upscale()``."""
    sides = {short: side for short, side in zip("wh", _sides(options), strict=True) if side}
    if not sides:
        return {}
    canvas: dict[str, Value] = {"ext": Extension()} if options.fill and options.fit_in else {}
    return {**sides, **canvas, "up": (options.full or not options.fit_in) and not options.no_upscale}


def _convert_box(options: ThumborOptions) -> dict[str, Value]:
    values: dict[str, Value] = {"up": not options.no_upscale}
    for short, side in zip("wh", _sides(options), strict=True):
        values["own" if side == "orig" else short] = short if side == "orig" else side
    if options.fit_in:
        values["adapt"] = options.adaptive
        if options.full:
            return {**values, "fit": "cover", "cov": "uncut"}
        return {
            **values,
            "fit": "letterbox" if options.fill else "contain",
            "up": options.upscale and not options.no_upscale,
        }
    if options.stretch:
        if options.no_upscale:
            raise bad_option("no_upscale", "it cannot be combined with stretch()")
        return {**values, "fit": "fill"}
    values |= {"fit": "cover", "g": convert_gravity(options)}
    if options.no_upscale:
        values["cov"] = "clip"
    if focus := _convert_focus(options):
        values["focus"] = focus
    return values


def _convert_crop(options: ThumborOptions) -> dict[str, Value]:
    if options.crop is None:
        return {}
    left, top, right, bottom = options.crop
    return {"crop": Crop("px", left, top, min(right - left, MAX_CROP_PX), min(bottom - top, MAX_CROP_PX))}


def _convert_focus(options: ThumborOptions) -> Focus | None:
    """Return the centre of all focal regions, weighted by area. Regions outside of the crop do not count."""
    points = [
        (left + (right - left) // 2, top + (bottom - top) // 2, (right - left) * (bottom - top))
        for left, top, right, bottom in options.focal
    ]
    if options.crop is not None:
        left, top, right, bottom = options.crop
        points = [point for point in points if left <= point[0] <= right and top <= point[1] <= bottom]
    weight = sum(heavy for *_, heavy in points)
    if not weight:
        return None
    x, y = (sum(point[axis] * point[2] for point in points) // weight for axis in (0, 1))
    return Focus(min(max(0, x), MAX_CROP_PX), min(max(0, y), MAX_CROP_PX))


def _convert_proportion(options: ThumborOptions) -> dict[str, Value]:
    if options.proportion == 1:
        return {}
    return {"prop": Proportion(max(MIN_PROPORTION, round(options.proportion, 4)), options.fills_first)}
