"""Rules for the values of settings: what is allowed, and how a value of the document becomes that of a field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from .plan.redaction import AlwaysRedact


class Rule(Protocol):
    """The allowed values of a setting."""

    @property
    def allowed_values(self) -> str:
        """The allowed values, for error messages and the documentation."""

    def parse(self, value: object) -> Any:
        """Convert a value of the document to that of the field; raises ValueError if it is not allowed."""


@dataclass(frozen=True, slots=True)
class Integer:
    """A whole number from ``low`` to ``high``."""

    low: int
    high: int

    @property
    def allowed_values(self) -> str:
        return f"a whole number from {self.low} to {self.high}"

    def parse(self, value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not self.low <= value <= self.high:
            raise ValueError
        return value


@dataclass(frozen=True, slots=True)
class Flag:
    """``true`` or ``false``."""

    @property
    def allowed_values(self) -> str:
        return "true or false"

    def parse(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError  # noqa: TRY004 - every rule raises the same
        return value


@dataclass(frozen=True, slots=True)
class Choice:
    """One of ``words``."""

    words: tuple[str, ...]

    @property
    def allowed_values(self) -> str:
        return "one of " + ", ".join(self.words)

    def parse(self, value: object) -> str:
        if value not in self.words:
            raise ValueError
        return str(value)


@dataclass(frozen=True, slots=True)
class Text:
    """A text that matches ``pattern`` completely."""

    pattern: str
    allowed_values: str

    def parse(self, value: object) -> str:
        if not isinstance(value, str) or not re.fullmatch(self.pattern, value):
            raise ValueError
        return value


@dataclass(frozen=True, slots=True)
class TextList:
    """A list of ``least`` to ``most`` different texts that ``each`` allows."""

    each: Rule
    least: int
    most: int

    @property
    def allowed_values(self) -> str:
        return f"a list of {self.least} to {self.most} different values, each {self.each.allowed_values}"

    def parse(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list | tuple) or not self.least <= len(value) <= self.most:
            raise ValueError
        found = tuple(self.each.parse(item) for item in value)
        if len(set(found)) != len(found):
            raise ValueError
        return found


@dataclass(frozen=True, slots=True)
class Redactions:
    """A table that maps percent-encoded key prefixes to what is redacted below each."""

    most: int

    @property
    def allowed_values(self) -> str:
        return f"a table of at most {self.most} percent-encoded key prefixes to faces, text or all"

    def parse(self, value: object) -> AlwaysRedact:
        if not isinstance(value, Mapping) or len(value) > self.most:
            raise ValueError
        if not all(isinstance(redact, str) and "," not in f"{prefix}{redact}" for prefix, redact in value.items()):
            raise ValueError
        return AlwaysRedact.parse(",".join(f"{prefix}={redact}" for prefix, redact in value.items()))
