"""The parts of files that ``make alarms`` writes, each between two marks."""

from __future__ import annotations


def insert_between(text: str, begin: str, end: str, content: str) -> str:
    """Return ``text`` with what is between the marks replaced. ValueError unless each mark is there once."""
    before, rest = text.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n\n{content}\n{end}{after}"
