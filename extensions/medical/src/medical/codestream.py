"""Sizes that compressed frames declare, before a decoder allocates memory for them.

JPEG and JPEG-LS have them in a frame header (ITU-T T.81, B.2.2, and T.87, C.2.2), JPEG 2000 and HTJ2K in the marker SIZ
(ITU-T T.800, A.5.1).
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from darkroom.errors import DamagedSource

from .header import RLE, Header

_SOI, _SOC_SIZ = b"\xff\xd8", b"\xff\x4f\xff\x51"
_JP2 = b"\0\0\0\x0cjP  "
_END = b"\xff\xd9"
_FRAME_MARKERS = frozenset({*range(0xC0, 0xD0), 0xF7} - {0xC4, 0xC8, 0xCC})
"""SOF of T.81 and of T.87. The others in between define tables, and are reserved."""

_SCAN = 0xDA
_MAX_SEGMENTS = 1000
_MAX_TILES = 65_535
_TAIL_BYTES = 16


class Declared(NamedTuple):
    """What a codestream declares. ``bits`` are those of a sample."""

    width: int
    height: int
    samples: int
    bits: int


def check_codestream(frame: bytes, header: Header) -> None:
    """Raise DamagedSource if a compressed frame is of another size than the image, or ends too early."""
    if header.transfer_syntax == RLE:
        return
    try:
        declared = read_declared(frame)
    except (struct.error, IndexError) as error:
        raise DamagedSource("A compressed frame has no complete header") from error
    if (declared.width, declared.height) != (header.columns, header.rows):
        raise DamagedSource(
            f"A compressed frame has {declared.width} x {declared.height} px, not {header.columns} x {header.rows}"
        )
    if declared.samples != header.samples or declared.bits > header.allocated:
        raise DamagedSource(f"A compressed frame has {declared.samples} samples of {declared.bits} bits")
    if _END not in frame[-_TAIL_BYTES:]:
        raise DamagedSource("A compressed frame ends too early")


def read_declared(frame: bytes) -> Declared:
    """Read the size of a frame; raises DamagedSource, struct.error or IndexError."""
    if frame.startswith(_JP2):  # a file with boxes in place of a codestream, which PS3.5, A.4.4 does not allow
        at = frame.find(_SOC_SIZ)
        return _read_siz(frame[at:] if at >= 0 else b"")
    if frame.startswith(_SOC_SIZ):
        return _read_siz(frame)
    if frame.startswith(_SOI):
        return _read_sof(frame)
    raise DamagedSource("A compressed frame is neither JPEG nor JPEG 2000")


def _read_sof(frame: bytes) -> Declared:
    at = 2
    for _ in range(_MAX_SEGMENTS):
        while frame[at] == 0xFF and frame[at + 1] == 0xFF:  # fill bytes
            at += 1
        marker, [length] = frame[at + 1], struct.unpack_from(">H", frame, at + 2)
        if frame[at] != 0xFF or marker == _SCAN or length < 2:
            break
        if marker in _FRAME_MARKERS:
            bits, height, width, samples = struct.unpack_from(">BHHB", frame, at + 4)
            return Declared(width, height, samples, bits)
        at += 2 + length
    raise DamagedSource("A JPEG has no frame header")


def _read_siz(frame: bytes) -> Declared:
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top = struct.unpack_from(">8I", frame, 8)
    [samples] = struct.unpack_from(">H", frame, 40)
    if not (tile_width and tile_height and left < right and top < bottom and samples):
        raise DamagedSource("A JPEG 2000 codestream declares no size")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles > _MAX_TILES:
        raise DamagedSource(f"A JPEG 2000 codestream has {tiles} tiles")
    bits = max((frame[42 + 3 * number] & 0x7F) + 1 for number in range(min(samples, 4)))
    return Declared(right - left, bottom - top, samples, bits)
