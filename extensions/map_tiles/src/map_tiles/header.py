"""Check a TIFF by its directories, before GDAL opens it.

GDAL allocates by what a header declares: the arrays of block offsets when it opens a file, a whole block when it reads
one. Limits on both bound the memory of a file that an attacker has written. Only compressions whose decoders are
bounded by the size of a block are allowed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from darkroom.errors import DamagedSource, OverLimits, TypeNotAllowed
from darkroom.imaging.formats.tiff.container import SIZES, Directory, Tag, TiffReader

MAX_FILE_BYTES = 64 * 2**30
MAX_SIDE_PX = 500_000
MAX_BANDS = 16
MAX_DIRECTORIES = 40
"""The image, its mask, and two for each of up to 19 overviews."""

MAX_BLOCKS = 1_000_000
"""Of one directory. Offsets and sizes of a million blocks take 16 MB. 500,000² px are 953,000 tiles of 512² px."""

MAX_BLOCK_BYTES = 16 * 2**20
"""Of one decoded block: four bands of 16 bits in 1,024 × 1,024 px are 8 MB."""

MIN_TILE_PX = 64
"""Smaller tiles cost a map tile thousands of blocks, each with a decoder of its own."""

MAX_TAG_BYTES = 1 * 2**20
"""Of every tag but the offsets and sizes of blocks: colour profiles, coordinates, metadata."""

SAMPLE_FORMAT, EXTRA_SAMPLES = 339, 338
BITS_ALLOWED = frozenset((8, 16, 32, 64))
UNSIGNED, SIGNED, FLOAT = 1, 2, 3
COMPRESSIONS = {1: "none", 5: "LZW", 7: "JPEG", 8: "Deflate", 32773: "PackBits", 32946: "Deflate", 50000: "Zstandard"}
"""Others (JPEG 2000, JPEG XL, LERC, old-style JPEG) have headers of their own inside a block."""

_BLOCK_ARRAYS = frozenset((Tag.STRIP_OFFSETS, Tag.STRIP_BYTES, Tag.TILE_OFFSETS, Tag.TILE_BYTES))
_SIGNATURES = (b"II\x2a\0", b"MM\0\x2a", b"II\x2b\0", b"MM\0\x2b")

type ReadAt = Callable[[int, int], bytes]


class RasterHeader(NamedTuple):
    """Sizes in pixels, and the number of directories, of which one is the image."""

    width: int
    height: int
    bands: int
    bits: int
    directories: int


def check_header(read_at: ReadAt, size_bytes: int) -> RasterHeader:
    """Return the header of the first image in a TIFF; ``read_at(offset, length)`` reads up to ``length`` bytes of it.

    Raises TypeNotAllowed (no TIFF, or an encoding without bounds), OverLimits and DamagedSource.
    """
    if size_bytes > MAX_FILE_BYTES:
        raise OverLimits(f"The raster has more than {MAX_FILE_BYTES:,} bytes")
    if read_at(0, 4) not in _SIGNATURES:
        raise TypeNotAllowed("The raster is no TIFF")
    try:
        tiff = TiffReader(read_at)
        found = _read_directories(tiff)
        headers = [_check_directory(tiff, directory, size_bytes) for directory in found]
    except ValueError as error:
        raise DamagedSource("The raster has a damaged header", detail=str(error)) from error
    return headers[0]._replace(directories=len(found))


def _read_directories(tiff: TiffReader) -> list[Directory]:
    found: dict[int, Directory] = {}
    at = tiff.first
    while at:
        if at in found:
            raise ValueError("the directories have no end")
        if len(found) == MAX_DIRECTORIES:
            raise OverLimits(f"The raster has more than {MAX_DIRECTORIES} directories")
        found[at] = tiff.read_directory(at)
        at = found[at].next_at
    if not found:
        raise ValueError("no directory")
    return list(found.values())


def _check_directory(tiff: TiffReader, directory: Directory, size_bytes: int) -> RasterHeader:
    width, height = tiff.read_number(directory, Tag.WIDTH), tiff.read_number(directory, Tag.HEIGHT)
    bands = tiff.read_number(directory, Tag.CHANNELS, 1)
    if not (width and height and bands):
        raise ValueError("a side or the number of bands is 0")
    if max(width, height) > MAX_SIDE_PX or bands > MAX_BANDS:
        raise OverLimits(f"The raster exceeds {MAX_SIDE_PX:,} px by side or {MAX_BANDS} bands")
    bits = _check_encoding(tiff, directory, bands)
    for tag, entry in directory.entries.items():
        limit = 16 * MAX_BLOCKS if tag in _BLOCK_ARRAYS else MAX_TAG_BYTES
        if entry.values * SIZES.get(entry.kind, 8) > min(limit, size_bytes):
            raise OverLimits(f"Tag {tag} of the raster has {entry.values:,} values")
    _check_blocks(tiff, directory, (width, height), bands, bits, size_bytes)
    return RasterHeader(width, height, bands, bits, 1)


def _check_encoding(tiff: TiffReader, directory: Directory, bands: int) -> int:
    """Return the bits of a value. Masks have one bit; all bands of an image have the same number."""
    compression = tiff.read_number(directory, Tag.COMPRESSION, 1)
    if compression not in COMPRESSIONS:
        raise TypeNotAllowed(f"The raster has compression {compression}; allowed are {', '.join(_names())}")
    depths = set(tiff.read_numbers(directory, Tag.BITS, bands)) or {1}
    formats = set(tiff.read_numbers(directory, SAMPLE_FORMAT, bands)) or {UNSIGNED}
    [bits, *others] = sorted(depths)
    is_mask = bits == 1 and bool(tiff.read_number(directory, Tag.SUBFILE) & 4)
    if others or not (bits in BITS_ALLOWED or is_mask) or not formats <= {UNSIGNED, SIGNED, FLOAT}:
        raise TypeNotAllowed(
            "The raster's values are no integers or floats of 8, 16, 32 or 64 bits, the same in all bands"
        )
    return bits


def _names() -> list[str]:
    return list(dict.fromkeys(COMPRESSIONS.values()))


def _check_blocks(
    tiff: TiffReader, directory: Directory, size: tuple[int, int], bands: int, bits: int, size_bytes: int
) -> None:
    width, height = size
    tiled = Tag.TILE_WIDTH in directory.entries
    if tiled:
        across, down = tiff.read_number(directory, Tag.TILE_WIDTH), tiff.read_number(directory, Tag.TILE_HEIGHT)
    else:
        across, down = width, min(tiff.read_number(directory, Tag.STRIP_ROWS, height), height)
    if not (across and down):
        raise ValueError("a side of a block is 0")
    if tiled and min(across, down) < MIN_TILE_PX:
        raise OverLimits(
            f"The raster has tiles of {across} × {down} px; at least {MIN_TILE_PX} px by side are required"
        )
    separate = tiff.read_number(directory, Tag.PLANES, 1) == 2
    block_bytes = across * down * (1 if separate else bands) * max(bits, 8) // 8
    if block_bytes > MAX_BLOCK_BYTES:
        raise OverLimits(f"A block of the raster has {block_bytes:,} bytes; at most {MAX_BLOCK_BYTES:,} are allowed")
    blocks = -(-width // across) * -(-height // down) * (bands if separate else 1)
    if blocks > MAX_BLOCKS:
        raise OverLimits(f"The raster has {blocks:,} blocks; at most {MAX_BLOCKS:,} are allowed")
    arrays = (Tag.TILE_OFFSETS, Tag.TILE_BYTES) if tiled else (Tag.STRIP_OFFSETS, Tag.STRIP_BYTES)
    offsets, sizes = (tiff.read_numbers(directory, tag, blocks) for tag in arrays)
    if not len(offsets) == len(sizes) == blocks:
        raise ValueError("the arrays of blocks have another length")
    if any(offset + size > size_bytes for offset, size in zip(offsets, sizes, strict=True)):
        raise ValueError("a block lies beyond the end of the file")
