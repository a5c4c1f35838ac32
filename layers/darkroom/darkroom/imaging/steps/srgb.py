"""Convert to sRGB."""

from __future__ import annotations

from ..colour import to_srgb
from ..work import Work


def convert(work: Work) -> None:
    """Convert each frame to sRGB or grey, by the profile it carries. There are fewest pixels right after the resize."""
    work.each(to_srgb)
