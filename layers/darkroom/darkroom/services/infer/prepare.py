"""The picture that models get to see."""

from __future__ import annotations

from ...imaging.render import render
from ...imaging.source import Source
from ...plan.limits import Limits
from ...plan.model import Plan

MAX_SIDE_PX = 2048
"""Of what is sent. A page of A4 has 175 dpi then, on which ten-point letters are 12 px high."""

QUALITY = 90

_PREPARED = Plan("", width=MAX_SIDE_PX, height=MAX_SIDE_PX, format="jpeg", quality=QUALITY, animate=False)


def prepared(source: Source, limits: Limits) -> bytes:
    """A JPEG of the first frame or page: sRGB, upright, white where it is transparent, no side over MAX_SIDE_PX.

    Raises what :func:`darkroom.imaging.render.render` raises.
    """
    return render(_PREPARED, source, limits=limits).body
