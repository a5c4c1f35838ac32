"""Locate and strip the metadata of a GIF."""

from __future__ import annotations

from ..image_format import MetadataBlocks
from ..metadata.rights import ComposedMetadata
from .probe import APPLICATION, EXTENSION, GRAPHIC_CONTROL, TRAILER, Block, find_first_block, iter_blocks

_APPLICATIONS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
"""Loop counts. A colour profile is dropped: browsers and libvips do not read one in a GIF."""
_XMP = b"XMP DataXMP"
_XMP_END = b"\x01\xff\xfe"
"""XMP lies in a GIF without sub-blocks; 258 bytes behind it lead readers of sub-blocks out."""
_XMP_TRAILER = b"\x01" + bytes(range(255, -1, -1)) + b"\0"


def locate(data: bytes) -> MetadataBlocks:
    """Return the metadata blocks of a file; raise ValueError or LookupError where it is broken."""
    xmp, has_manifest = b"", False
    for block in iter_blocks(data):
        body = data[block.start + 3 : block.end]
        if block.label == APPLICATION and body.startswith(_XMP):
            xmp = xmp or body[len(_XMP) :].partition(_XMP_END)[0]
        has_manifest |= block.label == APPLICATION and body.startswith(b"C2PA_GIF")
    return MetadataBlocks(xmp=xmp, has_manifest=has_manifest)


def strip(data: bytes, composed: ComposedMetadata, *, keep_profile: bool) -> bytes:  # noqa: ARG001 - no viewer reads it
    """``data`` with its frames, how they play, and the ``composed`` XMP; raises ValueError or IndexError."""
    parts = [data[: find_first_block(data)]]
    parts += [data[block.start : block.end] for block in iter_blocks(data) if _stays(data, block)]
    if composed.xmp:
        parts.append(bytes((EXTENSION, APPLICATION, len(_XMP))) + _XMP + composed.xmp.packet + _XMP_TRAILER)
    return b"".join(parts) + bytes([TRAILER])


def _stays(data: bytes, block: Block) -> bool:
    """Comments, text and unknown applications go. XMP is an application of its own; its blocks are cut like any."""
    if block.is_image or block.label == GRAPHIC_CONTROL:
        return True
    return block.label == APPLICATION and data[block.start + 3 : block.start + 14] in _APPLICATIONS
