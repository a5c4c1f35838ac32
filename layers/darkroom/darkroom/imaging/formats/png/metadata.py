"""Locate and strip the metadata of a PNG."""

from __future__ import annotations

import zlib

from ...colour.icc import MAX_PROFILE_BYTES, rewrite_profile
from ..image_format import MAX_BLOCK_BYTES, MetadataBlocks
from ..metadata.rights import ComposedMetadata
from .apng import build_chunk, iter_chunks, parse_animation

_DECODES = frozenset(
    (b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"cICP", b"mDCV", b"cLLI")
)
_SHOWS = frozenset((b"sBIT", b"bKGD", b"pHYs"))
_ANIMATION = frozenset((b"acTL", b"fcTL", b"fdAT"))
"""One that is not as it is announced is a still here, so that nothing has checked the frames: they go."""
KEPT = _DECODES | _SHOWS | _ANIMATION
_MOST_BYTES = {
    b"IHDR": 13,
    b"IEND": 0,
    b"gAMA": 4,
    b"cHRM": 32,
    b"sRGB": 1,
    b"cICP": 4,
    b"mDCV": 24,
    b"cLLI": 8,
    b"sBIT": 4,
    b"bKGD": 6,
    b"pHYs": 9,
    b"acTL": 8,
    b"fcTL": 26,
}
"""What chunks of a fixed length carry (W3C PNG, third edition, 11): a longer one has something else behind it."""
_XMP_KEYWORD = b"XML:com.adobe.xmp\0"
_PLAIN_TEXT = b"\0\0\0\0"
"""Of an `iTXt` chunk: not compressed, no language, no translated keyword."""


def locate(data: bytes) -> MetadataBlocks:
    """Return the metadata blocks of a file; raise ValueError, LookupError or zlib.error where it is broken."""
    exif = xmp = b""
    has_manifest = False
    for part in iter_chunks(data):
        body = data[part.body : part.end - 4]
        if part.name == b"eXIf":
            exif = exif or body
        elif part.name == b"iTXt" and body.startswith(_XMP_KEYWORD):
            xmp = xmp or _international_text(body[len(_XMP_KEYWORD) :])
        has_manifest |= part.name == b"caBX"
    return MetadataBlocks(exif, xmp, has_manifest=has_manifest)


def _international_text(body: bytes) -> bytes:
    """The text of an `iTXt` chunk after its keyword: flag, method, language, keyword in that language, text."""
    _, _, text = body[2:].split(b"\0", 2)
    if body[0] == 0:
        return text
    unpacked = zlib.decompressobj()
    found = unpacked.decompress(text, MAX_BLOCK_BYTES)
    return found if unpacked.eof else b""


def strip(data: bytes, composed: ComposedMetadata, *, keep_profile: bool) -> bytes:
    """``data`` with what decodes it and the ``composed`` metadata; raises ValueError."""
    animation = parse_animation(data)
    plays = animation is not None and len(animation.frames) > 1
    if animation is not None and plays and not animation.default_image_is_frame:
        raise ValueError("an image that is no frame: some viewers show it, others the animation")
    kept = KEPT - {b"iCCP"} - (frozenset() if plays else _ANIMATION)
    parts = [data[:8]]
    for part in iter_chunks(data):
        if part.name == b"iCCP" and keep_profile:
            parts.append(
                build_chunk(
                    b"iCCP", b"ICC\0\0" + zlib.compress(rewrite_profile(_profile(data[part.body : part.end - 4])))
                )
            )
        elif part.name in kept and part.end - part.body - 4 <= _MOST_BYTES.get(part.name, part.end):
            parts.append(data[part.start : part.end])
        if part.name == b"IHDR" and composed.exif:
            parts.append(build_chunk(b"eXIf", composed.exif))
        if part.name == b"IHDR" and composed.xmp:
            parts.append(build_chunk(b"iTXt", _XMP_KEYWORD + _PLAIN_TEXT + composed.xmp.packet))
        if part.name == b"IEND":
            return b"".join(parts)
    raise ValueError("no IEND")


def _profile(body: bytes) -> bytes:
    """The ICC profile that an iCCP chunk carries behind a name; raises ValueError."""
    name, _, packed = body.partition(b"\0")
    if len(name) == len(body) or packed[:1] != b"\0":
        raise ValueError("iCCP has no profile")
    try:
        return zlib.decompressobj().decompress(packed[1:], MAX_PROFILE_BYTES + 1)
    except zlib.error as error:
        raise ValueError("iCCP cannot be unpacked") from error
