"""Parse imgix's parameters. Each parser takes the name as written and the decoded value, and raises BadOption."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from darkroom.plan.model import RIGHTS

from ..common.colours import parse_colour
from ..common.validate import bad_option, bad_value, require_word
from .model import ImgixOptions, Rect

type OptionParser = Callable[[ImgixOptions, str, str], None]

FITS = ("clip", "crop", "fill", "fillmax", "max", "min", "scale")
REFUSED_FITS = {
    "clamp": "the edge's pixels are not repeated",
    "facearea": "use fit=crop with crop=faces",
}
CROPS = ("top", "bottom", "left", "right", "faces", "entropy", "edges", "focalpoint")
FORMATS = {"jpg": "jpeg", "pjpg": "jpeg", "png": "png", "png8": "png", "png32": "png"} | {
    word: word for word in ("webp", "avif", "gif", "json")
}
MAX_DPR = 5.0
MAX_BLUR = 2000

_WHOLE = re.compile(r"[0-9]{1,6}")
_SIGNED = re.compile(r"-?[0-9]{1,6}(?:\.0{1,6})?")
_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,9})?|\.[0-9]{1,9}")
_RATIO = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,6})?):([0-9]{1,5}(?:\.[0-9]{1,6})?)")
_TIME = re.compile(r"[0-9]{1,11}")
_HEX = re.compile("[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8}")
_ACROSS = {"left": "west", "center": "", "right": "east"}
_DOWN = {"top": "north", "middle": "", "bottom": "south"}

type SideField = Literal["width", "height"]
type ColourField = Literal["background", "fill_colour", "mask_background", "trim_colour"]
type PointField = Literal["focus_x", "focus_y"]


def parse_side(into: SideField, options: ImgixOptions, name: str, text: str) -> None:
    """Parse px, or a fraction of the source's side: a number up to 1."""
    value = _parse_number(name, text, 99_999)
    if value > 1 and value != int(value):
        raise bad_value(name, text, "a whole number of px or a fraction up to 1")
    setattr(options, into, value)


def parse_dpr(options: ImgixOptions, name: str, text: str) -> None:
    options.dpr = _parse_number(name, text, MAX_DPR) or 1.0


def parse_ratio(options: ImgixOptions, name: str, text: str) -> None:
    match = _RATIO.fullmatch(text)
    if match is None or not float(match[1]) or not float(match[2]):
        raise bad_value(name, text, "a ratio such as 16:9")
    options.ratio = float(match[1]) / float(match[2])


def parse_fit(options: ImgixOptions, name: str, text: str) -> None:
    if text in REFUSED_FITS:
        raise bad_option(name, f"{text} is not supported: {REFUSED_FITS[text]}")
    options.fit = require_word(name, text, FITS)


def parse_crop(options: ImgixOptions, name: str, text: str) -> None:
    options.crop = tuple(require_word(name, word, CROPS) for word in _split(text))


def parse_point(into: PointField, options: ImgixOptions, name: str, text: str) -> None:
    setattr(options, into, _parse_number(name, text, 1))


def parse_zoom(options: ImgixOptions, name: str, text: str) -> None:
    options.focus_zoom = _parse_number(name, text, 100)
    if options.focus_zoom < 1:
        raise bad_value(name, text, "a number from 1 to 100")


def parse_rect(options: ImgixOptions, name: str, text: str) -> None:
    """Parse ``x,y,w,h``: all px or all fractions; x and y can be words, w and h ``full``."""
    parts = _split(text)
    if len(parts) != 4:
        raise bad_value(name, text, "x,y,w,h")
    words = [part for part in parts[:2] if part in _ACROSS or part in _DOWN]
    numbers = [part for part in parts if part not in (*words, "full")]
    is_share = bool(numbers) and all("." in part for part in numbers)
    if len(words) == 1 or not (is_share or all(_WHOLE.fullmatch(part) for part in numbers)):
        raise bad_option(name, "its numbers must be all px or all fractions, and x and y both words or both numbers")
    x, y, width, height = (
        0.0 if part in words or part == "full" else _parse_number(name, part, 1 if is_share else 65_535)
        for part in parts
    )
    if words and (parts[0] not in _ACROSS or parts[1] not in _DOWN):
        raise bad_option(name, "x must be left, center or right, and y top, middle or bottom")
    place = (_DOWN[parts[1]] + _ACROSS[parts[0]] or "center") if words else ""
    options.rect = Rect("pct" if is_share else "px", x, y, width, height, place)


def parse_rotate(options: ImgixOptions, name: str, text: str) -> None:
    options.rotate = _parse_number(name, text, 359.99)


def parse_rot_type(options: ImgixOptions, name: str, text: str) -> None:
    options.rot_type = require_word(name, text, ("straighten", "pivot"))


def parse_flip(options: ImgixOptions, name: str, text: str) -> None:
    options.flip = require_word(name, text, ("h", "v", "hv"))


def parse_orient(options: ImgixOptions, name: str, text: str) -> None:
    options.orient = int(require_word(name, text, ("0", "1", "2", "3", "4", "6", "8", "90", "180", "270")))


def parse_colour_field(into: ColourField, options: ImgixOptions, name: str, text: str) -> None:
    setattr(options, into, _parse_imgix_colour(name, text))


def _parse_imgix_colour(name: str, text: str) -> str:
    """Parse a keyword, or digits in which alpha comes first: RGB, ARGB, RRGGBB or AARRGGBB."""
    digits = text.removeprefix("#")
    if _HEX.fullmatch(digits) and len(digits) % 4 == 0:
        size = len(digits) // 4
        digits = digits[size:] + digits[:size]
    found = parse_colour(digits)
    if found is None:
        raise bad_value(name, text, "a colour keyword or 3, 4, 6 or 8 hexadecimal digits, alpha first")
    return found


def parse_fill(options: ImgixOptions, name: str, text: str) -> None:
    if text in ("gen", "generative", "gradient"):
        raise bad_option(name, f"{text} is not supported: nothing is generated")
    options.fill = require_word(name, text, ("solid", "blur"))


def parse_pad(side: str, options: ImgixOptions, name: str, text: str) -> None:
    options.pads[side] = _parse_int(name, text)


def parse_mask(options: ImgixOptions, name: str, text: str) -> None:
    options.mask = require_word(name, text, ("ellipse", "corners"))


def parse_corner_radius(options: ImgixOptions, name: str, text: str) -> None:
    radii = {_parse_int(name, part) for part in _split(text)}
    if len(radii) != 1:
        raise bad_option(name, "all corners must have one radius")
    options.corner_radius = radii.pop()


def parse_trim(options: ImgixOptions, name: str, text: str) -> None:
    options.trim = require_word(name, text, ("auto", "color", "alpha"))


def parse_trim_level(
    into: Literal["trim_tolerance", "trim_difference"], options: ImgixOptions, name: str, text: str
) -> None:
    setattr(options, into, round(_parse_number(name, text, 100)))


def parse_auto(options: ImgixOptions, name: str, text: str) -> None:
    options.auto = tuple(require_word(name, word, ("compress", "enhance", "format", "redeye")) for word in _split(text))


def parse_format(options: ImgixOptions, name: str, text: str) -> None:
    options.output = FORMATS[require_word(name, text, FORMATS)]


def parse_value(short: str, low: int, high: int, options: ImgixOptions, name: str, text: str) -> None:
    """Parse a whole number that our option ``short`` takes as it is."""
    value = _parse_signed(name, text)
    if not low <= value <= high:
        raise bad_value(name, text, f"a whole number from {low} to {high}")
    options.values[short] = value


def parse_gamma(options: ImgixOptions, name: str, text: str) -> None:
    """Parse -100 to 100 as a gamma from a quarter to four."""
    value = _parse_signed(name, text)
    if not -100 <= value <= 100:
        raise bad_value(name, text, "a whole number from -100 to 100")
    options.values["gam"] = round(2 ** (value / 50), 2)


def parse_scaled(short: str, most: int, ours: float, options: ImgixOptions, name: str, text: str) -> None:
    """Parse a strength up to ``most``, which is ``ours`` in our option ``short``."""
    value = _parse_number(name, text, most)
    if value:
        options.values[short] = max(0.01, round(value * ours / most, 2))


def parse_pixels(options: ImgixOptions, name: str, text: str) -> None:
    value = round(_parse_number(name, text, 100))
    if value > 1:
        options.values["pix"] = value


def parse_hue(options: ImgixOptions, name: str, text: str) -> None:
    from darkroom.plan.model import Lch

    degrees = _parse_number(name, text, 360) % 360
    if degrees:
        options.values["lch"] = Lch(hue=degrees)


def parse_mono(options: ImgixOptions, name: str, text: str) -> None:
    colour = _parse_imgix_colour(name, text)
    if len(colour) != 6:
        raise bad_option(name, "its colour must be opaque")
    options.values["tint"] = colour


def parse_sepia(options: ImgixOptions, name: str, text: str) -> None:
    options.sepia = _parse_number(name, text, 100) / 100


def parse_invert(options: ImgixOptions, name: str, text: str) -> None:
    options.invert = parse_switch(name, text)


def parse_duotone(options: ImgixOptions, name: str, text: str) -> None:
    colours = [_parse_imgix_colour(name, part) for part in _split(text)]
    if len(colours) != 2 or any(len(colour) != 6 for colour in colours):
        raise bad_option(name, "it must be two opaque colours")
    options.duotone = (colours[0], colours[1])


def parse_duotone_alpha(options: ImgixOptions, name: str, text: str) -> None:
    options.duotone_alpha = _parse_number(name, text, 100) / 100


def parse_download(options: ImgixOptions, name: str, text: str) -> None:
    if not text:
        raise bad_option(name, "it must be a file name")
    options.values["dl"] = text


def parse_cutout(options: ImgixOptions, name: str, text: str) -> None:
    options.values["cutout"] = parse_switch(name, text)


def parse_progressive(options: ImgixOptions, name: str, text: str) -> None:
    options.values["base"] = not parse_switch(name, text)


def parse_iptc(options: ImgixOptions, name: str, text: str) -> None:
    options.metadata = RIGHTS if require_word(name, text, ("allow", "block")) == "allow" else "none"


def parse_page(options: ImgixOptions, name: str, text: str) -> None:
    options.values["page"] = max(0, _parse_int(name, text) - 1)


def parse_frame(options: ImgixOptions, name: str, text: str) -> None:
    """Parse the number of a frame, from 1; the result is a still."""
    parse_page(options, name, text)
    options.values["anim"] = False


def parse_expires(options: ImgixOptions, name: str, text: str) -> None:
    if not _TIME.fullmatch(text):
        raise bad_value(name, text, "a Unix time in seconds")
    options.expires_s = int(text)


def check_words(words: tuple[str, ...], _options: ImgixOptions, name: str, text: str) -> None:
    """Check words that have no effect."""
    for word in _split(text.lower()):
        require_word(name, word, words)


def parse_switch(name: str, text: str) -> bool:
    return require_word(name, text.lower(), ("true", "1", "false", "0")) in ("true", "1")


def _split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",")]


def _parse_int(name: str, text: str) -> int:
    if not _WHOLE.fullmatch(text):
        raise bad_value(name, text, "a whole number")
    return int(text)


def _parse_signed(name: str, text: str) -> int:
    if not _SIGNED.fullmatch(text):
        raise bad_value(name, text, "a whole number")
    return int(float(text))


def _parse_number(name: str, text: str, high: float) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None or value > high:
        raise bad_value(name, text, f"a number from 0 to {high:g}")
    return value
