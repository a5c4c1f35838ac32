"""From what a Cloudflare URL wants to the values of our options."""

from __future__ import annotations

from ...plan.model import IDENTITY, Crop, Gravity, Padding
from ...plan.option_types import Value
from ...plan.options import MAX_SIDE_PX
from ..common.matrices import after, linear, rounded, saturation
from ..common.validate import refused
from .model import Wanted

_FITS: dict[str, tuple[str, str, bool]] = {
    "scale-down": ("contain", "", False),
    "contain": ("contain", "", True),
    "cover": ("cover", "", True),
    "crop": ("cover", "clip", False),
    "aspect-crop": ("cover", "", False),
    "pad": ("letterbox", "", True),
    "squeeze": ("fill", "", True),
    "scale-up": ("contain", "", True),
}
"""Our ``fit``, ``cov`` and ``up`` of each."""

_WHITE = "ffffff"
_BLUR = 100 / 250
"""Of the largest sigma here and the largest radius there; Cloudflare does not say what its radius is."""

_MAX_REGION_PX = 65_535
"""Reaches the edge of any source."""


def values_of(wanted: Wanted) -> dict[str, Value]:
    """Option values by short name; raises BadOption for what cannot be said in ours."""
    return {
        **_region(wanted),
        **_box(wanted),
        **_turned(wanted),
        **_effects(wanted),
        **_tones(wanted),
        **_output(wanted),
    }


def _region(wanted: Wanted) -> dict[str, Value]:
    left, top = (_scaled(length, wanted.dpr) for length in (wanted.trim_left, wanted.trim_top))
    width, height = (_scaled(length, wanted.dpr) for length in (wanted.trim_width, wanted.trim_height))
    if wanted.trim and any((left, top, width, height)):
        raise refused("trim", "has either four numbers or trim.left, trim.top, trim.width and trim.height")
    if width or height:
        return {"crop": Crop("px", left, top, width or _MAX_REGION_PX, height or _MAX_REGION_PX)}
    if wanted.trim:
        return {"inset": Padding(*(_scaled(length, wanted.dpr) for length in wanted.trim))}
    return {"inset": Padding(top=top, left=left)}


def _scaled(length: int, ratio: float) -> int:
    return round(length * ratio)


def _box(wanted: Wanted) -> dict[str, Value]:
    fit, covering, grows = _FITS[wanted.fit]
    values: dict[str, Value] = {"fit": fit, "g": wanted.gravity, "up": grows, "grow": wanted.fit == "scale-up"}
    for short, side in (("w", wanted.width), ("h", wanted.height)):
        if side:
            values[short] = side if side > MAX_SIDE_PX else min(MAX_SIDE_PX, max(1, _scaled(side, wanted.dpr)))
    if covering:
        values["cov"] = covering
    if wanted.zoom and wanted.gravity == Gravity("face"):
        values["fz"] = round(wanted.zoom * 100) / 100
    return values


def _turned(wanted: Wanted) -> dict[str, Value]:
    """Theirs mirrors first; around a mirror, a turn goes the other way."""
    mirrored = wanted.flip in ("h", "v")
    return {"flip": wanted.flip, "rot": (360 - wanted.rotate) % 360 if mirrored else wanted.rotate}


def _effects(wanted: Wanted) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if wanted.background:
        values["bg"] = wanted.background
    elif wanted.fit == "pad":
        values["bgm"] = _WHITE
    if wanted.blur:
        values["blur"] = max(0.01, round(wanted.blur * _BLUR * 100) / 100)
    if wanted.sharpen:
        values["sharp"] = max(0.01, round(wanted.sharpen * 100) / 100)
    if wanted.gamma != 1:
        values["gam"] = round(wanted.gamma * 100) / 100
    return values


def _tones(wanted: Wanted) -> dict[str, Value]:
    """In percent where they are whole and within our range, else all together as the matrix that they come to."""
    tones = {"sat": wanted.saturation, "bri": wanted.brightness, "con": wanted.contrast}
    percents = {short: round((factor - 1) * 100, 6) for short, factor in tones.items()}
    if all(percent <= 100 and percent == int(percent) for percent in percents.values()):
        return {short: int(percent) for short, percent in percents.items()}
    matrix = after(IDENTITY, saturation(wanted.saturation))
    matrix = after(matrix, linear(wanted.brightness))
    return {"mat": rounded(after(matrix, linear(wanted.contrast, (1 - wanted.contrast) / 2)))}


def _output(wanted: Wanted) -> dict[str, Value]:
    """Without a format an old one: that no viewer's ``Accept`` chooses is what ``format=auto`` is for."""
    values: dict[str, Value] = {"anim": wanted.animated}
    if wanted.format == "baseline-jpeg":
        values |= {"f": "jpeg", "base": True}
    else:
        values["f"] = wanted.format or "auto-legacy"
    if wanted.quality:
        values["q"] = wanted.quality
    return values
