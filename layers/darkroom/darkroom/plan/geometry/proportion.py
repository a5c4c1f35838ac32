"""A picture made smaller by a factor after all else that decides on its size: thumbor's ``proportion()``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .boxes import Box, Size

if TYPE_CHECKING:
    from .layout import Geometry


def apply_proportion(geometry: Geometry, factor: float) -> Geometry:
    """``geometry`` with sides ``factor`` times as long, cut to whole px; as it is where one would be less than 1 px.

    What a window keeps stays the same part of the picture, to a pixel.
    """
    kept = Size(*(int(side * factor) for side in geometry.cropped_size))
    if min(kept) < 1:
        return geometry
    if geometry.window is None:
        return replace(geometry, scaled=kept)
    across, down = (new / old for new, old in zip(kept, geometry.cropped_size, strict=True))
    scaled = Size(
        max(kept.width, round(geometry.scaled.width * across)), max(kept.height, round(geometry.scaled.height * down))
    )
    left = min(round(geometry.window.left * across), scaled.width - kept.width)
    top = min(round(geometry.window.top * down), scaled.height - kept.height)
    return replace(geometry, scaled=scaled, window=Box(left, top, *kept))
