"""Locate the EXIF, XMP and IPTC blocks of a file, and strip metadata without encoding again.

To strip, a file is split into its parts, and joined without those that do not decode it. Parts to keep are listed, so
that unknown ones are dropped: EXIF, XMP, IPTC, MakerNotes, comments, thumbnails, further images, and anything behind
the end of the image. ICC profiles, animation and the gain map of a JPEG are kept.
"""

from __future__ import annotations

from importlib import import_module

from ..image_format import Header, MetadataBlocks
from ..registry import SOURCE_FORMATS
from .rights import NO_RIGHTS, Rights, compose_metadata


def locate_blocks(data: bytes, form: str) -> MetadataBlocks:
    """Return the blocks in a file of the format ``form``; raise ValueError, LookupError or zlib.error."""
    found: MetadataBlocks = import_module(f"..{SOURCE_FORMATS[form].package}.metadata", __package__).locate(data)
    return found


def embed_rights(body: bytes, form: str, rights: Rights, orientation: int = 1) -> bytes:
    """Return ``body``, an image of the format ``form`` without metadata, with ``rights``.

    It is unchanged if there are none, or the format cannot be joined again (TIFF, SVG). ``orientation``: that in which
    it is stored; formats with a property of their own for it do not get it a second time. Raises ValueError or
    LookupError for a broken file.
    """
    orientation = 1 if SOURCE_FORMATS[form].decodes_upright else orientation
    composed = compose_metadata(rights, orientation)
    if composed == compose_metadata(NO_RIGHTS, orientation) or not SOURCE_FORMATS[form].strips:
        return body
    package = import_module(f"..{SOURCE_FORMATS[form].package}.metadata", __package__)
    joined: bytes = package.strip(body, composed, keep_profile=True)
    return joined


def strip_metadata(
    data: bytes, header: Header, *, keep_orientation: bool = False, keep_profile: bool = True
) -> bytes | None:
    """Return ``data`` without metadata, which decodes to the same pixels bit by bit.

    Return None where that needs a new encode: for HEIC, TIFF and SVG, for a file whose parts do not fit
    together, and for an image that is stored turned, unless ``keep_orientation``, which leaves an EXIF block of that
    one tag, or AVIF's own properties. ``keep_profile``: whether an ICC profile is kept.
    """
    form = SOURCE_FORMATS[header.format]
    if not form.strips or (header.orientation != 1 and not keep_orientation):
        return None
    package = import_module(f"..{form.package}.metadata", __package__)
    try:
        orientation = 1 if form.decodes_upright else header.orientation
        stripped: bytes = package.strip(data, compose_metadata(NO_RIGHTS, orientation), keep_profile=keep_profile)
    except (LookupError, OverflowError, ValueError):
        return None
    return stripped
