"""Types of option values that have several parts: the values are the tuples of :mod:`.model`.

Those of native options come first. The others are in canonical paths only and have one spelling each.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from .model import (
    COMPASS_POINTS,
    REDACTIONS,
    Convolution,
    Crop,
    CropTo,
    Curve,
    Extension,
    Gravity,
    Padding,
    Proportion,
    TrimOptions,
    Watermark,
    WatermarkLayout,
)
from .option_types import (
    Choice,
    Decimal,
    Flag,
    JsArgs,
    OptionType,
    Value,
    format_decimal,
    format_hundredths,
    get_only_part,
    join_parts,
    parse_decimal,
    parse_hundredths,
    parse_integer,
)

MAX_LENGTH_PX = 65_535
MAX_LEVEL = 255
"""Of an 8-bit channel."""

MAX_WEIGHTS = 49
"""Of a convolution: seven by seven."""

CORNER_COLOUR, NO_AXES = "auto", "none"
_COLOUR = re.compile(rf"[0-9a-f]{{6}}|[0-9a-f]{{8}}|{CORNER_COLOUR}")
_CHANNELS = "argb"

OBJECT_CLASS = "[a-z0-9]{1,32}"
"""Pattern of a class of objects, as the endpoint writes them (``endpoint/boxes.py``)."""


@dataclass(frozen=True, slots=True)
class GravityType(OptionType):
    """One of ``words``, ``obj:class``, or ``fp:x:y`` with fractions of the upright image."""

    name: ClassVar[str] = "gravity"
    words: tuple[str, ...]

    @property
    def allowed_values(self) -> str:
        return "one of " + ", ".join(self.words) + ", obj:class, or fp:x:y with x and y from 0 to 1"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) == 3 and parts[0] == "fp":
            return Gravity("fp", parse_hundredths(parts[1], 0, 1), parse_hundredths(parts[2], 0, 1))
        if len(parts) == 2 and parts[0] == "obj" and re.fullmatch(OBJECT_CLASS, parts[1]):
            return Gravity("obj", label=parts[1])
        if get_only_part(parts) not in self.words:
            raise ValueError(parts)
        return Gravity(parts[0])

    def format(self, value: Value) -> str:
        assert isinstance(value, Gravity)
        if value.name != "fp":
            return join_parts(filter(None, (value.name, value.label)))
        return join_parts(("fp", format_hundredths(value.x), format_hundredths(value.y)))

    def js_args(self) -> JsArgs:
        return {"words": list(self.words)}


def join_redactions(words: Iterable[str]) -> str:
    """Return the normal form of what ``words`` redact together: without what another word includes, sorted."""
    chosen = set(words)
    if "all" in chosen or chosen >= {"faces", "text"}:
        chosen = chosen - {*REDACTIONS} | {"all"}
    elif "text" in chosen:
        chosen.discard("pii")
    return join_parts(sorted(chosen))


@dataclass(frozen=True, slots=True)
class RedactionType(OptionType):
    """Some of REDACTIONS and of the classes of objects that the deployment detects."""

    name: ClassVar[str] = "redaction"

    @property
    def allowed_values(self) -> str:
        return f"{', '.join(REDACTIONS)}, a class of objects, or several of these"

    def parse(self, parts: list[str]) -> Value:
        if not all(re.fullmatch(OBJECT_CLASS, part) for part in parts):
            raise ValueError(parts)
        return join_redactions(parts)


@dataclass(frozen=True, slots=True)
class CropType(OptionType):
    """``x,y,w,h`` in pixels of the upright source, or in percent after ``pct:``."""

    name: ClassVar[str] = "crop"
    high: int

    @property
    def allowed_values(self) -> str:
        return f"x,y,w,h in pixels up to {self.high}, or pct:x,y,w,h in percent with x+w and y+h up to 100"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) == 5 and parts[0] == "pct":
            x, y, width, height = (parse_hundredths(part, 0, 100) for part in parts[1:])
            within = round((x + width) * 100) <= 10000 and round((y + height) * 100) <= 10000
            if not within or width <= 0 or height <= 0:
                raise ValueError(parts)
            return Crop("pct", x, y, width, height)
        if len(parts) != 4:
            raise ValueError(parts)
        x, y = (parse_integer(part, 0, self.high) for part in parts[:2])
        width, height = (parse_integer(part, 1, self.high) for part in parts[2:])
        return Crop("px", x, y, width, height)

    def format(self, value: Value) -> str:
        assert isinstance(value, Crop)
        numbers = [format_hundredths(number) for number in value[1:]]
        return join_parts(["pct", *numbers] if value.unit == "pct" else numbers)


@dataclass(frozen=True, slots=True)
class PaddingType(OptionType):
    """One number for all sides, two for top/bottom and right/left, or four in CSS order: ``t,r,b,l``."""

    name: ClassVar[str] = "padding"
    high: int

    @property
    def allowed_values(self) -> str:
        return f"1, 2 or 4 whole numbers (t,r,b,l) from 0 to {self.high}"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) not in (1, 2, 4):
            raise ValueError(parts)
        sides = [parse_integer(part, 0, self.high) for part in parts]
        return Padding(*(sides * (4 // len(sides))))


@dataclass(frozen=True, slots=True)
class WatermarkType(OptionType):
    """``name[,position[,opacity[,scale]]]``."""

    name: ClassVar[str] = "watermark"
    positions: tuple[str, ...]

    @property
    def allowed_values(self) -> str:
        return (
            "name,position,opacity,scale: a configured name (a-z, 0-9), one of "
            + ", ".join(self.positions)
            + ", and two whole numbers from 1 to 100"
        )

    def parse(self, parts: list[str]) -> Value:
        if len(parts) > 4 or not re.fullmatch(r"[a-z0-9]{1,32}", parts[0]):
            raise ValueError(parts)
        name, position, opacity, scale = (*parts, *map(str, Watermark("")[len(parts) :]))
        if position not in self.positions:
            raise ValueError(parts)
        return Watermark(name, position, parse_integer(opacity, 1, 100), parse_integer(scale, 1, 100))

    def js_args(self) -> JsArgs:
        return {"words": list(self.positions), **Watermark._field_defaults}


@dataclass(frozen=True, slots=True)
class NumberTuple(OptionType):
    """``count`` numbers from ``low`` to ``high``, from which ``constructor`` makes the value.

    ``integral``: the numbers are whole. ``max_repeats``: there may be this many times ``count`` numbers.
    """

    constructor: Callable[..., tuple[object, ...]]
    count: int
    low: float
    high: float
    integral: bool = False
    max_repeats: int = 1

    @property
    def allowed_values(self) -> str:
        times = f", up to {self.max_repeats} times" if self.max_repeats > 1 else ""
        return f"{self.count} numbers from {format_decimal(self.low)} to {format_decimal(self.high)}{times}"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) % self.count or not 1 <= len(parts) // self.count <= self.max_repeats:
            raise ValueError(parts)
        if self.integral and any("." in part for part in parts):
            raise ValueError(parts)
        values = [parse_decimal(part, self.low, self.high) for part in parts]
        return self.constructor(*(int(value) for value in values)) if self.integral else self.constructor(*values)

    def format(self, value: Value) -> str:
        assert isinstance(value, tuple)
        return join_parts(format_decimal(float(str(one))) for one in value)


@dataclass(frozen=True, slots=True)
class PartsType(OptionType):
    """Parts of a type each, from whose values ``constructor`` makes the value."""

    constructor: Callable[..., tuple[object, ...]]
    parts: tuple[OptionType, ...]
    description: str

    @property
    def allowed_values(self) -> str:
        return self.description

    def parse(self, parts: list[str]) -> Value:
        if len(parts) != len(self.parts):
            raise ValueError(parts)
        return self.constructor(*(kind.parse([part]) for kind, part in zip(self.parts, parts)))

    def format(self, value: Value) -> str:
        assert isinstance(value, tuple)
        return join_parts(kind.format(part) for kind, part in zip(self.parts, value))  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class ExtensionType(OptionType):
    """``box|ratio-position-dx-dy``. With the position ``fp`` the numbers are a point, from 0 to 1."""

    positions: tuple[str, ...]

    allowed_values = "box or ratio, a position, and an offset's dx and dy"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) != 4 or parts[0] not in ("box", "ratio") or parts[1] not in (*self.positions, "fp"):
            raise ValueError(parts)
        kind = FRACTION if parts[1] == "fp" else LENGTH
        return Extension(parts[0], parts[1], *(parse_decimal(part, kind.low, kind.high) for part in parts[2:]))

    def format(self, value: Value) -> str:
        assert isinstance(value, Extension)
        return join_parts((value.to, value.position, format_decimal(value.dx), format_decimal(value.dy)))


@dataclass(frozen=True, slots=True)
class TrimOptionsType(OptionType):
    """``colour-corner-axes[-level]``. ``auto`` is the colour of the corner and ``none`` no axes: "" in the value."""

    allowed_values = "a colour or auto, northwest or southeast, the axes h, v, hv or none, and optionally a threshold"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) not in (3, 4) or not _COLOUR.fullmatch(parts[0]):
            raise ValueError(parts)
        if parts[1] not in ("northwest", "southeast") or parts[2] not in (NO_AXES, "h", "v", "hv"):
            raise ValueError(parts)
        colour, corner, axes = parts[:3]
        level = parse_decimal(parts[3], 0.0001, MAX_LEVEL) if len(parts) == 4 else 0.0
        return TrimOptions("" if colour == CORNER_COLOUR else colour, corner, "" if axes == NO_AXES else axes, level)

    def format(self, value: Value) -> str:
        assert isinstance(value, TrimOptions)
        colour, corner, axes, level = value
        end = [format_decimal(level)] if level else []
        return join_parts((colour or CORNER_COLOUR, corner, axes or NO_AXES, *end))


@dataclass(frozen=True, slots=True)
class ConvolutionType(OptionType):
    """``columns-normal-weight-weight…``: whole rows, an odd number of rows and of columns."""

    allowed_values = f"the columns of a matrix, 0 or 1, and at most {MAX_WEIGHTS} weights"

    def parse(self, parts: list[str]) -> Value:
        first, second, *others = parts
        columns, normal = parse_integer(first, 1, MAX_WEIGHTS), bool(parse_integer(second, 0, 1))
        weights = tuple(parse_decimal(part, -1000, 1000) for part in others)
        rows = len(weights) // columns
        if len(weights) > MAX_WEIGHTS or rows * columns != len(weights) or not (rows % 2 and columns % 2):
            raise ValueError(parts)
        return Convolution(columns, normal, weights)

    def format(self, value: Value) -> str:
        assert isinstance(value, Convolution)
        return join_parts(map(format_decimal, (value.columns, value.normal, *value.weights)))


@dataclass(frozen=True, slots=True)
class CurvesType(OptionType):
    """Four curves, of all channels, red, green and blue: ``a.x.y.x.y-r…-g…-b…`` with numbers from 0 to 255."""

    allowed_values = "four tone curves: points with two numbers from 0 to 255"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) != len(_CHANNELS):
            raise ValueError(parts)
        return tuple(_parse_curve(channel, part) for channel, part in zip(_CHANNELS, parts))

    def format(self, value: Value) -> str:
        assert isinstance(value, tuple)
        return join_parts(
            ".".join([channel, *(str(one) for point in curve for one in point)])  # type: ignore[attr-defined]
            for channel, curve in zip(_CHANNELS, value)
        )


LENGTH = Decimal(-MAX_LENGTH_PX, MAX_LENGTH_PX)
"""A :data:`~.model.Length`."""

FRACTION = Decimal(0, 1)
_SIDE = Decimal(0, MAX_LENGTH_PX)

CROP_TO = PartsType(
    CropTo,
    (_SIDE, _SIDE, Choice((*COMPASS_POINTS, "attention", "fp")), FRACTION, FRACTION, LENGTH, LENGTH),
    "width, height, gravity, the focal point's x and y, and an offset's dx and dy",
)
WATERMARK_LAYOUT = PartsType(
    WatermarkLayout,
    (LENGTH, LENGTH, Flag(), FRACTION, FRACTION),
    "an offset's dx and dy, 0 or 1 for tiles, and fractions of the image's width and height",
)
PROPORTION = PartsType(
    Proportion, (Decimal(0.0001, 1), Flag()), "a factor from 0.0001 to 1, and 0 or 1 for margins that shrink too"
)


def _parse_curve(channel: str, text: str) -> Curve:
    head, *numbers = text.split(".")
    if head != channel or len(numbers) % 2:
        raise ValueError(text)
    levels = [parse_integer(one, 0, MAX_LEVEL) for one in numbers]
    points = tuple(zip(levels[::2], levels[1::2]))
    if len(points) == 1 or any(left[0] >= right[0] for left, right in zip(points, points[1:])):
        raise ValueError(text)
    return points
