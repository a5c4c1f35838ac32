"""Kinds of option value: how each is read, written canonically and described. Here are numbers, words and texts.

A value has two spellings. In a viewer's URL its parts are separated by ``,`` or ``:``; in a canonical path they are
separated by ``-``, so that a path uses letters, digits, ``-``, ``.``, ``_`` and ``/`` only (decision 29). Both
spellings are read by the same :meth:`OptionType.parse` from a list of parts.

The edge function has a twin of each type, chosen by :attr:`OptionType.name` and configured by
:meth:`OptionType.js_args`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from ..key_encoding import encode_key

type Value = bool | int | float | str | tuple[object, ...]
"""Tuples are the shapes of :mod:`.model`, each read and written by a kind of its own."""

type JsArgs = dict[str, object]

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,9})")
_FIXED = re.compile(r"(?:0|[1-9][0-9]{0,4})(?:\.[0-9]{1,2})?")

PART_SEPARATOR = "-"
"""Between the parts of a value in a canonical path. No part is empty or ends in ``-``, so a further ``-`` is a sign."""
_SEPARATED = re.compile(r"(?<=[^-])-")


def join_parts(parts: Iterable[str]) -> str:
    """The canonical spelling of a value's ``parts``."""
    return PART_SEPARATOR.join(parts)


def split_parts(text: str) -> list[str]:
    """The parts of a value in its canonical spelling: ``10--5`` has the parts ``10`` and ``-5``."""
    return _SEPARATED.split(text)


class OptionType(Protocol):
    """One kind of value."""

    @property
    def name(self) -> str:
        """The kind's name in the edge function."""

    @property
    def allowed_values(self) -> str:
        """What a reader of an error message is told to write."""

    def parse(self, parts: list[str]) -> Value:
        """The value of ``parts``; raises ValueError if it is not one of this kind."""

    def format(self, value: Value) -> str:
        """The canonical spelling of ``value``."""

    def js_args(self) -> JsArgs:
        """The kind's parameters, for the edge function and the form."""


def parse_integer(text: str, low: int, high: int) -> int:
    """A whole number within bounds; raises ValueError."""
    if not _WHOLE.fullmatch(text) or text == "-0":
        raise ValueError(text)
    number = int(text)
    if not low <= number <= high:
        raise ValueError(text)
    return number


def parse_hundredths(text: str, low: float, high: float) -> float:
    """A number with at most two decimals within bounds; raises ValueError. Exact in hundredths."""
    if not _FIXED.fullmatch(text):
        raise ValueError(text)
    number = round(float(text) * 100) / 100
    if not low <= number <= high:
        raise ValueError(text)
    return number


def format_hundredths(number: float) -> str:
    """The shortest spelling of a number of hundredths: ``1``, ``0.5``, ``12.25``."""
    hundredths = round(number * 100)
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    return text.rstrip("0").rstrip(".")


def get_only_part(parts: list[str]) -> str:
    """The only one of ``parts``; raises ValueError if there are more."""
    if len(parts) != 1:
        raise ValueError(parts)
    return parts[0]


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from ``low`` to ``high``, or ``word`` where there is one."""

    low: int
    high: int
    word: str = ""
    name: str = "whole"

    @property
    def allowed_values(self) -> str:
        return f"a whole number from {self.low} to {self.high}" + (f", or {self.word}" if self.word else "")

    def parse(self, parts: list[str]) -> Value:
        text = get_only_part(parts)
        return self.word if self.word and text == self.word else parse_integer(text, self.low, self.high)

    def format(self, value: Value) -> str:
        return str(value)

    def js_args(self) -> JsArgs:
        return {"low": self.low, "high": self.high} | ({"word": self.word} if self.word else {})


@dataclass(frozen=True, slots=True)
class FixedPoint:
    """A number from ``low`` to ``high`` in steps of ``step``, which is a multiple of 0.01."""

    low: float
    high: float
    step: float = 0.01
    name: str = "fixed"

    @property
    def allowed_values(self) -> str:
        low, high, step = map(format_hundredths, (self.low, self.high, self.step))
        return f"a number from {low} to {high} in steps of {step}"

    def parse(self, parts: list[str]) -> Value:
        number = parse_hundredths(get_only_part(parts), self.low, self.high)
        if round(number * 100) % round(self.step * 100):
            raise ValueError(parts)
        return number

    def format(self, value: Value) -> str:
        assert isinstance(value, int | float)
        return format_hundredths(value)

    def js_args(self) -> JsArgs:
        return {"low": self.low, "high": self.high, "step": self.step}


@dataclass(frozen=True, slots=True)
class Flag:
    """Off or on: ``0`` or ``1``."""

    name: str = "flag"

    @property
    def allowed_values(self) -> str:
        return "0 or 1"

    def parse(self, parts: list[str]) -> Value:
        return bool(parse_integer(get_only_part(parts), 0, 1))

    def format(self, value: Value) -> str:
        return "1" if value else "0"

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class Choice:
    """One word of a list. ``synonyms`` maps further spellings to words of the list."""

    words: tuple[str, ...]
    synonyms: tuple[tuple[str, str], ...] = ()
    name: str = "choice"

    @property
    def allowed_values(self) -> str:
        return "one of " + ", ".join(self.words)

    def parse(self, parts: list[str]) -> Value:
        word = get_only_part(parts)
        word = dict(self.synonyms).get(word, word)
        if word not in self.words:
            raise ValueError(word)
        return word

    def format(self, value: Value) -> str:
        return str(value)

    def js_args(self) -> JsArgs:
        return {"words": list(self.words), "synonyms": dict(self.synonyms)}


@dataclass(frozen=True, slots=True)
class IntegerChoice:
    """One whole number of a list."""

    numbers: tuple[int, ...]
    name: str = "choice"

    @property
    def allowed_values(self) -> str:
        return "one of " + ", ".join(map(str, self.numbers))

    def parse(self, parts: list[str]) -> Value:
        word = get_only_part(parts)
        if word not in map(str, self.numbers):
            raise ValueError(word)
        return int(word)

    def format(self, value: Value) -> str:
        return str(value)

    def js_args(self) -> JsArgs:
        return {"words": [str(number) for number in self.numbers]}


@dataclass(frozen=True, slots=True)
class Colour:
    """A colour as 3, 4, 6 or 8 hex digits without ``#``. Normal form: 6 digits, or 8 when not opaque; lower case."""

    name: str = "colour"

    @property
    def allowed_values(self) -> str:
        return "a colour of 3, 4, 6 or 8 hex digits, such as ff8800"

    def parse(self, parts: list[str]) -> Value:
        text = get_only_part(parts).lower()
        if not re.fullmatch(r"[0-9a-f]{3,8}", text) or len(text) in (5, 7):
            raise ValueError(text)
        if len(text) < 6:
            text = "".join(digit * 2 for digit in text)
        return text[:6] if text[6:] == "ff" else text

    def format(self, value: Value) -> str:
        return str(value)

    def js_args(self) -> JsArgs:
        return {}


@dataclass(frozen=True, slots=True)
class FileName:
    """A file name for a download, at most ``high`` bytes of UTF-8.

    Canonically it is encoded as a key is (:func:`.keys.encode_key`), ``_`` too.
    """

    high: int
    name: str = "fileName"

    @property
    def allowed_values(self) -> str:
        return f'a file name of at most {self.high} bytes without / \\ " or control characters'

    def parse(self, parts: list[str]) -> Value:
        text = get_only_part(parts)
        if not text or len(text.encode()) > self.high or any(c in '/\\"' or ord(c) < 32 or ord(c) == 127 for c in text):
            raise ValueError(text)
        return text

    def format(self, value: Value) -> str:
        return encode_key(str(value)).replace("_", ".-5F")

    def js_args(self) -> JsArgs:
        return {"high": self.high}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A word that matches ``pattern``, a regular expression both Python and JavaScript understand alike."""

    pattern: str
    allowed_values: str
    name: str = "word"

    def parse(self, parts: list[str]) -> Value:
        word = get_only_part(parts)
        if not re.fullmatch(self.pattern, word):
            raise ValueError(word)
        return word

    def format(self, value: Value) -> str:
        return str(value)

    def js_args(self) -> JsArgs:
        return {"pattern": self.pattern, "expects": self.allowed_values}
