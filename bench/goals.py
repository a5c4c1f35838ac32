"""Figures that the benchmark measures, and the goals of goals.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .chart import Chart

type Unit = Literal["ratio", "ms", "MB", "GB", "%", "processes", "points"]
type Rounds = Literal["quick", "full"]

GOALS = Path(__file__).with_name("goals.toml")


@dataclass(frozen=True, slots=True)
class Figure:
    """The measured value of the goal ``goal``, in its unit.

    ``least`` and ``most`` are the extremes of the rounds. ``floor`` is the value of decode and encode alone, or of
    waiting alone. ``why`` is a sentence, shown if the goal is missed. ``unequal`` describes images of different quality
    or size: the goal then counts as missed regardless of the value.
    """

    goal: str
    value: float
    least: float
    most: float
    floor: float | None = None
    why: str = ""
    unequal: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """Result of a suite: Markdown for the page, figures of goals, what it could not measure, and charts by file name
    in ``docs/images``, to which the Markdown refers."""

    text: str
    figures: Sequence[Figure] = ()
    missing: Sequence[str] = ()
    charts: Mapping[str, Chart] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goal:
    """A goal of goals.toml. ``limit`` is the largest allowed value, or the smallest if ``at_least``, or None.

    ``leaves_out`` names what the figure does not have in it. ``over_many``: it is about many images.
    """

    id: str
    what: str
    against: str
    unit: Unit
    digits: int
    limit: float | None = None
    at_least: bool = False
    leaves_out: str = ""
    over_many: bool = False

    def is_judged_by(self, figure: Figure, rounds: Rounds) -> bool:
        """Return whether ``figure`` is enough to judge: a quick run has one image, or few, of those it is about."""
        return rounds == "full" or not (self.over_many or figure.unequal)

    def met(self, value: float) -> bool:
        """Return whether ``value`` meets the limit."""
        if self.limit is None:
            return True
        return value >= self.limit if self.at_least else value <= self.limit

    def met_by(self, figure: Figure) -> bool:
        """Return whether ``figure`` meets the goal."""
        return self.met(figure.value) and not figure.unequal

    def format_value(self, value: float) -> str:
        """Format ``value`` with its unit; a digit more if rounding would hide that it misses the limit."""
        digits = self.digits
        if not self.met(value) and self.met(round(value, digits)):
            digits += 1
        return f"{value:.{digits}f}{'' if self.unit == 'ratio' else f' {self.unit}'}"

    @property
    def format_limit(self) -> str:
        """Format the limit with its sign and unit."""
        return f"{'≥' if self.at_least else '≤'} {self.format_value(self.limit)}" if self.limit is not None else "–"


def read_goals(path: Path = GOALS) -> Mapping[str, Goal]:
    """Read all goals by id, in the file's order."""
    lines = tomllib.loads(path.read_text(encoding="utf-8"))["goal"]
    return {line["id"]: Goal(**line) for line in lines}
