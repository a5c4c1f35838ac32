"""The orientation tag of an EXIF block, which is a small TIFF."""

from __future__ import annotations

ORIENTATION_TAG = 0x0112
MAX_ENTRIES = 1_000
"""Entries read, of the first directory only; cameras write 10 to 60."""
_ORDERS = {b"II": "little", b"MM": "big"}


def read_orientation(block: bytes) -> int:
    """Return 1–8, or 1 where ``block`` has nothing usable: damaged EXIF must not damage the image."""
    order = "little" if block[:2] == b"II" else "big"
    if block[:2] not in _ORDERS or len(block) < 8:
        return 1

    def number(at: int, size: int) -> int:
        return int.from_bytes(block[at : at + size], order)  # type: ignore[arg-type]

    start = number(4, 4)
    entries = min(number(start, 2), MAX_ENTRIES)
    for entry in range(start + 2, min(start + 2 + 12 * entries, len(block) - 11), 12):
        if number(entry, 2) == ORIENTATION_TAG:
            value = number(entry + 8, 2) if number(entry + 2, 2) == 3 else number(entry + 8, 4)
            return value if 1 <= value <= 8 else 1
    return 1
