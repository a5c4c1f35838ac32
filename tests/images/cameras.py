"""JPEGs built like those of cameras, phones and agencies; ``secret`` is in every private part."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import cache
from hashlib import md5
from typing import NamedTuple

from PIL import ImageCms

from .planted import IIM, XMP
from .sources import photo, saved

ASCII, BYTE, SHORT, LONG, RATIONAL, UNDEFINED = 2, 1, 3, 4, 5, 7
_PACKED = {SHORT: "H", LONG: "L", RATIONAL: "LL"}
THUMBNAIL_PX = (160, 120)
MPF_AT = 10
"""The base of offsets in an MPF segment that is first in a JPEG."""


class Entry(NamedTuple):
    """One entry of a TIFF directory; ``value`` is bytes, or numbers (pairs of them for rationals)."""

    tag: int
    kind: int
    value: bytes | Sequence[int]


def directory(order: str, at: int, entries: Iterable[Entry], following: int = 0) -> bytes:
    """Return a TIFF directory that lies at ``at``, with the values that do not fit into its entries after it."""
    ordered = sorted(entries)
    table, values = struct.pack(order + "H", len(ordered)), b""
    values_at = at + 2 + 12 * len(ordered) + 4
    for tag, kind, value in ordered:
        if isinstance(value, bytes):
            packed, count = value, len(value)
        else:
            form = _PACKED[kind]
            packed, count = struct.pack(f"{order}{len(value)}{form[0]}", *value), len(value) // len(form)
        if len(packed) > 4:
            table += struct.pack(order + "HHLL", tag, kind, count, values_at + len(values))
            values += packed + b"\0" * (len(packed) & 1)
        else:
            table += struct.pack(order + "HHL", tag, kind, count) + packed.ljust(4, b"\0")
    return table + struct.pack(order + "L", following) + values


def exif(
    order: str, orientation: int, note: bytes, *, thumbnail: bytes, maker: bytes = b"secret maker", loop: bool = False
) -> bytes:
    """Return an EXIF block: IFD0, the Exif, GPS and interoperability directories, and IFD1 with ``thumbnail``.

    With ``loop`` IFD1 leads back to IFD0, and its thumbnail lies outside the block.
    """
    main = [
        Entry(0x010E, ASCII, b"secret description\0"),
        Entry(0x010F, ASCII, maker + b"\0"),
        Entry(0x0110, ASCII, b"secret model\0"),
        Entry(0x0112, SHORT, [orientation]),
        Entry(0x011A, RATIONAL, [72, 1]),
        Entry(0x0131, ASCII, b"secret software\0"),
        Entry(0x013B, ASCII, b"secret artist\0"),
        Entry(0x8298, ASCII, b"secret copyright\0"),
    ]
    shot = [
        Entry(0x829A, RATIONAL, [1, 125]),
        Entry(0x9003, ASCII, b"2024:05:06 07:08:09\0"),
        Entry(0x9286, UNDEFINED, b"ASCII\0\0\0secret comment"),
        Entry(0x927C, UNDEFINED, note),
        Entry(0xA430, ASCII, b"secret owner\0"),
        Entry(0xA431, ASCII, b"secret body serial\0"),
        Entry(0xA434, ASCII, b"secret lens\0"),
        Entry(0xA435, ASCII, b"secret lens serial\0"),
    ]
    gps = [
        Entry(0, BYTE, bytes((2, 3, 0, 0))),
        Entry(1, ASCII, b"N\0"),
        Entry(2, RATIONAL, [52, 1, 30, 1, 1234, 100]),
        Entry(3, ASCII, b"W\0"),
        Entry(4, RATIONAL, [13, 1, 22, 1, 567, 100]),
        Entry(5, BYTE, b"\0"),
        Entry(6, RATIONAL, [345, 10]),
        Entry(7, RATIONAL, [7, 1, 8, 1, 9, 1]),
        Entry(0x11, RATIONAL, [271, 1]),
        Entry(0x1B, UNDEFINED, b"ASCII\0\0\0secret method"),
        Entry(0x1D, ASCII, b"2024:05:06\0"),
    ]
    interoperability = [Entry(1, ASCII, b"R98\0"), Entry(2, UNDEFINED, b"0100")]
    small = [Entry(0x0103, SHORT, [6]), Entry(0x0202, LONG, [len(thumbnail)])]
    places = [0, 0, 0, 0, 0, 0]
    parts: list[bytes] = []
    for _ in range(2):  # The sizes are the same with any places, so the second turn has them right.
        shot_at, interoperability_at, gps_at, small_at, thumbnail_at, _end = places
        parts = [
            directory(order, 8, [*main, _pointer(0x8769, shot_at), _pointer(0x8825, gps_at)], small_at),
            directory(order, shot_at, [*shot, _pointer(0xA005, interoperability_at)]),
            directory(order, interoperability_at, interoperability),
            directory(order, gps_at, gps),
            directory(order, small_at, [*small, _pointer(0x0201, 0xFFFFF if loop else thumbnail_at)], 8 if loop else 0),
            thumbnail,
        ]
        places = [8 + sum(map(len, parts[: number + 1])) for number in range(6)]
    return (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "L", 8) + b"".join(parts)


def _pointer(tag: int, at: int) -> Entry:
    return Entry(tag, LONG, [at])


def nikon_note() -> bytes:
    """Return a Nikon maker note, a TIFF structure of its own in big-endian order."""
    entries = [
        Entry(1, UNDEFINED, b"0211"),
        Entry(0x1D, ASCII, b"secret serial\0"),
        Entry(0xA0, ASCII, b"secret serial, long\0"),
    ]
    return b"Nikon\0\2\x11\0\0MM\0*\0\0\0\x08" + directory(">", 8, entries)


def canon_note(at: int) -> bytes:
    """Return a Canon maker note, a directory at ``at`` whose offsets count from the start of the EXIF block."""
    entries = [
        Entry(6, ASCII, b"secret image type\0"),
        Entry(7, ASCII, b"secret firmware\0"),
        Entry(9, ASCII, b"secret owner name\0"),
        Entry(0x0C, LONG, [123456789]),
    ]
    return directory("<", at, entries)


def apple_note() -> bytes:
    """Return an Apple maker note, whose offsets count from its own start."""
    head = b"Apple iOS\0\0\1MM"
    return head + directory(">", len(head), [Entry(0x11, ASCII, b"secret content identifier\0")])


def canon_exif(orientation: int, thumbnail: bytes) -> bytes:
    """Return an EXIF block whose Canon maker note is at its declared offset."""
    note = canon_note(0)
    at = exif("<", orientation, note, thumbnail=b"", maker=b"Canon").index(note)
    return exif("<", orientation, canon_note(at), thumbnail=thumbnail, maker=b"Canon")


def segment(marker: int, body: bytes) -> bytes:
    return b"\xff" + bytes([marker]) + (len(body) + 2).to_bytes(2) + body


def resource(number: int, body: bytes) -> bytes:
    """One of Photoshop's image resources."""
    return b"8BIM" + number.to_bytes(2) + b"\0\0" + len(body).to_bytes(4) + body + b"\0" * (len(body) & 1)


def extended_xmp() -> list[bytes]:
    """Return APP1 segments: a packet that refers to another one, which is stored in two parts."""
    long = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + XMP[XMP.index(b"<rdf:RDF") :].partition(b"<?xpacket")[0]
    identity = md5(long, usedforsecurity=False).hexdigest().upper().encode()
    note = b"<rdf:Description rdf:about='' xmlns:xmpNote='http://ns.adobe.com/xmp/note/' xmpNote:HasExtendedXMP='"
    packet = XMP.replace(b"<rdf:Description", note + identity + b"'/><rdf:Description", 1)
    half = len(long) // 2
    parts = [
        b"http://ns.adobe.com/xmp/extension/\0"
        + identity
        + struct.pack(">LL", len(long), at)
        + long[at : at + half + 1]
        for at in range(0, len(long), half + 1)
    ]
    return [b"http://ns.adobe.com/xap/1.0/\0" + packet, *parts]


def multi_picture(jpeg: bytes, second: bytes) -> bytes:
    """Return ``jpeg`` with ``second`` behind it and an APP2 segment of MPF that leads there."""

    def index(second_at: int) -> bytes:
        images = struct.pack("<LLLHH", 0x030000, second_at + MPF_AT, 0, 0, 0)
        images += struct.pack("<LLLHH", 0x010001, len(second), second_at, 0, 0)
        entries = [
            Entry(0xB000, UNDEFINED, b"0100"),
            Entry(0xB001, LONG, [2]),
            Entry(0xB002, UNDEFINED, images),
        ]
        return b"MPF\0II*\0" + struct.pack("<L", 8) + directory("<", 8, entries)

    length = len(jpeg) + len(segment(0xE2, index(0)))
    return jpeg[:2] + segment(0xE2, index(length - MPF_AT)) + jpeg[2:] + second


@cache
def camera_files() -> dict[str, bytes]:
    """Return JPEGs by the software that writes such files."""
    plain = saved(photo(), "JPEG", quality=90)
    bare = plain[:2] + plain[2 + 2 + int.from_bytes(plain[4:6]) :]
    small = saved(photo().resize(THUMBNAIL_PX), "JPEG", comment=b"secret thumbnail")
    profile = b"ICC_PROFILE\0\1\1" + ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    digest = md5(IIM, usedforsecurity=False).digest()
    resources = resource(0x0404, IIM) + resource(0x0425, digest) + resource(0x040C, bytes(28) + small)
    jfxx = b"JFXX\0\x10" + small
    video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom\0\0\0\x0emdatsecret"

    def marked(jpeg: bytes, *segments: tuple[int, bytes]) -> bytes:
        return jpeg[:2] + b"".join(segment(*one) for one in segments) + jpeg[2:]

    nikon = exif(">", 1, nikon_note(), thumbnail=small)
    phone = exif(">", 6, apple_note(), thumbnail=small)
    return {
        "canon": marked(
            bare,
            (0xE1, b"Exif\0\0" + canon_exif(8, small)),
            (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP),
            (0xED, b"Photoshop 3.0\0" + resources),
        ),
        "nikon": multi_picture(
            marked(plain, (0xE1, b"Exif\0\0" + nikon), (0xE3, b"secret vendor")),
            marked(small, (0xE1, b"Exif\0\0" + nikon)),
        ),
        "phone": marked(plain, (0xE1, b"Exif\0\0" + phone), *((0xE1, body) for body in extended_xmp()), (0xE2, profile))
        + video,
        "agency": marked(
            plain,
            (0xE0, jfxx),
            (0xED, b"Photoshop 3.0\0" + resources[:100]),
            (0xED, b"Photoshop 3.0\0" + resources[100:]),
            (0xEC, b"Ducky\0\1\0\4\0\0\0\x3c\0\2\0\x10\0\0\0\6" + "secret".encode("utf-16-be") + b"\0\0"),
            (0xFE, b"secret comment"),
        ),
        "xmp only": marked(plain, (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + XMP)),
        "damaged exif": marked(
            plain, (0xE1, b"Exif\0\0" + exif("<", 3, b"secret note" * 9, thumbnail=small, loop=True))
        ),
        "truncated exif": marked(plain, (0xE1, b"Exif\0\0" + nikon[:700])),
    }
