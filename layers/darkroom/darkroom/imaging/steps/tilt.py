"""Turn by any angle."""

from __future__ import annotations

from math import cos, radians, sin

import pyvips

from ...plan.geometry import Size
from ..work import Work


def tilt(work: Work) -> None:
    """Turn by ``angle`` degrees clockwise about the middle, by a bicubic kernel; the picture grows to hold all of it.

    The corners become transparent, and its edges soft. Colours are weighted by their alpha, as in a resize.
    """
    size = work.geometry.tilted
    work.each(lambda frame: _tilted(frame, work.plan.angle, size))


def _tilted(frame: pyvips.Image, degrees: float, size: Size) -> pyvips.Image:
    across, down = cos(radians(degrees)), sin(radians(degrees))
    weighted = (frame if frame.hasalpha() else frame.addalpha()).premultiply()
    turned = weighted.affine(
        [across, -down, down, across],
        interpolate=pyvips.Interpolate.new("bicubic"),
        oarea=[0, 0, *size],
        idx=-(frame.width - 1) / 2,
        idy=-(frame.height - 1) / 2,
        odx=(size.width - 1) / 2,
        ody=(size.height - 1) / 2,
        premultiplied=True,
        background=[0] * weighted.bands,
        extend="background",
    )
    return turned.unpremultiply().rint().cast(frame.format).copy(interpretation=frame.interpretation)
