"""History of the alarms: a file of JSON lines that outlives the stack."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MAX_ENTRIES = 2000

type Entry = dict[str, Any]


class AlarmHistory:
    """Changes of state and pages in ``path``, the last 2000."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: deque[Entry] = deque(_read(path), maxlen=MAX_ENTRIES)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(map(_line, self._entries)))

    def add_change(self, *, at_s: float, name: str, before: str, after: str, reason: str, value: float | None) -> None:
        """Add the change of an alarm from the state ``before`` to ``after``."""
        self._add({"at_s": at_s, "name": name, "from": before, "to": after, "reason": reason, "value": value})

    def add_page(self, *, at_s: float, name: str, reason: str) -> None:
        """Add a page."""
        self._add({"at_s": at_s, "name": name, "page": True, "reason": reason})

    def changes(self) -> list[Entry]:
        """Return changes of state, oldest first."""
        return [entry for entry in self._entries if "page" not in entry]

    def pages(self) -> list[Entry]:
        """Return pages, oldest first."""
        return [entry for entry in self._entries if "page" in entry]

    def _add(self, entry: Entry) -> None:
        self._entries.append(entry)
        with self._path.open("a") as file:
            file.write(_line(entry))


def _line(entry: Entry) -> str:
    return json.dumps(entry) + "\n"


def _read(path: Path) -> Iterator[Entry]:
    """Yield entries of an earlier stack, without an incomplete last line."""
    for line in path.read_text().splitlines() if path.exists() else ():
        try:
            yield json.loads(line)
        except ValueError:
            continue
