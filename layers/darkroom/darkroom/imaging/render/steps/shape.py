"""Alpha masks: rounded corners and ellipses."""

from __future__ import annotations

import pyvips

from ....plan.geometry.placement import compute_ellipse_axes
from ...colour.convert import ensure_rgb, get_white_level, scale_hex_colour, split_alpha
from ..context import RenderContext


def round_corners(context: RenderContext) -> None:
    """Make the corners transparent outside a circle of ``radius`` px, at most half of the shorter side.

    With a vertical radius it is an ellipse, and each radius is at most half of its own side. With ``margin_colour`` the
    corners have that colour instead, and existing transparency stays, as in thumbor.
    """
    radius, radius_y = context.plan.radius, context.plan.radius_y
    width, height = context.frames[0].width, context.frames[0].height
    across = min(radius, width / 2, height / 2)
    down = across
    if radius_y:
        across, down = min(radius, width / 2), min(radius_y, height / 2)
    if across == down:
        mask = _corner_mask(width, height, across)
    else:
        x, y = _pixel_centres(width, height)
        mask = compute_coverage(_distance_beyond(x, width, across), _distance_beyond(y, height, down), across, down)
    mask = mask.copy_memory()
    colour = context.plan.margin_colour
    context.map_frames(lambda frame: _paint_outside(frame, mask, colour) if colour else apply_mask(frame, mask))


def _paint_outside(frame: pyvips.Image, mask: pyvips.Image, colour: str) -> pyvips.Image:
    """Paint ``colour`` where ``mask`` is 0. Alpha stays, but for that of a translucent colour."""
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


def _corner_mask(width: int, height: int, radius_px: float) -> pyvips.Image:
    """Return the coverage from 0 to 1, with edges smoothed over one pixel."""
    x, y = (
        _distance_beyond(axis, side, radius_px)
        for axis, side in zip(_pixel_centres(width, height), (width, height), strict=True)
    )
    return (radius_px + 0.5 - (x * x + y * y) ** 0.5).clamp(min=0, max=1)


def _pixel_centres(width: int, height: int) -> tuple[pyvips.Image, pyvips.Image]:
    places = pyvips.Image.xyz(width, height) + 0.5
    return places[0], places[1]


def _distance_beyond(place: pyvips.Image, side: int, radius_px: float) -> pyvips.Image:
    """Return how far a place lies beyond the straight part of its side, 0 within."""
    return ((place - side / 2).abs() - (side / 2 - radius_px)).clamp(min=0, max=max(radius_px, 1))


def apply_mask(frame: pyvips.Image, mask: pyvips.Image) -> pyvips.Image:
    """Multiply the alpha of ``frame`` by ``mask``, from 0 to 1."""
    colour, alpha = split_alpha(frame)
    shown = (mask * get_white_level(frame)) if alpha is None else mask * alpha
    return colour.bandjoin(shown.rint().cast(frame.format)).copy(interpretation=frame.interpretation)


def crop_to_ellipse(context: RenderContext) -> None:
    """Make everything outside the plan's ellipse transparent, and crop to its bounds."""
    ellipse, bounds = context.plan.ellipse, context.geometry.ellipse
    assert ellipse is not None
    assert bounds is not None
    x, y, across, down = compute_ellipse_axes(ellipse, context.geometry.angled_size)
    places = pyvips.Image.xyz(*bounds.size)
    mask = compute_coverage(
        places[0] + (bounds.left + 0.5 - x), places[1] + (bounds.top + 0.5 - y), across, down
    ).copy_memory()
    context.map_frames(lambda frame: apply_mask(frame.crop(*bounds), mask))


def compute_coverage(x: pyvips.Image, y: pyvips.Image, across: float, down: float) -> pyvips.Image:
    """Return how much of each pixel lies in the ellipse with these radii around (0, 0), from 0 to 1.

    By the distance of its middle from the edge, to first order: the residual of the ellipse's equation over its
    gradient.
    """
    off = (x / across) ** 2 + (y / down) ** 2 - 1
    steepness = ((x / across**2) ** 2 + (y / down**2) ** 2) ** 0.5 * 2 + 1e-9
    return (0.5 - off / steepness).clamp(min=0, max=1)
