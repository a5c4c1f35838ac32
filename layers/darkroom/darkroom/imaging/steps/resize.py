"""Make the picture smaller, or larger."""

from __future__ import annotations

import pyvips

from ...plan.geometry.layout import Size
from ..work import Work


def resize(work: Work) -> None:
    """Scale to the geometry's size with Lanczos 3 (bicubic where it enlarges).

    Colours are weighted by their alpha, else the colour of invisible pixels would show at edges.
    """
    size = work.geometry.stored_scaled
    if size == (work.frames[0].width, work.frames[0].height):
        return
    work.each(lambda frame: scaled(frame, size))


def scaled(image: pyvips.Image, size: Size) -> pyvips.Image:
    """``image`` at exactly ``size`` px."""
    if (image.width, image.height) == size:
        return image
    across, down = size.width / image.width, size.height / image.height
    if not image.hasalpha():
        return image.resize(across, vscale=down)
    weighted = image.premultiply()
    if image.format == "uchar":
        # Integer resizing is twice as fast; what rounding loses is less than half a step once composited.
        weighted = (weighted + 0.5).cast("uchar")
    return weighted.resize(across, vscale=down).unpremultiply().rint().cast(image.format)
