"""JPEG: marker segments, scans, and the further images that may follow (ITU-T T.81 annex B, CIPA DC-007)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple


class Marker:
    """The second byte of a segment's marker."""

    EOI, SOS, COM = 0xD9, 0xDA, 0xFE
    APP0, APP1, APP2, APP11, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xEB, 0xED, 0xEE, 0xEF


FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Start-of-frame markers: all of C0–CF but DHT, JPG and DAC."""
FILL = b"\xff"
"""May stand in any number before a marker."""
SOI_BYTES = 2
STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""


class Prefix:
    """How the body of an application segment begins."""

    EXIF = b"Exif\0"
    XMP = b"http://ns.adobe.com/xap/1.0/\0"
    ICC = b"ICC_PROFILE\0"
    MPF = b"MPF\0"
    ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"


MPF_ENTRIES = 0xB002
HDRGM = "http://ns.adobe.com/hdr-gain-map/1.0/"
"""The XMP namespace of a gain map's numbers."""

MAX_SEGMENTS = 5_000
"""Up to one scan: an image with a dozen APPn segments of every kind has a few hundred."""
MAX_GARBAGE_BYTES = 65_536
"""Skipped between segments."""
MAX_FURTHER_IMAGES = 16

_HEAD_BYTES = 4
"""A marker and the length of its segment."""
_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]", re.DOTALL)
"""A marker that ends entropy-coded data: FF00 is data, the D0–D7 are restarts, FFFF is fill before a marker."""

type ReadAt = Callable[[int, int], bytes]


class Segment(NamedTuple):
    """One marker segment: its code and the bytes ``start`` (the FF) to ``end``; what it carries begins at ``body``."""

    marker: int
    start: int
    body: int
    end: int


def iter_segments(read_at: ReadAt, start: int = 0) -> Iterator[Segment]:
    """The segments after SOI up to and including the first SOS or an EOI, finding markers as libjpeg does.

    Raises ValueError where the data ends first.
    """
    at = start + SOI_BYTES
    for _ in range(MAX_SEGMENTS):
        head = read_at(at, _HEAD_BYTES)
        if not _MARKER.match(head):
            at = _find_marker(read_at, at)
            head = read_at(at, _HEAD_BYTES)
        marker = head[1]
        if marker in STANDALONE or marker == Marker.EOI:
            yield Segment(marker, at, at + 2, at + 2)
            if marker == Marker.EOI:
                return
            at += 2
            continue
        size = int.from_bytes(head[2:])
        if size < 2:
            raise ValueError("a segment is shorter than its length field")
        yield Segment(marker, at, at + _HEAD_BYTES, at + 2 + size)
        if marker == Marker.SOS:
            return
        at += 2 + size
    raise ValueError("too many segments")


def _find_marker(read_at: ReadAt, at: int) -> int:
    """The position of the next marker: libjpeg skips anything up to an FF, then fill bytes."""
    found = _MARKER.search(read_at(at, MAX_GARBAGE_BYTES))
    if found is None:
        raise ValueError("no marker where one is due")
    return at + found.start()


def build_segment(marker: int, body: bytes) -> bytes:
    """A marker segment that carries ``body``; raises OverflowError above 65,533 bytes."""
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


class JpegImage(NamedTuple):
    """A whole JPEG within a file, ``start`` to ``end``, cut into segments. Those of type SOS hold their scan's data."""

    start: int
    end: int
    segments: list[Segment]


def parse_jpeg(data: bytes, start: int = 0) -> JpegImage:
    """The image that begins at ``start``, down to its EOI; raises ValueError where it has none."""

    def read_at(offset: int, length: int) -> bytes:
        return data[offset : offset + length]

    found: list[Segment] = []
    at = start
    while len(found) < MAX_SEGMENTS:
        found += iter_segments(read_at, at)
        last = found[-1]
        if last.marker == Marker.EOI:
            return JpegImage(start, last.end, found)
        marker = _MARKER_IN_SCAN.search(data, last.end)
        if marker is None:
            raise ValueError("a scan has no end")
        found[-1] = last._replace(end=marker.start())
        at = marker.start() - 2
    raise ValueError("too many segments")


def find_further_images(data: bytes, first: JpegImage) -> list[int]:
    """Where more images may begin in the file of ``first``: by its MPF directory, or right behind it."""
    places = [
        at for segment in first.segments if segment.marker == Marker.APP2 for at in _read_mpf_offsets(data, segment)
    ]
    distinct = dict.fromkeys([first.end, *places[:MAX_FURTHER_IMAGES]])
    return [at for at in distinct if data.startswith(b"\xff\xd8\xff", at)]


def _read_mpf_offsets(data: bytes, segment: Segment) -> list[int]:
    """Positions by an MPF segment's entries (tag B002); none where it is damaged. Editors leave stale ones behind."""
    if not data.startswith(Prefix.MPF, segment.body):
        return []
    base = segment.body + len(Prefix.MPF)
    body = data[base : segment.end]
    order: Literal["little", "big"] = "little" if body[:2] == b"II" else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(body[at : at + size], order)

    directory = number(4, 4)
    for entry in range(directory + 2, min(directory + 2 + 12 * number(directory, 2), len(body) - 11), 12):
        if number(entry, 2) == MPF_ENTRIES:
            start, size = number(entry + 8, 4), number(entry + 4, 4)
            offsets = [number(at + 8, 4) for at in range(start, min(start + size, len(body) - 15), 16)]
            return [base + offset for offset in offsets if offset]
    return []
