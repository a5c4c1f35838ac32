"""Cut off a border of one colour."""

from __future__ import annotations

import pyvips

from ...plan.geometry import Box, arrange
from ..colour import apart, to_eight_bits, to_srgb
from ..work import Work

MEDIAN_PX = 3
"""The side of the median filter by which libvips tells content from noise, unless it is told that this is line art."""

MEDIAN_MAX_PIXELS = 2_000_000
"""The filter takes 250 ms a megapixel, the rest 10."""


def trim(work: Work) -> None:
    """Cut the border whose colour is within ``trim`` (0–255) of the upright picture's first pixel.

    Where that pixel is transparent, it is the transparent border that goes. What is left counts as the whole picture
    for the resize. All frames of an animation are cut alike, so that none loses content. A picture of one colour stays.
    """
    if not work.plan.trim:
        return
    work.hold()
    geometry = work.geometry
    found = [_content(frame, geometry.orientation, work.plan.trim) for frame in work.frames]
    boxes = [box for box in found if box.width and box.height]
    if not boxes:
        return
    kept = _around(boxes)
    left, top = geometry.stored_subject[:2]
    subject = geometry.upright_box(Box(kept.left + left, kept.top + top, *kept.size))
    work.geometry = arrange(
        work.plan,
        geometry.stored,
        geometry.orientation,
        subject=subject,
        max_side_px=work.target.max_side_px,
        max_pixels=work.target.max_pixels,
    )
    work.each(lambda frame: frame.crop(*kept))


def _content(frame: pyvips.Image, orientation: int, threshold: int) -> Box:
    """The box of what differs from the border, without width or height where nothing does."""
    seen = to_eight_bits(to_srgb(frame))
    right, bottom = seen.width - 1, seen.height - 1
    border = seen.getpoint(right if orientation in (2, 3, 7, 8) else 0, bottom if orientation in (3, 4, 6, 7) else 0)
    colour, alpha = apart(seen)
    if alpha is not None and border[-1] == 0:
        return Box(*alpha.find_trim(threshold=threshold, background=[0], line_art=True))
    flat = seen.flatten(background=border[: colour.bands]) if alpha is not None else colour
    plain = min(flat.width, flat.height) < MEDIAN_PX or flat.width * flat.height > MEDIAN_MAX_PIXELS
    return Box(*flat.find_trim(threshold=threshold, background=border[: colour.bands], line_art=plain))


def _around(boxes: list[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)
