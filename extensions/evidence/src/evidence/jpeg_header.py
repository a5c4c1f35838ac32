"""Read what encoders leave in the header of a JPEG: quantisation tables, sampling, the EXIF block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.imaging.formats.jpeg.container import FRAMES, Marker, Prefix, iter_segments

DQT, PROGRESSIVE = 0xDB, 0xC2

MAX_TABLES = 8
"""Definitions of tables before the first scan. A file has at most four in force (ITU-T T.81, B.2.4.1); one that defines
more is damaged or hostile."""

MAX_COMPONENTS = 4

# fmt: off
ZIGZAG = (
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
)
# fmt: on
"""Position, row by row, of each coefficient in the order of files (ITU-T T.81, figure A.6)."""

type QuantisationTable = tuple[int, ...]
"""64 steps, row by row: the index is 8 × vertical + horizontal frequency."""


@dataclass(frozen=True, slots=True)
class Component:
    """A colour component: its sampling factors, and the number of its table."""

    horizontal: int
    vertical: int
    table: int


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """The header up to the first scan. ``exif`` is the TIFF of the EXIF block, empty without one."""

    width: int
    height: int
    is_progressive: bool
    components: tuple[Component, ...]
    tables: dict[int, QuantisationTable]
    exif: bytes

    @property
    def luma(self) -> QuantisationTable:
        """The table of the first component. Raises ValueError if the file lacks it."""
        return self._find_table(0)

    @property
    def chroma(self) -> QuantisationTable | None:
        """The table of the second component, None for one of grey alone. Raises ValueError if the file lacks it."""
        return self._find_table(1) if len(self.components) > 1 else None

    @property
    def sampling(self) -> str:
        """The sampling factors of all components, such as ``2x2,1x1,1x1``."""
        return ",".join(f"{one.horizontal}x{one.vertical}" for one in self.components)

    def _find_table(self, component: int) -> QuantisationTable:
        number = self.components[component].table
        if number not in self.tables:
            raise ValueError(f"quantisation table {number} is missing")
        return self.tables[number]


def is_jpeg(data: bytes) -> bool:
    """Whether ``data`` begins as a JPEG does."""
    return data.startswith(b"\xff\xd8\xff")


def parse_header(data: bytes) -> JpegHeader:
    """Parse the header of the JPEG in ``data``; raise ValueError where it is damaged or defines too many tables."""
    frame: tuple[int, int, bool, tuple[Component, ...]] | None = None
    tables: dict[int, QuantisationTable] = {}
    exif, definitions = b"", 0
    for segment in iter_segments(lambda at, length: data[at : at + length]):
        body = data[segment.body : segment.end]
        if len(body) < segment.end - segment.body:
            raise ValueError("a segment is cut off")
        if segment.marker == DQT:
            for number, table in _parse_tables(body):
                tables[number] = table
                definitions += 1
                if definitions > MAX_TABLES:
                    raise ValueError(f"the file defines more than {MAX_TABLES} quantisation tables")
        elif segment.marker in FRAMES:
            frame = _parse_frame(segment.marker, body)
        elif segment.marker == Marker.APP1 and body.startswith(Prefix.EXIF) and not exif:
            exif = body[len(Prefix.EXIF) + 1 :]
    if frame is None:
        raise ValueError("the file has no frame header")
    return JpegHeader(*frame, tables, exif)


def _parse_tables(body: bytes) -> Iterator[tuple[int, QuantisationTable]]:
    """Yield number and steps of the tables of one segment (ITU-T T.81, B.2.4.1)."""
    at = 0
    while at < len(body):
        size, number = (2 if body[at] >> 4 else 1), body[at] & 15
        steps = body[at + 1 : at + 1 + 64 * size]
        if len(steps) < 64 * size or number > 3 or body[at] >> 4 > 1:
            raise ValueError("a quantisation table is malformed")
        in_order = [int.from_bytes(steps[place : place + size]) for place in range(0, 64 * size, size)]
        if 0 in in_order:
            raise ValueError("a quantisation table has a step of zero")
        table = [0] * 64
        for place, step in zip(ZIGZAG, in_order, strict=True):
            table[place] = step
        yield number, tuple(table)
        at += 1 + 64 * size


def _parse_frame(marker: int, body: bytes) -> tuple[int, int, bool, tuple[Component, ...]]:
    """Parse a frame header (ITU-T T.81, B.2.2)."""
    if len(body) < 6 or not 1 <= body[5] <= MAX_COMPONENTS or len(body) < 6 + 3 * body[5]:
        raise ValueError("the frame header is malformed")
    parts = [body[at : at + 3] for at in range(6, 6 + 3 * body[5], 3)]
    components = tuple(Component(part[1] >> 4, part[1] & 15, part[2]) for part in parts)
    return int.from_bytes(body[3:5]), int.from_bytes(body[1:3]), marker == PROGRESSIVE, components
