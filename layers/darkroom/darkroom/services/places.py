"""Where the media bucket has what is not for viewers."""

from __future__ import annotations

HELD_MASTERS = "held/"
"""Masters that wait for moderation."""
