"""ICC profiles for pictures that name their colours by code points (ITU-T H.273) instead."""

from __future__ import annotations

import pyvips

DISPLAY_P3 = 12


def profile(primaries: int) -> bytes | None:
    """The ICC profile for Display P3; None for sRGB's primaries and for those that no profile here describes."""
    if primaries != DISPLAY_P3:
        return None
    found: bytes = pyvips.Operation.call("profile_load", "p3")
    return found
