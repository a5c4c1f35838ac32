"""Metadata out, pixels untouched: a file is cut along its own seams and put together without what does not decode it.

What stays is listed, so that what is unknown goes: EXIF, XMP, IPTC, MakerNotes, comments, thumbnails, further pictures,
and whatever follows the end of the picture. ICC profiles, animation and a gain map stay.
"""

from __future__ import annotations

from collections.abc import Callable

from .cleaning import gif, jpeg, png, webp
from .header import Header

_CLEANERS: dict[str, Callable[[bytes, int], bytes]] = {
    "jpeg": jpeg.clean,
    "png": png.clean,
    "webp": webp.clean,
    "gif": gif.clean,
}


def clean(data: bytes, header: Header, *, keep_orientation: bool = False) -> bytes | None:
    """``data`` without metadata, decoding to the same pixels bit by bit.

    None where that cannot be had without encoding anew: for AVIF, HEIC, TIFF and SVG, for a file whose parts do not fit
    together, and for a picture that is stored turned, unless ``keep_orientation``, which leaves an EXIF block of that
    one tag.
    """
    cleaner = _CLEANERS.get(header.format)
    if cleaner is None or (header.orientation != 1 and not keep_orientation):
        return None
    try:
        return cleaner(data, header.orientation)
    except (LookupError, OverflowError, ValueError):
        return None
