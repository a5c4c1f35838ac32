"""What pictures are looked at for, as a deployment says."""

from __future__ import annotations

from collections.abc import Mapping

from ...findings import FACES, MODERATION, SIMILARITY, TEXT


def tasks(environment: Mapping[str, str]) -> tuple[str, ...]:
    """Those of ``TASKS``, and moderation where ``MODERATION_POLICY`` waits for its word or tells of it."""
    wanted = environment.get("TASKS", f"{FACES},{TEXT},{MODERATION},{SIMILARITY}").split(",")
    if environment.get("MODERATION_POLICY", "off") != "off":
        wanted.append(MODERATION)
    return tuple(dict.fromkeys(wanted))
