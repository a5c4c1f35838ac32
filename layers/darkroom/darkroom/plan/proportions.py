"""A picture made smaller by a factor after all else that decides on its size: thumbor's ``proportion()``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from .boxes import Box, Size

if TYPE_CHECKING:
    from .geometry import Geometry


def reduced(placed: Geometry, factor: float) -> Geometry:
    """``placed`` with sides ``factor`` times as long, cut to whole px; as it is where one would be less than 1 px.

    What a window keeps stays the same part of the picture, to a pixel.
    """
    kept = Size(*(int(side * factor) for side in placed.kept))
    if min(kept) < 1:
        return placed
    if placed.window is None:
        return replace(placed, scaled=kept)
    across, down = (new / old for new, old in zip(kept, placed.kept, strict=True))
    scaled = Size(
        max(kept.width, round(placed.scaled.width * across)), max(kept.height, round(placed.scaled.height * down))
    )
    left = min(round(placed.window.left * across), scaled.width - kept.width)
    top = min(round(placed.window.top * down), scaled.height - kept.height)
    return replace(placed, scaled=scaled, window=Box(left, top, *kept))
