"""Parse imgproxy's options. Each parser takes the name as written and at least one argument, and raises BadOption."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from darkroom.image_keys import unquote
from darkroom.overlays.language import MAX_PX
from darkroom.plan.model import IMAGE_FORMATS
from darkroom.plan.options import escape_text

from ..common.anchor import Anchor
from ..common.settings import ImgproxySettings
from ..common.validate import bad_option, require_word
from .arguments import check_count, parse_anchor, parse_colour, parse_flag, parse_int, parse_number, parse_place, single
from .model import ExtendOptions, ImgproxyOptions

_ENTITY = re.compile("&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")
"""References of XML, which Pango's markup has (GLib, GMarkupParser)."""

RESIZING = ("fit", "fill", "fill-down", "force", "auto")
FORMATS = {"jpg": "jpeg", **{name: name for name in IMAGE_FORMATS}, "tif": "tiff", "tiff": "tiff"}
"""imgproxy's names of our output formats."""

OTHER_FORMATS = ("jxl", "ico", "bmp", "heic", "svg")
"""Formats of imgproxy that are not written here."""


@dataclass(slots=True)
class ParseState:
    """The options parsed so far, and the presets that are being parsed."""

    settings: ImgproxySettings
    options: ImgproxyOptions = field(default_factory=ImgproxyOptions)
    presets: list[str] = field(default_factory=list)


type OptionParser = Callable[[ParseState, str, list[str]], None]
"""Takes the name as written and at least one argument."""


def parse_format_name(option: str, text: str) -> str:
    """Return our name of an output format. Raises BadOption."""
    if text == "best":
        raise bad_option(option, "best belongs to imgproxy Pro and is not supported")
    if text in OTHER_FORMATS:
        raise bad_option(option, f"{text} is not supported")
    return FORMATS[require_word(option, text, FORMATS)]


type IntField = Literal["width", "height", "min_width", "min_height", "pixelate", "max_bytes", "max_side", "page"]
type FlagField = Literal["enlarge", "auto_rotate", "raw", "attachment", "still", "strip_metadata", "keep_copyright"]
type FloatField = Literal["blur", "sharpen", "contrast", "saturation"]


def parse_int_field(into: IntField, state: ParseState, name: str, args: list[str]) -> None:
    if text := single(name, args):
        setattr(state.options, into, parse_int(name, text, 0))


def parse_switch(into: FlagField, state: ParseState, name: str, args: list[str]) -> None:
    setattr(state.options, into, parse_flag(single(name, args)))


def parse_float_field(into: FloatField, state: ParseState, name: str, args: list[str]) -> None:
    if text := single(name, args):
        setattr(state.options, into, parse_number(name, text, 0))


def ignore_argument(_state: ParseState, name: str, args: list[str]) -> None:
    single(name, args)


def ignore_arguments(_state: ParseState, name: str, args: list[str]) -> None:
    """Ignore any number of arguments."""


def parse_limit(_state: ParseState, name: str, args: list[str]) -> None:
    parse_number(name, single(name, args), 0)


def parse_resizing_type(state: ParseState, name: str, args: list[str]) -> None:
    state.options.resizing = require_word(name, single(name, args) or state.options.resizing, RESIZING)


def parse_resize(state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 8)
    if args[0]:
        parse_resizing_type(state, name, args[:1])
    parse_size(state, name, args[1:])


def parse_size(state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 7)
    sides: tuple[IntField, IntField] = ("width", "height")
    for into, text in zip(sides, args, strict=False):
        if text:
            parse_int_field(into, state, name, [text])
    if len(args) > 2 and args[2]:
        state.options.enlarge = parse_flag(args[2])
    if len(args) > 3 and args[3]:
        parse_extend("extend", state, name, args[3:])


def parse_extend(into: Literal["extend", "extend_ratio"], state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 4)
    before: ExtendOptions = getattr(state.options, into)
    around = parse_anchor(name, args[1:], before.anchor, smart=False) if any(args[1:]) else before.anchor
    setattr(state.options, into, ExtendOptions(parse_flag(args[0]) if args[0] else before.enabled, around))


def parse_zoom(state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 2)
    before = (state.options.zoom_x, state.options.zoom_y)
    factors = [parse_number(name, text, 0) if text else old for text, old in zip(args, before, strict=False)]
    if not all(factors):
        raise bad_option(name, "must be above 0")
    state.options.zoom_x, state.options.zoom_y = factors[0], factors[-1]


def parse_dpr(state: ParseState, name: str, args: list[str]) -> None:
    text = single(name, args)
    state.options.dpr = parse_number(name, text, 0) if text else state.options.dpr
    if not state.options.dpr:
        raise bad_option(name, "must be above 0")


def parse_gravity(state: ParseState, name: str, args: list[str]) -> None:
    state.options.gravity = parse_anchor(name, args, state.options.gravity, objects=True)


def parse_crop(state: ParseState, name: str, args: list[str]) -> None:
    options = state.options
    if args[0]:
        options.crop_width = parse_number(name, args[0], 0)
    if len(args) > 1 and args[1]:
        options.crop_height = parse_number(name, args[1], 0)
    if any(args[2:]):
        options.crop_gravity = parse_anchor(name, args[2:], options.crop_gravity or Anchor())


def parse_trim(state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 4)
    trim = state.options.trim
    trim.threshold = parse_number(name, args[0], 0) if args[0] else None
    trim.colour = parse_colour(name, args[1]) if len(args) > 1 and args[1] else ""
    if len(args) > 2 and args[2]:
        trim.equal_x = parse_flag(args[2])
    if len(args) > 3 and args[3]:
        trim.equal_y = parse_flag(args[3])


def parse_padding(state: ParseState, name: str, args: list[str]) -> None:
    """Parse padding as in CSS: a missing side is that of the opposite one, and the right is that of the top."""
    check_count(name, args, 4)
    sides = state.options.padding
    for index, other in enumerate((0, 0, 0, 1)):
        given = index < len(args) and args[index]
        sides[index] = parse_int(name, args[index], 0) if given else sides[other]


def parse_rotate(state: ParseState, name: str, args: list[str]) -> None:
    text = single(name, args)
    degrees = parse_int(name, text) if text else state.options.rotate
    if degrees % 90:
        raise bad_option(name, f"must be a multiple of 90, but is {degrees}")
    state.options.rotate = degrees % 360


def parse_flip(state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 2)
    if args[0]:
        state.options.flip_x = parse_flag(args[0])
    if len(args) > 1 and args[1]:
        state.options.flip_y = parse_flag(args[1])


def parse_background(state: ParseState, name: str, args: list[str]) -> None:
    if len(args) == 3:
        state.options.background = "".join(f"{parse_int(name, text, 0, 255):02x}" for text in args)
    else:
        text = single(name, args)
        state.options.background = parse_colour(name, text) if text else ""


def parse_watermark(state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 7)
    before = state.options.watermark
    opacity = parse_number(name, args[0], 0, 1) if args[0] else before.opacity
    _, position, x, y, scale = (*args, *[""] * 5)[:5]
    if position == "ch":
        raise bad_option(name, "ch belongs to imgproxy Pro and is not supported")
    state.options.watermark = replace(
        before,
        opacity=opacity,
        position=before.position if not position else "tiled" if position == "re" else parse_place(name, position),
        x=parse_number(name, x) if x else before.x,
        y=parse_number(name, y) if y else before.y,
        scale=parse_number(name, scale, 0) if scale else before.scale,
    )


def parse_watermark_text(into: Literal["address", "text"], state: ParseState, name: str, args: list[str]) -> None:
    """Parse URL-safe base64. Of an address and a text the later one applies; a text is Pango's markup without tags."""
    decoded = _decode_base64(name, single(name, args))
    if into == "text":
        from html import unescape

        if "<" in decoded or "&" in _ENTITY.sub("", decoded):
            raise bad_option(name, "tags of Pango's markup are not supported, and & is written as &amp;")
        decoded = unescape(decoded)
    address, text = (decoded, "") if into == "address" else ("", decoded)
    state.options.watermark = replace(state.options.watermark, address=address, text=text)


def parse_watermark_size(state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 2)
    width, height = (parse_int(name, text, 0, MAX_PX) if text else 0 for text in (*args, "")[:2])
    state.options.watermark = replace(state.options.watermark, width=width, height=height)


def parse_watermark_rotate(state: ParseState, name: str, args: list[str]) -> None:
    degrees = parse_int(name, single(name, args), -360, 360) % 360
    state.options.watermark = replace(state.options.watermark, rotate=degrees)


def _decode_base64(name: str, text: str) -> str:
    from base64 import urlsafe_b64decode

    try:
        return urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4)).decode()
    except ValueError as error:
        raise bad_option(name, "must be URL-safe base64 of UTF-8") from error


def parse_quality(state: ParseState, name: str, args: list[str]) -> None:
    if text := single(name, args):
        state.options.quality = parse_int(name, text, 0, 100)


def parse_format_quality(state: ParseState, name: str, args: list[str]) -> None:
    if len(args) % 2:
        raise bad_option(name, "must have a quality for each format")
    for output, text in zip(args[::2], args[1::2], strict=True):
        quality = parse_int(name, text, 1, 100)
        if output not in OTHER_FORMATS:
            state.options.format_quality[parse_format_name(name, output)] = quality


def parse_format(state: ParseState, name: str, args: list[str]) -> None:
    state.options.format = parse_format_name(name, single(name, args))


def parse_skip(state: ParseState, name: str, args: list[str]) -> None:
    for kind in args:
        known = FORMATS.get(kind) or (kind if kind in OTHER_FORMATS else "")
        if not known:
            raise bad_option(name, f"'{escape_text(kind)}' is not a format of imgproxy")
        state.options.skip.add(known)


def parse_expires(state: ParseState, name: str, args: list[str]) -> None:
    """Parse a Unix time. The URL is valid during the second that it names, as in imgproxy."""
    timestamp = parse_int(name, single(name, args), high=999_999_999_999)
    state.options.expires_s = timestamp + 1 if timestamp > 0 else None


def parse_filename(state: ParseState, name: str, args: list[str]) -> None:
    check_count(name, args, 2)
    from base64 import urlsafe_b64decode

    try:
        if len(args) > 1 and parse_flag(args[1]):
            text = args[0].rstrip("=")
            state.options.file_name = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        else:
            state.options.file_name = unquote(args[0])
    except ValueError as error:
        raise bad_option(name, "must be percent-encoded, or base64url with :1 after it") from error


def parse_brightness(state: ParseState, name: str, args: list[str]) -> None:
    if text := single(name, args):
        state.options.brightness = parse_int(name, text, -255, 255)


def parse_adjust(state: ParseState, name: str, args: list[str]) -> None:
    """Parse ``brightness``, ``contrast`` and ``saturation`` in one option."""
    check_count(name, args, 3)
    parse_brightness(state, name, args[:1])
    tones: tuple[FloatField, FloatField] = ("contrast", "saturation")
    for into, text in zip(tones, args[1:], strict=False):
        parse_float_field(into, state, name, [text])


def parse_background_alpha(state: ParseState, name: str, args: list[str]) -> None:
    if text := single(name, args):
        state.options.background_alpha = parse_number(name, text, 0, 1)


def check_algorithm(_state: ParseState, name: str, args: list[str]) -> None:
    """Accept the only kernel that is used here."""
    if single(name, args) not in ("", "lanczos3"):
        raise bad_option(name, "only lanczos3 is supported")


def parse_frame_limit(state: ParseState, name: str, args: list[str]) -> None:
    state.options.still = parse_int(name, single(name, args), 1) == 1
