"""Documented constraints of an AWS API, as botocore's model of the service states them.

botocore validates types, required members and minima before it sends a request. AWS refuses more: maxima, patterns and
values outside of an enumeration. Here all of them are checked, for a request and for a response.

Patterns are Java's (Smithy 2.0, "pattern trait"), and AWS's services compare the whole value. ``regex`` knows the
classes that ``re`` lacks. Text has 16-bit units in Java, from which characters beyond them follow as pairs.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import regex
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (Mapping,),
    "map": (Mapping,),
    "list": (Sequence,),
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (float, int),
    "double": (float, int),
    "boolean": (bool,),
    "timestamp": (datetime, str, int, float),
}
"""Python's types of a value by the type of its shape; a ``blob`` is bytes, text or a stream."""

_PAIRS = r"\uD800\uDC00-\uDBFF\uDFFF"
"""A range of pairs of 16-bit units, which is invalid in a class of characters."""

_ASCII: Mapping[str, str] = {
    r"\w": "a-z_A-Z0-9",
    r"\d": "0-9",
    r"\s": r" \t-\r",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{ASCII}": r"\x00-\x7F",
    r"\p{Print}": r"\x20-\x7E",
}
"""Classes that contain ASCII only in Java (java.util.regex.Pattern, "Predefined character classes")."""

_TOKENS = re.compile(r"\\p\{\w+\}|\\.|.", re.DOTALL)

_SHOWN_LENGTH = 200


@dataclass(frozen=True, order=True)
class Violation:
    """A value that the model does not allow: where it is (``Entries[0].Detail``), and AWS's name of the rule."""

    path: str
    rule: str
    value: str = ""

    def __str__(self) -> str:
        """Return the text by which AWS's services refuse it."""
        return f"Value '{self.value}' at '{self.path}' failed to satisfy constraint: {self.rule}"


def find_violations(shape: Shape | None, value: Any, path: str = "") -> Iterator[Violation]:
    """Yield what ``shape`` does not allow of ``value``, parameters of a request or a parsed response."""
    if shape is None:
        return
    kind = shape.type_name
    is_boolean = isinstance(value, bool) and kind != "boolean"
    if value is None or (kind in TYPES and (is_boolean or not isinstance(value, TYPES[kind]))):
        yield Violation(path, f"Member must be a {kind}", _show(value))
        return
    if isinstance(shape, StructureShape):
        yield from _of_structure(shape, value, path)
    elif isinstance(shape, ListShape):
        yield from _of_size(shape, len(value), value, path)
        for index, item in enumerate(value):
            yield from find_violations(shape.member, item, f"{path}[{index}]")
    elif isinstance(shape, MapShape):
        yield from _of_size(shape, len(value), value, path)
        for key, item in value.items():
            yield from find_violations(shape.key, key, f"{path}.{key}")
            yield from find_violations(shape.value, item, f"{path}.{key}")
    elif isinstance(shape, StringShape):
        yield from _of_text(shape, value, path)
    elif kind == "blob" and isinstance(value, bytes | str):
        yield from _of_size(shape, len(value), value, path)
    elif kind in ("integer", "long", "float", "double"):
        yield from _of_number(shape, value, path)


def _of_structure(shape: StructureShape, value: Mapping[str, Any], path: str) -> Iterator[Violation]:
    at = f"{path}." if path else ""
    if shape.is_document_type:
        return
    for name in sorted(set(shape.required_members) - value.keys()):
        yield Violation(f"{at}{name}", "Member must not be null", "null")
    if shape.is_tagged_union and len(value) != 1:
        yield Violation(path, f"Member must have exactly one of {', '.join(shape.members)}", ", ".join(value))
    for name, item in value.items():
        if name in shape.members:
            yield from find_violations(shape.members[name], item, f"{at}{name}")
        elif name != "ResponseMetadata":
            yield Violation(f"{at}{name}", "Member is unknown", _show(item))


def _of_size(shape: Shape, size: int, value: Any, path: str) -> Iterator[Violation]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield Violation(path, f"Member must have length greater than or equal to {low}", _show(value))
    if high is not None and size > high:
        yield Violation(path, f"Member must have length less than or equal to {high}", _show(value))


def _of_text(shape: StringShape, value: str, path: str) -> Iterator[Violation]:
    yield from _of_size(shape, len(value.encode("utf-16-le")) // 2, value, path)
    if shape.enum and value not in shape.enum:
        yield Violation(path, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]", _show(value))
    pattern = shape.metadata.get("pattern")
    if pattern and not _compile(pattern).fullmatch(value):
        yield Violation(path, f"Member must satisfy regular expression pattern: {pattern}", _show(value))


def _of_number(shape: Shape, value: float, path: str) -> Iterator[Violation]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield Violation(path, f"Member must have value greater than or equal to {low}", _show(value))
    if high is not None and value > high:
        yield Violation(path, f"Member must have value less than or equal to {high}", _show(value))


@functools.cache
def _compile(pattern: str) -> Any:
    return regex.compile(translate(pattern))


def translate(pattern: str) -> str:
    """Return a pattern of Java as one of ``regex``."""
    return "".join(_translate(pattern.replace(_PAIRS, r"\U00010000-\U0010FFFF")))


def _translate(pattern: str) -> Iterator[str]:
    in_class = False
    for token in _TOKENS.findall(pattern):
        in_class = token == "[" or (in_class and token != "]")
        if token in _ASCII:
            yield _ASCII[token] if in_class else f"[{_ASCII[token]}]"
        else:
            yield token


def _show(value: Any) -> str:
    shown = str(value)
    return shown if len(shown) <= _SHOWN_LENGTH else f"{shown[:_SHOWN_LENGTH]}... ({len(shown)} characters)"
