"""Apply thumbor's filters for positions and sizes."""

from __future__ import annotations

import re

from darkroom.overlays.language import MAX_PX, Measure, Overlay
from darkroom.plan.model import Watermark

from ..common.colours import parse_colour
from ..common.validate import bad_option
from ..common.watermark import find_overlay, place_overlay, place_watermark
from .effects import WATERMARK, require_colour
from .model import ThumborOptions, parse_bool, parse_decimal, parse_int, parse_ints, strip_quotes
from .path_segments import split_path, split_signature

MAX_NESTED = 10
"""The maximum number of nested thumbor URLs in ``extract_focal()``."""

_REGION = re.compile("([0-9]+)x([0-9]+):([0-9]+)x([0-9]+)")
_HOST = re.compile("(?:https?://)?.*?/", re.DOTALL)


def apply_fill(options: ThumborOptions, arguments: list[str]) -> None:
    if not options.fill and options.proportion == 1:
        options.fills_first = True
    options.fill = True
    options.fills_transparency = len(arguments) > 1 and parse_bool(arguments[1])
    colour = arguments[0]
    if colour in ("auto", "blur"):
        options.background_fill = {"bgx": f"{colour}all" if options.fills_transparency else colour}
    elif colour != "transparent":
        options.background_fill = {"bg" if options.fills_transparency else "bgm": require_colour("fill", colour)}


def apply_focal(options: ThumborOptions, arguments: list[str]) -> None:
    if match := _REGION.match(strip_quotes(arguments[0])):
        _focus(options, "focal", match.groups())


def _focus(options: ThumborOptions, name: str, edges: tuple[str, ...]) -> None:
    left, top, right, bottom = parse_ints(name, edges)
    if left < right and top < bottom:
        options.focal.append((left, top, right, bottom))


def apply_extract_focal(options: ThumborOptions, _: list[str]) -> None:
    """Use the crop of a nested thumbor URL as focus, and its image as source."""
    url = options.image
    for _nested in range(MAX_NESTED):
        signed = split_signature(_HOST.sub("", url, count=1))
        if signed is None:
            return
        parts = split_path(signed[1])
        url = parts.image
        if match := _REGION.fullmatch(parts.crop):
            options.image = url
            _focus(options, "extract_focal", match.groups())
            return


def apply_proportion(options: ThumborOptions, arguments: list[str]) -> None:
    part = parse_decimal("proportion", arguments[0])
    if 0 < part <= 1:
        options.proportion *= part


def apply_rotate(options: ThumborOptions, arguments: list[str]) -> None:
    degrees = parse_int("rotate", arguments[0])
    if degrees % 90 == 0:
        options.turn = (options.turn - degrees) % 360


def apply_upscale(options: ThumborOptions, _: list[str]) -> None:
    """Ignore ``upscale()`` after ``fill()``: the margins fill the box."""
    options.upscale = options.upscale or not options.fill


def apply_frame(options: ThumborOptions, arguments: list[str]) -> None:
    """Set a frame around the image. An earlier watermark becomes the second one."""
    name = options.settings.find_watermark(strip_quotes(arguments[0]), bare_hosts=True)
    if options.values.keys() & {"frm", "wm2"}:
        raise bad_option("frame", "only one is supported per image, with at most one watermark")
    for short in ("wm", "wmx", "rep"):
        if short in options.values:
            options.values[f"{short}2"] = options.values.pop(short)
    options.values |= {"wm": Watermark(name), "frm": True}


def apply_watermark(options: ThumborOptions, arguments: list[str]) -> None:
    url, x, y, transparency = arguments[:4]
    axes = "".join(axis for axis, place in (("h", x), ("v", y)) if place == "repeat")
    x, y = ("0" if place == "repeat" else place for place in (x, y))
    ratios = [
        parse_int("watermark", text) / 100 if text != "none" else 0.0 for text in (*arguments[4:], "none", "none")
    ]
    overlay = find_overlay(options.settings, strip_quotes(url), bare_hosts=True)
    if overlay is not None:
        if axes:
            raise bad_option("watermark", "repeat needs a configured watermark")
        transparent = parse_int("watermark", transparency)
        options.add_overlay(place_overlay(overlay, x, y, transparency=transparent, width=ratios[0], height=ratios[1]))
        return
    name = options.settings.find_watermark(strip_quotes(url), bare_hosts=True)
    stamp = place_watermark(
        name,
        x,
        y,
        transparency=parse_int("watermark", transparency),
        width=ratios[0],
        height=ratios[1],
    )
    if stamp is None:
        return
    if options.values.keys() & {"frm", "wm2"}:
        raise bad_option("watermark", "at most two are supported per image, and none after frame()")
    options.steps.append(WATERMARK)
    second = "2" if "wm" in options.values else ""
    options.values |= {f"wm{second}": stamp[0], f"wmx{second}": stamp[1]} | ({f"rep{second}": axes} if axes else {})


_WORDS = {"left": "0", "top": "0", "right": "-0", "bottom": "-0"}


def apply_label(options: ThumborOptions, arguments: list[str]) -> None:
    """Draw a text, as imagor's ``label`` does: text, place, size in px, colour, and transparency in percent."""
    text, x, y, size, colour, *others = arguments
    digits = parse_colour(colour)
    if digits is None:
        raise bad_option("label", "the colour must be one of CSS")
    px = parse_int("label", size)
    if not 1 <= px <= MAX_PX:
        raise bad_option("label", f"the size must be from 1 to {MAX_PX}")
    overlay = Overlay("text", strip_quotes(text), size=Measure(float(px), is_px=True), color=digits)
    transparency = parse_int("label", others[0]) if others else 0
    x, y = (_WORDS.get(place, place) for place in (x, y))
    options.add_overlay(place_overlay(overlay, x, y, transparency=transparency))
