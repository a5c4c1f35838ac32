"""Redaction, and removal of red eyes: steps that depend on findings."""

from __future__ import annotations

from functools import reduce
from math import ceil

import pyvips

from ....findings import get_face_regions
from ....plan.geometry.faces import locate_eyes
from ....plan.geometry.layout import Box
from ...colour.convert import ensure_rgb, get_white_level, join_alpha, split_alpha, to_eight_bits
from ..context import RenderContext

MASK_CELLS = 4_000_000
"""Most cells of a mask, a byte each. In a larger image a cell stands for several pixels."""

BLACK = 0
"""In grey, RGB and Lab alike, of any depth, with any profile."""


def redact(context: RenderContext) -> None:
    """Paint the faces or the text of the plan's redaction black.

    Nothing of what is covered reaches the result: two sources that differ there only give the same bytes. A blur or a
    mosaic keeps sums of the pixels under it, from which faces are recognised and texts are read (McPherson, Shokri and
    Shmatikov, "Defeating Image Obfuscation with Deep Learning", 2016; Hill et al., "On the (In)effectiveness of
    Mosaicing and Blurring as Tools for Document Redaction", 2016). Here they would also be other sums for each
    requested size and crop, so that a client could collect equations and solve them. The colour is fixed for the same
    reason. Raises what :func:`darkroom.plan.geometry.redaction_mask.compute_outlines` raises.
    """
    from ....plan.geometry.redaction_mask import compute_outlines, rasterize_mask  # few images hide anything

    geometry = context.geometry
    covers = compute_outlines(context.plan, context.findings, geometry.upright)
    region = geometry.stored_region
    cell_px = ceil((region.width * region.height / MASK_CELLS) ** 0.5)
    grid, cells = rasterize_mask(covers, geometry, cell_px)
    if not any(cells):
        return
    coarse = pyvips.Image.new_from_memory(cells, *grid, 1, "uchar")
    covered = coarse.zoom(cell_px, cell_px).crop(0, 0, *region.size)
    context.map_frames(lambda frame: _cover(frame, covered))


def _cover(frame: pyvips.Image, mask: pyvips.Image) -> pyvips.Image:
    """Make ``frame`` black, and opaque, where ``mask`` is 255."""
    alpha = frame.hasalpha()
    ink = [BLACK] * (frame.bands - alpha) + [get_white_level(frame)] * alpha
    return mask.ifthenelse(ink, frame).copy(interpretation=frame.interpretation)


RED_TIMES = 2.0
LEAST_RED = 60
"""Red pupils: more red than twice the mean of green and blue, and not dark (thumbor, ``filters/redeye.py``)."""


def darken_red_eyes(context: RenderContext) -> None:
    """Make red pupils grey, where findings have faces: as bright as their green and blue are.

    Stills only: of an animation, only the first frame is analysed.
    """
    places = locate_eyes(get_face_regions(context.findings), context.geometry)
    if len(context.frames) == 1 and places:
        context.map_frames(lambda frame: reduce(_darken_eye, places, to_eight_bits(ensure_rgb(frame))))


def _darken_eye(frame: pyvips.Image, eye: Box) -> pyvips.Image:
    colour, alpha = split_alpha(frame.crop(*eye))
    red, green, blue = colour.bandsplit()
    mean = (green + blue) / 2
    lit = (red > mean * RED_TIMES) & (red > LEAST_RED)
    grey = mean.rint().cast("uchar")
    clear = lit.ifthenelse(grey.bandjoin([grey, grey]), colour).copy(interpretation=frame.interpretation)
    return frame.insert(join_alpha(clear, alpha), eye.left, eye.top)
