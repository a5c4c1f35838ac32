"""Convert to sRGB."""

from __future__ import annotations

from ..colour.cicp import cicp_to_srgb, needs_conversion
from ..colour.convert import to_srgb
from ..work import Work


def convert(work: Work) -> None:
    """Convert each frame to sRGB or grey, by the profile it carries or the code points of its header.

    There are fewest pixels right after the resize.
    """
    cicp = work.cicp
    if cicp is not None and needs_conversion(cicp):
        work.each(lambda frame: cicp_to_srgb(frame, cicp))
    work.each(to_srgb)
