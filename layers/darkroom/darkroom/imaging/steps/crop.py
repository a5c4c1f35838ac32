"""Keep the region of the upright source that the plan names."""

from __future__ import annotations

from ..work import Work


def crop(work: Work) -> None:
    """Cut ``crop`` out, in the coordinates of the stored picture: turning it upright is cheaper after the resize."""
    box = work.geometry.stored_region
    if box.size == work.geometry.stored:
        return
    work.each(lambda frame: frame.crop(*box))
