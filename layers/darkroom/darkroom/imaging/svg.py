"""SVG, made harmless."""

from __future__ import annotations


def size(data: bytes) -> tuple[int, int]:
    """Width and height in px of the root element."""
    raise ValueError(len(data))
