"""Parse parameters, effects and flags. Each parser takes the name and the decoded value, and raises BadOption."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from darkroom.plan.model import Matrix, TrimOptions

from ..common.colours import parse_colour
from ..common.matrices import linear, sepia
from ..common.validate import bad_option, bad_value, require_word
from .model import CloudinaryOptions

type OptionParser = Callable[[CloudinaryOptions, str, str], None]

MODES = ("scale", "fit", "limit", "mfit", "fill", "lfill", "auto", "pad", "lpad", "crop", "thumb")
REFUSED_MODES = {
    "mpad": "an image that is not enlarged is padded by lpad",
    "fill_pad": "use fill or pad",
    "auto_pad": "use fill or pad",
    "imagga_crop": "there are no add-ons",
    "imagga_scale": "there are no add-ons",
}
FORMATS = {"auto": "auto", "jpg": "jpeg", "jpeg": "jpeg"} | {word: word for word in ("png", "webp", "avif", "gif")}
COMPASS = {
    "north_west": "northwest",
    "north": "north",
    "north_east": "northeast",
    "west": "west",
    "center": "center",
    "east": "east",
    "south_west": "southwest",
    "south": "south",
    "south_east": "southeast",
}
SEARCHES = {
    **dict.fromkeys(("auto", "auto:classic", "auto:subject"), "attention"),
    **dict.fromkeys(("face", "faces", "face:center", "faces:center", "face:auto", "faces:auto"), "face"),
    **dict.fromkeys(("auto:face", "auto:faces"), "face"),
    "ocr_text": "text",
}
CENTRED_ON_POINT = "xy_center"
NEGATIVE: Matrix = linear(-1.0, 1.0)
MAX_DPR = 5.0
ELLIPSE_PX = 4096
"""A radius that is limited to half of each side."""

_WHOLE = re.compile(r"[0-9]{1,6}")
_SIGNED = re.compile(r"-?[0-9]{1,6}")
_NUMBER = re.compile(r"[0-9]{1,6}(?:\.[0-9]{1,6})?")
_AUTO_WIDTH = re.compile(r"auto(?::[a-z0-9_:]{1,64})?")
_QUALITY = re.compile(r"auto(?::(?:best|good|eco|low))?")
_TURN = re.compile(r"-?[0-9]{1,3}|[hv]flip|ignore")


def parse_side(into: Literal["width", "height"], options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse px, or a fraction of the source's side, which has a decimal point.

    ``auto`` is the source's width, as in Cloudinary for browsers without client hints.
    """
    if into == "width" and _AUTO_WIDTH.fullmatch(text):
        return
    value = _parse_number(name, text)
    if not value:
        raise bad_value(name, text, "px, or a fraction with a decimal point")
    _set_unit(options, name, text)
    setattr(options.resize, into, value)


def parse_offset(into: Literal["x", "y"], options: CloudinaryOptions, name: str, text: str) -> None:
    value = _parse_number(name, text)
    if value:
        _set_unit(options, name, text)
    setattr(options.resize, into, value)


def _set_unit(options: CloudinaryOptions, name: str, text: str) -> None:
    if "." in text:
        options.resize.is_share = True
    else:
        options.resize.is_px = True
    if options.resize.is_share and options.resize.is_px:
        raise bad_option(name, "px and fractions cannot be combined in a component")


def parse_ratio(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse ``16:9`` or ``1.5``."""
    across, colon, down = text.partition(":")
    width, height = _parse_number(name, across), _parse_number(name, down) if colon else 1.0
    if not (width and height):
        raise bad_value(name, text, "a ratio such as 16:9 or 1.5")
    options.resize.ratio = width / height


def parse_dpr(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse a factor. ``auto`` is 1, as in Cloudinary for browsers without client hints."""
    value = 1.0 if text == "auto" else _parse_number(name, text)
    if not 0 < value <= MAX_DPR:
        raise bad_value(name, text, f"auto or a number up to {MAX_DPR:g}")
    options.resize.dpr = value


def parse_mode(options: CloudinaryOptions, name: str, text: str) -> None:
    if text in REFUSED_MODES:
        raise bad_option(name, f"{text} is not supported: {REFUSED_MODES[text]}")
    options.resize.mode = require_word(name, text, MODES)


def parse_gravity(options: CloudinaryOptions, name: str, text: str) -> None:
    options.resize.gravity = require_word(name, text, (*COMPASS, *SEARCHES, CENTRED_ON_POINT))


def parse_angle(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse degrees clockwise, after flips: ``20``, ``-90``, ``hflip``, ``hflip.90``; ``ignore`` is of EXIF."""
    *flips, last = text.split(".")
    if any(not _TURN.fullmatch(word) for word in (*flips, last)) or any(not word.endswith("flip") for word in flips):
        raise bad_value(name, text, "degrees, hflip, vflip, flips before degrees, or ignore")
    if last == "ignore":
        if flips:
            raise bad_option(name, "ignore cannot be combined with flips")
        options.set_once(name, orient=False)
        return
    if options.turned_in is not None:
        raise bad_option(name, "can be given only once per image")
    if last.endswith("flip"):
        flips, last = [*flips, last], "0"
    options.turned_in = len(options.resizes) - 1
    options.flip = "".join(axis for axis in "hv" if flips.count(f"{axis}flip") % 2)
    degrees = int(last) % 360
    options.degrees, options.angle = (degrees, 0) if degrees % 90 == 0 else (0, degrees)


def parse_quality(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse a number. ``auto`` leaves the quality to the deployment."""
    if not _QUALITY.fullmatch(text):
        value = _parse_whole(name, text, 1, 100, "auto, auto:best, auto:good, auto:eco, auto:low or")
        options.set_once(name, q=value)


def parse_format(options: CloudinaryOptions, name: str, text: str) -> None:
    options.output = FORMATS[require_word(name, text.removesuffix(":image"), FORMATS)]


def parse_background(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse a colour; ``auto`` is the mean colour of the image, ``blurred`` the blurred image."""
    word = text.partition(":")[0]
    if word in ("auto", "blurred"):
        options.set_once(name, bgx="blur" if word == "blurred" else "auto")
    else:
        options.background = _parse_colour(name, text)


def parse_effect_colour(options: CloudinaryOptions, name: str, text: str) -> None:
    options.colour = _parse_colour(name, text)
    if len(options.colour) != 6:
        raise bad_option(name, "its colour must be opaque")


def _parse_colour(name: str, text: str) -> str:
    found = parse_colour(text.removeprefix("rgb:"))
    if found is None:
        raise bad_value(name, text, "a colour name, or rgb: and 3, 4, 6 or 8 hexadecimal digits")
    return found


def parse_radius(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse px, for each corner the same, or ``max`` for an ellipse."""
    radii = set(text.split(":"))
    if len(radii) != 1:
        raise bad_option(name, "all corners must have one radius")
    if text == "max":
        options.set_once(name, radius=ELLIPSE_PX, ry=ELLIPSE_PX)
    else:
        options.set_once(name, radius=_parse_whole(name, radii.pop(), 0, ELLIPSE_PX))


def refuse_nesting(_options: CloudinaryOptions, name: str, _text: str) -> None:
    """Refuse a named transformation beside other options."""
    raise bad_option(name, "must be alone in its component, and cannot be nested")


def parse_page(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse the number of a page or frame, from 1; the result is a still."""
    options.set_once(name, page=_parse_whole(name, text, 1, 10_000) - 1, anim=False)


def parse_colour_space(_options: CloudinaryOptions, name: str, text: str) -> None:
    require_word(name, text, ("srgb", "tinysrgb", "srgb:truecolor", "no_cmyk"))


# ---------------------------------------------------------------- effects


def parse_value(
    short: str, low: int, high: int, default: int, options: CloudinaryOptions, name: str, text: str
) -> None:
    """Parse a whole number that our option ``short`` takes as it is."""
    options.set_once(name, **{short: _parse_level(name, text, low, high, default)})


def parse_scaled(short: str, ours: float, options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse a strength from 1 to 2000, 100 by default; 2000 is ``ours`` in our option ``short``."""
    options.set_once(name, **{short: max(0.01, round(_parse_level(name, text, 1, 2000, 100) * ours / 2000, 2))})


def parse_gamma(options: CloudinaryOptions, name: str, text: str) -> None:
    options.set_once(name, gam=round(1 + _parse_level(name, text, -50, 150, 0) / 100, 2))


def parse_hue(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse a part of half a turn in percent."""
    from darkroom.plan.model import Lch

    degrees = round(_parse_level(name, text, -100, 100, 80) * 1.8, 2) % 360
    if degrees:
        options.set_once(name, lch=Lch(hue=degrees))


def parse_pixels(options: CloudinaryOptions, name: str, text: str) -> None:
    options.set_once(name, pix=_parse_whole(name, text, 1, 200))


def parse_black_and_white(options: CloudinaryOptions, name: str, text: str) -> None:
    options.set_once(name, thr=max(1, round(_parse_level(name, text, 0, 100, 50) * 2.55)))


def parse_sepia(options: CloudinaryOptions, name: str, text: str) -> None:
    options.tones.append(sepia(_parse_level(name, text, 1, 100, 80) / 100))


def parse_colorize(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse the part of the colour ``co`` in percent, which can follow."""
    options.colorize = _parse_level(name, text, 0, 100, 100) / 100


def set_flag(short: str, value: bool | str, options: CloudinaryOptions, name: str, text: str) -> None:
    """Set an option of ours for an effect without arguments."""
    _refuse_argument(name, text)
    options.set_once(name, **{short: value})


def add_tones(matrix: Matrix, options: CloudinaryOptions, name: str, text: str) -> None:
    _refuse_argument(name, text)
    options.tones.append(matrix)


def parse_trim(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse ``<tolerance>:<colour>``, both optional; the tolerance is 10 by default."""
    tolerance, _, colour = text.partition(":")
    options.set_once(name, trim=max(1, _parse_level(name, tolerance, 0, 100, 10)))
    if colour:
        options.set_once(name, trimx=TrimOptions(_parse_colour(name, colour)))


# ------------------------------------------------------------------ flags


def ignore(_options: CloudinaryOptions, name: str, text: str) -> None:
    """Accept a flag that names what Darkroom does in any case."""
    _refuse_argument(name, text)


def parse_progressive(options: CloudinaryOptions, name: str, text: str) -> None:
    if text and require_word(name, text, ("none", "semi", "steep")) == "none":
        options.set_once(name, base=True)


def parse_attachment(options: CloudinaryOptions, name: str, text: str) -> None:
    """Parse the name of the saved file, without its extension; ``image`` by default."""
    options.set_once(name, dl=text or "image", dlx=True)


def set_metadata(content: str, options: CloudinaryOptions, name: str, text: str) -> None:
    _refuse_argument(name, text)
    options.metadata = content


# ---------------------------------------------------------------- numbers


def _refuse_argument(name: str, text: str) -> None:
    if text:
        raise bad_option(name, "has no argument")


def _parse_level(name: str, text: str, low: int, high: int, default: int) -> int:
    return _parse_whole(name, text, low, high) if text else default


def _parse_whole(name: str, text: str, low: int, high: int, words: str = "") -> int:
    value = int(text) if _SIGNED.fullmatch(text) else None
    if value is None or not low <= value <= high:
        raise bad_value(name, text, f"{words} a whole number from {low} to {high}".strip())
    return value


def _parse_number(name: str, text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise bad_value(name, text, "a number")
    return float(text)
