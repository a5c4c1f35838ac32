"""Where the media bucket has what is not for viewers."""

from __future__ import annotations

HELD_MASTERS = "held/"
"""Masters that wait for moderation."""

LIBRARY = "library/"
"""Runs over whole libraries: what was listed, what became of each key, and reports. They expire after 30 days."""
