"""Draw sequence diagrams of Markdown pages for the site, which has no program for Mermaid's language.

Of the language, messages (``->>``, and ``-->>`` for answers) and the blocks ``alt``, ``else`` and ``end`` are read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from tools.diagram import ARROW, STYLE

COLUMN_PX, ROW_PX = 152, 30
WIDTH_PX, HEIGHT_PX = 110, 32
INDENT_PX = 8
"""Distance of the frame of a block from the one around it."""

LETTER_PX = 6.0
"""Width of a letter of a text, about."""

_MESSAGE = re.compile(r"(.+?)(--?)>>(.+?): (.+)")
_BLOCK = re.compile(r"(alt|else|end)\b ?(.*)")


@dataclass(frozen=True, slots=True)
class Message:
    """A line of a diagram: ``answers`` are dashed."""

    sender: str
    receiver: str
    text: str
    answers: bool


@dataclass(frozen=True, slots=True)
class Block:
    """The beginning (``alt``), the next case (``else``) or the end of a block."""

    word: str
    text: str


def parse(source: str) -> list[Message | Block]:
    """Parse the lines below ``sequenceDiagram``. Raises ValueError for one that is neither a message nor a block."""
    head, *lines = (line.strip() for line in source.strip().splitlines())
    if head != "sequenceDiagram":
        raise ValueError(f"not a sequence diagram: {head}")
    return [_parse_line(line) for line in lines]


def _parse_line(line: str) -> Message | Block:
    if block := _BLOCK.fullmatch(line):
        return Block(block[1], block[2])
    if message := _MESSAGE.fullmatch(line):
        return Message(message[1], message[3], message[4], answers=message[2] == "--")
    raise ValueError(f"neither a message nor a block: {line}")


def draw(source: str) -> str:
    """Return an SVG of a diagram in Mermaid's language. Raises ValueError."""
    rows = parse(source)
    messages = [row for row in rows if isinstance(row, Message)]
    columns = {
        name: number * COLUMN_PX + COLUMN_PX / 2
        for number, name in enumerate(dict.fromkeys(name for one in messages for name in (one.sender, one.receiver)))
    }
    width, height = len(columns) * COLUMN_PX, HEIGHT_PX + len(rows) * ROW_PX
    parts = [_draw_participant(name, x, height) for name, x in columns.items()]
    tops: list[float] = []
    for number, row in enumerate(rows, 1):
        y = HEIGHT_PX + number * ROW_PX
        if isinstance(row, Message):
            parts.append(_draw_message(row, columns[row.sender], columns[row.receiver], y, width))
        elif row.word == "end":
            parts.append(_draw_frame(tops.pop(), y, width, inset=(len(tops) + 1) * INDENT_PX))
        else:
            tops += [y] if row.word == "alt" else []
            parts.append(_draw_case(row, y, width, inset=len(tops) * INDENT_PX))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="diagram" viewBox="0 0 {width} {height}" role="img"'
        f' aria-label="Messages between {", ".join(columns)}">\n<style>\n{STYLE}</style>\n{ARROW}\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _draw_participant(name: str, x: float, height: float) -> str:
    return (
        f'<path d="M{x:g} {HEIGHT_PX}V{height}"/><rect class="aws" x="{x - WIDTH_PX / 2:g}" y="1" width="{WIDTH_PX}"'
        f' height="{HEIGHT_PX}"/><text x="{x:g}" y="22" text-anchor="middle">{escape(name)}</text>'
    )


def _draw_message(message: Message, start: float, end: float, y: float, width: float) -> str:
    """Draw an arrow below its text; a message of a participant to itself is a text over its line."""
    last = width - len(message.text) * LETTER_PX / 2 - 4 * INDENT_PX
    x = min((start + end) / 2, last)
    text = f'<text class="label" x="{x:g}" y="{y - 5:g}" text-anchor="middle">{escape(message.text)}</text>'
    dashes = ' stroke-dasharray="4 3"' if message.answers else ""
    arrow = f'<path d="M{start:g} {y:g}H{end:g}"{dashes} marker-end="url(#arrow)"/>'
    return text if start == end else arrow + text


def _draw_case(block: Block, y: float, width: float, *, inset: int) -> str:
    """Draw the condition of a case, and the line that separates a further one from it."""
    line = f'<path d="M{inset} {y - 20:g}H{width - inset}" stroke-dasharray="2 3"/>' if block.word == "else" else ""
    return f'{line}<text class="label" x="{inset + 6}" y="{y - 6:g}" font-weight="bold">{escape(block.text)}</text>'


def _draw_frame(top: float, bottom: float, width: float, *, inset: int) -> str:
    height = bottom - top
    return f'<path d="M{inset} {top - 20:g}h{width - 2 * inset}v{height:g}h{2 * inset - width}z"/>'
