"""Turn the picture upright."""

from __future__ import annotations

import pyvips

from ..work import Work


def orient(work: Work) -> None:
    """Undo the EXIF orientation."""
    if work.geometry.orientation == 1:
        return
    work.each(lambda frame: upright(frame, work.geometry.orientation))


def upright(image: pyvips.Image, orientation: int) -> pyvips.Image:
    """``image`` as a viewer should see it (EXIF 2.32, tag 0x0112)."""
    angle = {3: "d180", 4: "d180", 5: "d90", 6: "d90", 7: "d270", 8: "d270"}.get(orientation, "d0")
    turned = image.rot(angle)
    return turned.fliphor() if orientation in (2, 4, 5, 7) else turned
