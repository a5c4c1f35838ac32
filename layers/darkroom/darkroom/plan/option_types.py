"""Types of option values: how each is parsed, formatted canonically and described. This module has scalar types.

A value has two spellings. Its parts are separated by ``,`` or ``:`` in a client's URL and by ``-`` in a canonical path,
which consists of letters, digits, ``-``, ``.``, ``_`` and ``/`` only (decision 29). :meth:`OptionType.parse` accepts
the parts of both spellings.

The edge function implements the types of native options again: :attr:`OptionType.name` selects the implementation and
:meth:`OptionType.js_args` configures it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import ClassVar, Union

from ..image_keys import encode_key

Value = Union[bool, int, float, str, tuple[object, ...]]
"""A tuple is one of the compound values of :mod:`.model`, with a type of its own."""

JsArgs = dict[str, object]

_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,9})")
_HUNDREDTHS = re.compile(r"(?:0|[1-9][0-9]{0,4})(?:\.[0-9]{1,2})?")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,5})(?:\.[0-9]{1,4})?")

PART_SEPARATOR = "-"
"""Separates the parts of a value in a canonical path. Parts are not empty and do not end in ``-``, so that the second
of two dashes is a minus sign."""
_SEPARATED = re.compile(r"(?<=[^-])-")


def join_parts(parts: Iterable[str]) -> str:
    """Join the ``parts`` of a value to its canonical spelling."""
    return PART_SEPARATOR.join(parts)


def split_parts(text: str) -> list[str]:
    """Split a value's canonical spelling into parts: ``10--5`` has the parts ``10`` and ``-5``."""
    return _SEPARATED.split(text)


class OptionType(ABC):
    """The type of an option's value."""

    __slots__ = ()

    name: ClassVar[str] = ""
    """The type's name in the edge function, which implements the types of native options."""

    @property
    @abstractmethod
    def allowed_values(self) -> str:
        """The allowed values, for error messages and the documentation."""

    @abstractmethod
    def parse(self, parts: list[str]) -> Value:
        """Return the value of ``parts``; raises ValueError if it is not allowed."""

    def format(self, value: Value) -> str:
        """Return the canonical spelling of ``value``."""
        return join_parts(map(str, value)) if isinstance(value, tuple) else str(value)

    def js_args(self) -> JsArgs:
        """Return the type's parameters for the edge function: its fields, if that has the type."""
        return {one.name: getattr(self, one.name) for one in fields(self)} if self.name else {}  # type: ignore[arg-type]


def parse_integer(text: str, low: int, high: int) -> int:
    """Parse a whole number within bounds; raises ValueError."""
    if not _INTEGER.fullmatch(text) or text == "-0":
        raise ValueError(text)
    number = int(text)
    if not low <= number <= high:
        raise ValueError(text)
    return number


def parse_hundredths(text: str, low: float, high: float) -> float:
    """Parse a number with at most two decimals within bounds, exact in hundredths; raises ValueError."""
    if not _HUNDREDTHS.fullmatch(text):
        raise ValueError(text)
    number = round(float(text) * 100) / 100
    if not low <= number <= high:
        raise ValueError(text)
    return number


def format_hundredths(number: float) -> str:
    """Return the shortest spelling of a number of hundredths: ``1``, ``0.5``, ``12.25``."""
    hundredths = round(number * 100)
    text = f"{hundredths // 100}.{hundredths % 100:02d}"
    return text.rstrip("0").rstrip(".")


def parse_decimal(text: str, low: float, high: float) -> float:
    """Parse a number with at most four decimals within bounds; raises ValueError."""
    if not _DECIMAL.fullmatch(text):
        raise ValueError(text)
    value = round(float(text), 4)
    if not low <= value <= high:
        raise ValueError(text)
    return value


def format_decimal(value: float) -> str:
    """Return the shortest spelling with at most four decimals: ``1``, ``-0.25``."""
    text = f"{round(value, 4):.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def get_only_part(parts: list[str]) -> str:
    """Return the only one of ``parts``; raises ValueError if there are more."""
    if len(parts) != 1:
        raise ValueError(parts)
    return parts[0]


@dataclass(frozen=True, slots=True)
class Integer(OptionType):
    """A whole number from ``low`` to ``high``, or ``word`` if it is not empty."""

    name: ClassVar[str] = "whole"
    low: int
    high: int
    word: str = ""

    @property
    def allowed_values(self) -> str:
        return f"a whole number from {self.low} to {self.high}" + (f", or {self.word}" if self.word else "")

    def parse(self, parts: list[str]) -> Value:
        text = get_only_part(parts)
        return self.word if self.word and text == self.word else parse_integer(text, self.low, self.high)

    def js_args(self) -> JsArgs:
        return {"low": self.low, "high": self.high} | ({"word": self.word} if self.word else {})


@dataclass(frozen=True, slots=True)
class FixedPoint(OptionType):
    """A number from ``low`` to ``high`` in steps of ``step``, a multiple of 0.01."""

    name: ClassVar[str] = "fixed"
    low: float
    high: float
    step: float = 0.01

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
        assert isinstance(value, (int, float))
        return format_hundredths(value)


@dataclass(frozen=True, slots=True)
class Decimal(OptionType):
    """A number from ``low`` to ``high`` with at most four decimals."""

    low: float
    high: float

    @property
    def allowed_values(self) -> str:
        return f"a number from {format_decimal(self.low)} to {format_decimal(self.high)}"

    def parse(self, parts: list[str]) -> Value:
        return parse_decimal(get_only_part(parts), self.low, self.high)

    def format(self, value: Value) -> str:
        assert isinstance(value, (int, float))
        return format_decimal(value)


@dataclass(frozen=True, slots=True)
class Flag(OptionType):
    """``0`` (off) or ``1`` (on)."""

    name: ClassVar[str] = "flag"
    allowed_values = "0 or 1"

    def parse(self, parts: list[str]) -> Value:
        return bool(parse_integer(get_only_part(parts), 0, 1))

    def format(self, value: Value) -> str:
        return "1" if value else "0"


@dataclass(frozen=True, slots=True)
class FlagOrWord(OptionType):
    """``0`` (off), ``1`` (on), or ``word``."""

    name: ClassVar[str] = "choice"
    word: str

    @property
    def allowed_values(self) -> str:
        return f"0, 1 or {self.word}"

    def parse(self, parts: list[str]) -> Value:
        return self.word if parts == [self.word] else Flag().parse(parts)

    def format(self, value: Value) -> str:
        return self.word if value == self.word else Flag().format(value)

    def js_args(self) -> JsArgs:
        return {"words": ["0", "1", self.word]}


@dataclass(frozen=True, slots=True)
class Choice(OptionType):
    """One of ``words``. ``synonyms`` maps further spellings to them."""

    name: ClassVar[str] = "choice"
    words: tuple[str, ...]
    synonyms: tuple[tuple[str, str], ...] = ()

    @property
    def allowed_values(self) -> str:
        return "one of " + ", ".join(self.words)

    def parse(self, parts: list[str]) -> Value:
        word = get_only_part(parts)
        word = dict(self.synonyms).get(word, word)
        if word not in self.words:
            raise ValueError(word)
        return word

    def js_args(self) -> JsArgs:
        return {"words": list(self.words), "synonyms": dict(self.synonyms)}


@dataclass(frozen=True, slots=True)
class IntegerChoice(OptionType):
    """One of ``numbers``."""

    name: ClassVar[str] = "choice"
    numbers: tuple[int, ...]

    @property
    def allowed_values(self) -> str:
        return "one of " + ", ".join(map(str, self.numbers))

    def parse(self, parts: list[str]) -> Value:
        word = get_only_part(parts)
        if word not in map(str, self.numbers):
            raise ValueError(word)
        return int(word)

    def js_args(self) -> JsArgs:
        return {"words": [str(number) for number in self.numbers]}


@dataclass(frozen=True, slots=True)
class ChoiceList(OptionType):
    """Some of ``words``, each once, in their order."""

    words: tuple[str, ...]

    @property
    def allowed_values(self) -> str:
        return "some of " + ", ".join(self.words)

    def parse(self, parts: list[str]) -> Value:
        if not parts or tuple(word for word in self.words if word in parts) != tuple(parts):
            raise ValueError(parts)
        return tuple(parts)


@dataclass(frozen=True, slots=True)
class Colour(OptionType):
    """A colour of 3, 4, 6 or 8 hex digits without ``#``. Normal form: 6 digits, or 8 if not opaque; lower case."""

    name: ClassVar[str] = "colour"
    allowed_values = "a colour of 3, 4, 6 or 8 hex digits, such as ff8800"

    def parse(self, parts: list[str]) -> Value:
        text = get_only_part(parts).lower()
        if not re.fullmatch(r"[0-9a-f]{3,8}", text) or len(text) in (5, 7):
            raise ValueError(text)
        if len(text) < 6:
            text = "".join(digit * 2 for digit in text)
        return text[:6] if text[6:] == "ff" else text


@dataclass(frozen=True, slots=True)
class FileName(OptionType):
    """A file name of at most ``high`` bytes of UTF-8, for downloads.

    The canonical spelling is that of a key (:func:`.keys.encode_key`), with ``_`` encoded too.
    """

    name: ClassVar[str] = "fileName"
    high: int

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


@dataclass(frozen=True, slots=True)
class PluginText(FileName):
    """A text of at most ``high`` bytes, of the form that ``expects`` describes; a plug-in parses it."""

    expects: str
    slashes: int = 1

    @property
    def allowed_values(self) -> str:
        return f"{self.expects}, at most {self.high} bytes without control characters"

    def parse(self, parts: list[str]) -> Value:
        text = get_only_part(parts)
        if not text or len(text.encode()) > self.high or any(ord(c) < 32 or ord(c) == 127 for c in text):
            raise ValueError(text)
        return text

    def format(self, value: Value) -> str:
        return FileName.format(self, value).replace("/", ".-2F")

    def js_args(self) -> JsArgs:
        return {"high": self.high, "slashes": self.slashes}


@dataclass(frozen=True, slots=True)
class Pattern(OptionType):
    """A text that matches ``pattern``, a regular expression with the same meaning in Python and in JavaScript."""

    name: ClassVar[str] = "word"
    pattern: str
    description: str

    @property
    def allowed_values(self) -> str:
        return self.description

    def parse(self, parts: list[str]) -> Value:
        word = get_only_part(parts)
        if not re.fullmatch(self.pattern, word):
            raise ValueError(word)
        return word

    def js_args(self) -> JsArgs:
        return {"pattern": self.pattern, "expects": self.description}
