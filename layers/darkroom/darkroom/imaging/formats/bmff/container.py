"""HEIF and AVIF: boxes of ISO/IEC 14496-12 and the items of ISO/IEC 23008-12."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_META_BYTES = 4 * 1024 * 1024
"""A `meta` box is a few KB; an image of 10,000 tiles has one of 1 MB."""
MAX_NUMBERS = 1_000_000
"""Numbers read in one box."""
MAX_EXTENTS = 256
"""Pieces that one item's data lies in; usual is one."""
MAX_BOXES = 256
"""Boxes on the top level before `meta`, at most."""

_ALPHA_URNS = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_IN_FILE, _IN_META = 0, 1
"""Construction methods of `iloc`; the third, within another item, is not read."""


class Box(NamedTuple):
    """A box's type and body."""

    kind: bytes
    body: bytes


class Extent(NamedTuple):
    """Where a part of an item's data lies; ``in_meta`` counts from the start of the `idat` box."""

    in_meta: bool
    offset: int
    length: int


@dataclass
class Item:
    """One coded or derived image, or other data, with its properties in order of association."""

    kind: bytes
    properties: list[Box] = field(default_factory=list)
    extents: list[Extent] = field(default_factory=list)

    def first(self, kind: bytes) -> bytes | None:
        """Return the body of the first property of this type."""
        return next((box.body for box in self.properties if box.kind == kind), None)


@dataclass
class Meta:
    """The items of a file by id. ``references`` are (type, from, to)."""

    primary: int
    items: dict[int, Item]
    references: list[tuple[bytes, int, int]]
    data: bytes


def read_item(data: bytes, meta: Meta, item: Item, most_bytes: int) -> bytes:
    """Return an item's data in the file ``data``; raise ValueError where it is missing, cut off or longer than this."""
    if not item.extents or sum(extent.length for extent in item.extents) > most_bytes:
        raise ValueError("an item without data, or with too much")
    parts = []
    for extent in item.extents:
        part = (meta.data if extent.in_meta else data)[extent.offset : extent.offset + extent.length]
        if not part or len(part) < extent.length:
            raise ValueError("data is missing")
        parts.append(part)
    return b"".join(parts)


def is_alpha(item: Item) -> bool:
    """Return whether an auxiliary image is another one's alpha."""
    return (item.first(b"auxC") or b"")[4:].split(b"\0")[0] in _ALPHA_URNS


def build_box(kind: bytes, body: bytes) -> bytes:
    """Build a box of ``body``; raise OverflowError above 4 GB."""
    return (8 + len(body)).to_bytes(4) + kind + body


def build_full_box(kind: bytes, body: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    """Build a box with a version and flags before its body."""
    return build_box(kind, bytes([version]) + flags.to_bytes(3) + body)


class BoxReader:
    """A cursor over big-endian numbers; raises ValueError at the end."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at
        self.left = MAX_NUMBERS

    def read_number(self, size: int) -> int:
        """The next ``size`` bytes as a number."""
        return int.from_bytes(self.read(size))

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        self.at += size
        self.left -= 1
        if self.at > len(self.data) or self.left < 0:
            raise ValueError("a box is cut off, or has too many entries")
        return self.data[self.at - size : self.at]


def iter_boxes(data: bytes) -> Iterator[Box]:
    """The boxes in ``data``; raises ValueError where one is longer than its surroundings."""
    at = 0
    while at + 8 <= len(data):
        size, start = int.from_bytes(data[at : at + 4]), at + 8
        if size == 1:
            size, start = int.from_bytes(data[at + 8 : at + 16]), at + 16
        end = at + size if size else len(data)
        if not start <= end <= len(data):
            raise ValueError("a box is longer than what holds it")
        yield Box(data[at + 4 : at + 8], data[start:end])
        at = end


def read_meta_box(read_at: Callable[[int, int], bytes]) -> bytes:
    """Return the body of a file's `meta` box; raise ValueError if none is near the start."""
    start, size = locate_meta_box(read_at)
    body = read_at(start, size) if size <= MAX_META_BYTES else b""
    if len(body) < size:
        raise ValueError("no meta box")
    return body


def locate_meta_box(read_at: Callable[[int, int], bytes]) -> tuple[int, int]:
    """Return where the body of the `meta` box begins, and its bytes; raise ValueError if none is near the start."""
    at = 0
    for _ in range(MAX_BOXES):
        opening = read_at(at, 16)
        size, start = int.from_bytes(opening[:4]), 8
        if size == 1:
            size, start = int.from_bytes(opening[8:16]), 16
        if len(opening) < 8 or size < start:
            break
        if opening[4:8] == b"meta":
            return at + start, size - start
        at += size
    raise ValueError("no meta box")


def parse_meta(body: bytes) -> Meta:
    """The items that a `meta` box describes; raises ValueError."""
    found = {box.kind: box.body for box in iter_boxes(body[4:])}
    meta = Meta(_primary(found[b"pitm"]) if b"pitm" in found else 0, {}, [], found.get(b"idat", b""))
    _read_items(meta, found.get(b"iinf", b""))
    _read_locations(meta, found.get(b"iloc", b""))
    _read_references(meta, found.get(b"iref", b""))
    properties = {box.kind: box.body for box in iter_boxes(found.get(b"iprp", b""))}
    _read_associations(meta, list(iter_boxes(properties.get(b"ipco", b""))), properties.get(b"ipma", b""))
    return meta


def _primary(body: bytes) -> int:
    return int.from_bytes(body[4:6] if body[0] == 0 else body[4:8])


def _read_items(meta: Meta, body: bytes) -> None:
    if not body:
        raise ValueError("no items")
    for box in iter_boxes(body[6:] if body[0] == 0 else body[8:]):
        if box.kind == b"infe" and box.body[0] in (2, 3):
            wide = 2 if box.body[0] == 2 else 4
            number = int.from_bytes(box.body[4 : 4 + wide])
            meta.items[number] = Item(box.body[6 + wide : 10 + wide])


def _read_locations(meta: Meta, body: bytes) -> None:
    reading = BoxReader(body)
    version = reading.read_number(4) >> 24
    sizes = reading.read_number(2)
    offset_size, length_size, base_size = sizes >> 12, sizes >> 8 & 15, sizes >> 4 & 15
    index_size = sizes & 15 if version else 0
    for _ in range(reading.read_number(4 if version == 2 else 2)):
        item = meta.items.get(reading.read_number(4 if version == 2 else 2))
        method = reading.read_number(2) & 15 if version else 0
        reading.read_number(2)
        base = reading.read_number(base_size)
        extents = reading.read_number(2)
        if extents > MAX_EXTENTS:
            raise ValueError("an item is in too many pieces")
        for _ in range(extents):
            reading.read_number(index_size)
            offset, length = base + reading.read_number(offset_size), reading.read_number(length_size)
            if item is not None and method in (_IN_FILE, _IN_META):
                item.extents.append(Extent(method == _IN_META, offset, length))


def _read_references(meta: Meta, body: bytes) -> None:
    if not body:
        return
    wide = 2 if body[0] == 0 else 4
    for box in iter_boxes(body[4:]):
        reading = BoxReader(box.body)
        origin = reading.read_number(wide)
        meta.references += [(box.kind, origin, reading.read_number(wide)) for _ in range(reading.read_number(2))]


def _read_associations(meta: Meta, properties: list[Box], body: bytes) -> None:
    reading = BoxReader(body)
    opening = reading.read_number(4)
    wide_items, wide_indexes = opening >> 24, opening & 1
    for _ in range(reading.read_number(4)):
        item = meta.items.get(reading.read_number(4 if wide_items else 2))
        for _ in range(reading.read_number(1)):
            index = reading.read_number(2) & 0x7FFF if wide_indexes else reading.read_number(1) & 0x7F
            if item is not None and 1 <= index <= len(properties):
                item.properties.append(properties[index - 1])
