"""Cut off a border of one colour."""

from __future__ import annotations

from collections.abc import Sequence

import pyvips

from ...plan.geometry.layout import Box, Size, compute_geometry
from ...plan.model import Trimming
from ..colour.convert import ensure_rgb, parse_hex_colour, split_alpha, to_eight_bits, to_srgb
from ..work import Work

MEDIAN_PX = 3
"""The side of the median filter by which libvips tells content from noise, unless it is told that this is line art."""

_SWAPPED = str.maketrans("hv", "vh")
"""The axes of a picture that is stored on its side."""

MEDIAN_MAX_PIXELS = 2_000_000
"""The filter takes 250 ms a megapixel, the rest 10."""


def trim(work: Work) -> None:
    """Cut the border whose colour is within ``trim`` (0–255) of the upright picture's first pixel.

    Where that pixel is transparent, it is the transparent border that goes. What is left counts as the whole picture
    for the resize. All frames of an animation are cut alike, so that none loses content. A picture of one colour stays.
    A plan's ``trimming`` may say another pixel or a colour, and on which axes both sides lose alike.
    """
    if not work.plan.trim:
        return
    work.hold()
    geometry = work.geometry
    trimming = work.plan.trimming
    threshold = trimming.level or work.plan.trim
    found = [_content(frame, geometry.orientation, threshold, trimming) for frame in work.frames]
    boxes = [box for box in found if box.width]
    if not boxes and not work.plan.trim_first:
        return
    boxes = boxes or [Box(0, 0, work.frames[0].width, work.frames[0].height)]
    axes = trimming.equal.translate(_SWAPPED) if geometry.orientation >= 5 else trimming.equal
    kept = _evened(_around(boxes), Size(work.frames[0].width, work.frames[0].height), axes)
    left, top = geometry.stored_subject[:2]
    subject = geometry.to_upright(Box(kept.left + left, kept.top + top, *kept.size))
    work.geometry = compute_geometry(
        work.plan,
        geometry.stored,
        geometry.orientation,
        subject=subject,
        max_side_px=work.target.max_side_px,
        max_pixels=work.target.max_pixels,
    )
    work.each(lambda frame: frame.crop(*kept))
    if work.plan.trim_first:
        _cut(work, Box(kept.left + left, kept.top + top, *kept.size))


def _cut(work: Work, trimmed: Box) -> None:
    """Keep what the plan's cut does of ``trimmed``, a region of the stored picture."""
    from .cut import cut  # only other URL languages ask for it

    region = work.geometry.stored_region
    if region != trimmed:
        work.each(lambda frame: frame.crop(region.left - trimmed.left, region.top - trimmed.top, *region.size))
    cut(work)


def _content(frame: pyvips.Image, orientation: int, threshold: float, trimming: Trimming) -> Box:
    """The box of what differs from the border, without width and height where nothing does."""
    seen = to_eight_bits(to_srgb(frame))
    if trimming.colour:
        return _other_than(seen, parse_hex_colour(trimming.colour), threshold)
    last = trimming.corner == "southeast"
    at_right, at_bottom = orientation in (2, 3, 7, 8), orientation in (3, 4, 6, 7)
    border = seen.getpoint(seen.width - 1 if at_right != last else 0, seen.height - 1 if at_bottom != last else 0)
    colour, alpha = split_alpha(seen)
    if alpha is not None and border[-1] == 0:
        return Box(*alpha.find_trim(threshold=threshold, background=[0], line_art=True))
    flat = seen.flatten(background=border[: colour.bands]) if alpha is not None else colour
    return _differing(flat, border[: colour.bands], threshold)


def _other_than(seen: pyvips.Image, colour: list[int], threshold: float) -> Box:
    """The box of what is not ``colour``, of which transparent pixels are if its alpha is 0."""
    rich = ensure_rgb(seen)
    if rich.hasalpha():
        away = 0 if len(colour) > 3 and colour[3] == 0 else 128
        rich = rich.flatten(background=[(number + away) % 256 for number in colour[:3]])
    return _differing(rich, colour[:3], threshold)


def _differing(flat: pyvips.Image, border: Sequence[float], threshold: float) -> Box:
    plain = min(flat.width, flat.height) < MEDIAN_PX or flat.width * flat.height > MEDIAN_MAX_PIXELS
    return Box(*flat.find_trim(threshold=threshold, background=list(border), line_art=plain))


def _evened(box: Box, whole: Size, axes: str) -> Box:
    """``box`` made larger until both sides of ``axes`` lose as much of ``whole`` as the one that loses less."""
    across = min(box.left, whole.width - box.left - box.width) if "h" in axes else None
    down = min(box.top, whole.height - box.top - box.height) if "v" in axes else None
    left, width = (box.left, box.width) if across is None else (across, whole.width - 2 * across)
    top, height = (box.top, box.height) if down is None else (down, whole.height - 2 * down)
    return Box(left, top, width, height)


def _around(boxes: list[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)
