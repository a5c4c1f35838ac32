"""Put a colour behind what is transparent."""

from __future__ import annotations

import pyvips

from ..colour.convert import ensure_rgb, get_white_level, scale_hex_colour
from ..work import Work

WHITE = "ffffff"


def fill_background(work: Work) -> None:
    """Fill what is transparent with ``bg``, and with white where the output cannot be transparent."""
    if not work.frames[0].hasalpha():
        return
    colour = work.plan.background
    if len(colour) == 8:
        work.each(lambda frame: _over(frame, colour))
    elif colour:
        work.each(lambda frame: _flat(frame, colour))
    if not work.target.alpha and work.frames[0].hasalpha():
        work.each(lambda frame: _flat(frame, WHITE))


def _flat(frame: pyvips.Image, colour: str) -> pyvips.Image:
    if colour == WHITE:
        return frame.flatten(background=[get_white_level(frame)] * (frame.bands - 1))
    return ensure_rgb(frame).flatten(background=scale_hex_colour(colour, get_white_level(frame), 3))


def _over(frame: pyvips.Image, colour: str) -> pyvips.Image:
    """``frame`` over a translucent colour."""
    rich = ensure_rgb(frame)
    numbers = scale_hex_colour(colour, get_white_level(rich), 4)
    sheet = (rich.extract_band(0, n=1) * 0 + numbers).cast(rich.format).copy(interpretation=rich.interpretation)
    return sheet.composite2(rich, "over").rint().cast(rich.format).copy(interpretation=rich.interpretation)
