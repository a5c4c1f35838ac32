"""A whole scene in one process, strip by strip: what is held is one strip, and all shares."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ...plan.limits import Limits
from ..formats.probe import Header
from ..source import Source
from .assemble import Assembly, assemble
from .plan import PyramidPlan
from .strips import EncodedStrip, TileIndex, cut_strip, encode_strip
from .tiles import load_page
from .top_levels import build_top_levels

type PutStrip = Callable[[int, bytes], None]
"""Takes the body of the strip with that number."""


def iter_strips(source: Source, header: Header, plan: PyramidPlan, limits: Limits) -> Iterator[EncodedStrip]:
    """All strips from the top, each once; the source is decoded once. Raises what :func:`cut` does."""
    if plan.by_region:
        for strip in range(plan.layout.strips):
            yield cut_strip(source, header, plan, strip, limits)
        return
    image = load_page(source, header, 0, limits.of_scenes)
    for strip in range(plan.layout.strips):
        part = plan.layout.part(strip, 0)
        yield encode_strip(image.crop(0, strip * plan.layout.strip_px, *part), source, plan, strip)


def write_pyramid(source: Source, header: Header, plan: PyramidPlan, put: PutStrip, limits: Limits) -> Assembly:
    """Make the scene in ``source`` and give its strips to ``put``; what then says how they become a file.

    Raises Damaged, OverLimits where the file would be too large, or what the source's stream or ``put`` raised.
    """
    facts: list[TileIndex] = []
    shares: list[bytes] = []
    for strip, made in enumerate(iter_strips(source, header, plan, limits)):
        put(strip, made.body)
        facts.append(made.index)
        shares.append(made.next_level)
        del made
    return assemble(plan, facts, build_top_levels(plan, shares), limits)
