"""From what a thumbor URL wants to our options of geometry: what its Transformer does, by thumbor 7.8's source."""

from __future__ import annotations

from ...plan.model import Crop, Extension, Focus, Gravity, Proportion
from ...plan.option_types import Value
from ..common.validate import bad_option
from .model import Side, ThumborOptions

MAX_CROP_PX = 65_535
MIN_PROPORTION = 0.0001
"""Our smallest; it leaves less than a pixel of anything, and is ignored then."""

_ACROSS = {"left": "west", "center": "", "right": "east"}
_DOWN = {"top": "north", "middle": "", "bottom": "south"}


def convert_geometry(options: ThumborOptions) -> dict[str, Value]:
    """The options of geometry, by short name; raises BadOption for what thumbor can do and we cannot."""
    values = _convert_one_side(options) if 0 in _sides(options) else _convert_box(options)
    if options.turn % 180:
        _swap_sides(values)
    return {**values, **_convert_crop(options), **_convert_rotation(options), **_convert_proportion(options)}


def _sides(options: ThumborOptions) -> tuple[Side, Side]:
    """The box. Both sides, or one alone, being the source's own is no box at all."""
    sides = (options.width, options.height)
    return sides if any(isinstance(side, int) and side for side in sides) else (0, 0)


def convert_gravity(options: ThumborOptions) -> Gravity:
    """What ``smart``, or else the alignments keep."""
    if options.smart:
        return Gravity(options.settings.thumbor.smart)
    return Gravity((_DOWN[options.valign] + _ACROSS[options.halign]) or "center")


def _convert_one_side(options: ThumborOptions) -> dict[str, Value]:
    """The other side follows. Only what is fitted in does not grow, and ``upscale()`` leaves that as it is."""
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
            raise bad_option("no_upscale", "it does not go together with stretch() here")
        return {**values, "fit": "fill"}
    values |= {"fit": "cover", "g": convert_gravity(options)}
    if options.no_upscale:
        values["cov"] = "clip"
    if focus := _convert_focus(options):
        values["focus"] = focus
    return values


def _swap_sides(values: dict[str, Value]) -> None:
    """thumbor's box is about the picture before it is turned, ours about the one that is."""
    pair = {"h": values.pop("w", None), "w": values.pop("h", None)}
    values |= {short: side for short, side in pair.items() if side is not None}


def _convert_crop(options: ThumborOptions) -> dict[str, Value]:
    if options.crop is None:
        return {}
    left, top, right, bottom = options.crop
    return {"crop": Crop("px", left, top, min(right - left, MAX_CROP_PX), min(bottom - top, MAX_CROP_PX))}


def _convert_focus(options: ThumborOptions) -> Focus | None:
    """The middle of all focal regions, each as heavy as it is large. Those outside of the crop do not count."""
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


def _convert_rotation(options: ThumborOptions) -> dict[str, Value]:
    """thumbor mirrors and then turns. We turn first: around one mirror, the other way."""
    turn = -options.turn if len(options.flip) == 1 else options.turn
    return {"flip": options.flip or "none", "rot": turn % 360}


def _convert_proportion(options: ThumborOptions) -> dict[str, Value]:
    if options.proportion == 1:
        return {}
    return {"prop": Proportion(max(MIN_PROPORTION, round(options.proportion, 4)), options.fills_first)}
