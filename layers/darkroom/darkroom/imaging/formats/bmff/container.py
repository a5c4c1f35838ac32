"""HEIF and AVIF: boxes of ISO/IEC 14496-12 and the items of ISO/IEC 23008-12."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_META_BYTES = 4 * 1024 * 1024
"""A `meta` box is a few KB without data of images; for an image of 10,000 tiles it is 1 MB."""
MAX_NUMBERS = 1_000_000
"""Numbers read in one box."""
MAX_EXTENTS = 256
"""Pieces that one item's data lies in; usual is one."""
MAX_BOXES = 256
"""Boxes on the top level before `meta`, or in it, at most."""

_ALPHA_URNS = (b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha", b"urn:mpeg:hevc:2015:auxid:1")
_IN_FILE, _IN_META = 0, 1
"""Construction methods of `iloc`; the third, within another item, is not read."""


_TURNS = (b"irot", b"imir", b"clap")
_VERSION_BYTES = 4
"""Version and flags, with which the body of a full box begins."""

type ReadAt = Callable[[int, int], bytes]


class Box(NamedTuple):
    """A box's type and body."""

    kind: bytes
    body: bytes


class Place(NamedTuple):
    """Where in a file the body of a box lies."""

    start: int
    end: int


class Extent(NamedTuple):
    """Where in a file a part of an item's data lies."""

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


def read_item(data: bytes, item: Item, most_bytes: int) -> bytes:
    """Return an item's data in the file ``data``; raise ValueError where it is missing, cut off or longer than this."""
    if not item.extents or sum(extent.length for extent in item.extents) > most_bytes:
        raise ValueError("an item without data, or with too much")
    parts = []
    for extent in item.extents:
        part = data[extent.offset : extent.offset + extent.length]
        if not part or len(part) < extent.length:
            raise ValueError("data is missing")
        parts.append(part)
    return b"".join(parts)


def is_alpha(item: Item) -> bool:
    """Return whether an auxiliary image is another one's alpha."""
    return (item.first(b"auxC") or b"")[4:].split(b"\0")[0] in _ALPHA_URNS


def find_needed_items(meta: Meta) -> list[int]:
    """Return the numbers of the primary image, its alpha and all that both are made of."""
    parts: dict[int, list[int]] = {}
    for kind, origin, target in meta.references:
        if kind == b"dimg":
            parts.setdefault(origin, []).append(target)
        elif kind == b"auxl" and origin in meta.items and is_alpha(meta.items[origin]):
            parts.setdefault(target, []).append(origin)
    found: dict[int, None] = {}
    waiting = [meta.primary]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found[number] = None
            waiting += reversed(parts.get(number, []))
    return list(found)


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


def read_meta(read_at: ReadAt, size_bytes: int) -> Meta:
    """Return the items that the `meta` box of a file of ``size_bytes`` describes; raise ValueError or LookupError."""
    places = locate_meta_boxes(read_at, size_bytes)
    data = places.pop(b"idat", None)
    if sum(place.end - place.start for place in places.values()) > MAX_META_BYTES:
        raise ValueError("the meta box is too large")
    found = {kind: read_at(place.start, place.end - place.start) for kind, place in places.items()}
    meta = Meta(_primary(found[b"pitm"]) if b"pitm" in found else 0, {}, [])
    _read_items(meta, found.get(b"iinf", b""))
    _read_locations(meta, found.get(b"iloc", b""), data)
    _read_references(meta, found.get(b"iref", b""))
    described = list(iter_boxes(found.get(b"iprp", b"")))
    properties = [part for box in described if box.kind == b"ipco" for part in iter_boxes(box.body)]
    for box in described:
        if box.kind == b"ipma":
            _read_associations(meta, properties, box.body)
    _complete_alphas(meta)
    return meta


def parse_meta(data: bytes) -> Meta:
    """Return the items of the file ``data``; raise ValueError or LookupError."""
    return read_meta(lambda at, length: data[at : at + length], len(data))


def locate_meta_boxes(read_at: ReadAt, size_bytes: int) -> dict[bytes, Place]:
    """Return where the boxes in a file's `meta` box lie, by type; raise ValueError if none is near the start."""
    for kind, place in _iter_places(read_at, Place(0, size_bytes)):
        if kind == b"meta":
            return dict(_iter_places(read_at, place._replace(start=place.start + _VERSION_BYTES)))
    raise ValueError("no meta box")


def _iter_places(read_at: ReadAt, within: Place) -> Iterator[tuple[bytes, Place]]:
    """The first :data:`MAX_BOXES` boxes in a part of a file. One of size 0 reaches to its end.

    Raises ValueError where one is longer than what holds it.
    """
    at = within.start
    for _ in range(MAX_BOXES):
        opening = read_at(at, min(16, within.end - at))
        if len(opening) < 8:
            return
        size, start = int.from_bytes(opening[:4]), 8
        if size == 1:
            size, start = int.from_bytes(opening[8:]), 16
        end = at + size if size else within.end
        if not at + start <= end <= within.end:
            raise ValueError("a box is longer than what holds it")
        yield opening[4:8], Place(at + start, end)
        at = end


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


def _read_locations(meta: Meta, body: bytes, data: Place | None) -> None:
    """Read where items lie; ``data`` is the `idat` box, from whose start some are counted."""
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
            if item is not None and method == _IN_FILE:
                item.extents.append(Extent(offset, length))
            elif item is not None and method == _IN_META and data is not None:
                item.extents.append(Extent(data.start + offset, length))


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


def _complete_alphas(meta: Meta) -> None:
    """Give alphas the size and the turns of their image: some encoders write none, and browsers need none."""
    for kind, origin, target in meta.references:
        item, whole = meta.items.get(origin), meta.items.get(target)
        if kind == b"auxl" and item is not None and whole is not None and is_alpha(item):
            size = whole.first(b"ispe")
            if size is not None and item.first(b"ispe") is None:
                item.properties.insert(0, Box(b"ispe", size))
            if not any(found.kind in _TURNS for found in item.properties):
                item.properties += [found for found in whole.properties if found.kind in _TURNS]
