"""Metadata out, pixels untouched: a file is cut along its own seams and put together without what does not decode it.

What stays is listed, so that what is unknown goes: EXIF, XMP, IPTC, MakerNotes, comments, thumbnails, further pictures,
and whatever follows the end of the picture. ICC profiles, animation and the gain map of a JPEG stay.
"""

from __future__ import annotations

from typing import Protocol

from ..bmff.strip import strip as clean_avif
from ..gif.strip import strip as clean_gif
from ..jpeg.strip import strip as clean_jpeg
from ..png.strip import strip as clean_png
from ..probe import Header
from ..webp.strip import strip as clean_webp


class _Stripper(Protocol):
    def __call__(self, data: bytes, orientation: int, *, keep_profile: bool) -> bytes: ...


_STRIPPERS: dict[str, _Stripper] = {
    "avif": clean_avif,
    "jpeg": clean_jpeg,
    "png": clean_png,
    "webp": clean_webp,
    "gif": clean_gif,
}


def strip_metadata(
    data: bytes, header: Header, *, keep_orientation: bool = False, keep_profile: bool = True
) -> bytes | None:
    """``data`` without metadata, decoding to the same pixels bit by bit.

    None where that cannot be had without encoding anew: for HEIC, TIFF and SVG, for a file whose parts do not fit
    together, and for a picture that is stored turned, unless ``keep_orientation``, which leaves an EXIF block of that
    one tag, or AVIF's own properties. ``keep_profile``: whether an ICC profile stays.
    """
    cleaner = _STRIPPERS.get(header.format)
    if cleaner is None or (header.orientation != 1 and not keep_orientation):
        return None
    try:
        return cleaner(data, header.orientation, keep_profile=keep_profile)
    except (LookupError, OverflowError, ValueError):
        return None
