"""Changes that hide EXIF blocks from libvips, which gives each to libexif as it opens a file.

libexif follows directories that lead back to themselves: a block of 1,200 bytes takes 17 s. Its result has no use here:
the orientation comes from :mod:`.headers.exif`, and no encoder writes EXIF.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from zlib import crc32

from .containers.bmff import MAX_META_BYTES, meta_place
from .containers.jpeg import APP1, EXIF, segments
from .containers.png import SIGNATURE_BYTES
from .containers.webp import chunks
from .source import Patch, Source

MAX_PNG_CHUNKS = 5_000
"""Before the pixels, as in :mod:`.headers.png`."""
_ITEM = re.compile(rb"infe(?:\x02.{3}.{2}|\x03.{3}.{4}).{2}(Exif)", re.DOTALL)
"""An item information entry of EXIF data (ISO/IEC 14496-12, 8.11.6): version, flags, number, protection, type."""
_HIDDEN = b"hiDe"
"""A name of no meaning: of an ancillary, private chunk in PNG (W3C PNG, third edition, 5.4)."""


def exif_patches(source: Source, form: str) -> list[Patch]:
    """The bytes of ``source`` to replace, so that no reader finds EXIF in it; raises what the stream raised."""
    finder = _FINDERS.get(form)
    if finder is None:
        return []
    try:
        return list(finder(source))
    except ValueError:  # the decoder finds the same damage, or reads on behind it
        return []


def _in_jpeg(source: Source) -> Iterator[Patch]:
    for part in segments(source.read_at):
        if part.marker == APP1 and source.read_at(part.body, len(EXIF)) == EXIF:
            yield Patch(part.body, bytes(len(EXIF)))


def _in_png(source: Source) -> Iterator[Patch]:
    """Of an ``eXIf`` chunk before the pixels the name, and the checksum with it."""
    at = SIGNATURE_BYTES
    for _ in range(MAX_PNG_CHUNKS):
        opening = source.read_at(at, 8)
        size, name = int.from_bytes(opening[:4]), opening[4:]
        if len(opening) < 8 or name == b"IDAT":
            return
        if name == b"eXIf":
            body = source.read_at(at + 8, size)
            yield Patch(at + 4, _HIDDEN)
            yield Patch(at + 8 + size, crc32(_HIDDEN + body).to_bytes(4))
        at += 12 + size


def _in_webp(source: Source) -> Iterator[Patch]:
    if source.read_at(12, 4) == b"VP8X":
        yield from (Patch(part.start, _HIDDEN) for part in chunks(source.read_at) if part.name == b"EXIF")


def _in_avif(source: Source) -> Iterator[Patch]:
    start, size = meta_place(source.read_at)
    found = _ITEM.finditer(source.read_at(start, min(size, MAX_META_BYTES)))
    yield from (Patch(start + one.start(1), _HIDDEN) for one in found)


_FINDERS: dict[str, Callable[[Source], Iterator[Patch]]] = {
    "jpeg": _in_jpeg,
    "png": _in_png,
    "webp": _in_webp,
    "avif": _in_avif,
}
