"""Where the media bucket has what is not for viewers."""

from __future__ import annotations

HELD_MASTERS = "held/"
"""Masters that wait for moderation."""

LIBRARY = "library/"
"""Runs over whole libraries: what was listed, what became of each key, and reports. They expire after 30 days."""

SCENES = "scenes/"
"""Parts of huge pictures, until they are put together. What nobody has deleted expires after three days."""
