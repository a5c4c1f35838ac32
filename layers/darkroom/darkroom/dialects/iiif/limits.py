"""How large a picture may be that comes out: section 5.2, ``maxWidth``, ``maxHeight`` and ``maxArea``."""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

from ...plan.geometry.boxes import Size
from ...plan.options import MAX_SIDE_PX


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """The longest side is what every URL language here has; the area is what the largest encoder has memory for.

    ``rejects_oversized_box``: whether ``!w,h`` larger than the region is an error in version 3, as the official
    validator has it, or returns the region in its own size, as section 4.2 reads.
    """

    max_side_px: int = MAX_SIDE_PX
    max_area_px: int = 40_000_000
    rejects_oversized_box: bool = False

    def allow(self, size: Size) -> bool:
        """Whether a picture of ``size`` is served."""
        return max(size) <= self.max_side_px and size.width * size.height <= self.max_area_px

    def shrink(self, size: Size) -> Size:
        """The largest size of that shape that is served."""
        within = fit_within(size, Size(self.max_side_px, self.max_side_px))
        if self.allow(within):
            return within
        area = within.width * within.height
        return Size(*(max(1, isqrt(side * side * self.max_area_px // area)) for side in within))


def divide_half_up(numerator: int, denominator: int) -> int:
    """The quotient rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)


def fit_within(size: Size, box: Size) -> Size:
    """The largest size of the shape of ``size`` in ``box``, at least 1 px a side."""
    if box.width * size.height <= box.height * size.width:
        return Size(box.width, min(box.height, max(1, divide_half_up(size.height * box.width, size.width))))
    return Size(min(box.width, max(1, divide_half_up(size.width * box.height, size.height))), box.height)
