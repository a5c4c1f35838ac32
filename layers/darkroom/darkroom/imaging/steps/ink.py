"""Turn ink into light."""

from __future__ import annotations

from ..colour.convert import is_cmyk, to_srgb
from ..work import Work


def mix_ink(work: Work) -> None:
    """Convert CMYK to sRGB before the resize: averages of ink amounts are not averages of colours."""
    if not is_cmyk(work.frames[0]):
        return
    work.each(to_srgb)
