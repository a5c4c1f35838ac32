"""Read and write the KTX 2.0 container (Khronos KTX File Format Specification 2.0).

A file is a header, an index of its mip levels, the Data Format Descriptor (DFD), key/value pairs, supercompression
global data (SGD) and the levels, smallest first. All numbers are little-endian.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

IDENTIFIER = b"\xabKTX 20\xbb\r\n\x1a\n"
MEDIA_TYPE = "image/ktx2"

LINEAR, SRGB = 1, 2
"""Transfer functions of the DFD (``KHR_DF_TRANSFER_LINEAR``, ``KHR_DF_TRANSFER_SRGB``)."""

UNSPECIFIED, BT709 = 0, 1
"""Colour primaries of the DFD (``KHR_DF_PRIMARIES_UNSPECIFIED``, ``KHR_DF_PRIMARIES_BT709``)."""

NO_SUPERCOMPRESSION, BASIS_LZ, ZSTANDARD = 0, 1, 2
MAX_LEVELS = 32

_HEADER = struct.Struct("<12s9I")
"""Identifier, vkFormat, typeSize, width, height, depth, layers, faces, levels, supercompression scheme."""

_INDEX = struct.Struct("<4I2Q")
"""Offset and length in bytes of the DFD, of the key/value pairs and of the SGD."""

_LEVEL = struct.Struct("<3Q")
"""Offset, length and uncompressed length in bytes of a level."""

_COLOUR = 12
"""Offset of the colour model in the DFD: behind the total size and two words of the first block's header. Primaries,
transfer function and flags follow, one byte each."""

_LEAST_DFD_BYTES = 28
_SGD_ALIGNMENT = 8


@dataclass(frozen=True, slots=True)
class Level:
    """One mip level: its bytes in the file, and their number before supercompression, 0 if that is not known."""

    data: bytes
    uncompressed_bytes: int


@dataclass(frozen=True, slots=True)
class Texture:
    """A two-dimensional texture. ``levels`` start with the largest one; sizes are in pixels."""

    vk_format: int
    type_size: int
    width: int
    height: int
    supercompression: int
    descriptor: bytes
    levels: tuple[Level, ...]
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    global_data: bytes = b""

    @property
    def colour_model(self) -> int:
        """Return the colour model of the DFD: 163 is ETC1S, 166 is UASTC."""
        return self.descriptor[_COLOUR]

    @property
    def primaries(self) -> int:
        """Return the colour primaries of the DFD."""
        return self.descriptor[_COLOUR + 1]

    @property
    def transfer(self) -> int:
        """Return the transfer function of the DFD."""
        return self.descriptor[_COLOUR + 2]


def set_colour(descriptor: bytes, primaries: int, transfer: int) -> bytes:
    """Return the DFD ``descriptor`` with these colour primaries and this transfer function."""
    return descriptor[: _COLOUR + 1] + bytes((primaries, transfer)) + descriptor[_COLOUR + 3 :]


def parse_texture(data: bytes) -> Texture:
    """Parse a file with one two-dimensional image and its mip levels; raises ValueError for any other one."""
    if len(data) < _HEADER.size + _INDEX.size:
        raise ValueError("the file is shorter than the header of KTX2")
    identifier, vk_format, type_size, width, height, depth, layers, faces, count, scheme = _HEADER.unpack_from(data)
    if identifier != IDENTIFIER:
        raise ValueError("the identifier is not that of KTX2")
    if depth or layers or faces != 1 or not (width and height and 1 <= count <= MAX_LEVELS):
        raise ValueError(f"not one image with levels: {width} × {height} × {depth}, {layers}, {faces}, {count}")
    descriptor, pairs, global_data = (
        _cut(data, offset, length) for offset, length in _pair_up(_INDEX.unpack_from(data, _HEADER.size))
    )
    if len(descriptor) < _LEAST_DFD_BYTES or int.from_bytes(descriptor[:4], "little") != len(descriptor):
        raise ValueError("the data format descriptor is damaged")
    places = _cut(data, _HEADER.size + _INDEX.size, count * _LEVEL.size)
    levels = tuple(Level(_cut(data, offset, length), full) for offset, length, full in _LEVEL.iter_unpack(places))
    metadata = dict(_parse_pairs(pairs))
    return Texture(vk_format, type_size, width, height, scheme, descriptor, levels, metadata, global_data)


def write_texture(texture: Texture) -> bytes:
    """Return the file of ``texture``, with its metadata sorted by key as the specification requires."""
    pairs = b"".join(_write_pair(key, value) for key, value in sorted(texture.metadata.items()))
    descriptor_at = _HEADER.size + _INDEX.size + len(texture.levels) * _LEVEL.size
    pairs_at = descriptor_at + len(texture.descriptor)
    body = bytearray(texture.descriptor + pairs)
    global_at = 0
    if texture.global_data:
        body += bytes(-(descriptor_at + len(body)) % _SGD_ALIGNMENT)
        global_at = descriptor_at + len(body)
        body += texture.global_data
    alignment = 16 if texture.supercompression == NO_SUPERCOMPRESSION else 1
    places: list[bytes] = []
    for level in reversed(texture.levels):
        body += bytes(-(descriptor_at + len(body)) % alignment)
        places.insert(0, _LEVEL.pack(descriptor_at + len(body), len(level.data), level.uncompressed_bytes))
        body += level.data
    sides = texture.width, texture.height, 0, 0, 1, len(texture.levels)
    header = _HEADER.pack(IDENTIFIER, texture.vk_format, texture.type_size, *sides, texture.supercompression)
    index = _INDEX.pack(
        *(descriptor_at, len(texture.descriptor), pairs_at if pairs else 0, len(pairs)),
        *(global_at, len(texture.global_data)),
    )
    return b"".join((header, index, *places, body))


def count_levels(width: int, height: int) -> int:
    """Return the number of mip levels from ``width`` × ``height`` px down to 1 × 1."""
    return max(width, height).bit_length()


def _pair_up(numbers: tuple[int, ...]) -> Iterator[tuple[int, int]]:
    return zip(numbers[::2], numbers[1::2], strict=True)


def _cut(data: bytes, offset: int, length: int) -> bytes:
    if offset + length > len(data):
        raise ValueError(f"{length} bytes at {offset} are behind the end of the file")
    return data[offset : offset + length]


def _parse_pairs(block: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(block):
        length = int.from_bytes(_cut(block, at, 4), "little")
        key, separator, value = _cut(block, at + 4, length).partition(b"\0")
        if not separator:
            raise ValueError("a key has no end")
        yield key.decode(), value
        at += 4 + length + -length % 4


def _write_pair(key: str, value: bytes) -> bytes:
    content = key.encode() + b"\0" + value
    return len(content).to_bytes(4, "little") + content + bytes(-len(content) % 4)
