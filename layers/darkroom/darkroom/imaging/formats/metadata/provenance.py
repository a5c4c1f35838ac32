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
from .image_metadata import NOTHING, Facts
from .locate import Blocks, blocks_of

_TEXTS = ("captured_at", "camera", "lens", "creator", "copyright", "credit")


def provenance(data: bytes, header: Header, *, keep_gps: bool) -> dict[str, object]:
    """What the file ``data`` says of its picture, as JSON values; only what it says, and no error where it is broken.

    ``captured_at`` (ISO 8601, with subseconds and offset where they are known), ``camera``, ``lens``, ``creator``,
    ``copyright``, ``credit``: one line of at most 500 printable characters each. ``gps``, only if ``keep_gps``:
    ``latitude`` and ``longitude`` in degrees, ``altitude`` in metres.
    """
    ordered = _ordered(data, header.format)
    told = {name: _first(ordered, name) for name in _TEXTS}
    told["captured_at"] = told["captured_at"] or _first(ordered, "digitised_at")
    kept: dict[str, object] = {name: text for name, text in told.items() if text}
    place = next((facts.place for facts in ordered if facts.place), None)
    if keep_gps and place is not None:
        kept["gps"] = {name: value for name, value in place._asdict().items() if value is not None}
    return kept


def _ordered(data: bytes, form: str) -> list[Facts]:
    """What each block says, those first that are believed first."""
    blocks = _tried(lambda: blocks_of(data, form), Blocks())
    found = {
        "exif": _tried(lambda: exif.read(blocks.exif), NOTHING) if blocks.exif else NOTHING,
        "iim": _tried(lambda: iptc.read(blocks.iim), NOTHING),
        "xmp": _tried(lambda: xmp.read(blocks.xmp), NOTHING) if blocks.xmp else NOTHING,
    }
    agreed = blocks.iim_digest == md5(blocks.iim, usedforsecurity=False).digest()
    return [found[name] for name in (("exif", "xmp", "iim") if agreed else ("exif", "iim", "xmp"))]


def _tried[T](read: Callable[[], T], otherwise: T) -> T:
    """What ``read`` finds, or ``otherwise``: damaged metadata must not damage the picture."""
    try:
        return read()
    except (ArithmeticError, LookupError, ValueError, zlib.error):
        return otherwise


def _first(ordered: Iterable[Facts], name: str) -> str:
    return next(filter(None, (getattr(facts, name) for facts in ordered)), "")
