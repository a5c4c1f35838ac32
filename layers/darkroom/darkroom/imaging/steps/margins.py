"""Put margins around the picture: the letterbox and the padding."""

from __future__ import annotations

import pyvips

from ..work import Work


def add_margins(work: Work) -> None:
    """Put the picture into its letterbox or extension, with padding around.

    ``background`` fills these transparent margins.
    """
    padding, inner = work.plan.padding, work.geometry.size
    width, height = inner.width + padding.left + padding.right, inner.height + padding.top + padding.bottom
    if (width, height) == (work.frames[0].width, work.frames[0].height):
        return
    left, top = begins(work)
    work.each(lambda frame: _embedded(frame, left, top, width, height))


def begins(work: Work) -> tuple[int, int]:
    """Where the picture begins within its margins."""
    padding, inner, own = work.plan.padding, work.geometry.size, work.geometry.finished
    left, top = work.geometry.stand or ((inner.width - own.width) // 2, (inner.height - own.height) // 2)
    return padding.left + left, padding.top + top


def _embedded(frame: pyvips.Image, left: int, top: int, width: int, height: int) -> pyvips.Image:
    shown = frame if frame.hasalpha() else frame.addalpha()
    return shown.embed(left, top, width, height, extend="background", background=[0] * shown.bands)
