"""Find the place of a cut by the pixels."""

from __future__ import annotations

from dataclasses import replace

from ...plan.geometry.layout import Box
from ..colour.convert import to_eight_bits, to_srgb
from ..work import IN_MEMORY_PIXELS, Work


def cut(work: Work) -> None:
    """Keep the most striking part of the region, of the size that the plan's cut has.

    All frames are cut where the first one is. A region that is too large to be held in memory keeps its middle.
    """
    geometry = work.geometry
    if geometry.search_area is None:
        return
    region, kept = geometry.stored_region, geometry.stored_subject
    if region.width * region.height * len(work.frames) <= IN_MEMORY_PIXELS * 4:
        work.hold()
        found = to_eight_bits(to_srgb(work.frames[0])).smartcrop(*kept.size, interesting="attention")
        kept = Box(region.left - found.xoffset, region.top - found.yoffset, *kept.size)
    work.geometry = replace(geometry, subject=geometry.to_upright(kept), search_area=None)
    work.each(lambda frame: frame.crop(kept.left - region.left, kept.top - region.top, *kept.size))
