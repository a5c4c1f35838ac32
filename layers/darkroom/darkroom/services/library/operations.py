"""What an operation is to the worker that carries it out key by key."""

from __future__ import annotations

from typing import Protocol

from .outcomes import Entry
from .requests import Order


class Operation(Protocol):
    """Done by the worker itself, or asked of another function and then looked for."""

    def begin(self, key: str, order: Order) -> Entry:
        """Do it, or ask for it: the entry is ASKED then. Raises DarkroomError.

        A key that it was begun with before may be begun with again, at any time and by two workers at once.
        """

    def look(self, key: str, mark: str) -> Entry | None:
        """What became of a key that was ASKED for with ``mark``; None while that is not known. Raises Unavailable."""
