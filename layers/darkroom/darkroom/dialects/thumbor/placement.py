"""thumbor's filters that are about places and sizes."""

from __future__ import annotations

import re

from ...plan.model import Watermark
from ..common.validate import refused
from ..common.watermark import stamped
from .effects import colour_of
from .filter_calls import is_true, unquoted
from .model import Wanted, decimal, whole, wholes
from .path import split, split_signature
from .tone_order import WATERMARK

MAX_NESTED = 10
"""How many thumbor URLs within each other ``extract_focal()`` looks through."""

_REGION = re.compile("([0-9]+)x([0-9]+):([0-9]+)x([0-9]+)")
_HOST = re.compile("(?:https?://)?.*?/", re.DOTALL)


def fill(wanted: Wanted, arguments: list[str]) -> None:
    if not wanted.fill and wanted.proportion == 1:
        wanted.fills_first = True
    wanted.fill = True
    wanted.fills_transparency = len(arguments) > 1 and is_true(arguments[1])
    colour = arguments[0]
    if colour in ("auto", "blur"):
        wanted.backdrop = {"bgx": f"{colour}all" if wanted.fills_transparency else colour}
    elif colour != "transparent":
        wanted.backdrop = {"bg" if wanted.fills_transparency else "bgm": colour_of("fill", colour)}


def focal(wanted: Wanted, arguments: list[str]) -> None:
    if match := _REGION.match(unquoted(arguments[0])):
        _focus(wanted, "focal", match.groups())


def _focus(wanted: Wanted, name: str, edges: tuple[str, ...]) -> None:
    left, top, right, bottom = wholes(name, edges)
    if left < right and top < bottom:
        wanted.focal.append((left, top, right, bottom))


def extract_focal(wanted: Wanted, _: list[str]) -> None:
    """The image is a thumbor URL itself: what it crops is the focus, and its image is the source."""
    url = wanted.image
    for _nested in range(MAX_NESTED):
        signed = split_signature(_HOST.sub("", url, count=1))
        if signed is None:
            return
        parts = split(signed[1])
        url = parts.image
        if match := _REGION.fullmatch(parts.crop):
            wanted.image = url
            _focus(wanted, "extract_focal", match.groups())
            return


def no_upscale(wanted: Wanted, _: list[str]) -> None:
    wanted.no_upscale = True


def proportion(wanted: Wanted, arguments: list[str]) -> None:
    part = decimal("proportion", arguments[0])
    if 0 < part <= 1:
        wanted.proportion *= part


def rotate(wanted: Wanted, arguments: list[str]) -> None:
    degrees = whole("rotate", arguments[0])
    if degrees % 90 == 0:
        wanted.turn = (wanted.turn - degrees) % 360


def stretch(wanted: Wanted, _: list[str]) -> None:
    wanted.stretch = True


def upscale(wanted: Wanted, _: list[str]) -> None:
    """After fill() there is nothing to enlarge: the margins fill the box."""
    wanted.upscale = wanted.upscale or not wanted.fill


def frame(wanted: Wanted, arguments: list[str]) -> None:
    """Around what is there: a watermark that stands before it becomes the second one."""
    name = wanted.settings.watermark_at(unquoted(arguments[0]), bare_hosts=True)
    if wanted.values.keys() & {"frm", "wm2"}:
        raise refused("frame", "there can be one, with at most one watermark, in a picture here")
    for short in ("wm", "wmx", "rep"):
        if short in wanted.values:
            wanted.values[f"{short}2"] = wanted.values.pop(short)
    wanted.values |= {"wm": Watermark(name), "frm": True}


def watermark(wanted: Wanted, arguments: list[str]) -> None:
    url, x, y, transparency = arguments[:4]
    axes = "".join(axis for axis, place in (("h", x), ("v", y)) if place == "repeat")
    x, y = ("0" if place == "repeat" else place for place in (x, y))
    ratios = [whole("watermark", text) / 100 if text != "none" else 0.0 for text in (*arguments[4:], "none", "none")]
    name = wanted.settings.watermark_at(unquoted(url), bare_hosts=True)
    stamp = stamped(
        name,
        x,
        y,
        transparency=whole("watermark", transparency),
        width=ratios[0],
        height=ratios[1],
    )
    if stamp is None:
        return
    if wanted.values.keys() & {"frm", "wm2"}:
        raise refused("watermark", "there can be at most two in a picture here, and none after frame()")
    wanted.steps.append(WATERMARK)
    second = "2" if "wm" in wanted.values else ""
    wanted.values |= {f"wm{second}": stamp[0], f"wmx{second}": stamp[1]} | ({f"rep{second}": axes} if axes else {})
