"""What reads Cloudflare's options: each takes the name as it was written and the value, and raises BadOption."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from ...plan.model import Gravity
from ...plan.options import escape_text
from ..common.colours import hex_of
from ..common.validate import refused
from .model import Wanted

type Read = Callable[[Wanted, str, str], None]

AUTO_WIDTH_PX = 1200
"""The largest of the widths that Cloudflare chooses from for ``width=auto``, by what it knows of the browser."""

MAX_DPR = 4.0
FITS = ("scale-down", "contain", "cover", "crop", "aspect-crop", "pad", "squeeze", "scale-up")
FORMATS = ("auto", "avif", "webp", "jpeg", "baseline-jpeg", "png", "json")
PERCEPTUAL = {"high": 90, "medium-high": 80, "medium-low": 65, "low": 50}
"""Numbers that stand in for Cloudflare's words; it does not tell its own."""

_SIDES = {"left": "west", "right": "east", "top": "north", "bottom": "south"}
_WHOLE = re.compile(r"[0-9]{1,6}")
_NUMBER = re.compile(r"[0-9]{1,4}(?:\.[0-9]{1,6})?|\.[0-9]{1,6}")

type Wholes = Literal["height", "trim_left", "trim_top", "trim_width", "trim_height"]
type Factors = Literal["brightness", "contrast", "gamma"]
type Floats = Literal["zoom", "blur", "sharpen", "saturation"]


def whole(into: Wholes, wanted: Wanted, name: str, text: str) -> None:
    setattr(wanted, into, _whole(name, text))


def _whole(name: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise refused(name, f"must be a whole number, but is '{escape_text(text)}'")
    return int(text)


def number(into: Floats, high: float, wanted: Wanted, name: str, text: str) -> None:
    setattr(wanted, into, _number(name, text, high))


def factor(into: Factors, wanted: Wanted, name: str, text: str) -> None:
    """1 changes nothing, and Cloudflare ignores 0."""
    setattr(wanted, into, _number(name, text, 100) or 1.0)


def _number(name: str, text: str, high: float) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None or value > high:
        raise refused(name, f"must be a number from 0 to {high:g}, but is '{escape_text(text)}'")
    return value


def _one_of(name: str, text: str, words: tuple[str, ...]) -> str:
    if text not in words:
        raise refused(name, f"must be one of {', '.join(words)}, but is '{escape_text(text)}'")
    return text


def width(wanted: Wanted, name: str, text: str) -> None:
    wanted.width = AUTO_WIDTH_PX if text == "auto" else _whole(name, text)


def dpr(wanted: Wanted, name: str, text: str) -> None:
    wanted.dpr = _number(name, text, MAX_DPR)
    if not wanted.dpr:
        raise refused(name, "must be above 0")


def fit(wanted: Wanted, name: str, text: str) -> None:
    wanted.fit = _one_of(name, text, FITS)


def gravity(wanted: Wanted, name: str, text: str) -> None:
    x, by, y = text.partition("x")
    if text in ("auto", "face"):
        wanted.gravity = Gravity("attention" if text == "auto" else "face")
    elif text in _SIDES:
        wanted.gravity = Gravity(_SIDES[text])
    elif by and _NUMBER.fullmatch(x) and _NUMBER.fullmatch(y):
        wanted.gravity = Gravity("fp", *(round(_number(name, one, 1) * 100) / 100 for one in (x, y)))
    else:
        words = ", ".join(("auto", "face", *_SIDES))
        raise refused(name, f"must be one of {words}, or like 0.5x0.33, but is '{escape_text(text)}'")


def trim(wanted: Wanted, name: str, text: str) -> None:
    sides = text.split(";")
    if len(sides) != 4:
        raise refused(name, f"must be top;right;bottom;left in px, but is '{escape_text(text)}'")
    top, right, bottom, left = (_whole(name, side) for side in sides)
    wanted.trim = (top, right, bottom, left)


def rotate(wanted: Wanted, name: str, text: str) -> None:
    wanted.rotate = int(_one_of(name, text, ("0", "90", "180", "270")))


def flip(wanted: Wanted, name: str, text: str) -> None:
    wanted.flip = _one_of(name, text, ("h", "v", "hv"))


def background(wanted: Wanted, name: str, text: str) -> None:
    digits = hex_of(text)
    if digits is None:
        raise refused(name, f"must be a CSS colour, but is '{escape_text(text)}'")
    wanted.background = digits


def quality(into: Literal["quality", "saving_quality"], wanted: Wanted, name: str, text: str) -> None:
    value = PERCEPTUAL.get(text) or (int(text) if _WHOLE.fullmatch(text) else 0)
    if not 1 <= value <= 100:
        words = ", ".join(PERCEPTUAL)
        raise refused(name, f"must be a whole number from 1 to 100 or one of {words}, but is '{escape_text(text)}'")
    setattr(wanted, into, value)


def output(wanted: Wanted, name: str, text: str) -> None:
    wanted.format = _one_of(name, text, FORMATS)


def animation(wanted: Wanted, name: str, text: str) -> None:
    wanted.animated = _one_of(name, text, ("true", "false")) == "true"


def upscaling(_wanted: Wanted, name: str, text: str) -> None:
    if text == "generate":
        raise refused(name, "generate is generative AI, and not served here")
    _one_of(name, text, ("interpolate",))


def word(words: tuple[str, ...], _wanted: Wanted, name: str, text: str) -> None:
    """There is nothing to do for any of ``words``."""
    _one_of(name, text, words)
