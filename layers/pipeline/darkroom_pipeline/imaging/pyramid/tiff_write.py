"""Write directories of tiled TIFFs: the values of tags, and tiles read from another file."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from darkroom.imaging.formats.tiff.container import Tag, TiffLayout, TiffReader

CLASSIC = TiffLayout("little", 4, 2, 12)
BIG = TiffLayout("little", 8, 8, 20)
"""BigTIFF: of 4 GB and more."""
MAX_TILES = 1_000_000
LONG, LONG8 = 4, 16


class Value(NamedTuple):
    """The value of a tag: its type, the number of values and their bytes."""

    type_code: int
    value_count: int
    body: bytes

    @classmethod
    def longs(cls, numbers: Iterable[int]) -> Value:
        """Encode whole numbers of 32 bits; raises OverflowError for larger ones."""
        body = b"".join(number.to_bytes(4, "little") for number in numbers)
        return cls(LONG, len(body) // 4, body)

    @classmethod
    def offsets(cls, numbers: Iterable[int], layout: TiffLayout) -> Value:
        """Encode offsets in a file of this layout."""
        body = b"".join(number.to_bytes(layout.offset, "little") for number in numbers)
        return cls(LONG8 if layout.offset == 8 else LONG, len(body) // layout.offset, body)

    def outside_bytes(self, layout: TiffLayout) -> int:
        """Return how many of its bytes do not fit in its entry, rounded up to whole words as TIFF requires."""
        return len(self.body) + (len(self.body) & 1) if len(self.body) > layout.offset else 0


class Tiled(NamedTuple):
    """A tiled image: its tags without offsets and sizes of tiles, and the tiles from left to right, row by row."""

    values: Mapping[int, Value]
    tiles: list[memoryview]


@dataclass(frozen=True, slots=True)
class Directory:
    """The tags of a directory. ``at`` is its offset; ``next_at`` that of the next one, 0 after the last."""

    values: Mapping[int, Value]
    layout: TiffLayout
    at: int = 0
    next_at: int = 0

    @property
    def _values_at(self) -> int:
        """The offset of the values that do not fit in their entries."""
        return self.at + self.layout.length + self.layout.entry * len(self.values) + self.layout.offset

    @property
    def end(self) -> int:
        """Its end, with the values."""
        return self._values_at + sum(value.outside_bytes(self.layout) for value in self.values.values())

    def to_bytes(self) -> bytes:
        """Encode it, entries in the order of their tags."""
        layout = self.layout
        entries, outside = bytearray(), bytearray()
        for tag, value in sorted(self.values.items()):
            entries += tag.to_bytes(2, "little") + value.type_code.to_bytes(2, "little")
            entries += value.value_count.to_bytes(layout.offset, "little")
            if length := value.outside_bytes(layout):
                entries += (self._values_at + len(outside)).to_bytes(layout.offset, "little")
                outside += value.body.ljust(length, b"\0")
            else:
                entries += value.body.ljust(layout.offset, b"\0")
        count = len(self.values).to_bytes(layout.length, "little")
        return count + entries + self.next_at.to_bytes(layout.offset, "little") + outside


def file_header(layout: TiffLayout) -> bytes:
    """Return the first bytes of a file whose first directory follows at once."""
    if layout == CLASSIC:
        return b"II\x2a\0" + (8).to_bytes(4, "little")
    return b"II\x2b\0" + (8).to_bytes(2, "little") + bytes(2) + (16).to_bytes(8, "little")


def read_tiled(file: bytes) -> Tiled:
    """Read ``file``, the little-endian tiled TIFF of one image; raises ValueError for any other file."""
    tiff = TiffReader(lambda at, length: file[at : at + length])
    directories = tiff.read_directories()
    if tiff.layout != CLASSIC or len(directories) != 1 or Tag.SUB_DIRECTORIES in directories[0].entries:
        raise ValueError("not a little-endian TIFF of one image")
    values = {
        tag: Value(entry.kind, entry.values, tiff.read_value(entry, len(file)))
        for tag, entry in directories[0].entries.items()
        if tag not in (Tag.TILE_OFFSETS, Tag.TILE_BYTES)
    }
    places, sizes = (tiff.read_numbers(directories[0], tag, MAX_TILES) for tag in (Tag.TILE_OFFSETS, Tag.TILE_BYTES))
    if not places:
        raise ValueError("not tiled")
    whole = memoryview(file)
    return Tiled(values, [whole[place : place + size] for place, size in zip(places, sizes, strict=True)])
