"""Cut an ellipse out."""

from __future__ import annotations

import pyvips

from ...plan.geometry.placement import compute_ellipse_axes
from ..work import Work
from .corners import masked


def cut_ellipse(work: Work) -> None:
    """Make what lies outside of the plan's ellipse transparent, and cut the picture to its bounds."""
    ellipse, bounds = work.plan.ellipse, work.geometry.ellipse
    assert ellipse is not None
    assert bounds is not None
    x, y, across, down = compute_ellipse_axes(ellipse, work.geometry.angled_size)
    places = pyvips.Image.xyz(*bounds.size)
    mask = coverage(places[0] + (bounds.left + 0.5 - x), places[1] + (bounds.top + 0.5 - y), across, down).copy_memory()
    work.each(lambda frame: masked(frame.crop(*bounds), mask))


def coverage(x: pyvips.Image, y: pyvips.Image, across: float, down: float) -> pyvips.Image:
    """How much of each pixel lies in the ellipse with these radii around (0, 0), from 0 to 1.

    By the distance of its middle from the edge, to first order: how much the ellipse's equation is off, against how
    steeply it rises.
    """
    off = (x / across) ** 2 + (y / down) ** 2 - 1
    steepness = ((x / across**2) ** 2 + (y / down**2) ** 2) ** 0.5 * 2 + 1e-9
    return (0.5 - off / steepness).clamp(min=0, max=1)
