"""HEIF files put together for tests, in more ways than encoders do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from darkroom.imaging.formats.bmff.container import Box, build_box, build_full_box, parse_meta, read_item

IDAT, MDAT, ITEM = 1, 0, 2
"""Where an item's data is."""


@dataclass(frozen=True)
class Part:
    """An item. ``references`` are (type, numbers of other items); ``pieces`` is how many its data lies in."""

    kind: bytes
    body: bytes
    properties: tuple[Box, ...] = ()
    references: tuple[tuple[bytes, tuple[int, ...]], ...] = ()
    name: bytes = b""
    content_type: bytes = b""
    place: int = MDAT
    pieces: int = 1


@dataclass
class _Data:
    """Bytes of one place, with gaps between. ``shared``: equal data is stored once."""

    shared: bool
    body: bytearray = field(default_factory=bytearray)

    def add(self, piece: bytes) -> int:
        """The offset of ``piece``."""
        if self.shared and (at := self.body.find(piece)) >= 0:
            return at
        self.body += b"gap"
        self.body += piece
        return len(self.body) - len(piece)


def parts_of(data: bytes) -> list[Part]:
    """The items of a file, numbered from 1 in their order; the primary one must be the first."""
    meta = parse_meta(data)
    numbers = {old: new for new, old in enumerate(meta.items, start=1)}
    assert numbers[meta.primary] == 1
    found = []
    for number, item in meta.items.items():
        references = tuple((kind, (numbers[target],)) for kind, origin, target in meta.references if origin == number)
        found.append(Part(item.kind, read_item(data, item, len(data)), tuple(item.properties), references))
    return found


def heif(
    parts: list[Part],
    *,
    brand: bytes = b"avif",
    extra: bytes = b"",
    primary: int = 1,
    shared: bool = False,
    separate: bool = False,
) -> bytes:
    """The file. ``extra`` is put between the boxes on its top level, and behind them.

    ``shared``: images with the same data share it. ``separate``: each has an `ipma` box of its own, as cavif writes.
    """
    opening = build_box(b"ftyp", brand + bytes(4) + brand + b"mif1miaf") + extra
    start = len(opening) + len(_meta(parts, 0, primary, shared, separate)) + 8
    mdat = _Data(shared)
    for part in parts:
        if part.place == MDAT:
            for piece in _pieces(part):
                mdat.add(piece)
    return opening + _meta(parts, start, primary, shared, separate) + build_box(b"mdat", bytes(mdat.body)) + extra


def _meta(parts: list[Part], mdat_at: int, primary: int, shared: bool, separate: bool) -> bytes:
    mdat, idat = _Data(shared), _Data(shared)
    places = b""
    for number, part in enumerate(parts, start=1):
        data, base = (idat, 0) if part.place == IDAT else (mdat, mdat_at)
        pieces = _pieces(part)
        places += number.to_bytes(2) + part.place.to_bytes(2) + b"\0\0" + base.to_bytes(4) + len(pieces).to_bytes(2)
        for piece in pieces:
            places += data.add(piece).to_bytes(4) + len(piece).to_bytes(4)
    known = list(dict.fromkeys(found for part in parts for found in part.properties))
    associations = [
        number.to_bytes(2)
        + bytes([len(part.properties)])
        + bytes(
            known.index(found) + 1 | 0x80 * (found.kind in (b"av1C", b"hvcC", b"irot", b"imir"))
            for found in part.properties
        )
        for number, part in enumerate(parts, start=1)
    ]
    references = b"".join(
        build_box(kind, b"".join(one.to_bytes(2) for one in (number, len(targets), *targets)))
        for number, part in enumerate(parts, start=1)
        for kind, targets in part.references
    )
    entries = b"".join(
        build_full_box(
            b"infe", number.to_bytes(2) + b"\0\0" + part.kind + part.name + b"\0" + part.content_type, version=2
        )
        for number, part in enumerate(parts, start=1)
    )
    return build_full_box(
        b"meta",
        build_full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
        + build_full_box(b"pitm", primary.to_bytes(2))
        + build_full_box(b"iloc", b"\x44\x40" + len(parts).to_bytes(2) + places, version=1)
        + build_full_box(b"iinf", len(parts).to_bytes(2) + entries)
        + (build_full_box(b"iref", references) if references else b"")
        + build_box(
            b"iprp",
            build_box(b"ipco", b"".join(build_box(*one) for one in known))
            + b"".join(
                build_full_box(b"ipma", len(entries).to_bytes(4) + b"".join(entries))
                for entries in ([[one] for one in associations] if separate else [associations])
            ),
        )
        + (build_box(b"idat", bytes(idat.body)) if idat.body else b""),
    )


def _pieces(part: Part) -> list[bytes]:
    step = -(-len(part.body) // part.pieces)
    return [part.body[at : at + step] for at in range(0, len(part.body), step)]


def grid(tile: bytes, columns: int, rows: int, width: int, height: int, **how: int) -> list[Part]:
    """The parts of an image of ``width`` × ``height`` px tiled with one coded image. ``how`` goes to every part."""
    (first, *_) = parts_of(tile)
    numbers = tuple(range(2, 2 + columns * rows))
    shape = bytes((0, 0, rows - 1, columns - 1)) + width.to_bytes(2) + height.to_bytes(2)
    size = Box(b"ispe", bytes(4) + width.to_bytes(4) + height.to_bytes(4))
    others = tuple(found for found in first.properties if found.kind in (b"pixi", b"colr"))
    whole = Part(b"grid", shape, (size, *others), ((b"dimg", numbers),))
    return [replace(part, **how) for part in (whole, *[replace(first, references=())] * (columns * rows))]
