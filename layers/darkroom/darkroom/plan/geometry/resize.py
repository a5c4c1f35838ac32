"""Sizes: how large a picture becomes. Whole numbers all the way, so that no side is a pixel off.

Only :func:`resize`, which does what imgproxy does (``processing/prepare.go``), reckons in factors.
"""

from __future__ import annotations

from typing import NamedTuple

from .boxes import Size, round_half_up

MAX_SCALED_SIDE_PX = 65_535
"""No picture is scaled beyond this before a cover cuts it: a 1 px wide source cannot make a 67-million-pixel column."""


def scale_side(side: int, numerator: int, denominator: int) -> int:
    """``side × numerator / denominator`` rounded half up, at least 1."""
    return max(1, (2 * side * numerator + denominator) // (2 * denominator))


def contain(size: Size, box: Size, *, upscale: bool) -> Size:
    """``size`` scaled to lie inside ``box``."""
    if not upscale and size.width <= box.width and size.height <= box.height:
        return size
    if box.width * size.height <= box.height * size.width:
        return Size(box.width, min(box.height, scale_side(size.height, box.width, size.width)))
    return Size(min(box.width, scale_side(size.width, box.height, size.height)), box.height)


def limit_pixels(size: Size, max_pixels: int | None) -> Size:
    """``size`` scaled down to at most ``max_pixels``."""
    pixels = size.width * size.height
    if max_pixels is None or pixels <= max_pixels:
        return size
    factor = (max_pixels / pixels) ** 0.5
    return contain(size, Size(*(max(1, int(side * factor)) for side in size)), upscale=False)


def shrink_to_fit(box: Size, limit: Size) -> Size:
    """``box`` made smaller, at its aspect ratio, until no side is longer than ``limit``'s."""
    return contain(box, limit, upscale=False)


def cover(size: Size, box: Size, *, upscale: bool) -> tuple[Size, Size]:
    """``size`` scaled to cover ``box``, and the box, which is smaller where the picture is, in its own shape."""
    box = shrink_to_fit(box, _largest_cover(size) if upscale else size)
    if box.width * size.height >= box.height * size.width:
        return Size(box.width, max(box.height, scale_side(size.height, box.width, size.width))), box
    return Size(max(box.width, scale_side(size.width, box.height, size.height)), box.height), box


def _largest_cover(size: Size) -> Size:
    """The largest size a cover may give: that of ``size`` when its longer side is scaled to the limit, rounded down."""
    longer = max(size)
    return Size(*(max(1, side * max(MAX_SCALED_SIDE_PX, longer) // longer) for side in size))


class ResizeRequest(NamedTuple):
    """What is asked of a size: sides of the box (0: none), factors on top, and least sides (0: none)."""

    box: Size
    scale: tuple[float, float] = (1.0, 1.0)
    min_size: Size = Size(0, 0)

    @property
    def target(self) -> Size:
        """The box with its factors, 0 for a side that is not given."""
        return self.target_at(1.0)

    def target_at(self, ratio: float) -> Size:
        """The box with its factors and a pixel ratio."""
        factors = zip(self.box, self.scale, strict=True)
        return Size(*(max(1, round_half_up(side * by * ratio)) if side else 0 for side, by in factors))


def resize(
    size: Size, request: ResizeRequest, fit: str, cover_mode: str, limit: Size, *, upscale: bool
) -> tuple[Size, Size]:
    """``size`` as it is scaled by ``request``, and the part of it that is kept.

    ``fit`` and ``covering`` are a Plan's. Unless ``upscale``, nothing is enlarged but by the least sides. What is kept
    is the box's size where that is smaller; a cover that is not clipped keeps the box's shape. No side of it is longer
    than ``most``'s, and none of the scaled picture longer than a cover may make it.
    """
    across, down = compute_factors(size, request.box, fit, cover_mode)
    across, down = across * request.scale[0], down * request.scale[1]
    if not upscale and (larger := max(across, down)) > 1:
        across, down = across / larger, down / larger
    for least, side, axis in ((request.min_size.width, size.width, 0), (request.min_size.height, size.height, 1)):
        short = least / (side * (across, down)[axis])
        if short > 1:
            across, down = across * short, down * short
    target = Size(0, 0) if cover_mode == "uncut" else request.target
    scaled = Size(max(1, round_half_up(size.width * across)), max(1, round_half_up(size.height * down)))
    kept = crop_to_target(scaled, target, keep_ratio=fit == "cover" and not cover_mode and not upscale)
    limits = zip((*kept, *scaled), (*limit, *(max(MAX_SCALED_SIDE_PX, side) for side in size)), strict=True)
    factor = min(1.0, *(limit / side for side, limit in limits))
    if factor < 1:
        scaled, kept = (Size(*(max(1, int(side * factor)) for side in one)) for one in (scaled, kept))
    return scaled, Size(min(kept.width, scaled.width), min(kept.height, scaled.height))


def compute_factors(size: Size, box: Size, fit: str, cover_mode: str) -> tuple[float, float]:
    """By how much ``box`` makes ``size`` larger on each axis."""
    if not (box.width or box.height):
        return 1.0, 1.0
    if not (box.width and box.height) and fit == "fill":
        return box.width / size.width or 1.0, box.height / size.height or 1.0
    if not (box.width and box.height):
        only = box.width / size.width or box.height / size.height
        return only, only
    across, down = box.width / size.width, box.height / size.height
    if fit == "fill":
        return across, down
    covers = fit == "cover" and not (cover_mode == "flex" and orientation_differs(size, box))
    factor = max(across, down) if covers else min(across, down)
    return factor, factor


def orientation_differs(size: Size, box: Size) -> bool:
    """Whether one of them is upright and the other is not. A square counts as lying, as it does for imgproxy."""
    return (size.width >= size.height) != (box.width >= box.height)


def swap_box(box: Size, size: Size) -> Size:
    """``box`` turned where it lies and ``size`` stands, or the other way round: thumbor's ``adaptive-fit-in``."""
    return box.transposed if (size.width - size.height) * (box.width - box.height) < 0 else box


def crop_to_target(scaled: Size, target: Size, *, keep_ratio: bool) -> Size:
    """The part of ``scaled`` that a box of ``target`` keeps; ``shaped``: in its shape, where it is the larger one."""
    wanted = Size(target.width or scaled.width, target.height or scaled.height)
    if keep_ratio:
        return shrink_to_fit(wanted, scaled)
    return Size(min(wanted.width, scaled.width), min(wanted.height, scaled.height))
