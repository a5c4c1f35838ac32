"""Read WebP headers and chunks (RFC 9649), and what a decoder must not see of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from ...source import Patch, Source
from ..image_format import Header, read_orientation

MAX_CHUNKS = 100_000
"""Two a frame of an animation would be usual."""

type ReadAt = Callable[[int, int], bytes]


class Chunk(NamedTuple):
    """One chunk: ``size`` bytes from ``body``; the whole of it, with its padding, is ``start`` to ``end``."""

    name: bytes
    start: int
    body: int
    size: int
    end: int


def iter_chunks(read_at: ReadAt) -> Iterator[Chunk]:
    """Yield the chunks of a WebP in order; raise ValueError where the data ends before the RIFF size."""
    return _iter_between(read_at, 12, 8 + int.from_bytes(read_at(4, 4), "little"))


def iter_subchunks(data: bytes, start: int, end: int) -> Iterator[Chunk]:
    """The chunks within a frame's chunk; raises ValueError where they do not fit."""
    for found in _iter_between(lambda at, length: data[at : at + length], start, end):
        if found.body + found.size > end:
            raise ValueError("a chunk is longer than its frame")
        yield found


def build_chunk(name: bytes, body: bytes) -> bytes:
    """A chunk that carries ``body``."""
    return name + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) & 1)


def _iter_between(read_at: ReadAt, start: int, end: int) -> Iterator[Chunk]:
    at = start
    for _ in range(MAX_CHUNKS):
        if at + 8 > end:
            return
        opening = read_at(at, 8)
        size = int.from_bytes(opening[4:], "little")
        if len(opening) < 8 or (size and not read_at(at + 7 + size, 1)):
            raise ValueError("the data ends in a chunk")
        following = at + 8 + size + (size & 1)
        yield Chunk(opening[:4], at, at + 8, size, following)
        at = following
    raise ValueError("too many chunks")


_HIDDEN = b"hiDe"
"""The name of an unknown chunk."""
_PROFILE, _ALPHA, _EXIF, _ANIMATION = 0x20, 0x10, 0x08, 0x02


def read_header(source: Source, page: int) -> Header:  # noqa: ARG001 - frames of an animation are alike
    """Return the header of a WebP; raise ValueError. Reads to the end for an animation or where EXIF is announced."""
    name = source.read_at(12, 4)
    if name == b"VP8X":
        return _extended(source)
    if name == b"VP8 ":
        return _lossy(source.read_at(20, 10))
    if name == b"VP8L":
        return _lossless(source.read_at(20, 5))
    raise ValueError("no image comes first")


def _lossy(body: bytes) -> Header:
    if body[3:6] != b"\x9d\x01\x2a" or len(body) < 10:
        raise ValueError("no key frame")
    wide, tall = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (6, 8))
    return Header("webp", wide, tall)


def _lossless(body: bytes) -> Header:
    if body[:1] != b"\x2f" or len(body) < 5:
        raise ValueError("no lossless signature")
    packed = int.from_bytes(body[1:], "little")
    return Header("webp", (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1, has_alpha=bool(packed >> 28 & 1))


def _extended(source: Source) -> Header:
    body = source.read_at(20, 10)
    if len(body) < 10:
        raise ValueError("VP8X is cut off")
    flags = body[0]
    frames, turn = 1, 1
    if flags & (_ANIMATION | _EXIF):
        parts = list(iter_chunks(source.read_at))
        frames = sum(chunk.name == b"ANMF" for chunk in parts) if flags & _ANIMATION else 1
        if not frames:
            raise ValueError("an animation without a frame")
        exif = next((source.read_at(c.body, c.size) for c in parts if c.name == b"EXIF"), b"")
        turn = read_orientation(exif.removeprefix(b"Exif\0\0"))
    return Header(
        "webp",
        int.from_bytes(body[4:7], "little") + 1,
        int.from_bytes(body[7:10], "little") + 1,
        frames=frames,
        orientation=turn,
        has_alpha=bool(flags & _ALPHA),
        has_profile=bool(flags & _PROFILE),
    )


def build_extended_header(data: bytes) -> bytes:
    """Return the VP8X chunk that a WebP without one needs to hold metadata; raises ValueError."""
    header = read_header(Source.from_bytes(data), 0)
    canvas = b"".join((side - 1).to_bytes(3, "little") for side in (header.width, header.height))
    return build_chunk(b"VP8X", bytes([_ALPHA if header.has_alpha else 0]) + bytes(3) + canvas)


def find_patches(source: Source, page: int) -> Iterator[Patch]:  # noqa: ARG001 - frames of an animation are alike
    """Rename EXIF chunks."""
    if source.read_at(12, 4) == b"VP8X":
        yield from (Patch(part.start, _HIDDEN) for part in iter_chunks(source.read_at) if part.name == b"EXIF")


def is_lossless(source: Source) -> bool:
    """Return whether any frame is lossless; raise ValueError."""
    return any(part.name == b"VP8L" for part in iter_chunks(source.read_at))
