"""From what a thumbor URL wants to our options of geometry: what its Transformer does, by thumbor 7.8's source."""

from __future__ import annotations

from ...kinds import Value
from ...model import Crop, Cut, Focus, Gravity, Zoom
from ..held import refused
from .wanted import Side, Wanted

MAX_CROP_PX = 65_535

_ACROSS = {"left": "west", "center": "", "right": "east"}
_DOWN = {"top": "north", "middle": "", "bottom": "south"}


def geometry(wanted: Wanted) -> dict[str, Value]:
    """The options of geometry, by short name; raises BadOption for what thumbor can do and we cannot."""
    sides: tuple[Side, Side] = (wanted.width, wanted.height)
    if "orig" in sides:
        values = _own_sides(wanted)
    elif 0 in sides:
        values = _one_side(wanted)
    else:
        values = _box(wanted)
    if wanted.turn % 180:
        _swap(values)
    return {**values, **_crop(wanted), **_turned(wanted), **_zoom(wanted)}


def gravity(wanted: Wanted) -> Gravity:
    """What ``smart``, or else the alignments keep."""
    if wanted.smart:
        return Gravity(wanted.settings.thumbor.smart)
    return Gravity((_DOWN[wanted.valign] + _ACROSS[wanted.halign]) or "center")


def _one_side(wanted: Wanted) -> dict[str, Value]:
    """The other side follows. Only what is fitted in does not grow, and ``upscale()`` leaves that as it is."""
    given = {"w": wanted.width, "h": wanted.height}
    values: dict[str, Value] = {short: side for short, side in given.items() if side}
    if not values:
        return {}
    return {**values, "up": (wanted.full or not wanted.fit_in) and not wanted.no_upscale}


def _box(wanted: Wanted) -> dict[str, Value]:
    values: dict[str, Value] = {"w": wanted.width, "h": wanted.height, "up": not wanted.no_upscale}
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


def _own_sides(wanted: Wanted) -> dict[str, Value]:
    """``orig``: one side of the box, or both, is the source's."""
    if wanted.adaptive or (wanted.stretch and not wanted.fit_in):
        raise refused("size", "orig does not go together with adaptive-fit-in or stretch() here")
    numbers = {short: side for short, side in (("w", wanted.width), ("h", wanted.height)) if side != "orig" and side}
    if not numbers:
        return {}
    if wanted.full:
        return {f"min{short}": side for short, side in numbers.items()}
    if wanted.fit_in:
        return dict(numbers)
    place = gravity(wanted).name
    if place == "face":
        raise refused("smart", "it keeps no faces together with orig here")
    return {"cut": Cut(numbers.get("w", 0), numbers.get("h", 0), place)}


def _swap(values: dict[str, Value]) -> None:
    """thumbor's box is about the picture before it is turned, ours about the one that is."""
    for across, down in (("w", "h"), ("minw", "minh")):
        pair = {down: values.pop(across, None), across: values.pop(down, None)}
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


def _zoom(wanted: Wanted) -> dict[str, Value]:
    return {"zoom": Zoom(wanted.proportion, wanted.proportion)} if wanted.proportion != 1 else {}
