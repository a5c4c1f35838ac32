"""Read AVIF and HEIC headers: libheif allocates memory before it can be limited."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from ....errors import DamagedSource, TypeNotAllowed
from ...source import Patch, Source
from ..image_format import Cicp, Header
from .coded_size import iter_coded_sizes, reads_limited_range
from .container import MAX_META_BYTES, Item, Meta, ReadAt, is_alpha, locate_meta_boxes, read_meta

_FORMATS = {b"av01": "avif", b"hvc1": "heic"}
_CANVAS_AT = {b"grid": 4, b"iovl": 10}
"""Where in a derived image's data its size is: after version, flags and the grid's shape or the overlay's colour."""
MAX_TILE_PIXELS = 4096 * 4096
"""Of a part of a grid or an overlay. Those at the right and at the bottom are padded beyond the image, which may be
smaller than one of them (ISO/IEC 23008-12, 6.6.2.3.1). Encoders take 256 to 1024 px on a side."""
CODED_MARGIN_PX = 64
"""Codecs pad an image to whole blocks, of at most this size."""

_EXIF_ITEM = re.compile(rb"infe(?:\x02.{3}.{2}|\x03.{3}.{4}).{2}(Exif)", re.DOTALL)
"""An item information entry of EXIF data (ISO/IEC 14496-12, 8.11.6): version, flags, number, protection, type."""
_HIDDEN = b"hiDe"
"""An item type without a meaning."""

_MATRICES = {
    1: (1, 0, 0, 1),
    2: (-1, 0, 0, 1),
    3: (-1, 0, 0, -1),
    4: (1, 0, 0, -1),
    5: (0, 1, 1, 0),
    6: (0, -1, 1, 0),
    7: (0, -1, -1, 0),
    8: (0, 1, -1, 0),
}
"""The matrix of each EXIF orientation, y pointing down."""
_ROTATED = (1, 8, 3, 6)
"""Orientation for `irot`, in quarter turns against the clock."""
_MIRRORED = (4, 2)
"""Orientation for `imir`: 0 swaps top and bottom, 1 left and right."""


def read_header(source: Source, page: int) -> Header:  # noqa: ARG001 - the primary image is the one that is shown
    """Return the header of the primary image; raise ValueError, or TypeNotAllowed for other codecs."""
    meta = read_meta(source.read_at, source.size_bytes)
    primary = meta.items.get(meta.primary)
    if primary is None:
        raise ValueError("no primary image")
    parts = _parts(meta, meta.primary)
    leaf = next((item for item in parts if item.kind in _FORMATS), None)
    if leaf is None or any(item.kind not in _FORMATS and item.kind not in _CANVAS_AT for item in parts):
        raise TypeNotAllowed("The source is a HEIF image of a kind that is not served; served are HEVC and AV1 ones")
    alphas = [meta.items[number] for number in _referring(meta, b"auxl", meta.primary) if is_alpha(meta.items[number])]
    wide, tall = _extent(primary)
    for item in (primary, *alphas):
        _check_size(source, item, wide * tall)
    alpha_parts = [part for number in _referring(meta, b"auxl", meta.primary) for part in _parts(meta, number)]
    for item in (*parts, *alpha_parts):
        _check_size(source, item, max(wide * tall, MAX_TILE_PIXELS))
    _check_grids(source, meta)
    return _header(primary, leaf, bool(alphas))


def _header(primary: Item, leaf: Item, has_alpha: bool) -> Header:
    wide, tall = _extent(primary)
    aperture = primary.first(b"clap")
    if aperture is not None:
        wide, tall = (
            int.from_bytes(aperture[at : at + 4]) // int.from_bytes(aperture[at + 4 : at + 8]) for at in (0, 8)
        )
    colours = [box.body for item in (primary, leaf) for box in item.properties if box.kind == b"colr"]
    named = next((body for body in colours if body.startswith(b"nclx") and len(body) >= 8), None)
    bits, gray = _depth(primary, leaf)
    return Header(
        _FORMATS[leaf.kind],
        wide,
        tall,
        orientation=_orientation(primary),
        has_alpha=has_alpha,
        has_profile=any(body[:4] in (b"prof", b"rICC") for body in colours),
        bits=bits,
        colour="gray" if gray else "rgb",
        cicp=None if named is None else Cicp(int.from_bytes(named[4:6]), int.from_bytes(named[6:8])),
    )


def _parts(meta: Meta, origin: int) -> list[Item]:
    """The image ``origin`` and, if it is derived, all that it is made of."""
    made_of: dict[int, list[int]] = {}
    for kind, whole, part in meta.references:
        if kind == b"dimg":
            made_of.setdefault(whole, []).append(part)
    found: dict[int, None] = {}
    waiting = [origin]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found[number] = None
            waiting += made_of.get(number, [])
    return [meta.items[number] for number in found]


def _referring(meta: Meta, kind: bytes, target: int) -> list[int]:
    return [origin for name, origin, to in meta.references if name == kind and to == target and origin in meta.items]


def _extent(item: Item) -> tuple[int, int]:
    """Width and height in px by `ispe`; raises ValueError."""
    body = item.first(b"ispe")
    if body is None or len(body) < 12:
        raise ValueError("an image has no ispe")
    return int.from_bytes(body[4:8]), int.from_bytes(body[8:12])


def _check_size(source: Source, item: Item, most_pixels: int) -> None:
    """Raise ValueError if a decoder allocates more for ``item`` than its `ispe` declares, or than ``most_pixels``."""
    wide, tall = _extent(item)
    if wide * tall > most_pixels:
        raise ValueError("a part is larger than the whole")
    _check_extents(source, item)
    read_at = partial(_read_item_at, source, item)
    canvas_at = _CANVAS_AT.get(item.kind)
    for coded_wide, coded_tall in (
        iter_coded_sizes(item, read_at) if canvas_at is None else [_canvas(read_at, canvas_at)]
    ):
        if coded_wide > wide + CODED_MARGIN_PX or coded_tall > tall + CODED_MARGIN_PX:
            raise ValueError(f"coded as {coded_wide} × {coded_tall}, declared as {wide} × {tall}")


def _check_grids(source: Source, meta: Meta) -> None:
    """Raise ValueError for a grid with more than one row or column outside the image: each tile is decoded.

    MIAF allows none (ISO/IEC 23000-22, 7.3.11.4.2); libheif decodes them.
    """
    for kind, origin, tile in meta.references:
        item = meta.items.get(origin)
        if kind == b"dimg" and item is not None and item.kind == b"grid":
            shape = _read_item_at(source, item, 2, 2)
            wanted, covered = _extent(item), _extent(meta.items[tile])
            if any(covered[axis] * (shape[1 - axis] - 1) >= wanted[axis] for axis in (0, 1)):
                raise ValueError("a grid has tiles outside the image")


def _check_extents(source: Source, item: Item) -> None:
    """Raise ValueError where data is missing: libheif leaves lost tiles black."""
    if not item.extents:
        raise ValueError("an image without data")
    for extent in item.extents:
        if extent.offset + extent.length > source.size_bytes:
            raise ValueError("the data ends in an image")


def _canvas(read_at: ReadAt, at: int) -> tuple[int, int]:
    size = 4 if read_at(1, 1)[0] & 1 else 2
    body = read_at(at, 2 * size)
    return int.from_bytes(body[:size]), int.from_bytes(body[size:])


def _orientation(item: Item) -> int:
    matrix = _MATRICES[1]
    for box in item.properties:
        if box.kind in (b"irot", b"imir"):
            turn = _ROTATED[box.body[0] & 3] if box.kind == b"irot" else _MIRRORED[box.body[0] & 1]
            a, b, c, d = _MATRICES[turn]
            e, f, g, h = matrix
            matrix = (a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h)
    return next(number for number, known in _MATRICES.items() if known == matrix)


def _depth(primary: Item, leaf: Item) -> tuple[int, bool]:
    """Bits of a channel, and whether there is only one."""
    channels = primary.first(b"pixi")
    if leaf.kind == b"av01":
        flags = (leaf.first(b"av1C") or b"\0\0\0")[2]
        coded, gray = (12 if flags & 0x20 else 10) if flags & 0x40 else 8, bool(flags & 0x10)
    else:
        config = leaf.first(b"hvcC") or bytes(23)
        coded, gray = (config[17] & 7) + 8, config[16] & 3 == 0
    return (channels[5] if channels is not None and len(channels) > 5 else coded), gray


def _read_item_at(source: Source, item: Item, offset: int, length: int) -> bytes:
    """Bytes ``offset`` to ``offset + length`` of an item, fewer at its end, put together of its extents."""
    found = b""
    for extent in item.extents:
        if offset < extent.length and length > 0:
            take = min(length, extent.length - offset)
            found += source.read_at(extent.offset + offset, take)
            length -= take
            offset = 0
        else:
            offset -= min(offset, extent.length)
    return found


class LimitedPlanes(NamedTuple):
    """Which planes of an AVIF have a limited range that libheif does not expand: it does so where there is chroma."""

    grey: bool
    alpha: bool


def find_limited_planes(source: Source, header: Header) -> LimitedPlanes:
    """Return the planes without chroma whose range is limited, of the primary image and its alpha.

    Raises DamagedSource.
    """
    meta = read_meta(source.read_at, source.size_bytes)
    alphas = [number for number in _referring(meta, b"auxl", meta.primary) if is_alpha(meta.items[number])]

    def is_limited(number: int) -> bool:
        leaf = next((item for item in _parts(meta, number) if item.kind in _FORMATS), None)
        return leaf is not None and reads_limited_range(leaf, partial(_read_item_at, source, leaf))

    try:
        return LimitedPlanes(header.colour == "gray" and is_limited(meta.primary), any(map(is_limited, alphas)))
    except (LookupError, ValueError) as error:
        raise DamagedSource(detail=f"range: {error!r}") from error


def find_patches(source: Source, page: int) -> Iterator[Patch]:  # noqa: ARG001 - the primary image is the one that is shown
    """Rename items of EXIF."""
    start, end = locate_meta_boxes(source.read_at, source.size_bytes).get(b"iinf", (0, 0))
    found = _EXIF_ITEM.finditer(source.read_at(start, min(end - start, MAX_META_BYTES)))
    yield from (Patch(start + one.start(1), _HIDDEN) for one in found)
