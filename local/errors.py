"""Why the stack does not start, in words that say what to do."""

from __future__ import annotations


class StartError(Exception):
    """The message names the cause and the remedy; it is printed without a trace."""
