"""How hard the encoders try: less as pixels grow, so that no encode takes over a second.

The rows were chosen from times per megapixel of detailed photographs on one core of a 2-core x86-64 machine (libvips
8.18): AVIF 1000 ms at effort 3, 500 at 2, 300 at 1, 70 at 0; WebP 50 at effort 2, 29 at 0; PNG 90 at level 6 with all
filters, 46 at level 3 with Paeth, 17 at level 1; JPEG 16 progressive, 9 optimised, 6 plain; GIF 350. At equal
SSIMULACRA2, AVIF's efforts 2, 1 and 0 need 1.16, 1.23 and 1.45 times the bytes of effort 4, and WebP's effort 2 takes
0.47 of the time of effort 4 for 1.4 % more bytes, so that small pictures get no more than that either.
"""

from __future__ import annotations

type Knobs = dict[str, int | float | bool | str]

_ANY = 1 << 62

EFFORTS: dict[str, tuple[tuple[int, Knobs], ...]] = {
    "jpeg": (
        (4_000_000, {"optimize_coding": True, "interlace": True}),
        (30_000_000, {"optimize_coding": True}),
        (_ANY, {}),
    ),
    "png": (
        (2_000_000, {"compression": 6, "filter": "all"}),
        (16_000_000, {"compression": 3, "filter": "paeth"}),
        (_ANY, {"compression": 1, "filter": "sub"}),
    ),
    "webp": ((16_000_000, {"effort": 2}), (_ANY, {"effort": 0})),
    "avif": (
        (300_000, {"effort": 2}),
        (1_500_000, {"effort": 1}),
        (_ANY, {"effort": 0}),
    ),
    "gif": ((500_000, {"effort": 3}), (_ANY, {"effort": 1})),
}
"""By format: up to so many pixels (width × height × frames), the saver's options."""

FLAT_PNG: Knobs = {"compression": 9, "filter": "none"}
"""Drawings repeat whole rows: filters hide that from deflate, and it ends early whatever its level."""


def effort(form: str, pixels: int) -> Knobs:
    """The options of the saver of ``form`` for a picture of so many pixels, all frames together."""
    return next(knobs for limit, knobs in EFFORTS[form] if pixels <= limit)
