"""The values of region, size and rotation, as written: sections 4.1 to 4.3."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from ...errors import BadOption
from ...plan.options import escape_text
from .version import V3, Version

_WHOLE = r"[0-9]{1,9}"
_NUMBER = r"(?:[0-9]{1,9}(?:\.[0-9]{0,9})?|\.[0-9]{1,9})"
_REGION = re.compile(rf"(?P<px>{_WHOLE}(?:,{_WHOLE}){{3}})|pct:(?P<pct>{_NUMBER}(?:,{_NUMBER}){{3}})")
_SIZE = re.compile(
    rf"(?P<up>\^?)(?:(?P<max>max)|pct:(?P<pct>{_NUMBER})|(?P<confined>!?)(?P<w>{_WHOLE}),(?P<h>{_WHOLE})"
    rf"|(?P<width>{_WHOLE}),|,(?P<height>{_WHOLE}))"
)
_SIZE_V2 = re.compile(
    rf"(?P<full>full)|(?P<max>max)|pct:(?P<pct>{_NUMBER})|(?P<confined>!?)(?P<w>{_WHOLE}),(?P<h>{_WHOLE})"
    rf"|(?P<width>{_WHOLE}),|,(?P<height>{_WHOLE})"
)
_ROTATION = re.compile(rf"(!?)({_NUMBER})")

REGIONS = "full, square, x,y,w,h or pct:x,y,w,h"
SIZES = "max, w, or ,h or pct:n or w,h or !w,h, after ^ where it may be enlarged"
SIZES_V2 = "full, max, w, or ,h or pct:n or w,h or !w,h"
ROTATIONS = "degrees from 0 to 360, after ! where it is mirrored first"


@dataclass(frozen=True, slots=True)
class Region:
    """``unit`` is ``full``, ``square``, ``px`` or ``pct``; the rest is 0 for the first two."""

    unit: Literal["full", "square", "px", "pct"]
    x: float = 0
    y: float = 0
    width: float = 0
    height: float = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """The size parameter. ``form`` is ``max``, ``pct`` or ``box``; a side of a box that is None follows the other.

    ``up``: it may be enlarged. ``confined``: it keeps its shape within the box.
    """

    form: Literal["max", "pct", "box"]
    up: bool = False
    percent: float = 100.0
    width: int | None = None
    height: int | None = None
    confined: bool = False


@dataclass(frozen=True, slots=True)
class Rotation:
    """``degrees`` clockwise, from 0, below 360, in hundredths; mirrored left-right before where ``mirrored``."""

    mirrored: bool
    degrees: float


def parse_region(text: str) -> Region:
    """The region; raises BadOption."""
    if text == "full":
        return Region("full")
    if text == "square":
        return Region("square")
    match = _REGION.fullmatch(text)
    if not match:
        raise bad_parameter("region", REGIONS, text)
    unit: Literal["px", "pct"] = "px" if match["px"] else "pct"
    return Region(unit, *(float(part) for part in match[unit].split(",")))


def parse_size(text: str, version: Version = V3) -> Scale:
    """The size; raises BadOption. In version 2 every size but ``max`` may be larger than the region."""
    if version.upscales_silently:
        return _parse_size_v2(text)
    match = _SIZE.fullmatch(text)
    if not match:
        raise bad_parameter("size", SIZES, text)
    return _build_scale(match, up=bool(match["up"]))


def _parse_size_v2(text: str) -> Scale:
    match = _SIZE_V2.fullmatch(text)
    if not match:
        raise bad_parameter("size", SIZES_V2, text)
    if match["full"]:
        return Scale("pct", up=True)
    return _build_scale(match, up=not match["max"])


def _build_scale(match: re.Match[str], *, up: bool) -> Scale:
    if match["max"]:
        return Scale("max", up)
    if match["pct"]:
        return Scale("pct", up, percent=float(match["pct"]))
    width, height = (match[wide] or match[one] for wide, one in (("w", "width"), ("h", "height")))
    return Scale(
        "box",
        up,
        width=int(width) if width else None,
        height=int(height) if height else None,
        confined=bool(match["confined"]),
    )


def parse_rotation(text: str) -> Rotation:
    """The rotation; raises BadOption. 360 degrees are none."""
    match = _ROTATION.fullmatch(text)
    degrees = float(match[2]) if match else 361.0
    if not match or degrees > 360:
        raise bad_parameter("rotation", ROTATIONS, text)
    return Rotation(bool(match[1]), round(degrees, 2) % 360)


def bad_parameter(parameter: str, expected: str, text: str) -> BadOption:
    """The refusal of ``text``: it names the parameter, what it may be and what it is."""
    return BadOption(f"{parameter} must be {expected}, but is '{escape_text(text)}'", option=parameter)
