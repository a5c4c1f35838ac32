"""IPTC-IIM 4.2, and the Photoshop resources in which JPEGs carry it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from .image_metadata import ImageMetadata, clean_text, parse_timestamp

MAX_RESOURCES = 1_000
MAX_DATASETS = 5_000
_IIM, _DIGEST = 0x0404, 0x0425
_MARK = 0x1C
_CHARACTER_SET, _TITLE, _DATE, _TIME, _BYLINE, _CREDIT, _COPYRIGHT = (
    (1, 90),
    (2, 5),
    (2, 55),
    (2, 60),
    (2, 80),
    (2, 110),
    (2, 116),
)
_UTF8 = b"\x1b%G"
_EXTENDED = 0x8000
"""The bit of a length that marks a longer length behind it. No text is that long."""


class PhotoshopResources(NamedTuple):
    """IPTC-IIM, and the MD5 that it had when XMP was last synchronised with it; empty where there is none."""

    iptc: bytes
    digest: bytes


def parse_photoshop_resources(body: bytes) -> PhotoshopResources:
    """The two in a run of Photoshop's resources, as far as it can be followed."""
    found: dict[int, bytes] = {}
    at = 0
    for _ in range(MAX_RESOURCES):
        if body[at : at + 4] != b"8BIM" or at + 12 > len(body):
            break
        number, name_bytes = int.from_bytes(body[at + 4 : at + 6]), 1 + body[at + 6]
        start = at + 6 + name_bytes + (name_bytes & 1) + 4
        size = int.from_bytes(body[start - 4 : start])
        found.setdefault(number, body[start : start + size])
        at = start + size + (size & 1)
    return PhotoshopResources(found.get(_IIM, b""), found.get(_DIGEST, b""))


def parse_iptc(block: bytes) -> ImageMetadata:
    """Parse a block of IPTC-IIM."""
    values: dict[tuple[int, int], list[bytes]] = {}
    for name, value in _datasets(block):
        values.setdefault(name, []).append(value)
    utf8 = values.get(_CHARACTER_SET, [b""])[0].startswith(_UTF8)

    def text(name: tuple[int, int]) -> str:
        return clean_text(_decode_text(value, utf8=utf8) for value in values.get(name, []))

    date, time = text(_DATE), text(_TIME)
    return ImageMetadata(
        captured_at=parse_timestamp(f"{date}T{time}") or parse_timestamp(date),
        creator=text(_BYLINE),
        copyright=text(_COPYRIGHT),
        credit=text(_CREDIT),
        title=text(_TITLE),
    )


def _datasets(block: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    at = 0
    for _ in range(MAX_DATASETS):
        if at + 5 > len(block) or block[at] != _MARK:
            return
        size = int.from_bytes(block[at + 3 : at + 5])
        if size & _EXTENDED:
            return
        yield (block[at + 1], block[at + 2]), block[at + 5 : at + 5 + size]
        at += 5 + size


def _decode_text(value: bytes, *, utf8: bool) -> str:
    """Without a character set, most is UTF-8 all the same, or else Latin-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8" if utf8 else "latin-1", "replace")
