"""Colour and tables on a terminal. Elsewhere, and with NO_COLOR (https://no-color.org), output is plain text."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self, TextIO

import click


class Style(Enum):
    """What a part of a line is, and how it looks."""

    PROBLEM = "problem"
    GOOD = "good"
    HEADING = "heading"
    PLAIN = "plain"

    def show(self, text: str) -> str:
        """Return ``text`` with the codes of the style, which the text itself must not have."""
        return click.style(text, **_LOOKS[self]) if text.strip() and self is not Style.PLAIN else text


_LOOKS: dict[Style, dict[str, Any]] = {
    Style.PROBLEM: {"fg": "red"},
    Style.GOOD: {"fg": "green"},
    Style.HEADING: {"bold": True},
}

type Part = str | tuple[str, Style]


class Line(str):
    """A line of output, parts of which have a style on a terminal. As a text it is plain."""

    parts: tuple[tuple[str, Style], ...]

    def __new__(cls, *parts: Part) -> Self:
        """Join ``parts``."""
        pairs = tuple((one, Style.PLAIN) if isinstance(one, str) else one for one in parts)
        line = super().__new__(cls, "".join(text for text, _ in pairs))
        line.parts = pairs
        return line


@dataclass(frozen=True)
class Table:
    """A list that has columns on a terminal, and is the lines ``plain`` elsewhere."""

    head: Sequence[str]
    rows: Sequence[Sequence[Part]]
    plain: Sequence[str]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.head) for row in self.rows):
            raise ValueError("a row has other columns than the head")  # also where the table is not laid out

    def lay_out(self, escape: Callable[[str], str]) -> Iterator[Line]:
        """Yield the head and the rows in aligned columns, those of numbers to the right. Nothing without rows."""
        if not self.rows:
            return
        rows = [[(escape(text), style) for text, style in Line(*row).parts] for row in self.rows]
        columns = list(zip(*rows, strict=True))
        widths = [
            max(map(_count_cells, (name, *(text for text, _ in column))))
            for name, column in zip(self.head, columns, strict=True)
        ]
        are_numbers = [all(text.isdecimal() for text, _ in column) for column in columns]
        for row in ([(name, Style.HEADING) for name in self.head], *rows):
            parts: list[Part] = []
            for (text, style), width, is_number in zip(row, widths, are_numbers, strict=True):
                space = " " * (width - _count_cells(text))
                parts += [space, (text, style), "  "] if is_number else [(text, style), space, "  "]
            yield Line(*parts)


def is_styled(stream: TextIO) -> bool:
    """Return whether what is written to ``stream`` has colours and tables."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def format_lines(lines: Iterable[str | Table], escape: Callable[[str], str], *, styled: bool) -> Iterator[str]:
    """Yield ``lines`` as they are written, with hidden characters of every part replaced by ``escape``."""
    for one in lines:
        if isinstance(one, str):
            yield _format_line(one, escape, styled=styled)
        elif styled:
            yield from (_format_line(line, str, styled=True).rstrip() for line in one.lay_out(escape))
        else:
            yield from map(escape, one.plain)


def _format_line(line: str, escape: Callable[[str], str], *, styled: bool) -> str:
    if not styled or not isinstance(line, Line):
        return escape(line)
    return "".join(style.show(escape(text)) for text, style in line.parts)


def _count_cells(text: str) -> int:
    """Count the cells of a terminal that ``text`` takes: two for a wide character, none for a combining one."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(one) else 2 if east_asian_width(one) in "WF" else 1 for one in text)
