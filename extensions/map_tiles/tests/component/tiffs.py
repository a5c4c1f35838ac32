"""TIFFs with headers of a test: ordinary ones and hostile ones. No pixels are needed to declare them."""

from __future__ import annotations

import struct
from collections.abc import Mapping

SHORT, LONG = 3, 4
ORDINARY: Mapping[int, tuple[int, int | tuple[int, ...]]] = {
    **{256: (LONG, 512), 257: (LONG, 512), 258: (SHORT, 8), 259: (SHORT, 8), 262: (SHORT, 1), 277: (SHORT, 1)},
    **{284: (SHORT, 1), 322: (LONG, 256), 323: (LONG, 256), 324: (LONG, (8, 8, 8, 8)), 325: (LONG, (0, 0, 0, 0))},
}
"""Tags of a gray image of 512 × 512 px in tiles of 256 px."""


def write_tiff(
    changes: Mapping[int, tuple[int, int | tuple[int, ...]] | None] | None = None, next_at: int = 0
) -> bytes:
    """Write a little-endian TIFF of one directory; ``changes`` replace tags, or remove them (None)."""
    tags = {tag: entry for tag, entry in {**ORDINARY, **(changes or {})}.items() if entry is not None}
    directory_at, values_at = 8, 8 + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (kind, value) in sorted(tags.items()):
        numbers = value if isinstance(value, tuple) else (value,)
        packed = b"".join(number.to_bytes(2 if kind == SHORT else 4, "little") for number in numbers)
        if len(packed) > 4:
            place = struct.pack("<I", values_at + len(values))
            values += packed
        else:
            place = packed.ljust(4, b"\0")
        entries += struct.pack("<HHI", tag, kind, len(numbers)) + place
    head = b"II\x2a\0" + struct.pack("<I", directory_at)
    return head + struct.pack("<H", len(tags)) + entries + struct.pack("<I", next_at) + values


def declare(tag: int, kind: int, number: int, changes: Mapping[int, tuple[int, int]] | None = None) -> bytes:
    """Write a TIFF whose ``tag`` declares ``number`` values that the file does not have."""
    found = bytearray(write_tiff({**(changes or {}), tag: (kind, (0, 0, 0))}))
    at = found.index(struct.pack("<HHI", tag, kind, 3))
    found[at + 4 : at + 8] = struct.pack("<I", number)
    return bytes(found)
