"""Kinds of borrowed option values. In canonical paths only, so each has one spelling: parts separated by ``-``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

from ..model import Convolution, CropTo, Curve, Extension, Proportion, TrimOptions, WatermarkLayout
from ..option_types import JsArgs, Value, get_only_part, join_parts

MAX_LENGTH_PX = 65_535
MAX_LEVEL = 255
"""Of an 8-bit channel."""

MAX_WEIGHTS = 49
"""Of a convolution: seven by seven."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,4})?")
CORNER_COLOUR, NO_AXES = "auto", "none"
_COLOUR = re.compile(rf"[0-9a-f]{{6}}|[0-9a-f]{{8}}|{CORNER_COLOUR}")
_CHANNELS = "argb"


def parse_decimal(text: str, low: float, high: float) -> float:
    """A number with at most four decimals within bounds; raises ValueError."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(text)
    value = round(float(text), 4)
    if not low <= value <= high:
        raise ValueError(text)
    return value


def format_decimal(value: float) -> str:
    """The shortest spelling with at most four decimals: ``1``, ``-0.25``."""
    text = f"{round(value, 4):.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def parse_length(text: str) -> float:
    """A :data:`~..model.Length`; raises ValueError."""
    return parse_decimal(text, -MAX_LENGTH_PX, MAX_LENGTH_PX)


def parse_integral(text: str, low: int, high: int) -> int:
    """A whole number within bounds; raises ValueError."""
    value = parse_decimal(text, low, high)
    if value != int(value):
        raise ValueError(text)
    return int(value)


@dataclass(frozen=True, slots=True)
class NumberTuple:
    """As many numbers as ``shape`` has fields, each from ``low`` to ``high``; ``shape`` makes the value of them.

    With ``most``, there may be up to so many times ``count`` numbers.
    """

    constructor: Callable[..., tuple[object, ...]]
    count: int
    low: float
    high: float
    integral: bool = False
    max_repeats: int = 1
    name: str = "numbers"

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

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class Decimal:
    """A number from ``low`` to ``high`` with at most four decimals."""

    low: float
    high: float
    name: str = "decimal"

    @property
    def allowed_values(self) -> str:
        return f"a number from {format_decimal(self.low)} to {format_decimal(self.high)}"

    def parse(self, parts: list[str]) -> Value:
        return parse_decimal(get_only_part(parts), self.low, self.high)

    def format(self, value: Value) -> str:
        return format_decimal(float(str(value)))

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class CropToType:
    """``w-h-gravity-x-y-dx-dy``."""

    words: tuple[str, ...]
    name: str = "cut"

    @property
    def allowed_values(self) -> str:
        return "width, height, what is kept, its place and an offset"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) != 7 or parts[2] not in self.words:
            raise ValueError(parts)
        width, height = (parse_decimal(part, 0, MAX_LENGTH_PX) for part in parts[:2])
        x, y = (parse_decimal(part, 0, 1) for part in parts[3:5])
        return CropTo(width, height, parts[2], x, y, parse_length(parts[5]), parse_length(parts[6]))

    def format(self, value: Value) -> str:
        assert isinstance(value, CropTo)
        return join_parts(part if isinstance(part, str) else format_decimal(part) for part in value)

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class ExtensionType:
    """``box|ratio-place-dx-dy``; with ``fp`` as the place the numbers are its point, from 0 to 1."""

    places: tuple[str, ...]
    name: str = "extension"

    @property
    def allowed_values(self) -> str:
        return "box or ratio, a place and an offset"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) != 4 or parts[0] not in ("box", "ratio") or parts[1] not in (*self.places, "fp"):
            raise ValueError(parts)
        if parts[1] == "fp":
            return Extension(parts[0], "fp", parse_decimal(parts[2], 0, 1), parse_decimal(parts[3], 0, 1))
        return Extension(parts[0], parts[1], parse_length(parts[2]), parse_length(parts[3]))

    def format(self, value: Value) -> str:
        assert isinstance(value, Extension)
        return join_parts((value.to, value.position, format_decimal(value.dx), format_decimal(value.dy)))

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class TrimOptionsType:
    """``colour-corner-axes[-level]``; ``auto`` is the corner's colour, ``none`` no axes: empty in the value."""

    name: str = "trimming"

    @property
    def allowed_values(self) -> str:
        return "a colour, northwest or southeast, the axes h, v or hv, and perhaps a threshold"

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
        return join_parts(
            (colour or CORNER_COLOUR, corner, axes or NO_AXES, *([format_decimal(level)] if level else []))
        )

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class WatermarkLayoutType:
    """``dx-dy-tiled-width-height``."""

    name: str = "stamp"

    @property
    def allowed_values(self) -> str:
        return "an offset, 0 or 1 for tiles, and parts of the picture's width and height"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) != 5:
            raise ValueError(parts)
        width, height = (parse_decimal(part, 0, 1) for part in parts[3:])
        return WatermarkLayout(
            parse_length(parts[0]), parse_length(parts[1]), bool(parse_integral(parts[2], 0, 1)), width, height
        )

    def format(self, value: Value) -> str:
        assert isinstance(value, WatermarkLayout)
        numbers = (value.dx, value.dy, int(value.tiled), value.width, value.height)
        return join_parts(map(format_decimal, numbers))

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class ProportionType:
    """``factor-canvas``."""

    name: str = "proportion"

    @property
    def allowed_values(self) -> str:
        return "a factor from 0.0001 to 1, and 0 or 1 for margins that shrink too"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) != 2:
            raise ValueError(parts)
        return Proportion(parse_decimal(parts[0], 0.0001, 1), bool(parse_integral(parts[1], 0, 1)))

    def format(self, value: Value) -> str:
        assert isinstance(value, Proportion)
        return join_parts((format_decimal(value.factor), format_decimal(value.canvas)))

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class ConvolutionType:
    """``columns-normal-weight-weight…``, as many weights as whole rows take."""

    name: str = "convolution"

    @property
    def allowed_values(self) -> str:
        return f"the columns of a matrix, 0 or 1, and at most {MAX_WEIGHTS} weights"

    def parse(self, parts: list[str]) -> Value:
        first, second, *others = parts
        columns, normal = parse_integral(first, 1, MAX_WEIGHTS), bool(parse_integral(second, 0, 1))
        weights = tuple(parse_decimal(part, -1000, 1000) for part in others)
        rows = len(weights) // columns
        if len(weights) > MAX_WEIGHTS or rows * columns != len(weights) or not (rows % 2 and columns % 2):
            raise ValueError(parts)
        return Convolution(columns, normal, weights)

    def format(self, value: Value) -> str:
        assert isinstance(value, Convolution)
        return join_parts(map(format_decimal, (value.columns, int(value.normal), *value.weights)))

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class CurvesType:
    """Four curves, of all channels, red, green and blue: ``a.x.y.x.y-r…-g…-b…``; points are whole, from 0 to 255."""

    name: str = "curves"

    @property
    def allowed_values(self) -> str:
        return "four tone curves: points with two numbers from 0 to 255"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) != len(_CHANNELS):
            raise ValueError(parts)
        return tuple(_parse_curve(channel, part) for channel, part in zip(_CHANNELS, parts, strict=True))

    def format(self, value: Value) -> str:
        assert isinstance(value, tuple)
        return join_parts(
            ".".join([channel, *(str(one) for point in curve for one in point)])  # type: ignore[attr-defined]
            for channel, curve in zip(_CHANNELS, value, strict=True)
        )

    def js_args(self) -> JsArgs:
        return {}


def _parse_curve(channel: str, text: str) -> Curve:
    head, *numbers = text.split(".")
    if head != channel or len(numbers) % 2:
        raise ValueError(text)
    levels = [parse_integral(one, 0, 255) for one in numbers]
    points = tuple(zip(levels[::2], levels[1::2], strict=True))
    if len(points) == 1 or any(left[0] >= right[0] for left, right in pairwise(points)):
        raise ValueError(text)
    return points


@dataclass(frozen=True, slots=True)
class ChoiceList:
    """Words of a list, each once, in the list's order."""

    words: tuple[str, ...]
    name: str = "several"

    @property
    def allowed_values(self) -> str:
        return "some of " + ", ".join(self.words)

    def parse(self, parts: list[str]) -> Value:
        if not parts or tuple(word for word in self.words if word in parts) != tuple(parts):
            raise ValueError(parts)
        return tuple(parts)

    def format(self, value: Value) -> str:
        assert isinstance(value, tuple)
        return join_parts(map(str, value))

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class Degrees:
    """An angle above 0 and below 360, in steps of 0.01 degrees."""

    name: str = "degrees"

    @property
    def allowed_values(self) -> str:
        return "degrees from 0 to 359.99"

    def parse(self, parts: list[str]) -> Value:
        value = parse_decimal(get_only_part(parts), 0, 359.99)
        if round(value, 2) != value:
            raise ValueError(parts)
        return value

    def format(self, value: Value) -> str:
        assert isinstance(value, int | float)
        return format_decimal(value)

    def js_args(self) -> JsArgs:
        return {}
