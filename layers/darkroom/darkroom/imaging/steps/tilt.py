"""Turn by any angle."""

from __future__ import annotations

from math import cos, radians, sin

import pyvips

from ...plan.geometry.layout import Size
from ..colour.convert import ensure_rgb, get_white_level, scale_hex_colour
from ..work import Work


def tilt(work: Work) -> None:
    """Turn by ``angle`` degrees clockwise about the middle, by a bicubic kernel; the picture grows to hold all of it.

    The corners have ``margin_colour``, without one they become transparent; edges are soft. Colours are weighted by
    their alpha, as in a resize.
    """
    size = work.geometry.angled_size
    work.each(lambda frame: _tilted(frame, work.plan.angle, size, work.plan.margin_colour))


def _tilted(frame: pyvips.Image, degrees: float, size: Size, colour: str) -> pyvips.Image:
    across, down = cos(radians(degrees)), sin(radians(degrees))
    shown = ensure_rgb(frame) if colour else frame
    solid = not shown.hasalpha() and len(colour) == 6
    weighted = (shown if shown.hasalpha() else shown.addalpha()).premultiply()
    turned = weighted.affine(
        [across, -down, down, across],
        interpolate=pyvips.Interpolate.new("bicubic"),
        oarea=[0, 0, *size],
        idx=-(frame.width - 1) / 2,
        idy=-(frame.height - 1) / 2,
        odx=(size.width - 1) / 2,
        ody=(size.height - 1) / 2,
        premultiplied=True,
        background=_premultiplied(colour, get_white_level(shown)) if colour else [0] * weighted.bands,
        extend="background",
    )
    turned = turned.unpremultiply().rint().cast(frame.format).copy(interpretation=shown.interpretation)
    return turned.extract_band(0, n=3) if solid else turned


def _premultiplied(colour: str, white: int) -> list[float]:
    *bands, alpha = scale_hex_colour(colour, white, 4)
    return [*(band * alpha / white for band in bands), alpha]
