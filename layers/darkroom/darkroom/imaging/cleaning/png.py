"""PNG without metadata."""

from __future__ import annotations

from ..containers.png import chunk, chunks
from ..headers.exif import minimal

_DECODES = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI")
)
_SHOWS = frozenset((b"sBIT", b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT"))
KEPT = _DECODES | _SHOWS


def clean(data: bytes, orientation: int, *, keep_profile: bool) -> bytes:
    """``data`` with nothing but what decodes it, and its orientation if it is not 1; raises ValueError."""
    kept = KEPT if keep_profile else KEPT - {b"iCCP"}
    parts = [data[:8]]
    for part in chunks(data):
        if part.name in kept:
            parts.append(data[part.start : part.end])
        if part.name == b"IHDR" and orientation != 1:
            parts.append(chunk(b"eXIf", minimal(orientation)))
        if part.name == b"IEND":
            return b"".join(parts)
    raise ValueError("no IEND")
