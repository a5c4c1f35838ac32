"""Locate the metadata of AVIF and HEIC, and strip that of AVIF.

The stripped file is a new one of the image that is shown, its alpha, and what both are made of.

EXIF and XMP are items of their own, descriptions are properties, and thumbnails, depth maps, further images and the
frames of a sequence are items or tracks that the image does not need. A gain map is dropped too: the base is a
correct image, and nothing here reads the map.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from ...colour.icc import rewrite_profile
from ..image_format import MAX_BLOCK_BYTES, MetadataBlocks
from ..metadata.rights import ComposedMetadata
from .container import (
    MAX_BOXES,
    Box,
    Item,
    Meta,
    build_box,
    build_full_box,
    find_needed_items,
    parse_meta,
    read_item,
)

_IMAGES = frozenset((b"av01", b"grid", b"iovl"))
_REFERENCES = (b"dimg", b"auxl", b"prem")
"""What an image is made of, whose alpha it is, and whether colours are multiplied by alpha."""
_ESSENTIAL = frozenset((b"av1C", b"irot", b"imir", b"clap", b"lsel", b"a1op"))
"""Properties that are marked as needed (ISO/IEC 23000-22, 7.3.9 and 7.3.11; AV1 in HEIF, 2.2 and 2.3)."""
_KEPT = _ESSENTIAL | {b"ispe", b"pixi", b"colr", b"pasp", b"auxC", b"a1lx", b"clli", b"mdcv", b"cclv", b"amve", b"reve"}
_BRANDS = (b"avif", b"mif1", b"miaf", b"MA1A", b"MA1B")
_ALWAYS = 3
"""The first brands name what is written here; the profiles come from the source."""
_PROFILES = (b"prof", b"rICC")
_HIDDEN = 1
_EXIF_START = b"Exif\0\0"
_XMP_TYPE = b"application/rdf+xml\0"
_C2PA = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
"""The type of the `uuid` box with Content Credentials (C2PA 2.2, A.5)."""
_XMP = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
"""That of the one with XMP (XMP Specification Part 3, "MPEG-4"), where C2PA's library writes the address of a
manifest. Images have an item instead (ISO/IEC 23008-12, A.3)."""


def locate(data: bytes) -> MetadataBlocks:
    """Return the metadata blocks of a file; raise ValueError or LookupError where it is broken."""
    meta = parse_meta(data)
    exif = xmp = b""
    boxes = [(data[at + 8 : at + 24], at + 24, at + size) for at, size in _iter_uuid_boxes(data)]
    for item in meta.items.values():
        if item.kind == b"Exif":
            body = read_item(data, item, MAX_BLOCK_BYTES)
            exif = exif or body[4 + int.from_bytes(body[:4]) :].removeprefix(_EXIF_START)
        elif item.kind == b"mime":
            body = read_item(data, item, MAX_BLOCK_BYTES)
            xmp = xmp or (body if b"rdf:RDF" in body else b"")
    further = (data[at:end] for kind, at, end in boxes if kind == _XMP and end - at <= MAX_BLOCK_BYTES)
    has_manifest = any(kind == _C2PA for kind, *_ in boxes)
    return MetadataBlocks(exif, xmp, has_manifest=has_manifest, further_xmp=next(further, b""))


def _iter_uuid_boxes(data: bytes) -> Iterator[tuple[int, int]]:
    """Where boxes of the type `uuid` begin, and their sizes, of the first :data:`.container.MAX_BOXES`."""
    at = 0
    for _ in range(MAX_BOXES):
        size = int.from_bytes(data[at : at + 4])
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16])
        if data[at + 4 : at + 8] == b"uuid":
            yield at, size
        if size < 8:
            return
        at += size


def strip(data: bytes, composed: ComposedMetadata, *, keep_profile: bool) -> bytes:
    """``data`` with what its image needs, `irot` and `imir` included, and the ``composed`` metadata.

    Raises ValueError or LookupError where that is not all there.
    """
    meta = parse_meta(data)
    numbers = {old: new for new, old in enumerate(find_needed_items(meta), start=1)}
    items = [meta.items[number] for number in numbers]
    if any(item.kind not in _IMAGES for item in items):
        raise ValueError("made of something else than images")
    further = _compose_items(composed)
    bodies = _bodies(data, items) + [item.body for item in further]
    first_further = len(items) + 1
    opening = _brands(data)
    described = [_describing(item, keep_profile=keep_profile) for item in items]

    def head(start: int) -> bytes:
        """All boxes before the data, which begins at ``start``."""
        boxes = (
            build_full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)),
            build_full_box(b"pitm", (1).to_bytes(2)),
            _places(bodies, start),
            build_full_box(b"iinf", len(bodies).to_bytes(2) + b"".join(_entries(items, further))),
            _references(meta, numbers, range(first_further, first_further + len(further))),
            _properties(described),
        )
        return opening + build_full_box(b"meta", b"".join(boxes))

    start = len(head(0)) + 8
    return head(start) + build_box(b"mdat", b"".join(bodies))


def _bodies(data: bytes, items: list[Item]) -> list[bytes]:
    """The items' data. Items may lie over one another, but not so that the file would grow."""
    left, found = len(data), []
    for item in items:
        found.append(read_item(data, item, left))
        left -= len(found[-1])
    return found


def _brands(data: bytes) -> bytes:
    declared = {data[at : at + 4] for at in range(16, int.from_bytes(data[:4]), 4)}
    brands = [brand for at, brand in enumerate(_BRANDS) if at < _ALWAYS or brand in declared]
    return build_box(b"ftyp", b"avif" + bytes(4) + b"".join(brands))


def _places(bodies: list[bytes], start: int) -> bytes:
    """`iloc`: one piece of the file for each item, places and lengths of 4 bytes."""
    entries = []
    for number, body in enumerate(bodies, start=1):
        entries.append(number.to_bytes(2) + b"\0\0" + b"\0\1" + start.to_bytes(4) + len(body).to_bytes(4))
        start += len(body)
    return build_full_box(b"iloc", b"\x44\0" + len(bodies).to_bytes(2) + b"".join(entries))


class _MetadataItem(NamedTuple):
    """An item that describes the primary image: its type, what follows its empty name in `infe`, and its data."""

    kind: bytes
    content_type: bytes
    body: bytes


def _compose_items(composed: ComposedMetadata) -> list[_MetadataItem]:
    """EXIF (ISO/IEC 23008-12, A.2.1: the offset of the TIFF header first) and XMP (A.3)."""
    found = [_MetadataItem(b"Exif", b"", bytes(4) + composed.exif)] if composed.exif else []
    return found + ([_MetadataItem(b"mime", _XMP_TYPE, composed.xmp.packet)] if composed.xmp else [])


def _entries(items: Sequence[Item], further: Sequence[_MetadataItem]) -> Iterator[bytes]:
    """`infe`: only the primary image, which is the first, is to be shown."""
    kinds = [*((item.kind, b"") for item in items), *((item.kind, item.content_type) for item in further)]
    for number, (kind, content_type) in enumerate(kinds, start=1):
        body = number.to_bytes(2) + b"\0\0" + kind + b"\0" + content_type
        yield build_full_box(b"infe", body, version=2, flags=0 if number == 1 else _HIDDEN)


def _references(meta: Meta, numbers: dict[int, int], describing: Iterable[int]) -> bytes:
    """`iref`; the items ``describing`` describe the primary image."""
    grouped: dict[tuple[bytes, int], list[int]] = {(b"cdsc", number): [1] for number in describing}
    for kind, origin, target in meta.references:
        if kind in _REFERENCES and origin in numbers and target in numbers:
            grouped.setdefault((kind, numbers[origin]), []).append(numbers[target])
    if not grouped:
        return b""
    boxes = [
        build_box(kind, b"".join(number.to_bytes(2) for number in (origin, len(targets), *targets)))
        for (kind, origin), targets in grouped.items()
    ]
    return build_full_box(b"iref", b"".join(boxes))


def _describing(item: Item, *, keep_profile: bool) -> list[Box]:
    return [
        Box(b"colr", b"prof" + rewrite_profile(found.body[4:])) if _is_profile(found) else found
        for found in item.properties
        if found.kind in _KEPT and (keep_profile or not _is_profile(found))
    ]


def _is_profile(found: Box) -> bool:
    return found.kind == b"colr" and found.body[:4] in _PROFILES


def _properties(described: list[list[Box]]) -> bytes:
    """`iprp`: each property once, and which item has which, in the order in which they are applied."""
    places = {found: at for at, found in enumerate(dict.fromkeys(chain(*described)), start=1)}
    entries = []
    for number, properties in enumerate(described, start=1):
        marks = [places[found] | (0x8000 if found.kind in _ESSENTIAL else 0) for found in properties]
        entries.append(number.to_bytes(2) + bytes([len(marks)]) + b"".join(mark.to_bytes(2) for mark in marks))
    associations = build_full_box(b"ipma", len(described).to_bytes(4) + b"".join(entries), flags=1)
    return build_box(b"iprp", build_box(b"ipco", b"".join(build_box(*found) for found in places)) + associations)
