"""Read some lines of a TIFF at the cost of those lines.

libtiff reads strips from the first one on. A window is a TIFF with the same bytes at the same offsets, another
directory behind them, which names only some of the strips, and another header, which names that directory. So only the
strips that it shows are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

from darkroom.imaging.block_cache import BlockCache
from darkroom.imaging.formats.probe import Header
from darkroom.imaging.formats.tiff.container import SIZES, Directory, ReadAt, Tag, TiffReader
from darkroom.imaging.source import Source

_ROOM_BYTES = 8 * 1024 * 1024
_WHOLE_ROWS = 128
"""libvips decodes strips of up to so many lines as one, higher ones line by line: only those continue where they ended.
"""


@dataclass(frozen=True, slots=True)
class Region:
    """Some lines of an image, from the line ``top`` of the whole on, with a source and a header of their own."""

    source: Source
    header: Header
    top: int


def is_region_readable(source: Source, header: Header, rows: int) -> bool:
    """Return whether ``rows`` lines can be read at the cost of those lines: of TIFFs in tiles, or in strips as low."""
    if header.format != "tiff":
        return False
    tiff = TiffReader(source.read_at)
    try:
        directory = tiff.read_directory(tiff.first)
        return Tag.TILE_OFFSETS in directory.entries or read_strips(tiff, directory).rows <= max(rows, _WHOLE_ROWS)
    except ValueError:
        return False


def open_region(source: Source, header: Header, top: int, rows: int) -> Region:
    """Open ``rows`` lines from ``top`` on of what :func:`is_region_readable`, or all lines where that costs no more."""
    if _is_tiled(source):
        return Region(source, header, 0)
    window = TiffWindow(source.read_at, source.size_bytes, top, min(rows, header.height - top))
    blocks = BlockCache(window.read, window.size_bytes, capacity_bytes=_ROOM_BYTES)
    return Region(Source.from_ranges(blocks), replace(header, height=window.rows), window.top)


def _is_tiled(source: Source) -> bool:
    tiff = TiffReader(source.read_at)
    return Tag.TILE_OFFSETS in tiff.read_directory(tiff.first).entries


_LONG, _LONG8 = 4, 16
_OLD_JPEG = 6
"""Strips of this kind may share tables."""


class Strips(NamedTuple):
    """How an image is cut: lines a strip, and number of strips."""

    rows: int
    number: int


def read_strips(tiff: TiffReader, directory: Directory) -> Strips:
    """Return the strips of an image; raises ValueError where a window would not show it correctly."""
    height = tiff.read_number(directory, Tag.HEIGHT)
    rows = min(tiff.read_number(directory, Tag.STRIP_ROWS, height), height)
    together = (
        tiff.read_number(directory, Tag.PLANES, 1) == 1 and tiff.read_number(directory, Tag.COMPRESSION, 1) != _OLD_JPEG
    )
    counts = {directory.entries[tag].values for tag in (Tag.STRIP_OFFSETS, Tag.STRIP_BYTES) if tag in directory.entries}
    if rows < 1 or not together or counts != {-(-height // rows)}:
        raise ValueError("the strips are not one below the other")
    return Strips(rows, -(-height // rows))


class TiffWindow:
    """``rows`` lines from ``top`` on of a TIFF of ``size_bytes`` that ``read_at`` reads, or some more at either end.

    ``top`` and ``rows`` then are those of the window. Raises ValueError where that is not possible.
    """

    def __init__(self, read_at: ReadAt, size_bytes: int, top: int, rows: int) -> None:
        tiff = TiffReader(read_at)
        directory = tiff.read_directory(tiff.first)
        strips = read_strips(tiff, directory)
        first, last = top // strips.rows, min(strips.number, -(-(top + rows) // strips.rows))
        height = tiff.read_number(directory, Tag.HEIGHT)
        self.top = first * strips.rows
        self.rows = min(last * strips.rows, height) - self.top
        self._read_at = read_at
        self._size_bytes = size_bytes
        self._at = size_bytes + -size_bytes % 8
        places, lengths = (
            tiff.read_numbers(directory, tag, strips.number)[first:last] for tag in (Tag.STRIP_OFFSETS, Tag.STRIP_BYTES)
        )
        self._tail = _directory(tiff, directory, self._at, self.rows, places, lengths)
        self._head = _head(tiff, read_at(0, 16), self._at)
        self.size_bytes = self._at + len(self._tail)

    def read(self, start: int, end: int) -> bytes:
        """Read bytes of the window; raises what ``read_at`` raises."""
        pieces = [self._head[start:end]]
        here = start + len(pieces[0])
        if here < min(end, self._size_bytes):
            pieces.append(self._read_at(here, min(end, self._size_bytes) - here))
            here += len(pieces[-1])
        if here < min(end, self._at):
            pieces.append(bytes(min(end, self._at) - here))
            here += len(pieces[-1])
        if here < end:
            pieces.append(self._tail[here - self._at : end - self._at])
        return b"".join(pieces)


def _head(tiff: TiffReader, head: bytes, at: int) -> bytes:
    """Return the first bytes, which name the directory at ``at``; raises ValueError where its offset is too large."""
    length, order = tiff.layout.offset, tiff.layout.order
    if at >= 1 << (8 * length):
        raise ValueError("no room for another directory")
    return (head[:8] if length == 8 else head[:4]) + at.to_bytes(length, order)


def _directory(tiff: TiffReader, old: Directory, at: int, rows: int, places: list[int], lengths: list[int]) -> bytes:
    """Return a directory at ``at`` for ``rows`` lines in strips at ``places``, with the other tags of ``old``."""
    layout, order = tiff.layout, tiff.layout.order
    kind, size = (_LONG8, 8) if layout.offset == 8 else (_LONG, 4)
    changed = {
        Tag.HEIGHT: (_LONG, 4, [rows]),
        Tag.STRIP_OFFSETS: (kind, size, places),
        Tag.STRIP_BYTES: (kind, size, lengths),
    }
    outside_at = at + layout.length + layout.entry * len(old.entries) + layout.offset
    entries, outside = bytearray(), bytearray()
    for tag, entry in sorted(old.entries.items()):
        if tag in changed:
            kind, size, numbers = changed[tag]
            body, count = b"".join(number.to_bytes(size, order) for number in numbers), len(numbers)
        else:
            kind, count = entry.kind, entry.values
            short = SIZES.get(kind, 0) * count <= layout.offset
            body = tiff.read_value(entry, layout.offset) if short else entry.at.to_bytes(layout.offset, order)
        if len(body) > layout.offset:
            place = outside_at + len(outside)
            outside += body
            body = place.to_bytes(layout.offset, order)
        entries += tag.to_bytes(2, order) + kind.to_bytes(2, order) + count.to_bytes(layout.offset, order)
        entries += body.ljust(layout.offset, b"\0")
    return len(old.entries).to_bytes(layout.length, order) + entries + bytes(layout.offset) + outside
