"""Read WebP headers (RFC 9649), and what a decoder must not see of a file."""

from __future__ import annotations

from collections.abc import Iterator

from ...source import Patch, Source
from ..image_format import Header
from ..metadata.orientation import read_orientation
from .container import iter_chunks

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


def find_patches(source: Source, page: int) -> Iterator[Patch]:  # noqa: ARG001 - frames of an animation are alike
    """Rename EXIF chunks."""
    if source.read_at(12, 4) == b"VP8X":
        yield from (Patch(part.start, _HIDDEN) for part in iter_chunks(source.read_at) if part.name == b"EXIF")


def is_lossless(source: Source) -> bool:
    """Return whether any frame is lossless; raise ValueError."""
    return any(part.name == b"VP8L" for part in iter_chunks(source.read_at))
