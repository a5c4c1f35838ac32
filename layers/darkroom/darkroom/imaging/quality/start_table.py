"""Where the search of ``q=auto`` begins. Written by ``python -m bench.auto``: do not edit."""

from __future__ import annotations

from typing import NamedTuple

FLAT, SMOOTH, BUSY = "flat", "smooth", "busy"
"""Kinds of content: drawings, soft tones, detail."""

_ANY = 1 << 62


class Start(NamedTuple):
    """A quality on the encoder's own scale that usually has the target score, and the gain per step."""

    quality: int
    slope: float


STARTS: dict[tuple[str, str], tuple[tuple[int, Start], ...]] = {
    # starts
    ("webp", "flat"): ((300_000, Start(75, 0.44)), (_ANY, Start(76, 0.58))),
    ("webp", "smooth"): ((300_000, Start(79, 0.71)), (_ANY, Start(82, 0.87))),
    ("webp", "busy"): ((300_000, Start(78, 0.86)), (_ANY, Start(80, 0.76))),
    ("jpeg", "flat"): ((300_000, Start(68, 0.65)), (_ANY, Start(73, 0.61))),
    ("jpeg", "smooth"): ((300_000, Start(72, 0.56)), (_ANY, Start(70, 0.55))),
    ("jpeg", "busy"): ((300_000, Start(78, 0.61)), (_ANY, Start(78, 0.57))),
    ("avif", "flat"): ((300_000, Start(40, 0.63)), (_ANY, Start(44, 0.75))),
    ("avif", "smooth"): ((300_000, Start(49, 0.66)), (_ANY, Start(52, 0.67))),
    ("avif", "busy"): ((300_000, Start(60, 0.84)), (_ANY, Start(60, 0.84))),
    # end of starts
}
"""By format and content: up to so many pixels."""
