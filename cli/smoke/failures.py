"""How a check says that it failed, or that it does not apply."""

from __future__ import annotations


class CheckFailed(Exception):
    """The stack lacks the checked behaviour; the message describes its behaviour."""


class CheckSkipped(Exception):
    """The check does not apply to this stack; the message names the reason."""


def require(holds: object, message: str) -> None:
    """Raise CheckFailed with ``message`` unless ``holds``."""
    if not holds:
        raise CheckFailed(message)
