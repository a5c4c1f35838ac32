"""Decode: read the picture, at its final number of pixels, into memory."""

from __future__ import annotations

from ..work import Work


def develop(work: Work) -> None:
    """Hold the frames. Stills that are too large for that go on streaming, unless a later step must jump about."""
    plan, turned = work.plan, work.geometry.orientation > 2
    jumps = turned or plan.rotate or plan.equalise or plan.blur or plan.denoise or plan.sharpen
    if work.streams and not jumps:
        return
    work.hold()
