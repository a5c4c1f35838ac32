"""Fill places ``<!-- name -->…<!-- /name -->`` of Markdown pages with generated content."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path

type Content = Mapping[str, Callable[[], str]]

ROOT = Path(__file__).resolve().parent.parent
_PLACE = re.compile(r"<!-- ([a-z-]+) -->(.*?)<!-- /\1 -->", re.DOTALL)


def fill(page: str, content: Content) -> str:
    """Fill every place of ``page``. Raises KeyError for a place without content."""
    return _PLACE.sub(lambda place: f"<!-- {place[1]} -->{content[place[1]]()}<!-- /{place[1]} -->", page)


def table(*rows: tuple[str, ...]) -> str:
    """Format a Markdown table; the first row is its head."""
    lines = [f"| {' | '.join(row)} |" for row in (rows[0], ("---",) * len(rows[0]), *rows[1:])]
    return "\n\n" + "\n".join(lines) + "\n\n"
