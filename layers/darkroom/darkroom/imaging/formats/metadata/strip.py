"""Strip metadata without encoding again: a file is split into its parts, and joined without those that do not decode
it.

Parts to keep are listed, so that unknown ones are dropped: EXIF, XMP, IPTC, MakerNotes, comments, thumbnails, further
images, and anything behind the end of the image. ICC profiles, animation and the gain map of a JPEG are kept.
"""

from __future__ import annotations

from importlib import import_module

from ..probe import Header
from ..registry import SOURCE_FORMATS


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
        stripped: bytes = package.strip(data, header.orientation, keep_profile=keep_profile)
    except (LookupError, OverflowError, ValueError):
        return None
    return stripped
