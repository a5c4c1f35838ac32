"""Tasks of the models, as the settings choose them."""

from __future__ import annotations

from ...findings import MODERATION
from ...settings import OFF, Settings


def configured_tasks(settings: Settings) -> tuple[str, ...]:
    """The tasks of ``settings``, with moderation where the policy needs it."""
    wanted = [*settings.tasks, *([MODERATION] if settings.moderation_policy != OFF else [])]
    return tuple(dict.fromkeys(wanted))
