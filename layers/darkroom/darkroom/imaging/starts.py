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
    ("webp", "flat"): ((300_000, Start(75, 0.44)), (_ANY, Start(76, 0.58))),
    ("webp", "smooth"): ((300_000, Start(78, 0.7)), (_ANY, Start(82, 0.87))),
    ("webp", "busy"): ((300_000, Start(78, 0.83)), (_ANY, Start(80, 0.76))),
    ("jpeg", "flat"): ((300_000, Start(69, 0.59)), (_ANY, Start(74, 0.66))),
    ("jpeg", "smooth"): ((300_000, Start(73, 0.72)), (_ANY, Start(72, 0.72))),
    ("jpeg", "busy"): ((300_000, Start(78, 0.64)), (_ANY, Start(78, 0.63))),
    ("avif", "flat"): ((300_000, Start(39, 0.55)), (_ANY, Start(44, 0.57))),
    ("avif", "smooth"): ((300_000, Start(49, 0.59)), (_ANY, Start(53, 0.64))),
    ("avif", "busy"): ((300_000, Start(62, 0.8)), (_ANY, Start(61, 0.83))),
    # end of starts
}
"""By format and content: up to so many pixels."""
