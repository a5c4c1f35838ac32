"""What the benchmark finds, and what it was to find: figures, and the goals of goals.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

type Unit = Literal["ratio", "ms", "MB"]
type Rounds = Literal["quick", "full"]

GOALS = Path(__file__).with_name("goals.toml")


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured of the goal with the id ``goal``, in the goal's unit.

    ``least`` and ``most`` are the extremes of the rounds. ``floor`` is the value that decode and encode alone, or
    waiting alone, would give. ``why`` is one sentence, told where the goal is missed. ``unequal``: the pictures
    were not equally good for equally many bytes, so that the goal is missed whatever the value.
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
    """What a part tells: markdown for the page, figures for the goals, and what it could not measure."""

    text: str
    figures: Sequence[Figure] = ()
    missing: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Goal:
    """A line of goals.toml. ``limit`` is the most that is allowed, or the least where ``at_least``, or None."""

    id: str
    label: str
    what: str
    against: str
    unit: Unit
    digits: int
    limit: float | None = None
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Whether ``value`` is on the right side of the limit, or on it."""
        if self.limit is None:
            return True
        return value >= self.limit if self.at_least else value <= self.limit

    def met_by(self, figure: Figure) -> bool:
        """Whether ``figure`` meets the goal."""
        return self.met(figure.value) and not figure.unequal

    def share(self, value: float) -> float:
        """``value`` as a share of the limit: 1 is just met."""
        return value / self.limit if self.limit else 0.0

    def spelled(self, value: float) -> str:
        """``value`` with its unit, with a digit more where rounding would hide that it misses the limit."""
        digits = self.digits
        if not self.met(value) and self.met(round(value, digits)):
            digits += 1
        return f"{value:.{digits}f}{'' if self.unit == 'ratio' else f' {self.unit}'}"

    @property
    def spelled_limit(self) -> str:
        """The limit with its sign and unit."""
        return f"{'≥' if self.at_least else '≤'} {self.spelled(self.limit)}" if self.limit is not None else "–"


def read_goals(path: Path = GOALS) -> Mapping[str, Goal]:
    """All goals by id, in the file's order."""
    lines = tomllib.loads(path.read_text(encoding="utf-8"))["goal"]
    return {line["id"]: Goal(**line) for line in lines}
