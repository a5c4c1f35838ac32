"""Cut what does not fit the box of ``fit=cover``."""

from __future__ import annotations

from ...plan.geometry import Box
from ..colour.convert import to_eight_bits, to_srgb
from ..work import IN_MEMORY_PIXELS, Work


def cover(work: Work) -> None:
    """Keep the window of the scaled picture, found by what gravity asks for: the faces, or the look of the first frame.

    Without a face that is known of, it is the most striking part that stays. A scaled picture too large to hold in
    memory (only extreme ``up=1`` makes one) keeps its middle.
    """
    if work.geometry.seeks == "face":
        from ...findings import faces_of
        from ...plan.facing import faced  # few pictures are cut by their faces

        work.geometry = faced(work.geometry, faces_of(work.findings))
    window = work.geometry.stored_window
    if window is None:
        return
    width, height = work.geometry.scaled
    if work.geometry.seeks and width * height * len(work.frames) <= IN_MEMORY_PIXELS * 4:
        work.hold()
        seen = to_eight_bits(to_srgb(work.frames[0]))
        found = seen.smartcrop(*window.size, interesting=work.geometry.seeks)
        window = Box(-found.xoffset, -found.yoffset, *window.size)
        work.geometry = work.geometry.found(window)
    work.each(lambda frame: frame.crop(*window))
