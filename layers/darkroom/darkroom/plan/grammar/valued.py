"""How grammars of other services make values of our options: through each kind's own range."""

from __future__ import annotations

from ..borrowed.shapes import spelled
from ..kinds import Value
from ..options import BY_SHORT, misread


def valued(short: str, *parts: object) -> Value:
    """The value of option ``short`` that has ``parts``; raises BadOption, which names the option and its range."""
    option = BY_SHORT[short]
    texts = [_text(part) for part in parts]
    try:
        return option.kind.read(texts)
    except ValueError as error:
        raise misread(option, ",".join(texts)) from error


def hundredths(number: float) -> float:
    """``number`` in the steps that our options with decimals have."""
    return round(number * 100) / 100


def _text(part: object) -> str:
    if isinstance(part, bool):
        return str(int(part))
    return spelled(part) if isinstance(part, float) else str(part)
