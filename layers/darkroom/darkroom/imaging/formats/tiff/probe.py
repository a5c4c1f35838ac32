"""Read TIFF headers: a file's directories make pages and smaller versions of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from ....errors import TypeNotAllowed
from ...source import Patch, Source
from ..image_format import Header
from ..registry import SUPPORTED
from .container import REDUCED, Directory, Tag, TiffLayout, TiffReader

MAX_CHANNELS = 5
"""CMYK with alpha."""
MAX_TILE_PIXELS = 64_000_000
"""libtiff decodes a tile as a whole, and a tile may be larger than its image."""
MAX_LEVELS = 16
"""Halving 65,535 px leaves one after 16 times."""

_RGB, _PALETTE, _LAB = 2, 3, 8
_COLOURS = {0: "gray", 1: "gray", _RGB: "rgb", _PALETTE: "rgb", 5: "cmyk", 6: "rgb", _LAB: "lab"}
_OTHER_COLOURS = {
    4: "a transparency mask only",
    9: "ICCLab pixels",
    10: "ITULab pixels",
    32803: "a colour filter array",
    32844: "LogL (SGILOG) pixels",
    32845: "LogLuv (SGILOG) pixels",
    34892: "linear raw pixels",
    51177: "depth values",
}
"""Values of PhotometricInterpretation whose pixels are no image on a screen, or need a tone mapping."""
_COMPRESSIONS = frozenset((1, 2, 3, 4, 5, 7, 8, 32766, 32771, 32773, 32809, 32946, 50001))
"""Those of libtiff in pyvips-binary: none, CCITT, LZW, JPEG, Deflate, NeXT, PackBits, ThunderScan, RFC 9649."""
_OTHER_COMPRESSIONS = {
    6: "old-style JPEG",
    9: "JBIG",
    10: "JBIG",
    32908: "PixarFilm",
    32909: "PixarLog",
    34661: "JBIG",
    34676: "SGILOG",
    34677: "SGILOG24",
    34712: "JPEG 2000",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34887: "LERC",
    34892: "lossy JPEG",
    34925: "LZMA",
    50000: "Zstandard",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_OWN_CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4, "lab": 3}
_ALIKE = (Tag.BITS, Tag.CHANNELS, Tag.COMPRESSION, Tag.PHOTOMETRIC)
"""What a smaller version has in common with its image."""
_RAW = f"The source is a camera raw file; served are {SUPPORTED}"


_SEPARATE = 2
"""PlanarConfiguration of channels that lie one behind the other: libvips reads strips of them, and no tiles."""
_SHORT, _RATIONAL = 3, 5
_UNSPECIFIED = 0
"""Of a channel that is no colour: libtiff assumes it of channels that nothing declares."""
_PIXELS = frozenset((254, *range(256, 260), 262, 266, 273, 277, 278, 279, 284, 292, 293, 317, 320, *range(322, 326)))
_PIXELS |= {330, 332, 334, 338, 339, 347, 529, 530, 531, 532}
"""TIFF tags that pixels are decoded by (TIFF 6.0; 330, 332, 334, 338 and 339: Technical Note 1 and sections 16 to 19):
sizes, bits, compression and its options, strips and tiles, palette, channels, predictor, JPEG tables and YCbCr."""


class TiffPage(NamedTuple):
    """A page: the place of its directory among those of the file, as libtiff counts, and its smaller versions.

    ``shrinks`` are how many pixels of the page one of each version stands for on each side: 2, 4, 8 and so on.
    """

    directory: int
    shrinks: tuple[int, ...]


def read_header(source: Source, page: int) -> Header:
    """Return the header of a TIFF's ``page``, or its last one; raise ValueError, or TypeNotAllowed for raw files."""
    tiff = TiffReader(source.read_at)
    directories = tiff.read_directories()
    first = directories[0]
    if Tag.DNG in first.entries or (
        Tag.SUB_DIRECTORIES in first.entries and tiff.read_number(first, Tag.SUBFILE) & REDUCED
    ):
        raise TypeNotAllowed(_RAW)
    places = _page_indexes(tiff, directories)
    return _header(tiff, directories[places[min(page, len(places) - 1)]], len(places))


def read_rows(source: Source, page: int) -> int:
    """Return how many rows libtiff decodes at once: those of a tile or a strip, by default the whole ``page``."""
    tiff = TiffReader(source.read_at)
    directory = tiff.read_directories()[find_page(source, page).directory]
    if Tag.TILE_HEIGHT in directory.entries:
        return tiff.read_number(directory, Tag.TILE_HEIGHT)
    return tiff.read_number(directory, Tag.STRIP_ROWS, tiff.read_number(directory, Tag.HEIGHT))


def find_page(source: Source, page: int) -> TiffPage:
    """Return the place of ``page`` (from 0) of a TIFF; raise ValueError, or IndexError where there is no such page."""
    tiff = TiffReader(source.read_at)
    directories = tiff.read_directories()
    place = _page_indexes(tiff, directories)[page]
    return TiffPage(place, _shrinks(tiff, directories[place]))


def _header(tiff: TiffReader, directory: Directory, pages: int) -> Header:
    number = partial(tiff.read_number, directory)
    photometric = number(Tag.PHOTOMETRIC, 1)
    _require_supported(photometric, number(Tag.COMPRESSION, 1))
    if number(Tag.PLANES, 1) == _SEPARATE and Tag.TILE_WIDTH in directory.entries:
        raise TypeNotAllowed("The source is a TIFF with tiles of one channel each, which is not served")
    channels = number(Tag.CHANNELS, 1)
    if number(Tag.TILE_WIDTH, 1) * number(Tag.TILE_HEIGHT, 1) > MAX_TILE_PIXELS:
        raise ValueError("a tile is too large")
    if photometric not in _COLOURS or not 1 <= channels <= MAX_CHANNELS:
        raise ValueError(f"photometric {photometric} with {channels} channels")
    colour = _COLOURS[photometric]
    turn = number(Tag.ORIENTATION, 1)
    return Header(
        "tiff",
        number(Tag.WIDTH),
        number(Tag.HEIGHT),
        frames=pages,
        orientation=turn if 1 <= turn <= 8 else 1,
        has_alpha=channels > _count_colours(photometric),
        has_profile=Tag.PROFILE in directory.entries,
        bits=number(Tag.BITS, 1),
        colour=colour,
    )


def _require_supported(photometric: int, compression: int) -> None:
    """Raise TypeNotAllowed for what libtiff here has no decoder for, by its name."""
    name = _OTHER_COLOURS.get(photometric, "")
    if not name and compression not in _COMPRESSIONS:
        name = f"{_OTHER_COMPRESSIONS.get(compression, f'unknown ({compression})')} compression"
    if name:
        raise TypeNotAllowed(f"The source is a TIFF with {name}, which is not served")


def _page_indexes(tiff: TiffReader, directories: list[Directory]) -> list[int]:
    """Which directories are pages. Smaller versions that stand among them are none, unless there is nothing else."""
    full = [place for place, found in enumerate(directories) if not tiff.read_number(found, Tag.SUBFILE) & REDUCED]
    return full or list(range(len(directories)))


def _shrinks(tiff: TiffReader, directory: Directory) -> tuple[int, ...]:
    """The smaller versions in a directory's sub-directories, as ingest writes them.

    Each has half the size of the one before and lies before it in the file. Whatever else there may be is not trusted
    to show the same image.
    """
    found: list[int] = []
    above = directory
    with suppress(ValueError):
        for at in tiff.read_numbers(directory, Tag.SUB_DIRECTORIES, MAX_LEVELS):
            level = tiff.read_directory(at)
            if not _is_half(tiff, above, level):
                break
            found.append(2 ** (len(found) + 1))
            above = level
    return tuple(found)


def _is_half(tiff: TiffReader, above: Directory, level: Directory) -> bool:
    return (
        tiff.read_number(level, Tag.SUBFILE) & REDUCED == REDUCED
        and all(
            tiff.read_number(level, side) == max(1, tiff.read_number(above, side) // 2)
            for side in (Tag.WIDTH, Tag.HEIGHT)
        )
        and all(
            tiff.read_numbers(level, tag, MAX_CHANNELS) == tiff.read_numbers(above, tag, MAX_CHANNELS) for tag in _ALIKE
        )
        and 0 < tiff.read_number(level, Tag.TILE_OFFSETS) < tiff.read_number(above, Tag.TILE_OFFSETS)
    )


def is_lab_of_bytes(header: Header) -> bool:
    """Return whether the pixels are CIE L*a*b* in bytes, which libvips does not decode.

    A patch makes it decode them as numbers without a meaning.
    """
    return header.format == "tiff" and (header.colour, header.bits) == ("lab", 8)


def find_patches(source: Source, page: int) -> Iterator[Patch]:
    """The directories that libtiff reads for ``page``: its own, the first and last, and those of smaller versions.

    Without metadata, and without what libtiff corrects by itself but reports as damage.
    """
    tiff = TiffReader(source.read_at)
    directories = tiff.read_directories()
    chosen = directories[find_page(source, page).directory]
    smaller = tiff.read_numbers(chosen, Tag.SUB_DIRECTORIES, MAX_LEVELS)
    found = {one.at: one for one in (directories[0], chosen, directories[-1])}
    for at in dict.fromkeys((*found, *smaller)):
        yield from _patch_directory(source, tiff, found.get(at) or tiff.read_directory(at))


def _patch_directory(source: Source, tiff: TiffReader, directory: Directory) -> Iterator[Patch]:
    layout = tiff.layout
    before = source.read_at(directory.at, layout.length)
    count = tiff.decode_number(before)
    start = directory.at + layout.length
    entries = [source.read_at(start + at * layout.entry, layout.entry) for at in range(count)]
    stored = source.read_at(start + count * layout.entry, layout.offset)
    following = directory.next_at.to_bytes(layout.offset, layout.order)
    kept: dict[int, bytes] = {}
    for entry in entries:
        tag = tiff.decode_number(entry[:2])
        if tag not in kept and _is_required(tiff, directory, tag, source.size_bytes):
            kept[tag] = entry
    for tag, value in _correct(tiff, directory):
        if tag in kept or len(kept) < count:
            kept[tag] = _build_short(layout, tag, value)
    ordered = [kept[tag] for tag in sorted(kept)]
    if ordered != entries or following != stored:
        number = len(ordered).to_bytes(layout.length, layout.order)
        yield Patch(directory.at, number + b"".join(ordered) + following)


def _correct(tiff: TiffReader, directory: Directory) -> Iterator[tuple[int, int]]:
    """Tags with the numbers that libtiff and libvips are to read in their place.

    Bytes of CIE L*a*b* are declared as RGB. Depths are one for all channels, and one more channel is declared, where a
    program wrote too many or none.
    """
    photometric, channels = (
        tiff.read_number(directory, Tag.PHOTOMETRIC, 1),
        tiff.read_number(directory, Tag.CHANNELS, 1),
    )
    depths = tiff.read_numbers(directory, Tag.BITS, MAX_CHANNELS + 1)
    if (photometric, depths[:1]) == (_LAB, [8]):
        yield Tag.PHOTOMETRIC, _RGB
    if len(depths) > channels and len(set(depths[:channels])) == 1:
        yield Tag.BITS, depths[0]
    has_extra = photometric in _COLOURS and channels == _count_colours(photometric) + 1
    if has_extra and Tag.EXTRA_CHANNELS not in directory.entries:
        yield Tag.EXTRA_CHANNELS, _UNSPECIFIED


def _count_colours(photometric: int) -> int:
    return 1 if photometric == _PALETTE else _OWN_CHANNELS[_COLOURS[photometric]]


def _build_short(layout: TiffLayout, tag: int, value: int) -> bytes:
    """Return the entry of a tag with one number of 16 bits."""
    head = b"".join(number.to_bytes(2, layout.order) for number in (tag, _SHORT))
    return head + (1).to_bytes(layout.offset, layout.order) + value.to_bytes(2, layout.order) + bytes(layout.offset - 2)


def _is_required(tiff: TiffReader, directory: Directory, tag: int, size_bytes: int) -> bool:
    """Return whether libtiff has to see an entry, or at least sees nothing wrong in it."""
    entry = directory.entries[tag]
    if tag == Tag.ORIENTATION:
        return entry.kind == _SHORT and entry.values == 1 and 1 <= tiff.read_number(directory, tag) <= 8
    if tag in Tag.RESOLUTION:
        return entry.kind in (_SHORT, _RATIONAL) and entry.values == 1
    if tag == Tag.PROFILE:
        return entry.at + entry.values <= size_bytes
    return tag in _PIXELS
