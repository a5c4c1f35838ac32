"""Locate and strip the metadata of a WebP."""

from __future__ import annotations

from ...colour.icc import rewrite_profile
from ..image_format import MetadataBlocks
from ..metadata.rights import ComposedMetadata
from .probe import Chunk, build_chunk, build_extended_header, iter_chunks, iter_subchunks

_IMAGE = frozenset((b"VP8 ", b"VP8L", b"ALPH"))
_KEPT = _IMAGE | {b"ANIM"}
_PROFILE_FLAG, _EXIF_FLAG, _XMP_FLAG = 0x20, 0x08, 0x04
_EXIF_START = b"Exif\0\0"
"""Before the block, where encoders copied it from a JPEG."""
_FRAME_BYTES = 16
"""Of an ANMF chunk, before its own chunks: place, size, duration, disposal."""


def locate(data: bytes) -> MetadataBlocks:
    """Return the metadata blocks of a file; raise ValueError or LookupError where it is broken."""
    parts = list(iter_chunks(lambda at, length: data[at : at + length]))
    found = {part.name: data[part.body : part.body + part.size] for part in parts if part.name in (b"EXIF", b"XMP ")}
    exif = found.get(b"EXIF", b"").removeprefix(_EXIF_START)
    return MetadataBlocks(exif, found.get(b"XMP ", b""), has_manifest=any(part.name == b"C2PA" for part in parts))


def strip(data: bytes, composed: ComposedMetadata, *, keep_profile: bool) -> bytes:
    """``data`` with what decodes it and the ``composed`` metadata; raises ValueError."""
    cleared = _EXIF_FLAG | _XMP_FLAG | (0 if keep_profile else _PROFILE_FLAG)
    added = (_EXIF_FLAG if composed.exif else 0) | (_XMP_FLAG if composed.xmp else 0)
    if added and data[12:16] != b"VP8X":
        data = data[:12] + build_extended_header(data) + data[12:]
        data = data[:4] + (len(data) - 8).to_bytes(4, "little") + data[8:]
    found = iter_chunks(lambda at, length: data[at : at + length])
    parts = [_part(data, part, cleared, added) for part in found if keep_profile or part.name != b"ICCP"]
    if composed.exif:
        parts.append(build_chunk(b"EXIF", composed.exif))
    if composed.xmp:
        parts.append(build_chunk(b"XMP ", composed.xmp.packet))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _part(data: bytes, part: Chunk, cleared: int, added: int) -> bytes:
    """Return what is kept of a chunk; ``cleared`` and ``added`` are flags in VP8X."""
    if part.name in _KEPT:
        return data[part.start : part.end]
    if part.name == b"ICCP":
        return build_chunk(b"ICCP", rewrite_profile(data[part.body : part.body + part.size]))
    if part.name == b"VP8X":
        flags = data[part.body] & ~cleared | added
        return build_chunk(b"VP8X", bytes([flags]) + data[part.body + 1 : part.body + part.size])
    if part.name == b"ANMF":
        inner = (
            sub for sub in iter_subchunks(data, part.body + _FRAME_BYTES, part.body + part.size) if sub.name in _IMAGE
        )
        frame = data[part.body : part.body + _FRAME_BYTES] + b"".join(data[sub.start : sub.end] for sub in inner)
        return build_chunk(b"ANMF", frame)
    return b""
