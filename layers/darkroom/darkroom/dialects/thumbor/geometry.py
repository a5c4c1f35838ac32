"""From what a thumbor URL wants to our options of geometry: what its Transformer does, by thumbor 7.8's source."""

from __future__ import annotations

from ...plan.model import Crop, Extension, Focus, Gravity, Proportion
from ...plan.option_types import Value
from ..common.validate import refused
from .model import Side, Wanted

MAX_CROP_PX = 65_535
MIN_PROPORTION = 0.0001
"""Our smallest; it leaves less than a pixel of anything, and is ignored then."""

_ACROSS = {"left": "west", "center": "", "right": "east"}
_DOWN = {"top": "north", "middle": "", "bottom": "south"}


def geometry(wanted: Wanted) -> dict[str, Value]:
    """The options of geometry, by short name; raises BadOption for what thumbor can do and we cannot."""
    values = _one_side(wanted) if 0 in _sides(wanted) else _box(wanted)
    if wanted.turn % 180:
        _swap(values)
    return {**values, **_crop(wanted), **_turned(wanted), **_proportion(wanted)}


def _sides(wanted: Wanted) -> tuple[Side, Side]:
    """The box. Both sides, or one alone, being the source's own is no box at all."""
    sides = (wanted.width, wanted.height)
    return sides if any(isinstance(side, int) and side for side in sides) else (0, 0)


def gravity(wanted: Wanted) -> Gravity:
    """What ``smart``, or else the alignments keep."""
    if wanted.smart:
        return Gravity(wanted.settings.thumbor.smart)
    return Gravity((_DOWN[wanted.valign] + _ACROSS[wanted.halign]) or "center")


def _one_side(wanted: Wanted) -> dict[str, Value]:
    """The other side follows. Only what is fitted in does not grow, and ``upscale()`` leaves that as it is."""
    sides = {short: side for short, side in zip("wh", _sides(wanted), strict=True) if side}
    if not sides:
        return {}
    canvas: dict[str, Value] = {"ext": Extension()} if wanted.fill and wanted.fit_in else {}
    return {**sides, **canvas, "up": (wanted.full or not wanted.fit_in) and not wanted.no_upscale}


def _box(wanted: Wanted) -> dict[str, Value]:
    values: dict[str, Value] = {"up": not wanted.no_upscale}
    for short, side in zip("wh", _sides(wanted), strict=True):
        values["own" if side == "orig" else short] = short if side == "orig" else side
    if wanted.fit_in:
        values["adapt"] = wanted.adaptive
        if wanted.full:
            return {**values, "fit": "cover", "cov": "uncut"}
        return {
            **values,
            "fit": "letterbox" if wanted.fill else "contain",
            "up": wanted.upscale and not wanted.no_upscale,
        }
    if wanted.stretch:
        if wanted.no_upscale:
            raise refused("no_upscale", "it does not go together with stretch() here")
        return {**values, "fit": "fill"}
    values |= {"fit": "cover", "g": gravity(wanted)}
    if wanted.no_upscale:
        values["cov"] = "clip"
    if focus := _focus(wanted):
        values["focus"] = focus
    return values


def _swap(values: dict[str, Value]) -> None:
    """thumbor's box is about the picture before it is turned, ours about the one that is."""
    pair = {"h": values.pop("w", None), "w": values.pop("h", None)}
    values |= {short: side for short, side in pair.items() if side is not None}


def _crop(wanted: Wanted) -> dict[str, Value]:
    if wanted.crop is None:
        return {}
    left, top, right, bottom = wanted.crop
    return {"crop": Crop("px", left, top, min(right - left, MAX_CROP_PX), min(bottom - top, MAX_CROP_PX))}


def _focus(wanted: Wanted) -> Focus | None:
    """The middle of all focal regions, each as heavy as it is large. Those outside of the crop do not count."""
    points = [
        (left + (right - left) // 2, top + (bottom - top) // 2, (right - left) * (bottom - top))
        for left, top, right, bottom in wanted.focal
    ]
    if wanted.crop is not None:
        left, top, right, bottom = wanted.crop
        points = [point for point in points if left <= point[0] <= right and top <= point[1] <= bottom]
    weight = sum(heavy for *_, heavy in points)
    if not weight:
        return None
    x, y = (sum(point[axis] * point[2] for point in points) // weight for axis in (0, 1))
    return Focus(min(max(0, x), MAX_CROP_PX), min(max(0, y), MAX_CROP_PX))


def _turned(wanted: Wanted) -> dict[str, Value]:
    """thumbor mirrors and then turns. We turn first: around one mirror, the other way."""
    turn = -wanted.turn if len(wanted.flip) == 1 else wanted.turn
    return {"flip": wanted.flip or "none", "rot": turn % 360}


def _proportion(wanted: Wanted) -> dict[str, Value]:
    if wanted.proportion == 1:
        return {}
    return {"prop": Proportion(max(MIN_PROPORTION, round(wanted.proportion, 4)), wanted.fills_first)}
