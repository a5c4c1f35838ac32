"""Parse Cloudflare's options. Each parser takes the name as written and the value, and raises BadOption."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from darkroom.plan.model import IMAGE_FORMATS, RIGHTS, Gravity

from ..common.colours import parse_colour
from ..common.validate import bad_option, bad_value, require_word


@dataclass(slots=True)
class CloudflareOptions:
    """All options that affect the result, with Cloudflare's defaults. Sizes in px before ``dpr``."""

    width: int = 0
    height: int = 0
    dpr: float = 1.0
    fit: str = "scale-down"
    gravity: Gravity = Gravity()
    zoom: float = 0.0
    trim: tuple[int, int, int, int] | None = None
    trim_left: int = 0
    trim_top: int = 0
    trim_width: int = 0
    trim_height: int = 0
    rotate: int = 0
    flip: str = ""
    background: str = ""
    blur: float = 0.0
    sharpen: float = 0.0
    brightness: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0
    gamma: float = 1.0
    format: str = ""
    quality: int = 0
    saving_quality: int = 0
    animated: bool = True
    metadata: str = ""
    segment: bool = False


type OptionParser = Callable[[CloudflareOptions, str, str], None]

AUTO_WIDTH_PX = 1200
"""The largest width that Cloudflare chooses for ``width=auto``."""

MAX_DPR = 4.0
FITS = ("scale-down", "contain", "cover", "crop", "aspect-crop", "pad", "squeeze", "scale-up")
FORMATS = ("auto", *(name for name in IMAGE_FORMATS if name != "gif"), "baseline-jpeg", "json")
PERCEPTUAL = {"high": 90, "medium-high": 80, "medium-low": 65, "low": 50}
"""Qualities for Cloudflare's words. Its own are not documented."""

_SIDES = {"left": "west", "right": "east", "top": "north", "bottom": "south"}
_WHOLE = re.compile(r"[0-9]{1,6}")
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,6})?|\.[0-9]{1,6}")

type IntField = Literal["height", "trim_left", "trim_top", "trim_width", "trim_height"]
type FactorField = Literal["brightness", "contrast", "gamma"]
type FloatField = Literal["zoom", "blur", "sharpen", "saturation"]


def parse_int_field(into: IntField, options: CloudflareOptions, name: str, text: str) -> None:
    setattr(options, into, _parse_int(name, text))


def _parse_int(name: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise bad_value(name, text, "a whole number")
    return int(text)


def parse_float_field(into: FloatField, high: float, options: CloudflareOptions, name: str, text: str) -> None:
    setattr(options, into, _parse_number(name, text, high))


def parse_factor(into: FactorField, options: CloudflareOptions, name: str, text: str) -> None:
    """Parse a factor. 1 changes nothing, and Cloudflare ignores 0."""
    setattr(options, into, _parse_number(name, text, 100) or 1.0)


def _parse_number(name: str, text: str, high: float) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None or value > high:
        raise bad_value(name, text, f"a number from 0 to {high:g}")
    return value


def parse_width(options: CloudflareOptions, name: str, text: str) -> None:
    options.width = AUTO_WIDTH_PX if text == "auto" else _parse_int(name, text)


def parse_dpr(options: CloudflareOptions, name: str, text: str) -> None:
    options.dpr = _parse_number(name, text, MAX_DPR)
    if not options.dpr:
        raise bad_option(name, "must be above 0")


def parse_fit(options: CloudflareOptions, name: str, text: str) -> None:
    options.fit = require_word(name, text, FITS)


def parse_gravity(options: CloudflareOptions, name: str, text: str) -> None:
    x, by, y = text.partition("x")
    if text in ("auto", "face"):
        options.gravity = Gravity("attention" if text == "auto" else "face")
    elif text in _SIDES:
        options.gravity = Gravity(_SIDES[text])
    elif by and _NUMBER.fullmatch(x) and _NUMBER.fullmatch(y):
        across, down = (round(_parse_number(name, one, 1) * 100) / 100 for one in (x, y))
        options.gravity = Gravity("fp", across, down)
    else:
        words = ", ".join(("auto", "face", *_SIDES))
        raise bad_value(name, text, f"one of {words}, or like 0.5x0.33")


def parse_trim(options: CloudflareOptions, name: str, text: str) -> None:
    sides = text.split(";")
    if len(sides) != 4:
        raise bad_value(name, text, "top;right;bottom;left in px")
    top, right, bottom, left = (_parse_int(name, side) for side in sides)
    options.trim = (top, right, bottom, left)


def parse_rotate(options: CloudflareOptions, name: str, text: str) -> None:
    options.rotate = int(require_word(name, text, ("0", "90", "180", "270")))


def parse_flip(options: CloudflareOptions, name: str, text: str) -> None:
    options.flip = require_word(name, text, ("h", "v", "hv"))


def parse_background(options: CloudflareOptions, name: str, text: str) -> None:
    digits = parse_colour(text)
    if digits is None:
        raise bad_value(name, text, "a CSS colour")
    options.background = digits


def parse_quality(into: Literal["quality", "saving_quality"], options: CloudflareOptions, name: str, text: str) -> None:
    value = PERCEPTUAL.get(text) or (int(text) if _WHOLE.fullmatch(text) else 0)
    if not 1 <= value <= 100:
        words = ", ".join(PERCEPTUAL)
        raise bad_value(name, text, f"a whole number from 1 to 100 or one of {words}")
    setattr(options, into, value)


def parse_format(options: CloudflareOptions, name: str, text: str) -> None:
    options.format = require_word(name, text, FORMATS)


def parse_anim(options: CloudflareOptions, name: str, text: str) -> None:
    options.animated = require_word(name, text, ("true", "false")) == "true"


def parse_upscale(_options: CloudflareOptions, name: str, text: str) -> None:
    if text == "generate":
        raise bad_option(name, "generate needs a signature, which these URLs do not have")
    require_word(name, text, ("interpolate",))


def parse_metadata(options: CloudflareOptions, name: str, text: str) -> None:
    """Parse what the file keeps: all metadata is no more than rights."""
    options.metadata = "none" if require_word(name, text, ("copyright", "keep", "none")) == "none" else RIGHTS


def parse_segment(options: CloudflareOptions, name: str, text: str) -> None:
    """Parse what is kept of the image: the foreground."""
    require_word(name, text, ("foreground",))
    options.segment = True


def check_word(words: tuple[str, ...], _options: CloudflareOptions, name: str, text: str) -> None:
    """Check a word that has no effect."""
    require_word(name, text, words)
