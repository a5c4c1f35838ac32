"""Errors of the local stack."""

from __future__ import annotations

from cli.errors import CommandError


class StartError(CommandError):
    """The stack cannot start. The message contains the cause and the remedy, and is shown without a traceback."""
