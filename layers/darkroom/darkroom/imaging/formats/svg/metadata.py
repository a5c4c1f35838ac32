"""Locate the metadata of an SVG: the XMP within it."""

from __future__ import annotations

from ..image_format import MAX_BLOCK_BYTES, MetadataBlocks


def locate(data: bytes) -> MetadataBlocks:
    """Return the whole file as XMP, if it is not too large."""
    return MetadataBlocks(xmp=data if len(data) <= MAX_BLOCK_BYTES else b"", has_manifest=b"c2pa:manifest" in data)
