"""The options of a thumbor URL, and the syntax of its filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
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


NUMBER = "-?[0-9]+"
POSITIVE = "[0-9]+"
NONZERO = "[0-9]*[1-9][0-9]*"
DECIMAL = r"-?(?:[0-9]+\.?[0-9]*|[0-9]*\.?[0-9]+)"
BOOLEAN = "[Tt]rue|[Ff]alse|1|0"
TEXT = "'.+?'|[^,]+?"
WORD = r"\w+"

_TRUE = frozenset({"true", "True", "1"})


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """What reads a filter's arguments, and the pattern of each. The last ``optional`` of them may be missing."""

    apply: Callable[[ThumborOptions, list[str]], None]
    parameters: tuple[str, ...] = ()
    optional: int = 0

    def parse_arguments(self, name: str, call: str) -> list[str] | None:
        """The arguments in ``call``; None where thumbor sees no call of this filter in it, and leaves it out."""
        match = _pattern(name, self.parameters, self.optional).match(call)
        return [text for text in match.groups() if text is not None] if match else None


@cache
def _pattern(name: str, parameters: tuple[str, ...], optional: int) -> re.Pattern[str]:
    must = len(parameters) - optional
    words = [
        rf"(?:{',' if at else ''}\s*({parameter})\s*){'?' if at >= must else ''}"
        for at, parameter in enumerate(parameters)
    ]
    return re.compile(rf"{name}\({''.join(words)}\)", re.DOTALL)


def parse_bool(text: str) -> bool:
    """Whether an argument of the pattern :data:`BOOLEAN` is true."""
    return text in _TRUE


def strip_quotes(text: str) -> str:
    """An argument of the pattern :data:`TEXT` without its quotes."""
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] == "'" else text
