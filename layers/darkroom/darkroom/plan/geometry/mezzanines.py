"""Sizes of mezzanines, and whether one has the pixels of a render."""

from __future__ import annotations

from ..variants import MEZZANINE_FROM_PIXELS, MEZZANINE_REDUCTION, MEZZANINE_SIDES_PX
from .layout import Geometry, Size
from .resize import contain


def list_mezzanine_sizes(master: Size) -> dict[int, Size]:
    """Return the sizes of mezzanines of an image of this size, by their longer sides, the smaller one first."""
    if master.width * master.height < MEZZANINE_FROM_PIXELS:
        return {}
    return {
        side_px: contain(master, Size(side_px, side_px), upscale=False)
        for side_px in MEZZANINE_SIDES_PX
        if max(master) >= side_px * MEZZANINE_REDUCTION
    }


def is_mezzanine_sufficient(geometry: Geometry, mezzanine: Size) -> bool:
    """Return whether a mezzanine of this stored size has every pixel that a render by ``geometry`` needs.

    ``geometry`` is that of the master: crop, rotation and zoom are part of it.
    """
    return geometry.shrink_from(mezzanine) >= MEZZANINE_REDUCTION
