"""Changes to a file for its decoder alone, where its metadata would cost time or refuse intact pixels.

EXIF is hidden: libvips gives each block to libexif as it opens a file, and libexif follows directories that lead back
to themselves. A block of 1,200 bytes takes 17 s. Its result has no use here: the orientation comes from
:mod:`.orientation`, and no encoder writes EXIF. TIFF's directories lose the tags that no pixel depends on, and a
sequential JPEG's scan gets the only parameters that it can have: libtiff and libjpeg warn of both as of damaged pixels.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from zlib import crc32

from ..source import Patch, Source
from .bmff.container import MAX_META_BYTES, locate_meta_box
from .jpeg.container import APP1, EXIF, FRAMES, SOS, iter_segments, parse_jpeg
from .png.container import SIGNATURE_BYTES
from .tiff.container import ORIENTATION, PROFILE, RESOLUTION, SUB_DIRECTORIES, Directory, TiffReader
from .tiff.probe import MAX_LEVELS, find_page
from .webp.container import iter_chunks

MAX_PNG_CHUNKS = 5_000
"""Before the pixels, as in :mod:`.png.probe`."""
_ITEM = re.compile(rb"infe(?:\x02.{3}.{2}|\x03.{3}.{4}).{2}(Exif)", re.DOTALL)
"""An item information entry of EXIF data (ISO/IEC 14496-12, 8.11.6): version, flags, number, protection, type."""
_SEQUENTIAL = (0xC0, 0xC1)
_WHOLE_BLOCK = b"\0\x3f\0"
_SHORT, _RATIONAL = 3, 5
_PIXELS = frozenset((254, *range(256, 260), 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, *range(322, 326)))
_PIXELS |= {330, 332, 334, 338, 339, 347, 529, 530, 531, 532}
"""TIFF tags that pixels are decoded by (TIFF 6.0; 330, 332, 334, 338 and 339: Technical Note 1 and sections 16 to 19):
sizes, bits, compression and its options, strips and tiles, palette, channels, predictor, JPEG tables and YCbCr."""
_HIDDEN = b"hiDe"
"""A name of no meaning: of an ancillary, private chunk in PNG (W3C PNG, third edition, 5.4)."""


def find_patches(source: Source, form: str, page: int = 0) -> list[Patch]:
    """The bytes of ``source`` to replace, for its ``page`` in a TIFF; raises what the stream raised."""
    finder = _FINDERS.get(form)
    if finder is None:
        return []
    try:
        return list(finder(source, page))
    except (LookupError, ValueError):  # the decoder finds the same damage, or reads on behind it
        return []


def _patch_jpeg(source: Source, _: int) -> Iterator[Patch]:
    sequential = False
    for part in iter_segments(source.read_at):
        if part.marker == APP1 and source.read_at(part.body, len(EXIF)) == EXIF:
            yield Patch(part.body, bytes(len(EXIF)))
        elif part.marker in FRAMES:
            sequential = part.marker in _SEQUENTIAL
        elif part.marker == SOS and sequential and source.read_at(part.end - 3, 3) != _WHOLE_BLOCK:
            yield from _patch_scans(source)


def _patch_scans(source: Source) -> Iterator[Patch]:
    """Spectral selection and approximation of every scan, as sequential ones have them (T.81, B.2.3): of no effect."""
    data = source.read_all()
    for part in parse_jpeg(data).segments:
        if part.marker == SOS:
            end = part.body - 2 + int.from_bytes(data[part.body - 2 : part.body])
            yield Patch(end - 3, _WHOLE_BLOCK)


def _patch_png(source: Source, _: int) -> Iterator[Patch]:
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


def _patch_webp(source: Source, _: int) -> Iterator[Patch]:
    if source.read_at(12, 4) == b"VP8X":
        yield from (Patch(part.start, _HIDDEN) for part in iter_chunks(source.read_at) if part.name == b"EXIF")


def _patch_avif(source: Source, _: int) -> Iterator[Patch]:
    start, size = locate_meta_box(source.read_at)
    found = _ITEM.finditer(source.read_at(start, min(size, MAX_META_BYTES)))
    yield from (Patch(start + one.start(1), _HIDDEN) for one in found)


def _patch_tiff(source: Source, page: int) -> Iterator[Patch]:
    """The directories that libtiff reads for ``page``: its own, the file's first one and those of smaller versions."""
    tiff = TiffReader(source.read_at)
    directories = tiff.read_directories()
    chosen = directories[find_page(source, page).directory]
    places = [directories[0].at, chosen.at, *tiff.read_numbers(chosen, SUB_DIRECTORIES, MAX_LEVELS)]
    for at in dict.fromkeys(places):
        yield from _remove_metadata(source, tiff, tiff.read_directory(at))


def _remove_metadata(source: Source, tiff: TiffReader, directory: Directory) -> Iterator[Patch]:
    layout = tiff.layout
    before = source.read_at(directory.at, layout.length)
    count = tiff.decode_number(before)
    start = directory.at + layout.length
    entries = [source.read_at(start + at * layout.entry, layout.entry) for at in range(count)]
    following = source.read_at(start + count * layout.entry, layout.offset)
    kept: dict[int, bytes] = {}
    for entry in entries:
        tag = tiff.decode_number(entry[:2])
        if tag not in kept and _is_required(tiff, directory, tag, source.size_bytes):
            kept[tag] = entry
    ordered = [kept[tag] for tag in sorted(kept)]
    if ordered != entries:
        number = len(ordered).to_bytes(layout.length, layout.order)
        yield Patch(directory.at, number + b"".join(ordered) + following)


def _is_required(tiff: TiffReader, directory: Directory, tag: int, size_bytes: int) -> bool:
    """Whether libtiff has to see an entry, or at least sees nothing wrong in it."""
    entry = directory.entries[tag]
    if tag == ORIENTATION:
        return entry.kind == _SHORT and entry.values == 1 and 1 <= tiff.read_number(directory, tag) <= 8
    if tag in RESOLUTION:
        return entry.kind in (_SHORT, _RATIONAL) and entry.values == 1
    if tag == PROFILE:
        return entry.at + entry.values <= size_bytes
    return tag in _PIXELS


_FINDERS: dict[str, Callable[[Source, int], Iterator[Patch]]] = {
    "jpeg": _patch_jpeg,
    "png": _patch_png,
    "webp": _patch_webp,
    "avif": _patch_avif,
    "tiff": _patch_tiff,
}
