"""What an operation is to the worker that carries it out key by key."""

from __future__ import annotations

from typing import Protocol

from .messages import JobSpec
from .results import KeyResult


class OperationHandler(Protocol):
    """Done by the worker itself, or asked of another function and then looked for."""

    def start(self, key: str, order: JobSpec) -> KeyResult:
        """Do it, or ask for it: the entry is ASKED then. Raises DarkroomError.

        A key that it was begun with before may be begun with again, at any time and by two workers at once.
        """

    def poll(self, key: str, mark: str) -> KeyResult | None:
        """What became of a key that was ASKED for with ``mark``; None while that is not known. Raises Unavailable."""
