"""Kinds of option value that have a shape: a place, a region, a margin, a watermark."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .model import Crop, Gravity, Padding, Watermark
from .option_types import Rule, Value, fixed, join_parts, single, spell, whole


@dataclass(frozen=True, slots=True)
class GravityKind:
    """A named place, or ``fp:x:y`` with fractions of the upright picture."""

    words: tuple[str, ...]
    name: str = "gravity"

    @property
    def expects(self) -> str:
        return "one of " + ", ".join(self.words) + ", or fp:x:y with x and y from 0 to 1"

    def read(self, parts: list[str]) -> Value:
        if len(parts) == 3 and parts[0] == "fp":
            return Gravity("fp", fixed(parts[1], 0, 1), fixed(parts[2], 0, 1))
        if single(parts) not in self.words:
            raise ValueError(parts)
        return Gravity(parts[0])

    def write(self, value: Value) -> str:
        assert isinstance(value, Gravity)
        return join_parts(("fp", spell(value.x), spell(value.y))) if value.name == "fp" else value.name

    def rule(self) -> Rule:
        return {"words": list(self.words)}


@dataclass(frozen=True, slots=True)
class CropKind:
    """``x,y,w,h`` in pixels of the upright source, or the same in percent after ``pct:``."""

    high: int
    name: str = "crop"

    @property
    def expects(self) -> str:
        return f"x,y,w,h in pixels up to {self.high}, or pct:x,y,w,h in percent with x+w and y+h up to 100"

    def read(self, parts: list[str]) -> Value:
        if len(parts) == 5 and parts[0] == "pct":
            x, y, width, height = (fixed(part, 0, 100) for part in parts[1:])
            within = round((x + width) * 100) <= 10000 and round((y + height) * 100) <= 10000
            if not within or width <= 0 or height <= 0:
                raise ValueError(parts)
            return Crop("pct", x, y, width, height)
        if len(parts) != 4:
            raise ValueError(parts)
        x, y = (whole(part, 0, self.high) for part in parts[:2])
        width, height = (whole(part, 1, self.high) for part in parts[2:])
        return Crop("px", x, y, width, height)

    def write(self, value: Value) -> str:
        assert isinstance(value, Crop)
        numbers = [spell(number) for number in value[1:]]
        return join_parts(["pct", *numbers] if value.unit == "pct" else numbers)

    def rule(self) -> Rule:
        return {"high": self.high}


@dataclass(frozen=True, slots=True)
class PaddingKind:
    """One number for all sides, two for top/bottom and right/left, or four: ``t,r,b,l`` (CSS order)."""

    high: int
    name: str = "padding"

    @property
    def expects(self) -> str:
        return f"1, 2 or 4 whole numbers (t,r,b,l) from 0 to {self.high}"

    def read(self, parts: list[str]) -> Value:
        if len(parts) not in (1, 2, 4):
            raise ValueError(parts)
        sides = [whole(part, 0, self.high) for part in parts]
        return Padding(*(sides * (4 // len(sides))))

    def write(self, value: Value) -> str:
        assert isinstance(value, Padding)
        return join_parts(map(str, value))

    def rule(self) -> Rule:
        return {"high": self.high}


@dataclass(frozen=True, slots=True)
class WatermarkKind:
    """``name[,position[,opacity[,scale]]]``."""

    positions: tuple[str, ...]
    name: str = "watermark"

    @property
    def expects(self) -> str:
        return (
            "name,position,opacity,scale: a configured name (a-z, 0-9), one of "
            + ", ".join(self.positions)
            + ", and two whole numbers from 1 to 100"
        )

    def read(self, parts: list[str]) -> Value:
        if len(parts) > 4 or not re.fullmatch(r"[a-z0-9]{1,32}", parts[0]):
            raise ValueError(parts)
        default = Watermark(parts[0])
        position = parts[1] if len(parts) > 1 else default.position
        if position not in self.positions:
            raise ValueError(parts)
        opacity = whole(parts[2], 1, 100) if len(parts) > 2 else default.opacity
        scale = whole(parts[3], 1, 100) if len(parts) > 3 else default.scale
        return Watermark(parts[0], position, opacity, scale)

    def write(self, value: Value) -> str:
        assert isinstance(value, Watermark)
        return join_parts(map(str, value))

    def rule(self) -> Rule:
        default = Watermark("")
        return {
            "words": list(self.positions),
            "position": default.position,
            "opacity": default.opacity,
            "scale": default.scale,
        }
