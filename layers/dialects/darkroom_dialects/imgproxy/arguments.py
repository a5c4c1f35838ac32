"""Parse arguments of imgproxy's options like Go does. All functions raise BadOption."""

from __future__ import annotations

import re

from ..common.anchor import Anchor
from ..common.validate import bad_option, bad_value, require_word

COMPASS = {
    "ce": "center",
    "no": "north",
    "so": "south",
    "ea": "east",
    "we": "west",
    "noea": "northeast",
    "nowe": "northwest",
    "soea": "southeast",
    "sowe": "southwest",
}
"""Our compass point of each of imgproxy's."""

_WHOLE = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(?:[eE][+-]?[0-9]{1,2})?")
_COLOUR = re.compile(r"[0-9a-fA-F]{3}|[0-9a-fA-F]{6}")
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
MAX_NUMBER = 1e9


def check_count(option: str, args: list[str], most: int) -> None:
    """Raise BadOption if there are more arguments than ``most``."""
    if len(args) > most:
        raise bad_option(option, f"takes at most {most} argument{'s'[: most > 1]}, but has {len(args)}")


def single(option: str, args: list[str]) -> str:
    """Return the only argument."""
    check_count(option, args, 1)
    return args[0]


def parse_flag(text: str) -> bool:
    """Return whether ``text`` is one of Go's spellings of true; imgproxy treats everything else as false."""
    return text in _TRUE


def parse_number(option: str, text: str, low: float = -MAX_NUMBER, high: float = MAX_NUMBER) -> float:
    """Parse a number from ``low`` to ``high``, rounded to six decimals."""
    value = float(text) if _NUMBER.fullmatch(text) else None
    if value is None or not low <= value <= high:
        raise _out_of_range(option, text, "a number", low, high)
    return round(value, 6)


def parse_int(option: str, text: str, low: int = -int(MAX_NUMBER), high: int = int(MAX_NUMBER)) -> int:
    """Parse an integer from ``low`` to ``high``."""
    value = int(text) if _WHOLE.fullmatch(text) else None
    if value is None or not low <= value <= high:
        raise _out_of_range(option, text, "a whole number", low, high)
    return value


def _out_of_range(option: str, text: str, what: str, low: float, high: float) -> Exception:
    bounds = f" from {low:g}" if low > -MAX_NUMBER else ""
    bounds += f" {'to' if bounds else 'up to'} {high:g}" if high < MAX_NUMBER else ""
    return bad_value(option, text, what + bounds)


def parse_colour(option: str, text: str) -> str:
    """Parse three or six hexadecimal digits; return six in lower case."""
    if not _COLOUR.fullmatch(text):
        raise bad_value(option, text, "a colour of 3 or 6 hex digits")
    return text.lower() if len(text) == 6 else "".join(digit * 2 for digit in text.lower())


def parse_place(option: str, text: str) -> str:
    """Return our compass point."""
    return COMPASS[require_word(option, text, COMPASS)]


def parse_anchor(option: str, args: list[str], before: Anchor, *, smart: bool = True, objects: bool = False) -> Anchor:
    """Parse a gravity with its point or offsets. Empty or missing offsets stay those of ``before``.

    ``sm`` is refused unless ``smart`` is set, ``obj`` and ``objw`` unless ``objects`` is.
    """
    kind = args[0]
    if kind in ("obj", "objw") and smart:
        return _parse_faces(option, kind, args[1:], objects=objects)
    if kind == "sm" and smart:
        check_count(option, args, 1)
        return Anchor("attention")
    if kind == "fp":
        if len(args) != 3:
            raise bad_option(option, "fp takes two numbers from 0 to 1")
        return Anchor("fp", *(parse_number(option, text, 0, 1) for text in args[1:]))
    check_count(option, args, 3)
    kept = (0.0, 0.0) if before.word in ("attention", "face") else (before.x, before.y)
    given = (*args[1:], "", "")
    offsets = [parse_number(option, text) if text else old for text, old in zip(given, kept, strict=False)]
    return Anchor(parse_place(option, kind) if kind else before.word, *offsets)


def _parse_faces(option: str, kind: str, args: list[str], *, objects: bool) -> Anchor:
    """Return the gravity towards faces. Other objects are not detected, so that weights have no effect."""
    classes = args if kind == "obj" else args[::2]
    if not objects:
        raise bad_option(option, f"{kind} is supported in the option gravity only")
    if set(classes) != {"face"}:
        raise bad_option(option, f"{kind} is supported for the class face only")
    if kind == "objw":
        if len(args) % 2:
            raise bad_option(option, "objw takes a weight after each class")
        for text in args[1::2]:
            parse_number(option, text, 0)
    return Anchor("face")
