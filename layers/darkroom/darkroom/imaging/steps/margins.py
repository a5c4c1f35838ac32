"""Put margins around the picture: the letterbox and the padding."""

from __future__ import annotations

import pyvips

from ..colour.convert import ensure_rgb, get_white_level, scale_hex_colour
from ..work import Work


def add_margins(work: Work) -> None:
    """Put the picture into its letterbox or extension, with padding around.

    The margins have ``margin_colour``, whatever is transparent within the picture, as sharp's ``extend`` and
    ``contain`` do. Without one they are transparent, until ``background`` fills all that is.
    """
    padding, inner = work.geometry.padding, work.geometry.size
    width, height = inner.width + padding.left + padding.right, inner.height + padding.top + padding.bottom
    if (width, height) == (work.frames[0].width, work.frames[0].height):
        return
    left, top = begins(work)
    work.each(lambda frame: _embedded(frame, left, top, width, height, work.plan.margin_colour))


def begins(work: Work) -> tuple[int, int]:
    """Where the picture begins within its margins."""
    padding, inner, own = work.geometry.padding, work.geometry.size, work.geometry.image_size
    left, top = work.geometry.canvas_position or ((inner.width - own.width) // 2, (inner.height - own.height) // 2)
    return padding.left + left, padding.top + top


def _embedded(frame: pyvips.Image, left: int, top: int, width: int, height: int, colour: str) -> pyvips.Image:
    shown = ensure_rgb(frame) if colour else frame
    if not shown.hasalpha() and len(colour) != 6:
        shown = shown.addalpha()
    background = scale_hex_colour(colour, get_white_level(shown), shown.bands) if colour else [0] * shown.bands
    return shown.embed(left, top, width, height, extend="background", background=background)
