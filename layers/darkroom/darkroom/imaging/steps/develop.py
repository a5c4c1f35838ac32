"""Decode: read the picture, at its final number of pixels, into memory."""

from __future__ import annotations

from ..work import Work

_JUMPERS = (
    *("rotate", "equalise", "blur", "denoise", "sharpen"),
    *("angle", "median", "levels", "convolution", "pixelate", "backdrop", "max_bytes"),
)
"""What a plan asks for that is done in another order than line by line, or more than once."""


def develop(work: Work) -> None:
    """Hold the frames. Stills that are too large for that go on streaming, unless a later step must jump about."""
    jumps = work.geometry.orientation > 2 or any(getattr(work.plan, name) for name in _JUMPERS)
    if work.streams and not jumps:
        return
    work.hold()
