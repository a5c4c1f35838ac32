"""Cover what is to be hidden."""

from __future__ import annotations

from math import ceil

import pyvips

from ..colour.convert import get_white_level
from ..work import Work

MASK_CELLS = 4_000_000
"""Most cells of a mask, a byte each. In a larger picture a cell stands for several pixels."""

BLACK = 0
"""In grey, RGB and Lab alike, of any depth, with any profile."""


def redact(work: Work) -> None:
    """Paint the faces or the text black that the plan hides.

    Nothing of what is covered gets into the result: two sources that differ there only become the same bytes. A blur or
    a mosaic keeps sums of the pixels under it, of which faces are recognised and texts are read (McPherson, Shokri and
    Shmatikov, "Defeating Image Obfuscation with Deep Learning", 2016; Hill et al., "On the (In)effectiveness of
    Mosaicing and Blurring as Tools for Document Redaction", 2016). Here they would also be other sums for each size and
    crop that is asked for, so that a patient viewer collected equations until they could be solved. The colour is fixed
    for that reason too. Raises what :func:`darkroom.plan.geometry.redaction_mask.outlines` raises.
    """
    if not work.plan.redact:
        return
    from ...plan.geometry.redaction_mask import compute_outlines, rasterize_mask  # few pictures hide anything

    geometry = work.geometry
    covers = compute_outlines(work.plan, work.findings, geometry.upright)
    region = geometry.stored_region
    cell_px = ceil((region.width * region.height / MASK_CELLS) ** 0.5)
    grid, cells = rasterize_mask(covers, geometry, cell_px)
    if not any(cells):
        return
    coarse = pyvips.Image.new_from_memory(cells, *grid, 1, "uchar")
    covered = coarse.zoom(cell_px, cell_px).crop(0, 0, *region.size)
    work.each(lambda frame: _covered(frame, covered))


def _covered(frame: pyvips.Image, mask: pyvips.Image) -> pyvips.Image:
    """``frame`` black, and opaque, where ``mask`` is 255."""
    alpha = frame.hasalpha()
    ink = [BLACK] * (frame.bands - alpha) + [get_white_level(frame)] * alpha
    return mask.ifthenelse(ink, frame).copy(interpretation=frame.interpretation)
