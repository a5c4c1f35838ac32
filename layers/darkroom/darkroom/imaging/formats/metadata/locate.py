"""Locate the EXIF, XMP and IPTC blocks of a file."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module

from ..registry import SOURCE_FORMATS

MAX_BLOCK_BYTES = 4 * 1024 * 1024
"""Longer ones hold images or histories, and are left alone."""


@dataclass(frozen=True, slots=True)
class MetadataBlocks:
    """The first block of each kind, unwrapped; empty where there is none. Of a TIFF, ``exif`` is the whole file."""

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    iptc_digest: bytes = b""


def locate_blocks(data: bytes, form: str) -> MetadataBlocks:
    """Return the blocks in a file of the format ``form``; raise ValueError, LookupError or zlib.error."""
    found: MetadataBlocks = import_module(f"..{SOURCE_FORMATS[form].package}.metadata", __package__).locate(data)
    return found
