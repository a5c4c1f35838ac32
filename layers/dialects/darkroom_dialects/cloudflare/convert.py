"""Convert Cloudflare's options to values of ours, and build the result of ``format=json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from darkroom.plan.geometry.layout import compute_geometry
from darkroom.plan.geometry.placement import Size
from darkroom.plan.model import IDENTITY, Crop, Gravity, Padding, Plan
from darkroom.plan.option_types import Value
from darkroom.plan.options import MAX_SIDE_PX

from ..common.matrices import compose, linear, round_matrix, saturation
from ..common.rotation import flip_then_rotate
from ..common.validate import bad_option
from .option_parsers import CloudflareOptions

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
"""Our ``fit``, ``cov`` and ``up`` for each fit."""

_WHITE = "ffffff"
_BLUR = 100 / 250
"""Our largest sigma by Cloudflare's largest radius, whose definition is not documented."""

_MAX_REGION_PX = 65_535
"""Larger than any source."""


def convert_options(options: CloudflareOptions) -> dict[str, Value]:
    """Return option values by short name. Raises BadOption for what our options cannot express."""
    return {
        **_convert_trim(options),
        **_convert_box(options),
        **flip_then_rotate(options.flip, options.rotate),
        **_convert_effects(options),
        **_convert_tones(options),
        **_convert_output(options),
    }


def _convert_trim(options: CloudflareOptions) -> dict[str, Value]:
    left, top = (_scale(length, options.dpr) for length in (options.trim_left, options.trim_top))
    width, height = (_scale(length, options.dpr) for length in (options.trim_width, options.trim_height))
    if options.trim and any((left, top, width, height)):
        raise bad_option("trim", "has either four numbers or trim.left, trim.top, trim.width and trim.height")
    if width or height:
        return {"crop": Crop("px", left, top, width or _MAX_REGION_PX, height or _MAX_REGION_PX)}
    if options.trim:
        return {"inset": Padding(*(_scale(length, options.dpr) for length in options.trim))}
    return {"inset": Padding(top=top, left=left)}


def _scale(length: int, ratio: float) -> int:
    return round(length * ratio)


def _convert_box(options: CloudflareOptions) -> dict[str, Value]:
    fit, covering, grows = _FITS[options.fit]
    values: dict[str, Value] = {"fit": fit, "g": options.gravity, "up": grows, "grow": options.fit == "scale-up"}
    for short, side in (("w", options.width), ("h", options.height)):
        if side:
            values[short] = side if side > MAX_SIDE_PX else min(MAX_SIDE_PX, max(1, _scale(side, options.dpr)))
    if covering:
        values["cov"] = covering
    if options.zoom and options.gravity == Gravity("face"):
        values["fz"] = round(options.zoom * 100) / 100
    return values


def _convert_effects(options: CloudflareOptions) -> dict[str, Value]:
    values: dict[str, Value] = {"cutout": options.segment}
    if options.background:
        values["bg"] = options.background
    elif options.fit == "pad":
        values["bgm"] = _WHITE
    if options.blur:
        values["blur"] = max(0.01, round(options.blur * _BLUR * 100) / 100)
    if options.sharpen:
        values["sharp"] = max(0.01, round(options.sharpen * 100) / 100)
    if options.gamma != 1:
        values["gam"] = round(options.gamma * 100) / 100
    return values


def _convert_tones(options: CloudflareOptions) -> dict[str, Value]:
    """Convert tones to whole percentages in our range if possible, otherwise to one matrix."""
    tones = {"sat": options.saturation, "bri": options.brightness, "con": options.contrast}
    percents = {short: round((factor - 1) * 100, 6) for short, factor in tones.items()}
    if all(percent <= 100 and percent == int(percent) for percent in percents.values()):
        return {short: int(percent) for short, percent in percents.items()}
    matrix = compose(IDENTITY, saturation(options.saturation))
    matrix = compose(matrix, linear(options.brightness))
    return {"mat": round_matrix(compose(matrix, linear(options.contrast, (1 - options.contrast) / 2)))}


def _convert_output(options: CloudflareOptions) -> dict[str, Value]:
    """Convert output options. Without a format the result is JPEG, PNG or GIF: only ``format=auto`` negotiates."""
    values: dict[str, Value] = {"anim": options.animated}
    if options.format == "baseline-jpeg":
        values |= {"f": "jpeg", "base": True}
    else:
        values["f"] = options.format or "auto-legacy"
    if options.quality:
        values["q"] = options.quality
    return values


_TYPES = {"svg": "image/svg+xml"}
"""Media types that are not ``image/`` and the name of the format."""


def describe(plan: Plan, description: Mapping[str, Any]) -> dict[str, Any]:
    """Return Cloudflare's object about the result of ``plan`` for the source in ``description``. Raises BadOption."""
    source = Size(description["width"], description["height"])
    geometry = compute_geometry(plan, source)
    padding = geometry.padding
    kind = description["format"]
    return {
        "width": geometry.size.width + padding.left + padding.right,
        "height": geometry.size.height + padding.top + padding.bottom,
        "original": {
            "file_size": description["bytes"],
            "width": source.width,
            "height": source.height,
            "format": _TYPES.get(kind, f"image/{kind}"),
        },
    }
