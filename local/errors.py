"""Why the stack does not start, in words that say what to do."""

from __future__ import annotations


class CannotStart(Exception):
    """The message names the cause and the remedy; it is printed without a trace."""
