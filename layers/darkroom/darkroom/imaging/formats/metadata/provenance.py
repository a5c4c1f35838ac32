"""Read the provenance of an image from its file. It is stored in the index. Of it, only rights are served in files.

Sources are preferred as in the Metadata Working Group's guidelines (2.0): EXIF, then IPTC-IIM, then XMP; XMP before IIM
where a digest in the file shows that IIM has not changed since both were synchronised.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from hashlib import md5
from importlib import import_module
from typing import cast

from ...source import RangedBytes, Source
from ..image_format import Header, MetadataBlocks
from .image_metadata import EMPTY, ImageMetadata
from .locate import locate_blocks
from .rights import Rights

_TEXTS = (
    "captured_at",
    "camera",
    "lens",
    "creator",
    "copyright",
    "credit",
    "licence_url",
    "licensor",
    "licensor_url",
    "digital_source_type",
    "title",
    "alt_text",
    "extended_description",
)


def read_provenance(data: bytes, header: Header, *, keep_gps: bool) -> dict[str, object]:
    """Return what the file ``data`` states of its image, as JSON values; broken metadata counts as missing.

    ``captured_at`` (ISO 8601, with subseconds and offset where they are known), ``camera``, ``lens``, ``creator``,
    ``copyright``, ``credit``, ``licence_url``, ``licensor``, ``licensor_url``, ``digital_source_type``, ``title``,
    ``alt_text``, ``extended_description``: one line of at most 500 printable characters each. ``content_credentials``
    if there are any: whether they are ``embedded``, and not validated here; or the ``url`` of those that are elsewhere.
    ``gps``, only if ``keep_gps``: ``latitude`` and ``longitude`` in degrees, ``altitude`` in metres.
    """
    blocks = _try_read(lambda: locate_blocks(data, header.format), MetadataBlocks())
    ordered = _read_blocks(blocks)
    texts = {name: _first(ordered, name) for name in _TEXTS}
    texts["captured_at"] = texts["captured_at"] or _first(ordered, "digitised_at")
    kept: dict[str, object] = {name: text for name, text in texts.items() if text}
    if blocks.has_manifest:
        kept["content_credentials"] = {"embedded": True, "state": "unchecked"}
    elif url := _first(ordered, "manifest_url"):
        kept["content_credentials"] = {"embedded": False, "url": url}
    place = next((facts.location for facts in ordered if facts.location), None)
    if keep_gps and place is not None:
        kept["gps"] = {name: value for name, value in place._asdict().items() if value is not None}
    return kept


def read_rights(source: Source, header: Header) -> Rights:
    """Return the rights that the file ``source`` states; none where it is read by ranges and has metadata at its end.

    Raises what the stream of ``source`` raised.
    """
    data = cast(bytes, RangedBytes(source)) if source.is_ranged else source.read_all()
    return Rights.from_provenance(read_provenance(data, header, keep_gps=False))


def _read_blocks(blocks: MetadataBlocks) -> list[ImageMetadata]:
    """Return the properties of each block, in order of precedence."""
    found = {
        "exif": _parse("exif", blocks.exif),
        "iim": _parse("iptc", blocks.iptc),
        "xmp": _parse("xmp", blocks.xmp),
        "further": _parse("xmp", blocks.further_xmp),
    }
    agreed = blocks.iptc_digest == md5(blocks.iptc, usedforsecurity=False).digest()
    return [found[name] for name in (("exif", "xmp", "iim") if agreed else ("exif", "iim", "xmp"))] + [found["further"]]


def _parse(kind: str, block: bytes) -> ImageMetadata:
    """Parse ``block``, if there is one. The parser of each kind is loaded with the first file that has one."""
    if not block:
        return EMPTY
    parser = import_module(f".{kind}", __package__)
    parse: Callable[[bytes], ImageMetadata] = getattr(parser, f"parse_{kind}")
    return _try_read(lambda: parse(block), EMPTY)


def _try_read[T](read: Callable[[], T], otherwise: T) -> T:
    """Return the result of ``read``, or ``otherwise``: damaged metadata must not damage the image."""
    try:
        return read()
    except (ArithmeticError, LookupError, ValueError, zlib.error):
        return otherwise


def _first(ordered: Iterable[ImageMetadata], name: str) -> str:
    return next(filter(None, (getattr(facts, name) for facts in ordered)), "")
