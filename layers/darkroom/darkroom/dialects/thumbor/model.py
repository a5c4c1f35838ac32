"""What a thumbor URL wants, gathered from its parts and its filters before it becomes a Plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from ...plan.model import Matrix
from ...plan.option_types import Value
from ..common.settings import DialectSettings
from ..common.validate import bad_option

type Side = int | Literal["orig"]
"""A side of the box in px: 0 follows from the other one, ``orig`` is the source's own."""

MAX_DIGITS = 9


@dataclass(slots=True)
class ThumborOptions:
    """``values`` has what needs nothing else: our options by short name. The rest is put together in :mod:`.sizing`.

    ``backdrop`` is what fill() puts into margins. ``crop`` and ``focal`` are left, top, right and bottom in px of the
    source. ``turn`` is in degrees clockwise, after the flips; ``steps`` has matrices of tones, and the names of filters
    that their order matters to; ``grey`` says that the last tone took the colour away. ``fills_first``: the first
    fill() stands before the first proportion().
    """

    settings: DialectSettings
    image: str
    values: dict[str, Value] = field(default_factory=dict)
    meta: bool = False
    width: Side = 0
    height: Side = 0
    fit_in: bool = False
    full: bool = False
    adaptive: bool = False
    stretch: bool = False
    no_upscale: bool = False
    upscale: bool = False
    fill: bool = False
    fills_transparency: bool = False
    background_fill: dict[str, Value] = field(default_factory=dict)
    smart: bool = False
    flip: str = ""
    halign: str = "center"
    valign: str = "middle"
    crop: tuple[int, int, int, int] | None = None
    focal: list[tuple[int, int, int, int]] = field(default_factory=list)
    turn: int = 0
    proportion: float = 1.0
    fills_first: bool = False
    steps: list[Matrix | str] = field(default_factory=list)
    grey: bool = False
    max_age_s: int | None = None

    def set_once(self, name: str, **values: Value) -> None:
        """Take ``values`` of filter ``name``; raises BadOption where another value of the same option was there."""
        for short, value in values.items():
            if self.values.setdefault(short, value) != value:
                raise bad_option(name, f"there can be only one {short} in a picture here")

    def add_tone(self, change: Matrix) -> None:
        """Let ``change`` follow the tones so far."""
        self.steps.append(change)
        self.grey = False


def parse_int(name: str, text: str) -> int:
    """The digits of ``text`` as a number; raises BadOption where there are more than any picture needs."""
    if len(text) > MAX_DIGITS:
        raise bad_option(name, f"a number has at most {MAX_DIGITS} digits here")
    return int(text)


def parse_ints(name: str, texts: Sequence[str]) -> tuple[int, ...]:
    """As :func:`whole`, of each."""
    return tuple(parse_int(name, text) for text in texts)


def parse_decimal(name: str, text: str) -> float:
    """A number with decimals; raises BadOption where it is of more digits than any picture needs."""
    if len(text.partition(".")[0]) > MAX_DIGITS:
        raise bad_option(name, f"a number has at most {MAX_DIGITS} digits here")
    return float(text)
