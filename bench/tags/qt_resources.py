"""Read the files in a binary resource of Qt (``.rcc``), as ``qresource.cpp`` of Qt 6 does."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

_FOLDER, _ZLIB = 0x02, 0x01
_NODE = struct.Struct(">IH")


def read_resources(content: bytes) -> dict[str, bytes]:
    """Return the files of a resource by path. Raises ValueError for another format or compression."""
    magic, version, tree, data, names = struct.unpack_from(">4s4I", content)
    if magic != b"qres":
        raise ValueError("this is no resource of Qt")
    node_bytes = 14 + (8 if version >= 2 else 0)

    def name_at(offset: int) -> str:
        (length,) = struct.unpack_from(">H", content, names + offset)
        start = names + offset + 6  # after the length and a hash
        return content[start : start + 2 * length].decode("utf-16-be")

    def walk(number: int, path: str) -> Iterator[tuple[str, bytes]]:
        at = tree + number * node_bytes
        name, flags = _NODE.unpack_from(content, at)
        path = f"{path}/{name_at(name)}" if number else ""
        if flags & _FOLDER:
            count, first = struct.unpack_from(">II", content, at + 6)
            for child in range(first, first + count):
                yield from walk(child, path)
            return
        (start,) = struct.unpack_from(">I", content, at + 10)
        yield path.removeprefix("/"), _read_data(content, data + start, flags)

    return dict(walk(0, ""))


def _read_data(content: bytes, at: int, flags: int) -> bytes:
    (length,) = struct.unpack_from(">I", content, at)
    found = content[at + 4 : at + 4 + length]
    if flags & _ZLIB:
        return zlib.decompress(found[4:])
    if flags & ~_FOLDER:
        raise ValueError(f"a file with the flags {flags}")
    return found
