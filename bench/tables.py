"""A table with a title, for terminals and pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as text, the first column left-aligned, others right-aligned; ``notes`` are lines below."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()

    def text(self, remark: str = "") -> str:
        """Format as aligned columns, with a remark after the title."""
        table = [self.headings, *self.rows]
        widths = [max(len(row[column]) for row in table) for column in range(len(self.headings))]
        lines = ["  ".join(_placed(cell, widths[at], at) for at, cell in enumerate(row)).rstrip() for row in table]
        return "\n".join([self.title + remark, *lines, *self.notes])

    def markdown(self) -> str:
        """Format as Markdown with a heading of the third level."""
        lines = [self.headings, ("---", *("---:" for _ in self.headings[1:])), *self.rows]
        table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
        return "\n\n".join([f"### {self.title}", table, *self.notes])


def _placed(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column == 0 else cell.rjust(width)
