"""Round the corners."""

from __future__ import annotations

import pyvips

from ..colour.convert import ensure_rgb, get_white_level, scale_hex_colour, split_alpha
from ..work import Work


def round_corners(work: Work) -> None:
    """Make the corners transparent outside of a circle of ``radius`` px, which at most spans the shorter side.

    With a vertical radius it is an ellipse, and each radius spans its own side at most. With ``margin_colour``
    the corners have that colour instead, and what is transparent stays so, as in thumbor.
    """
    radius, radius_y = work.plan.radius, work.plan.radius_y
    if not radius:
        return
    width, height = work.frames[0].width, work.frames[0].height
    across = min(radius, width / 2, height / 2)
    down = across
    if radius_y:
        across, down = min(radius, width / 2), min(radius_y, height / 2)
    if across == down:
        mask = _mask(width, height, across)
    else:
        from .ellipse import coverage  # only other URL languages have it

        x, y = _centres(width, height)
        mask = coverage(_beyond(x, width, across), _beyond(y, height, down), across, down)
    mask = mask.copy_memory()
    colour = work.plan.margin_colour
    work.each(lambda frame: _painted(frame, mask, colour) if colour else masked(frame, mask))


def _painted(frame: pyvips.Image, mask: pyvips.Image, colour: str) -> pyvips.Image:
    """``frame`` with ``colour`` where ``mask`` is 0. Its alpha stays, but for that of a translucent colour."""
    rich = ensure_rgb(frame)
    bands, alpha = split_alpha(rich)
    *paint, opacity = scale_hex_colour(colour, get_white_level(rich), 4)
    outside = 1 - mask
    bands = (bands * mask + outside * paint).rint().cast(rich.format).copy(interpretation=rich.interpretation)
    if alpha is None and len(colour) == 6:
        return bands
    shown = get_white_level(rich) if alpha is None else alpha
    alpha = mask * shown + outside * (shown * (opacity / get_white_level(rich)))
    return bands.bandjoin(alpha.rint().cast(rich.format)).copy(interpretation=rich.interpretation)


def _mask(width: int, height: int, radius_px: float) -> pyvips.Image:
    """Coverage from 0 to 1, with edges smoothed over one pixel."""
    x, y = (_beyond(axis, side, radius_px) for axis, side in zip(_centres(width, height), (width, height), strict=True))
    return (radius_px + 0.5 - (x * x + y * y) ** 0.5).clamp(min=0, max=1)


def _centres(width: int, height: int) -> tuple[pyvips.Image, pyvips.Image]:
    places = pyvips.Image.xyz(width, height) + 0.5
    return places[0], places[1]


def _beyond(place: pyvips.Image, side: int, radius_px: float) -> pyvips.Image:
    """How far a place lies beyond the straight part of its side, 0 within."""
    return ((place - side / 2).abs() - (side / 2 - radius_px)).clamp(min=0, max=max(radius_px, 1))


def masked(frame: pyvips.Image, mask: pyvips.Image) -> pyvips.Image:
    """``frame`` with its alpha multiplied by ``mask``, from 0 to 1."""
    colour, alpha = split_alpha(frame)
    shown = (mask * get_white_level(frame)) if alpha is None else mask * alpha
    return colour.bandjoin(shown.rint().cast(frame.format)).copy(interpretation=frame.interpretation)
