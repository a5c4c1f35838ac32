"""Locate the metadata of a TIFF."""

from __future__ import annotations

from ..image_format import MAX_BLOCK_BYTES, MetadataBlocks
from ..metadata.iptc import parse_photoshop_resources
from .container import TiffReader

_XMP, _IPTC, _PHOTOSHOP, _C2PA = 700, 33723, 34377, 52545
"""Tags."""


def locate(data: bytes) -> MetadataBlocks:
    """Return the metadata blocks of a file; raise ValueError or LookupError where it is broken."""
    tiff = TiffReader(lambda at, length: data[at : at + length])
    entries = tiff.read_directory(tiff.first).entries
    xmp, iptc, photoshop = (
        tiff.read_value(entries[tag], MAX_BLOCK_BYTES) if tag in entries else b"" for tag in (_XMP, _IPTC, _PHOTOSHOP)
    )
    found = parse_photoshop_resources(photoshop)
    return MetadataBlocks(data, xmp, iptc or found.iptc, found.digest, _C2PA in entries)
