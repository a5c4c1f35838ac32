"""Crops that depend on pixels: trim a border, keep the most striking part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pyvips

from ....plan.geometry.layout import Box, Size, compute_geometry
from ....plan.geometry.placement import to_stored_box
from ....plan.model import TrimOptions
from ...colour.convert import ensure_rgb, parse_hex_colour, split_alpha, to_eight_bits, to_srgb
from ..context import IN_MEMORY_PIXELS, RenderContext

MEDIAN_PX = 3
"""The side of the median filter by which libvips separates content from noise, unless the image is line art."""

_SWAPPED = str.maketrans("hv", "vh")
"""The axes of an image that is stored on its side."""

MEDIAN_MAX_PIXELS = 2_000_000
"""The filter takes 250 ms a megapixel, the rest 10."""


def trim(context: RenderContext) -> None:
    """Crop the border whose colour is within ``trim`` (0–255) of the upright image's first pixel.

    Where that pixel is transparent, the transparent border is cropped. The rest counts as the whole image for the
    resize. All frames of an animation are cropped alike, so that none loses content. An image of one colour stays. A
    plan's ``trim_options`` may set another pixel or a colour, and the axes on which both sides lose alike.
    """
    context.copy_to_memory()
    geometry = context.geometry
    trimming = context.plan.trim_options
    threshold = trimming.level or context.plan.trim
    found = _find_cutout(context, threshold) or [
        _find_content(frame, geometry.orientation, threshold, trimming) for frame in context.frames
    ]
    boxes = [box for box in found if box.width]
    if not boxes and not context.plan.trim_first:
        return
    boxes = boxes or [Box(0, 0, context.frames[0].width, context.frames[0].height)]
    axes = trimming.equal.translate(_SWAPPED) if geometry.orientation >= 5 else trimming.equal
    kept = _even_sides(_enclose(boxes), Size(context.frames[0].width, context.frames[0].height), axes)
    left, top = geometry.stored_subject[:2]
    subject = geometry.to_upright(Box(kept.left + left, kept.top + top, *kept.size))
    context.geometry = compute_geometry(
        context.plan,
        geometry.stored,
        geometry.orientation,
        subject=subject,
        max_side_px=context.target.max_side_px,
        max_pixels=context.target.max_pixels,
    )
    context.map_frames(lambda frame: frame.crop(*kept))
    if context.plan.trim_first:
        _crop_trimmed(context, Box(kept.left + left, kept.top + top, *kept.size))


def _find_cutout(context: RenderContext, threshold: float) -> list[Box]:
    """Return the box of the foreground that is cut out later, in the frame; none without a cut-out."""
    if not context.plan.cutout:
        return []
    from .cutout import find_content, load_mask

    mask, geometry = load_mask(context), context.geometry
    if mask is None:
        return []
    box = to_stored_box(find_content(mask, geometry, threshold), geometry.upright, geometry.orientation)
    region = geometry.stored_region
    return [box._replace(left=box.left - region.left, top=box.top - region.top)]


def _crop_trimmed(context: RenderContext, trimmed: Box) -> None:
    """Apply the plan's ``crop_to`` within ``trimmed``, a region of the stored image."""

    region = context.geometry.stored_region
    if region != trimmed:
        context.map_frames(lambda frame: frame.crop(region.left - trimmed.left, region.top - trimmed.top, *region.size))
    crop_to_attention(context)


def _find_content(frame: pyvips.Image, orientation: int, threshold: float, trimming: TrimOptions) -> Box:
    """Return the box of what differs from the border, without width and height where nothing does."""
    seen = to_eight_bits(to_srgb(frame))
    if trimming.colour:
        return _find_other_than(seen, parse_hex_colour(trimming.colour), threshold)
    last = trimming.corner == "southeast"
    at_right, at_bottom = orientation in (2, 3, 7, 8), orientation in (3, 4, 6, 7)
    border = seen.getpoint(seen.width - 1 if at_right != last else 0, seen.height - 1 if at_bottom != last else 0)
    colour, alpha = split_alpha(seen)
    if alpha is not None and border[-1] == 0:
        return Box(*alpha.find_trim(threshold=threshold, background=[0], line_art=True))
    flat = seen.flatten(background=border[: colour.bands]) if alpha is not None else colour
    return _find_differing(flat, border[: colour.bands], threshold)


def _find_other_than(seen: pyvips.Image, colour: list[int], threshold: float) -> Box:
    """Return the box of what is not ``colour``; transparent pixels count as ``colour`` if its alpha is 0."""
    rich = ensure_rgb(seen)
    if rich.hasalpha():
        away = 0 if len(colour) > 3 and colour[3] == 0 else 128
        rich = rich.flatten(background=[(number + away) % 256 for number in colour[:3]])
    return _find_differing(rich, colour[:3], threshold)


def _find_differing(flat: pyvips.Image, border: Sequence[float], threshold: float) -> Box:
    plain = min(flat.width, flat.height) < MEDIAN_PX or flat.width * flat.height > MEDIAN_MAX_PIXELS
    return Box(*flat.find_trim(threshold=threshold, background=list(border), line_art=plain))


def _even_sides(box: Box, whole: Size, axes: str) -> Box:
    """Enlarge ``box`` until both sides of ``axes`` lose as much of ``whole`` as the one that loses less."""
    across = min(box.left, whole.width - box.left - box.width) if "h" in axes else None
    down = min(box.top, whole.height - box.top - box.height) if "v" in axes else None
    left, width = (box.left, box.width) if across is None else (across, whole.width - 2 * across)
    top, height = (box.top, box.height) if down is None else (down, whole.height - 2 * down)
    return Box(left, top, width, height)


def _enclose(boxes: list[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)


def crop_to_attention(context: RenderContext) -> None:
    """Crop to the most striking part of the region, of the size of the plan's ``crop_to``.

    All frames are cropped where the first one is. A region too large for memory keeps its middle.
    """
    geometry = context.geometry
    if geometry.search_area is None:
        return
    region, kept = geometry.stored_region, geometry.stored_subject
    if region.width * region.height * len(context.frames) <= IN_MEMORY_PIXELS * 4:
        context.copy_to_memory()
        found = to_eight_bits(to_srgb(context.frames[0])).smartcrop(*kept.size, interesting="attention")
        kept = Box(region.left - found.xoffset, region.top - found.yoffset, *kept.size)
    context.geometry = replace(geometry, subject=geometry.to_upright(kept), search_area=None)
    context.map_frames(lambda frame: frame.crop(kept.left - region.left, kept.top - region.top, *kept.size))
