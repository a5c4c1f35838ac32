"""Cut what does not fit the box of ``fit=cover``."""

from __future__ import annotations

from ...plan.geometry.layout import Box
from ..colour.convert import to_eight_bits, to_srgb
from ..work import IN_MEMORY_PIXELS, Work


def cover(work: Work) -> None:
    """Keep the window of the scaled picture, found by what gravity asks for: the faces, or the look of the first frame.

    Without a face that is known of, it is the most striking part that stays. A scaled picture too large to hold in
    memory (only extreme ``up=1`` makes one) keeps its middle.
    """
    if work.geometry.search == "face":
        from ...findings import faces_of
        from ...plan.geometry.face_gravity import move_window_to_faces  # few pictures are cut by their faces

        work.geometry = move_window_to_faces(work.geometry, faces_of(work.findings))
    window = work.geometry.stored_window
    if window is None:
        return
    width, height = work.geometry.scaled
    if work.geometry.search and width * height * len(work.frames) <= IN_MEMORY_PIXELS * 4:
        work.hold()
        seen = to_eight_bits(to_srgb(work.frames[0]))
        found = seen.smartcrop(*window.size, interesting=work.geometry.search)
        window = Box(-found.xoffset, -found.yoffset, *window.size)
        work.geometry = work.geometry.with_window(window)
    work.each(lambda frame: frame.crop(*window))
