"""Where the search of ``q=auto`` begins. Written by ``python -m bench.auto``: do not edit."""

from __future__ import annotations

from typing import NamedTuple

FLAT, SMOOTH, BUSY = "flat", "smooth", "busy"
"""What a picture holds: drawings, soft tones, or detail."""

_ANY = 1 << 62


class Start(NamedTuple):
    """A quality on the encoder's own scale that usually has the target's score, and how much a step of it is worth."""

    quality: int
    slope: float


STARTS: dict[tuple[str, str], tuple[tuple[int, Start], ...]] = {
    # starts
    ("webp", "flat"): ((_ANY, Start(80, 0.6)),),
    ("webp", "smooth"): ((_ANY, Start(80, 0.6)),),
    ("webp", "busy"): ((_ANY, Start(80, 0.6)),),
    ("jpeg", "flat"): ((_ANY, Start(74, 0.6)),),
    ("jpeg", "smooth"): ((_ANY, Start(74, 0.6)),),
    ("jpeg", "busy"): ((_ANY, Start(74, 0.6)),),
    ("avif", "flat"): ((_ANY, Start(52, 0.8)),),
    ("avif", "smooth"): ((_ANY, Start(52, 0.8)),),
    ("avif", "busy"): ((_ANY, Start(52, 0.8)),),
    # end of starts
}
"""By format and content: up to so many pixels."""
