"""How thumbor reads a filter's arguments: one pattern a parameter, as in its ``thumbor/filters/__init__.py``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from .model import ThumborOptions

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
