"""What reads imgproxy's options: each takes the name as it was written and its arguments, at least one.

They raise BadOption that names the option.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ...plan.keys import unquote
from ...plan.options import escape_text
from ..common.settings import ImgproxySettings
from ..common.validate import refused
from .arguments import at_most, colour, flag, number, only, place, pull, whole
from .gravity import Pull
from .model import Extend, Mark, Wanted

RESIZING = ("fit", "fill", "fill-down", "force", "auto")
FORMATS = {
    "jpg": "jpeg",
    "jpeg": "jpeg",
    "png": "png",
    "webp": "webp",
    "gif": "gif",
    "avif": "avif",
    "tif": "tiff",
    "tiff": "tiff",
}
"""imgproxy's names of what is made here."""

OTHER_FORMATS = ("jxl", "ico", "bmp", "heic", "svg")
"""What imgproxy can answer or read, and what is not made here."""


@dataclass(slots=True)
class Reading:
    """What has been read, and the presets that are being read at the moment."""

    settings: ImgproxySettings
    wanted: Wanted = field(default_factory=Wanted)
    presets: list[str] = field(default_factory=list)


type Read = Callable[[Reading, str, list[str]], None]
"""Takes the option's name as it was written, and its arguments, of which there is at least one."""


def format_named(option: str, text: str) -> str:
    """Our name for an output format of imgproxy's; raises BadOption."""
    if text == "best":
        raise refused(option, "best is of imgproxy Pro, and not served here")
    if text in OTHER_FORMATS:
        raise refused(option, f"{text} is not made here")
    if text not in FORMATS:
        raise refused(option, f"must be one of {', '.join(FORMATS)}, but is '{escape_text(text)}'")
    return FORMATS[text]


type Wholes = Literal["width", "height", "min_width", "min_height", "pixelate", "max_bytes", "max_side", "page"]
type Flags = Literal["enlarge", "auto_rotate", "raw", "attachment", "still"]
type Floats = Literal["blur", "sharpen", "contrast", "saturation"]


def size_in_px(into: Wholes, reading: Reading, name: str, args: list[str]) -> None:
    if text := only(name, args):
        setattr(reading.wanted, into, whole(name, text, 0))


def switch(into: Flags, reading: Reading, name: str, args: list[str]) -> None:
    setattr(reading.wanted, into, flag(only(name, args)))


def sigma(into: Floats, reading: Reading, name: str, args: list[str]) -> None:
    if text := only(name, args):
        setattr(reading.wanted, into, number(name, text, 0))


def nothing(_reading: Reading, name: str, args: list[str]) -> None:
    only(name, args)


def names(_reading: Reading, name: str, args: list[str]) -> None:
    """Any number of words that say nothing here."""


def limit(_reading: Reading, name: str, args: list[str]) -> None:
    number(name, only(name, args), 0)


def resizing_type(reading: Reading, name: str, args: list[str]) -> None:
    kind = only(name, args) or reading.wanted.resizing
    if kind not in RESIZING:
        raise refused(name, f"must be one of {', '.join(RESIZING)}, but is '{escape_text(kind)}'")
    reading.wanted.resizing = kind


def resize(reading: Reading, name: str, args: list[str]) -> None:
    at_most(name, args, 8)
    if args[0]:
        resizing_type(reading, name, args[:1])
    size(reading, name, args[1:])


def size(reading: Reading, name: str, args: list[str]) -> None:
    at_most(name, args, 7)
    sides: tuple[Wholes, Wholes] = ("width", "height")
    for into, text in zip(sides, args, strict=False):
        if text:
            size_in_px(into, reading, name, [text])
    if len(args) > 2 and args[2]:
        reading.wanted.enlarge = flag(args[2])
    if len(args) > 3 and args[3]:
        extend("extend", reading, name, args[3:])


def extend(into: Literal["extend", "extend_ratio"], reading: Reading, name: str, args: list[str]) -> None:
    at_most(name, args, 4)
    before: Extend = getattr(reading.wanted, into)
    around = pull(name, args[1:], before.pull, smart=False) if any(args[1:]) else before.pull
    setattr(reading.wanted, into, Extend(flag(args[0]) if args[0] else before.enabled, around))


def zoom(reading: Reading, name: str, args: list[str]) -> None:
    at_most(name, args, 2)
    before = (reading.wanted.zoom_x, reading.wanted.zoom_y)
    factors = [number(name, text, 0) if text else old for text, old in zip(args, before, strict=False)]
    if not all(factors):
        raise refused(name, "must be above 0")
    reading.wanted.zoom_x, reading.wanted.zoom_y = factors[0], factors[-1]


def dpr(reading: Reading, name: str, args: list[str]) -> None:
    text = only(name, args)
    reading.wanted.dpr = number(name, text, 0) if text else reading.wanted.dpr
    if not reading.wanted.dpr:
        raise refused(name, "must be above 0")


def gravity(reading: Reading, name: str, args: list[str]) -> None:
    reading.wanted.gravity = pull(name, args, reading.wanted.gravity, objects=True)


def crop(reading: Reading, name: str, args: list[str]) -> None:
    wanted = reading.wanted
    if args[0]:
        wanted.crop_width = number(name, args[0], 0)
    if len(args) > 1 and args[1]:
        wanted.crop_height = number(name, args[1], 0)
    if any(args[2:]):
        wanted.crop_gravity = pull(name, args[2:], wanted.crop_gravity or Pull())


def trim(reading: Reading, name: str, args: list[str]) -> None:
    at_most(name, args, 4)
    trim = reading.wanted.trim
    trim.threshold = number(name, args[0], 0) if args[0] else None
    trim.colour = colour(name, args[1]) if len(args) > 1 and args[1] else ""
    if len(args) > 2 and args[2]:
        trim.equal_x = flag(args[2])
    if len(args) > 3 and args[3]:
        trim.equal_y = flag(args[3])


def padding(reading: Reading, name: str, args: list[str]) -> None:
    """As in CSS; a side that is not given is that of the opposite one, and right that of top."""
    at_most(name, args, 4)
    sides = reading.wanted.padding
    for index, other in enumerate((0, 0, 0, 1)):
        given = index < len(args) and args[index]
        sides[index] = whole(name, args[index], 0) if given else sides[other]


def rotate(reading: Reading, name: str, args: list[str]) -> None:
    text = only(name, args)
    degrees = whole(name, text) if text else reading.wanted.rotate
    if degrees % 90:
        raise refused(name, f"must be a multiple of 90, but is {degrees}")
    reading.wanted.rotate = degrees % 360


def flip(reading: Reading, name: str, args: list[str]) -> None:
    at_most(name, args, 2)
    if args[0]:
        reading.wanted.flip_x = flag(args[0])
    if len(args) > 1 and args[1]:
        reading.wanted.flip_y = flag(args[1])


def background(reading: Reading, name: str, args: list[str]) -> None:
    if len(args) == 3:
        reading.wanted.background = "".join(f"{whole(name, text, 0, 255):02x}" for text in args)
    else:
        text = only(name, args)
        reading.wanted.background = colour(name, text) if text else ""


def watermark(reading: Reading, name: str, args: list[str]) -> None:
    at_most(name, args, 7)
    before = reading.wanted.mark
    opacity = number(name, args[0], 0, 1) if args[0] else before.opacity
    _, position, x, y, scale = (*args, *[""] * 5)[:5]
    if position == "ch":
        raise refused(name, "ch is of imgproxy Pro, and not served here")
    reading.wanted.mark = Mark(
        opacity,
        before.position if not position else "tiled" if position == "re" else place(name, position),
        number(name, x) if x else before.x,
        number(name, y) if y else before.y,
        number(name, scale, 0) if scale else before.scale,
    )


def quality(reading: Reading, name: str, args: list[str]) -> None:
    if text := only(name, args):
        reading.wanted.quality = whole(name, text, 0, 100)


def format_quality(reading: Reading, name: str, args: list[str]) -> None:
    if len(args) % 2:
        raise refused(name, "must have a quality for each format")
    for output, text in zip(args[::2], args[1::2], strict=True):
        quality = whole(name, text, 1, 100)
        if output not in OTHER_FORMATS:
            reading.wanted.format_quality[format_named(name, output)] = quality


def output(reading: Reading, name: str, args: list[str]) -> None:
    reading.wanted.format = format_named(name, only(name, args))


def skip(reading: Reading, name: str, args: list[str]) -> None:
    for kind in args:
        known = FORMATS.get(kind) or (kind if kind in OTHER_FORMATS else "")
        if not known:
            raise refused(name, f"'{escape_text(kind)}' is no format of imgproxy's")
        reading.wanted.skip.add(known)


def expires(reading: Reading, name: str, args: list[str]) -> None:
    """imgproxy refuses what is older than its timestamp, so a URL is good for the second that it names."""
    timestamp = whole(name, only(name, args), high=999_999_999_999)
    reading.wanted.expires_s = timestamp + 1 if timestamp > 0 else None


def filename(reading: Reading, name: str, args: list[str]) -> None:
    at_most(name, args, 2)
    from base64 import urlsafe_b64decode

    try:
        if len(args) > 1 and flag(args[1]):
            text = args[0].rstrip("=")
            reading.wanted.file_name = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode()
        else:
            reading.wanted.file_name = unquote(args[0])
    except ValueError as error:
        raise refused(name, "must be percent-encoded, or base64url with :1 after it") from error


def brightness(reading: Reading, name: str, args: list[str]) -> None:
    if text := only(name, args):
        reading.wanted.brightness = whole(name, text, -255, 255)


def adjust(reading: Reading, name: str, args: list[str]) -> None:
    """``brightness``, ``contrast`` and ``saturation`` in one."""
    at_most(name, args, 3)
    brightness(reading, name, args[:1])
    tones: tuple[Floats, Floats] = ("contrast", "saturation")
    for into, text in zip(tones, args[1:], strict=False):
        sigma(into, reading, name, [text])


def background_alpha(reading: Reading, name: str, args: list[str]) -> None:
    if text := only(name, args):
        reading.wanted.background_alpha = number(name, text, 0, 1)


def algorithm(_reading: Reading, name: str, args: list[str]) -> None:
    """The kernel by which everything is made smaller here."""
    if only(name, args) not in ("", "lanczos3"):
        raise refused(name, "only lanczos3 is served here")


def frames(reading: Reading, name: str, args: list[str]) -> None:
    reading.wanted.still = whole(name, only(name, args), 1) == 1
