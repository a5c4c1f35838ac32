"""Metadata out, pixels untouched: a file is cut along its own seams and put together without what does not decode it.

What stays is listed, so that what is unknown goes: EXIF, XMP, IPTC, MakerNotes, comments, thumbnails, further pictures,
and whatever follows the end of the picture. ICC profiles, animation and the gain map of a JPEG stay.
"""

from __future__ import annotations

from importlib import import_module

from ..probe import Header
from ..registry import SOURCE_FORMATS


def strip_metadata(
    data: bytes, header: Header, *, keep_orientation: bool = False, keep_profile: bool = True
) -> bytes | None:
    """``data`` without metadata, decoding to the same pixels bit by bit.

    None where that cannot be had without encoding anew: for HEIC, TIFF and SVG, for a file whose parts do not fit
    together, and for a picture that is stored turned, unless ``keep_orientation``, which leaves an EXIF block of that
    one tag, or AVIF's own properties. ``keep_profile``: whether an ICC profile stays.
    """
    form = SOURCE_FORMATS[header.format]
    if not form.strips or (header.orientation != 1 and not keep_orientation):
        return None
    package = import_module(f"..{form.package}.metadata", __package__)
    try:
        stripped: bytes = package.strip(data, header.orientation, keep_profile=keep_profile)
    except (LookupError, OverflowError, ValueError):
        return None
    return stripped
