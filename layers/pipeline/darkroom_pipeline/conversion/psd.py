"""A Photoshop document: its header, and the composite image that it was saved with.

Source: Adobe Photoshop File Formats Specification, November 2019. Layers are not read: an application that saves for
others writes all layers composed into one image at the end of the file.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from darkroom.errors import TypeNotAllowed
from darkroom.imaging.formats.image_format import Header

SIGNATURE = b"8BPS"
BITMAP, GREY, INDEXED, RGB, CMYK = 0, 1, 2, 3, 4
"""Colour modes that are converted."""
RAW, RUN_LENGTHS = 0, 1
"""Values of the compression of the composite image."""
COLOURS = {BITMAP: 1, GREY: 1, INDEXED: 1, RGB: 3, CMYK: 4}
"""Channels that hold colours, by mode. Others are transparency, or selections that were saved."""
PALETTE_BYTES = 768
"""All reds, then all greens, then all blues."""

_REFUSED_MODES = {7: "several channels without a colour model", 8: "duotone colours", 9: "CIE L*a*b* colours"}
_REFUSED_COMPRESSION = {2: "ZIP compression", 3: "ZIP compression"}
_DEPTHS = {BITMAP: (1,), GREY: (8, 16), INDEXED: (8,), RGB: (8, 16), CMYK: (8, 16)}
_MAX_SIDE_PX, _MAX_CHANNELS = 30_000, 56
_MAX_BLOCKS = 4_096
_PROFILE, _VERSION_INFO = 1039, 1057
"""Image resources: the ICC profile, and whether the composite image is that of the layers."""
_TRANSPARENCY = {b"Mtrn", b"Mt16", b"Mt32"}
"""Blocks of a document whose composite image has its transparency as first channel after the colours."""


@dataclass(frozen=True, slots=True)
class Document:
    """What the sections state. ``start``: the first byte of the composite image's pixels or table of row lengths.

    ``transparent``: the channel after the colours is the composite image's transparency.
    """

    width: int
    height: int
    channels: int
    bits: int
    mode: int
    palette: bytes
    profile: bytes
    transparent: bool
    compression: int
    start: int

    @property
    def row_bytes(self) -> int:
        """Bytes of an uncompressed row of one channel."""
        return (self.width * self.bits + 7) // 8

    def find_planes(self, data: bytes) -> list[tuple[int, int]]:
        """Return the first byte, and the byte after the last, of each channel; raises ValueError if one is cut off."""
        if self.compression == RAW:
            sizes = [self.row_bytes * self.height] * self.channels
            at = self.start
        else:
            rows = self.channels * self.height
            at = self.start + 2 * rows
            if at > len(data):
                raise ValueError("rows are missing")
            lengths = struct.unpack_from(f">{rows}H", data, self.start)
            sizes = [sum(lengths[row : row + self.height]) for row in range(0, rows, self.height)]
        ends = [at + sum(sizes[: number + 1]) for number in range(self.channels)]
        if ends[-1] > len(data):
            raise ValueError("pixels are missing")
        return list(zip([at, *ends], ends, strict=False))


def read_header(data: bytes) -> Header:
    """Return the header. Raises ValueError or struct.error, or TypeNotAllowed for documents without an image to use."""
    document = parse_document(data)
    document.find_planes(data)
    return Header(
        "psd",
        document.width,
        document.height,
        has_alpha=document.transparent,
        has_profile=bool(document.profile),
        bits=document.bits,
        colour={BITMAP: "gray", GREY: "gray", CMYK: "cmyk"}.get(document.mode, "rgb"),
    )


def parse_document(data: bytes) -> Document:
    """Parse the sections before the pixels; raises ValueError, struct.error or TypeNotAllowed."""
    signature, version, channels, height, width, bits, mode = struct.unpack_from(">4sH6xHIIHH", data)
    if signature != SIGNATURE or version not in (1, 2):
        raise ValueError(f"version {version}")
    if version == 2:
        raise _refuse("of the large kind (PSB)")
    _check_size(width, height, channels)
    _check_mode(mode, bits, channels)
    view = memoryview(data)  # most of a document is its layers, which are not copied
    palette, at = _read_section(view, 26)
    resources, at = _read_section(view, at)
    layers, at = _read_section(view, at)
    [compression] = struct.unpack_from(">H", data, at)
    if compression in _REFUSED_COMPRESSION:
        raise _refuse(f"with {_REFUSED_COMPRESSION[compression]} of its composite image")
    if compression not in (RAW, RUN_LENGTHS) or (mode == INDEXED and len(palette) != PALETTE_BYTES):
        raise ValueError(f"compression {compression}, {len(palette)} bytes of a palette")
    blocks = dict(_iter_resources(resources))
    if blocks.get(_VERSION_INFO, b"\0\0\0\1\1")[4:5] == b"\0":
        raise _refuse('without its composite image: it was saved with "Maximize Compatibility" off')
    transparent = mode in (GREY, RGB) and channels > COLOURS[mode] and _has_transparency(layers)
    profile = blocks.get(_PROFILE, b"")
    return Document(width, height, channels, bits, mode, bytes(palette), profile, transparent, compression, at + 2)


def _refuse(what: str) -> TypeNotAllowed:
    return TypeNotAllowed(f"The source is a Photoshop document {what}, which is not supported")


def _check_size(width: int, height: int, channels: int) -> None:
    if not (0 < width <= _MAX_SIDE_PX and 0 < height <= _MAX_SIDE_PX and 0 < channels <= _MAX_CHANNELS):
        raise ValueError(f"{width} × {height} px, {channels} channels")


def _check_mode(mode: int, bits: int, channels: int) -> None:
    if mode in _REFUSED_MODES:
        raise _refuse(f"with {_REFUSED_MODES[mode]}")
    if bits == 32:
        raise _refuse("with 32 bits a channel")
    if bits not in _DEPTHS.get(mode, ()) or channels < COLOURS[mode]:
        raise ValueError(f"mode {mode}, {bits} bits, {channels} channels")


def _read_section(view: memoryview, at: int) -> tuple[memoryview, int]:
    """Return the section whose length is at byte ``at``, and where it ends; raises ValueError or struct.error."""
    [size] = struct.unpack_from(">I", view, at)
    end = at + 4 + size
    if end > len(view):
        raise ValueError(f"a section of {size} bytes")
    return view[at + 4 : end], end


def _iter_resources(section: memoryview) -> Iterator[tuple[int, bytes]]:
    """Yield number and contents of each image resource, up to one that is damaged: none is needed for the pixels."""
    at = 0
    for _ in range(_MAX_BLOCKS):
        name_bytes = section[at + 6] + 1 if at + 7 <= len(section) else 0
        start = at + 6 + name_bytes + name_bytes % 2 + 4
        if not name_bytes or start > len(section):
            return
        [number] = struct.unpack_from(">H", section, at + 4)
        [size] = struct.unpack_from(">I", section, start - 4)
        if start + size > len(section):
            return
        yield number, bytes(section[start : start + size])
        at = start + size + size % 2


def _has_transparency(section: memoryview) -> bool:
    """Whether the section of layers states that the composite image has transparency."""
    if len(section) < 4:
        return False
    [size] = struct.unpack_from(">I", section)
    if size >= 2 and len(section) >= 6 and struct.unpack_from(">h", section, 4)[0] < 0:
        return True
    at = 4 + size
    mask = int.from_bytes(section[at : at + 4])
    return any(key in _TRANSPARENCY for key in _iter_block_keys(section, at + 4 + mask))


def _iter_block_keys(section: memoryview, at: int) -> Iterator[bytes]:
    """Yield the key of each block of additional information from byte ``at``. Their sizes are multiples of four."""
    for _ in range(_MAX_BLOCKS):
        if bytes(section[at : at + 4]) not in (b"8BIM", b"8B64") or at + 12 > len(section):
            return
        yield bytes(section[at + 4 : at + 8])
        size = int.from_bytes(section[at + 8 : at + 12])
        at += 12 + (size + 3) // 4 * 4


def estimate_bytes_per_pixel(header: Header) -> float:
    """Return the memory of the channels, the image and its copies, and the encoder.

    Measured as growth of ``VmHWM`` for noise of 1 to 16 megapixels: 4 (grey) to 17 (16 bits with alpha) bytes.
    """
    channels = {"gray": 1, "rgb": 3, "cmyk": 4}[header.colour] + header.has_alpha
    return 4.0 * channels + 2 * (header.bits > 8) + 4
