"""TIFF: the directories of TIFF 6.0 and BigTIFF. An EXIF block is one too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple

MAX_PAGES = 10_000
"""A file with more directories than this is damaged or hostile; libtiff stops at 65,535."""
MAX_ENTRIES = 250_000
"""Read from one file; a directory has 10 to 60."""


class Tag:
    """Tags of an image's entries (TIFF 6.0; 330: TIFF technical note 1; 34675: ICC; 50706: DNG)."""

    SUBFILE, WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 254, 256, 257, 258, 259, 262
    STRIP_OFFSETS, ORIENTATION, CHANNELS, TILE_WIDTH, TILE_HEIGHT = 273, 274, 277, 322, 323
    TILE_OFFSETS, TILE_BYTES, SUB_DIRECTORIES, PROFILE, DNG = 324, 325, 330, 34675, 50706
    STRIP_ROWS, STRIP_BYTES, PLANES, EXTRA_CHANNELS = 278, 279, 284, 338
    RESOLUTION = (282, 283, 296)


REDUCED = 1
"""The bit of SUBFILE that marks a smaller version of another image in the file."""

SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
"""Bytes of one value of each type."""
_WHOLE_NUMBERS = frozenset((1, 3, 4, 6, 8, 9, 13, 16, 17, 18))

type ReadAt = Callable[[int, int], bytes]


class TiffLayout(NamedTuple):
    """How directories are written: byte order, and the sizes in bytes of an offset, a number of entries, an entry."""

    order: Literal["little", "big"]
    offset: int
    length: int
    entry: int


class Entry(NamedTuple):
    """A tag's type and number of values, and where in the file they are."""

    kind: int
    values: int
    at: int


class Directory(NamedTuple):
    """Where a directory begins, its entries by tag, and where the next one begins, 0 after the last."""

    at: int
    entries: dict[int, Entry]
    next_at: int


class TiffReader:
    """Reads the directories of a file on demand. Methods raise ValueError where the file is broken."""

    def __init__(self, read_at: ReadAt) -> None:
        self._read_at = read_at
        self._left = MAX_ENTRIES
        head = read_at(0, 16)
        order: Literal["little", "big"] = "little" if head[:2] == b"II" else "big"
        big = head[2:4] in (b"\x2b\0", b"\0\x2b")
        self.layout = TiffLayout(order, 8, 8, 20) if big else TiffLayout(order, 4, 2, 12)
        self.first = self.decode_number(head[8:16] if big else head[4:8])

    def read_directories(self) -> list[Directory]:
        """Return the directories on the top level. They end where they lead back to one of them, as in libtiff."""
        found: dict[int, Directory] = {}
        at = self.first
        while at and at not in found:
            if len(found) >= MAX_PAGES:
                raise ValueError("the directories have no end")
            found[at] = self.read_directory(at)
            at = found[at].next_at
        if not found:
            raise ValueError("no directory")
        *others, last = found.values()
        return [*others, last._replace(next_at=0)]

    def read_directory(self, at: int) -> Directory:
        """Return the directory at ``at``."""
        layout = self.layout
        count = self.decode_number(self._read_exactly(at, layout.length))
        self._left -= count
        if self._left < 0:
            raise ValueError("too many entries")
        start = at + layout.length
        block = self._read_exactly(start, count * layout.entry + layout.offset)
        entries: dict[int, Entry] = {}
        for place in range(0, count * layout.entry, layout.entry):
            tag = self.decode_number(block[place : place + 2])
            entries.setdefault(tag, self._entry(block[place : place + layout.entry], start + place))
        return Directory(at, entries, self.decode_number(block[-layout.offset :]))

    def read_numbers(self, directory: Directory, tag: int, most: int) -> list[int]:
        """The first ``most`` values of a tag that holds whole numbers; none where it is missing or holds others."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in _WHOLE_NUMBERS:
            return []
        size = SIZES[entry.kind]
        body = self._read_exactly(entry.at, size * min(entry.values, most))
        return [self.decode_number(body[at : at + size]) for at in range(0, len(body), size)]

    def read_number(self, directory: Directory, tag: int, default: int = 0) -> int:
        """The first value of a tag that holds whole numbers, ``default`` where it is missing."""
        return next(iter(self.read_numbers(directory, tag, 1)), 0 if tag in directory.entries else default)

    def read_value(self, entry: Entry, most_bytes: int) -> bytes:
        """An entry's values as they lie in the file, up to ``most_bytes``; fewer where the file ends."""
        return self._read_at(entry.at, min(entry.values * SIZES.get(entry.kind, 0), most_bytes))

    def decode_number(self, data: bytes) -> int:
        """``data`` as a number in the file's byte order."""
        return int.from_bytes(data, self.layout.order)

    def _entry(self, body: bytes, at: int) -> Entry:
        offset = self.layout.offset
        kind, count = self.decode_number(body[2:4]), self.decode_number(body[4:-offset])
        inside = SIZES.get(kind, 0) * count <= offset
        return Entry(kind, count, at + len(body) - offset if inside else self.decode_number(body[-offset:]))

    def _read_exactly(self, at: int, length: int) -> bytes:
        data = self._read_at(at, length)
        if len(data) < length:
            raise ValueError("the data ends in a directory")
        return data
