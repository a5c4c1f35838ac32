"""Convert to sRGB."""

from __future__ import annotations

from ..colour.cicp import from_code_points, is_foreign
from ..colour.convert import to_srgb
from ..work import Work


def convert(work: Work) -> None:
    """Convert each frame to sRGB or grey, by the profile it carries or the code points of its header.

    There are fewest pixels right after the resize.
    """
    cicp = work.cicp
    if cicp is not None and is_foreign(cicp):
        work.each(lambda frame: from_code_points(frame, cicp))
    work.each(to_srgb)
