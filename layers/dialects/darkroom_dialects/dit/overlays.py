"""Apply DIT's own edits: overlays, crops to faces and ellipses, animation."""

from __future__ import annotations

import re

from darkroom.overlays.language import BLEND_MODES, format_overlays
from darkroom.plan.model import Ellipse, FaceCrop

from ..common.validate import bad_option
from ..common.watermark import find_overlay, place_overlay, place_watermark
from .geometry import POSITIONS
from .model import (
    DitOptions,
    Json,
    format_address,
    is_enabled,
    object_or_empty,
    require_int,
    require_number,
    require_object,
)

_BLENDS = {sharp: name for name, sharp in BLEND_MODES.items()}
"""Blend modes by sharp's names, which are libvips'."""

_PERCENT = re.compile("100|[1-9]?[0-9]")
_PLACED = {
    "center": ("center", "center"),
    **{
        up + across: (
            {"west": "0", "east": "-0"}.get(across, "center"),
            {"north": "0", "south": "-0"}.get(up, "center"),
        )
        for up in ("north", "", "south")
        for across in ("west", "", "east")
        if up + across
    },
}
"""sharp's gravities as positions of :func:`..common.watermark.place_watermark`."""


def apply_overlay_with(options: DitOptions, value: object) -> None:
    """Place a configured watermark. ``alpha`` is transparency in percent; ratios are in percent of the sides."""
    given = require_object("overlayWith", value)
    bucket, key = (given.get(name) for name in ("bucket", "key"))
    if not isinstance(bucket, str | None) or not isinstance(key, str):
        raise bad_option("overlayWith", "it must have a bucket and a key")
    address = format_address(bucket or "", key)
    overlay = find_overlay(options.settings, address)
    name = "" if overlay else options.settings.find_watermark(address)
    placing = require_object("overlayWith", given.get("options") or {})
    blend = _BLENDS.get(str(placing.get("blend", "over")))
    if blend is None or (blend != "over" and overlay is None):
        raise bad_option("overlayWith", f"blend must be {'one of ' + ', '.join(_BLENDS) if overlay else 'over'}")
    x, y = _place(placing)
    sizes = {"width": _percent(given, "wRatio") / 100, "height": _percent(given, "hRatio") / 100}
    if overlay is not None:
        overlay = overlay._replace(blend=blend, tile=placing.get("tile") is True)
        placed = place_overlay(overlay, x, y, transparency=_percent(given, "alpha"), **sizes)
        if placed is not None:
            options.set_once("overlayWith", ov=format_overlays([placed]))
        return
    stamp = place_watermark(
        name,
        x,
        y,
        transparency=_percent(given, "alpha"),
        tiled=placing.get("tile") is True,
        **sizes,
    )
    if stamp:
        options.set_once("overlayWith", wm=stamp[0], wmx=stamp[1])


def _place(placing: Json) -> tuple[str, str]:
    left, top = (_offset(placing.get(side)) for side in ("left", "top"))
    if left and top:
        return left, top
    if left or top:
        raise bad_option("overlayWith", "it needs both left and top, or none")
    gravity = placing.get("gravity", "center")
    place = POSITIONS.get(gravity if isinstance(gravity, str | int) else None, "")
    if place not in _PLACED:
        raise bad_option("overlayWith", "gravity must be a compass point")
    return _PLACED[place]


def _offset(value: object) -> str:
    """Return px, or percent followed by ``p``; "" if DIT finds no offset."""
    match = re.match("-?[0-9]{1,5}(?:p$)?", str(value)) if isinstance(value, str | int) else None
    return match[0] if match else ""


def _percent(given: Json, name: str) -> int:
    """Return a percentage; 0 if DIT finds none."""
    text = str(given.get(name, ""))
    return int(text) if _PERCENT.fullmatch(text) else 0


def apply_smart_crop(options: DitOptions, value: object) -> None:
    """Crop to one face, by rank, with ``padding`` px on each side."""
    if value is True or isinstance(value, dict):
        given = object_or_empty(value)
        index, padding = (given.get(name) for name in ("faceIndex", "padding"))
        options.set_once(
            "smartCrop",
            face=FaceCrop(
                require_int("faceIndex", 0 if index is None else index), require_int("padding", padding or 0)
            ),
        )


def apply_round_crop(options: DitOptions, value: object) -> None:
    """Crop to an ellipse, by default a circle in the middle that touches the nearer sides."""
    if value is True or isinstance(value, dict):
        given = object_or_empty(value)
        rx, ry, left, top = (_length(given, name) for name in ("rx", "ry", "left", "top"))
        options.set_once("roundCrop", ell=Ellipse(rx, ry, left, top))


def _length(given: Json, name: str) -> int:
    """Return a length in px; 0 if DIT finds none."""
    value = given.get(name)
    return max(0, round(require_number(name, value))) if value else 0


def apply_animated(options: DitOptions, value: object) -> None:
    if not is_enabled(value):
        options.values["anim"] = False
