"""Search for the markers of :mod:`.planted`: text, coordinates, and compressed forms."""

from __future__ import annotations

import re
import struct
import zlib

MARKER = b"secret"
_TEXTS = tuple(MARKER.decode().encode(coding) for coding in ("ascii", "utf-16-le", "utf-16-be"))
_PLACES = tuple(struct.pack(f"{order}6I", 52, 1, 30, 1, 0, 1) for order in "<>")
"""The latitude in planted EXIF: degrees, minutes and seconds as fractions."""
_XMP = (b"52,30.5N", b"GPSLatitude")
MAX_UNPACKED_BYTES = 4_000_000


def find_markers(data: bytes) -> list[str]:
    """Return the planted markers in ``data``, also in deflated parts such as texts and profiles of PNG."""
    found = [f"text {text!r}" for text in _TEXTS if text in data]
    found += [f"coordinates {place!r}" for place in (*_PLACES, *_XMP) if place in data]
    for at in {match.start() for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data)}:
        try:
            unpacked = zlib.decompressobj().decompress(data[at:], MAX_UNPACKED_BYTES)
        except zlib.error:
            continue
        found += [f"deflated {text!r}" for text in (*_TEXTS, *_PLACES, *_XMP) if text in unpacked]
    return found
