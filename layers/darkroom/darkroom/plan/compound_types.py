"""Kinds of option value that have a shape: a place, a region, a margin, a watermark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .model import Crop, Gravity, Padding, Watermark
from .option_types import JsArgs, Value, format_hundredths, get_only_part, join_parts, parse_hundredths, parse_integer


@dataclass(frozen=True, slots=True)
class GravityType:
    """A named place, or ``fp:x:y`` with fractions of the upright picture."""

    words: tuple[str, ...]
    name: str = "gravity"

    @property
    def allowed_values(self) -> str:
        return "one of " + ", ".join(self.words) + ", or fp:x:y with x and y from 0 to 1"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) == 3 and parts[0] == "fp":
            return Gravity("fp", parse_hundredths(parts[1], 0, 1), parse_hundredths(parts[2], 0, 1))
        if get_only_part(parts) not in self.words:
            raise ValueError(parts)
        return Gravity(parts[0])

    def format(self, value: Value) -> str:
        assert isinstance(value, Gravity)
        return (
            join_parts(("fp", format_hundredths(value.x), format_hundredths(value.y)))
            if value.name == "fp"
            else value.name
        )

    def js_args(self) -> JsArgs:
        return {"words": list(self.words)}


@dataclass(frozen=True, slots=True)
class CropType:
    """``x,y,w,h`` in pixels of the upright source, or the same in percent after ``pct:``."""

    high: int
    name: str = "crop"

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

    def js_args(self) -> JsArgs:
        return {"high": self.high}


@dataclass(frozen=True, slots=True)
class PaddingType:
    """One number for all sides, two for top/bottom and right/left, or four: ``t,r,b,l`` (CSS order)."""

    high: int
    name: str = "padding"

    @property
    def allowed_values(self) -> str:
        return f"1, 2 or 4 whole numbers (t,r,b,l) from 0 to {self.high}"

    def parse(self, parts: list[str]) -> Value:
        if len(parts) not in (1, 2, 4):
            raise ValueError(parts)
        sides = [parse_integer(part, 0, self.high) for part in parts]
        return Padding(*(sides * (4 // len(sides))))

    def format(self, value: Value) -> str:
        assert isinstance(value, Padding)
        return join_parts(map(str, value))

    def js_args(self) -> JsArgs:
        return {"high": self.high}


@dataclass(frozen=True, slots=True)
class WatermarkType:
    """``name[,position[,opacity[,scale]]]``."""

    positions: tuple[str, ...]
    name: str = "watermark"

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
        default = Watermark(parts[0])
        position = parts[1] if len(parts) > 1 else default.position
        if position not in self.positions:
            raise ValueError(parts)
        opacity = parse_integer(parts[2], 1, 100) if len(parts) > 2 else default.opacity
        scale = parse_integer(parts[3], 1, 100) if len(parts) > 3 else default.scale
        return Watermark(parts[0], position, opacity, scale)

    def format(self, value: Value) -> str:
        assert isinstance(value, Watermark)
        return join_parts(map(str, value))

    def js_args(self) -> JsArgs:
        default = Watermark("")
        return {
            "words": list(self.positions),
            "position": default.position,
            "opacity": default.opacity,
            "scale": default.scale,
        }
