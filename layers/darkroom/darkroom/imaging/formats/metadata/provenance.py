"""Where a picture comes from, by what its file says: kept in the index, never in a served file.

Sources are preferred as in the Metadata Working Group's guidelines (2.0): EXIF, then IPTC-IIM, then XMP; XMP before IIM
where a digest in the file shows that nobody has changed IIM since the two were made to agree.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from hashlib import md5

from ..probe import Header
from . import exif, iptc, xmp
from .image_metadata import EMPTY, ImageMetadata
from .locate import MetadataBlocks, locate_blocks

_TEXTS = ("captured_at", "camera", "lens", "creator", "copyright", "credit")


def read_provenance(data: bytes, header: Header, *, keep_gps: bool) -> dict[str, object]:
    """What the file ``data`` says of its picture, as JSON values; only what it says, and no error where it is broken.

    ``captured_at`` (ISO 8601, with subseconds and offset where they are known), ``camera``, ``lens``, ``creator``,
    ``copyright``, ``credit``: one line of at most 500 printable characters each. ``gps``, only if ``keep_gps``:
    ``latitude`` and ``longitude`` in degrees, ``altitude`` in metres.
    """
    ordered = _read_blocks(data, header.format)
    told = {name: _first(ordered, name) for name in _TEXTS}
    told["captured_at"] = told["captured_at"] or _first(ordered, "digitised_at")
    kept: dict[str, object] = {name: text for name, text in told.items() if text}
    place = next((facts.location for facts in ordered if facts.location), None)
    if keep_gps and place is not None:
        kept["gps"] = {name: value for name, value in place._asdict().items() if value is not None}
    return kept


def _read_blocks(data: bytes, form: str) -> list[ImageMetadata]:
    """What each block says, those first that are believed first."""
    blocks = _try_read(lambda: locate_blocks(data, form), MetadataBlocks())
    found = {
        "exif": _try_read(lambda: exif.parse_exif(blocks.exif), EMPTY) if blocks.exif else EMPTY,
        "iim": _try_read(lambda: iptc.parse_iptc(blocks.iptc), EMPTY),
        "xmp": _try_read(lambda: xmp.parse_xmp(blocks.xmp), EMPTY) if blocks.xmp else EMPTY,
    }
    agreed = blocks.iptc_digest == md5(blocks.iptc, usedforsecurity=False).digest()
    return [found[name] for name in (("exif", "xmp", "iim") if agreed else ("exif", "iim", "xmp"))]


def _try_read[T](read: Callable[[], T], otherwise: T) -> T:
    """What ``read`` finds, or ``otherwise``: damaged metadata must not damage the picture."""
    try:
        return read()
    except (ArithmeticError, LookupError, ValueError, zlib.error):
        return otherwise


def _first(ordered: Iterable[ImageMetadata], name: str) -> str:
    return next(filter(None, (getattr(facts, name) for facts in ordered)), "")
