"""The language of the option ``ov``: ``text:SALE,at:north;image:new.png,width:20``.

Overlays are separated by ``;`` and their parameters by ``,``. In a text, these characters and ``\\`` follow a ``\\``,
and ``\\n`` is a new line. A list of overlays has one spelling only: the edge function takes it as it is, since it has
no room for this parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

from ..errors import BadKey, BadOption
from ..image_keys import check_key
from ..plan.model import COMPASS_POINTS
from ..plan.option_types import (
    Choice,
    Colour,
    Flag,
    Integer,
    OptionType,
    Pattern,
    Value,
    format_decimal,
    get_only_part,
    parse_decimal,
    parse_integer,
)
from ..plan.options import escape_text
from . import FILES_BELOW

MAX_OVERLAYS = 5
MAX_TEXT_LENGTH = 200
MAX_LINES = 10
MAX_PX = 8192
OWN_SIZE = "own"
TEXT, IMAGE = "text", "image"

BLEND_MODES: Mapping[str, str] = {
    **{
        name: name
        for name in (
            *("over", "multiply", "screen", "overlay", "darken", "lighten", "hard-light", "soft-light"),
            *("difference", "exclusion", "add"),
        )
    },
    "color-dodge": "colour-dodge",
    "color-burn": "colour-burn",
}
"""Blend modes of CSS, and libvips' names of them."""

ALIGNMENTS = ("start", "center", "end")


class Measure(NamedTuple):
    """A length in percent of a side of the image, or in px."""

    number: float
    is_px: bool = False

    def resolve(self, side_px: int, ratio: float = 1.0) -> float:
        """Return the length in px; ``ratio`` multiplies px."""
        return self.number * ratio if self.is_px else self.number * side_px / 100


class Overlay(NamedTuple):
    """One overlay. ``content`` is the text, or the key below the prefix of overlays.

    ``x`` and ``y`` move it inwards from the position ``at``; None is the usual margin. ``width`` and ``height`` are the
    box of an image, or of a text that is to ``fit`` into it; None is the usual width. Other texts break at ``width``.
    ``own``: an image has its own size. ``size`` of a text is that of its font, relative to the width of the image.
    ``pad`` is in percent of it and surrounds the text in the colour ``back``.
    """

    kind: str
    content: str
    at: str = "southeast"
    x: Measure | None = None
    y: Measure | None = None
    width: Measure | None = None
    height: Measure | None = None
    own: bool = False
    fit: bool = False
    size: Measure = Measure(5)
    color: str = "ffffff"
    back: str = ""
    pad: int = 40
    bold: bool = False
    align: str = "start"
    lang: str = ""
    rotate: int = 0
    opacity: int = 100
    blend: str = "over"
    tile: bool = False


@dataclass(frozen=True, slots=True)
class MeasureType(OptionType):
    """A :class:`Measure` from ``low`` to ``high`` percent, or up to 8192 px; negative if ``low`` is."""

    low: float
    high: float

    @property
    def allowed_values(self) -> str:
        return f"percent from {format_decimal(self.low)} to {format_decimal(self.high)}, or up to {MAX_PX}px"

    def parse(self, parts: list[str]) -> Value:
        text = get_only_part(parts)
        if text.endswith("px"):
            return Measure(parse_integer(text.removesuffix("px"), -MAX_PX if self.low < 0 else 1, MAX_PX), True)
        number = parse_decimal(text, self.low, self.high)
        if number != round(number, 2):
            raise ValueError(text)
        return Measure(number)

    def format(self, value: Value) -> str:
        assert isinstance(value, Measure)
        return f"{value.number:.0f}px" if value.is_px else format_decimal(value.number)


_BOTH, _TEXTS, _IMAGES = frozenset({TEXT, IMAGE}), frozenset({TEXT}), frozenset({IMAGE})
_OFFSET, _SIDE = MeasureType(-100, 100), MeasureType(0.1, 100)

PARAMETERS: Mapping[str, tuple[OptionType, frozenset[str], str]] = {
    "at": (Choice(COMPASS_POINTS), _BOTH, "Position in the image."),
    "x": (_OFFSET, _BOTH, "Distance inwards, of the width; default 2 % of the shorter side."),
    "y": (_OFFSET, _BOTH, "Distance inwards, of the height; default as `x`."),
    "width": (_SIDE, _BOTH, "Width of an image, default 25; of a text, where lines break, default 96."),
    "height": (_SIDE, _BOTH, "With `width`, the box that an image, or a text with `fit`, fits into."),
    "own": (Flag(), _IMAGES, "The image has its own size."),
    "fit": (Flag(), _TEXTS, "Makes the text as large as `width` and `height` allow; it breaks at `\\n` only."),
    "size": (MeasureType(0.1, 50), _TEXTS, "Size of the font, of the width of the image."),
    "color": (Colour(), _TEXTS, "Colour of the text."),
    "back": (Colour(), _TEXTS, "Colour of a box behind the text; default none."),
    "pad": (Integer(0, 200), _TEXTS, "Padding of that box, in percent of the font's size."),
    "bold": (Flag(), _TEXTS, "Bold text."),
    "align": (Choice(ALIGNMENTS), _TEXTS, "Alignment of several lines, in the text's direction."),
    "lang": (
        Pattern("[a-z]{2,3}(-[a-z]{2,4})?", "a language such as ja or zh-tw"),
        _TEXTS,
        "Language: shapes of Chinese characters differ.",
    ),
    "rotate": (Integer(0, 359), _BOTH, "Degrees clockwise."),
    "opacity": (Integer(1, 100), _BOTH, "Opacity in percent."),
    "blend": (Choice(tuple(BLEND_MODES)), _BOTH, "Blend mode."),
    "tile": (Flag(), _BOTH, "Fills the image with copies, one in the centre, `x` and `y` apart; negative is 0."),
}
"""The parameters of an overlay in their order: type, kinds of overlays, and meaning."""

DEFAULTS = Overlay("", "")


def parse_overlays(text: str) -> tuple[Overlay, ...]:
    """Parse the value of ``ov``. Raises BadOption if it is invalid, or not the one spelling of its meaning."""
    overlays = tuple(_normalise(_parse_overlay(part)) for part in _split(text, ";"))
    if len(overlays) > MAX_OVERLAYS:
        raise _refuse(f"there are at most {MAX_OVERLAYS} overlays")
    if (spelling := format_overlays(overlays)) != text:
        raise _refuse(f"write it as '{spelling}'")
    return overlays


def format_overlays(overlays: Iterable[Overlay]) -> str:
    """Return the spelling of ``overlays``: parameters in their order, without defaults and what has no effect."""
    return ";".join(_format_overlay(_normalise(overlay)) for overlay in overlays)


def get_file(overlay: Overlay) -> str:
    """Return the object of an image overlay."""
    return FILES_BELOW + overlay.content


def list_files(text: str) -> tuple[str, ...]:
    """Return the objects of image overlays in the value of ``ov``, each once. Raises BadOption."""
    return tuple(dict.fromkeys(get_file(one) for one in parse_overlays(text) if one.kind == IMAGE))


def _parse_overlay(text: str) -> Overlay:
    head, *others = _split(text, ",")
    kind, colon, content = head.partition(":")
    if kind not in _BOTH or not colon:
        raise _refuse("an overlay begins with text: or image:")
    content = re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], content)
    _check_content(kind, content)
    values: dict[str, Value] = {}
    for other in others:
        name, _, value = other.partition(":")
        if name not in PARAMETERS or kind not in PARAMETERS[name][1]:
            raise _refuse(f"there is no '{escape_text(name)}' of {kind}")
        if name in values:
            raise _refuse(f"{name} was given twice")
        option_type = PARAMETERS[name][0]
        try:
            values[name] = option_type.parse([value])
        except ValueError as error:
            raise _refuse(f"{name} must be {option_type.allowed_values}, but is '{escape_text(value)}'") from error
    return Overlay(kind, content, **values)  # type: ignore[arg-type]


def _check_content(kind: str, content: str) -> None:
    if kind == IMAGE:
        try:
            check_key(content)
        except BadKey as error:
            raise _refuse(f"image: {error.message}") from error
    elif not content.strip() or len(content) > MAX_TEXT_LENGTH or content.count("\n") >= MAX_LINES:
        raise _refuse(f"a text has 1 to {MAX_TEXT_LENGTH} characters, in at most {MAX_LINES} lines")


def _normalise(overlay: Overlay) -> Overlay:
    """Drop what has no effect."""
    if overlay.tile:
        overlay = overlay._replace(at=DEFAULTS.at)
    x = _normalise_offset(overlay.x, overlay.at, ("east", "west"))
    overlay = overlay._replace(x=x, y=_normalise_offset(overlay.y, overlay.at, ("north", "south")))
    if overlay.own:
        overlay = overlay._replace(width=None, height=None)
    if overlay.fit:
        overlay = overlay._replace(size=DEFAULTS.size)
    elif overlay.kind == TEXT:
        overlay = overlay._replace(height=None)
    if not overlay.back:
        overlay = overlay._replace(pad=DEFAULTS.pad)
    return overlay


def _normalise_offset(offset: Measure | None, position: str, sides: tuple[str, str]) -> Measure | None:
    """Return ``offset`` unless it is 0: that is the usual one where ``position`` is on none of ``sides``."""
    if offset is None or offset.number:
        return offset
    return Measure(0) if any(side in position for side in sides) else None


def _format_overlay(overlay: Overlay) -> str:
    content = re.sub(r"([\\,;])", r"\\\1", overlay.content).replace("\n", "\\n")
    values = cast(Sequence[tuple[str, Value]], [(name, getattr(overlay, name)) for name in PARAMETERS])
    given = [
        f"{name}:{PARAMETERS[name][0].format(value)}" for name, value in values if value != getattr(DEFAULTS, name)
    ]
    return ",".join([f"{overlay.kind}:{content}", *given])


def _split(text: str, separator: str) -> list[str]:
    """Split ``text`` at separators that follow no backslash of their own."""
    parts = [""]
    for piece in re.findall(r"\\.|.", text, re.DOTALL):
        if piece == separator:
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _refuse(text: str) -> BadOption:
    return BadOption(f"ov: {text}", option="ov")
