"""Put margins around the picture: the letterbox and the padding."""

from __future__ import annotations

import pyvips

from ..work import Work


def add_margins(work: Work) -> None:
    """Centre the picture in its letterbox, with padding around. ``background`` fills these transparent margins."""
    padding, canvas = work.plan.padding, work.geometry.canvas
    inner = canvas or work.geometry.turned
    width, height = inner.width + padding.left + padding.right, inner.height + padding.top + padding.bottom
    if (width, height) == (work.frames[0].width, work.frames[0].height):
        return
    left = padding.left + (inner.width - work.frames[0].width) // 2
    top = padding.top + (inner.height - work.frames[0].height) // 2
    work.each(lambda frame: _embedded(frame, left, top, width, height))


def _embedded(frame: pyvips.Image, left: int, top: int, width: int, height: int) -> pyvips.Image:
    shown = frame if frame.hasalpha() else frame.addalpha()
    return shown.embed(left, top, width, height, extend="background", background=[0] * shown.bands)
