"""WebP without metadata."""

from __future__ import annotations

from ..containers.webp import Chunk, chunk, chunks, subchunks
from ..headers.exif import minimal

_PICTURE = frozenset((b"VP8 ", b"VP8L", b"ALPH"))
_KEPT = _PICTURE | {b"ICCP", b"ANIM"}
_EXIF_FLAG, _XMP_FLAG = 0x08, 0x04
_FRAME_BYTES = 16
"""Of an ANMF chunk, before its own chunks: place, size, duration, disposal."""


def clean(data: bytes, orientation: int) -> bytes:
    """``data`` with nothing but what decodes it, and its orientation if it is not 1; raises ValueError."""
    exif = minimal(orientation) if orientation != 1 else b""
    parts = [_part(data, part, bool(exif)) for part in chunks(lambda at, length: data[at : at + length])]
    if exif:
        parts.append(chunk(b"EXIF", exif))
    body = b"WEBP" + b"".join(parts)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


def _part(data: bytes, part: Chunk, has_exif: bool) -> bytes:
    if part.name in _KEPT:
        return data[part.start : part.end]
    if part.name == b"VP8X":
        flags = data[part.body] & ~(_EXIF_FLAG | _XMP_FLAG) | (_EXIF_FLAG if has_exif else 0)
        return chunk(b"VP8X", bytes([flags]) + data[part.body + 1 : part.body + part.size])
    if part.name == b"ANMF":
        inner = (
            sub for sub in subchunks(data, part.body + _FRAME_BYTES, part.body + part.size) if sub.name in _PICTURE
        )
        frame = data[part.body : part.body + _FRAME_BYTES] + b"".join(data[sub.start : sub.end] for sub in inner)
        return chunk(b"ANMF", frame)
    return b""
