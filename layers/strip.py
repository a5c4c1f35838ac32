"""Remove symbols and debug information from shared libraries: ``python strip.py FOLDER``.

A loader maps segments alone. What follows the last one in a file (symbol table, debug information, section headers) is
for debuggers and linkers. Unlike binutils' ``strip``, this works for libraries of any processor.
"""

from __future__ import annotations

import struct
import sys
from pathlib import Path

HEADER = struct.Struct("<4sBB10x2H4xQQQ4x5HH")
"""Of a 64-bit ELF file (System V ABI): magic, class, byte order, type, machine, entry, program and section header
offsets, header size, program header size and number, section header size and number, index of section names."""
SEGMENT = struct.Struct("<2I4Q")
"""The start of a program header: type, flags, file offset, address, physical address, size in the file."""
ELF, CLASS_64, LITTLE_ENDIAN, LOAD = b"\x7fELF", 2, 1, 1
SECTION_FIELDS = ((0x28, 8), (0x3C, 2), (0x3E, 2))
"""Places and sizes of the section headers' offset, number and name index in the header."""


def strip(library: bytes) -> bytes:
    """Return ``library`` without what no loader reads. Other files are returned unchanged."""
    if len(library) < HEADER.size or library[:6] != ELF + bytes([CLASS_64, LITTLE_ENDIAN]):
        return library
    [first], [each, number] = struct.unpack_from("<Q", library, 0x20), struct.unpack_from("<2H", library, 0x36)
    segments = [SEGMENT.unpack_from(library, first + each * at) for at in range(number)]
    end = max((offset + size for kind, _, offset, _, _, size in segments if kind == LOAD), default=len(library))
    end = max(end, first + each * number)
    stripped = bytearray(library[:end])
    for at, size in SECTION_FIELDS:
        stripped[at : at + size] = bytes(size)
    return bytes(stripped)


def main() -> None:
    """Strip all shared libraries of a folder in place."""
    for path in sorted(Path(sys.argv[1]).rglob("*.so*")):
        path.write_bytes(strip(path.read_bytes()))


if __name__ == "__main__":
    main()
