"""The options of a thumbor URL, and the syntax of its filters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Literal

from darkroom.overlays.language import Overlay
from darkroom.plan.model import Matrix
from darkroom.plan.option_types import Value

from ..common.settings import DialectSettings
from ..common.validate import PlanValues, bad_option

type Side = int | Literal["orig"]
"""A side of the box in px: 0 follows from the other one, ``orig`` is that of the source."""

MAX_DIGITS = 9


type Switch = Literal["meta", "smart", "stretch", "no_upscale"]
"""Options that their names alone switch on."""


@dataclass(slots=True)
class ThumborOptions(PlanValues):
    """The options of a thumbor URL. ``values`` has those that map one to one, by our short name.

    ``background_fill`` is the fill of margins. ``crop`` and ``focal`` are left, top, right and bottom in px of the
    source. ``turn`` is in degrees clockwise, after the flips. ``steps`` has tone matrices and the names of filters
    whose order matters. ``grey``: the last tone removed colour. ``fills_first``: fill() precedes proportion().
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
    overlays: list[Overlay] = field(default_factory=list)

    def add_overlay(self, overlay: Overlay | None) -> None:
        """Append an overlay, which is drawn after all else; None is none."""
        if overlay is not None:
            self.overlays.append(overlay)

    def add_tone(self, change: Matrix) -> None:
        """Append ``change`` to the tones."""
        self.steps.append(change)
        self.grey = False


def switch_on(into: Switch, options: ThumborOptions, _: object) -> None:
    setattr(options, into, True)


def parse_int(name: str, text: str) -> int:
    """Parse digits. Raises BadOption for more than :data:`MAX_DIGITS`."""
    if len(text) > MAX_DIGITS:
        raise bad_option(name, f"numbers can have at most {MAX_DIGITS} digits")
    return int(text)


def parse_ints(name: str, texts: Sequence[str]) -> tuple[int, ...]:
    """Parse several integers."""
    return tuple(parse_int(name, text) for text in texts)


def parse_decimal(name: str, text: str) -> float:
    """Parse a decimal number. Raises BadOption for more than :data:`MAX_DIGITS` digits before the point."""
    if len(text.partition(".")[0]) > MAX_DIGITS:
        raise bad_option(name, f"numbers can have at most {MAX_DIGITS} digits")
    return float(text)


NUMBER = "-?[0-9]+"
POSITIVE = "[0-9]+"
NONZERO = "0*[1-9][0-9]*"
DECIMAL = r"-?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
BOOLEAN = "[Tt]rue|[Ff]alse|1|0"
TEXT = r"'.+?'|[^,\s](?:[^,]*?[^,\s])??"
"""Patterns of arguments, which take a text in one way only: thumbor's own take exponential time for some."""
WORD = r"\w+"

_TRUE = frozenset({"true", "True", "1"})


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """The function that applies a filter, and the pattern of each argument. The last ``optional`` can be missing."""

    apply: Callable[[ThumborOptions, list[str]], None]
    parameters: tuple[str, ...] = ()
    optional: int = 0

    def parse_arguments(self, name: str, call: str) -> list[str] | None:
        """Return the arguments in ``call``; None if the pattern does not match, as thumbor ignores the filter."""
        match = _pattern(name, self.parameters, self.optional).match(call)
        return [text for text in match.groups() if text is not None] if match else None


@cache
def _pattern(name: str, parameters: tuple[str, ...], optional: int) -> re.Pattern[str]:
    must = len(parameters) - optional
    words = [
        rf"(?:{',' if at else ''}\s*+({parameter})\s*+){'?' if at >= must else ''}"
        for at, parameter in enumerate(parameters)
    ]
    return re.compile(rf"{name}\({''.join(words)}\)", re.DOTALL)


def parse_bool(text: str) -> bool:
    """Return whether an argument of the pattern :data:`BOOLEAN` is true."""
    return text in _TRUE


def strip_quotes(text: str) -> str:
    """Return an argument of the pattern :data:`TEXT` without quotes."""
    return text[1:-1] if len(text) > 2 and text[0] == text[-1] == "'" else text
