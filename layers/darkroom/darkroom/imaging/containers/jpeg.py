"""JPEG: marker segments up to the first scan, and where a picture's scans end (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

SOI, EOI, SOS, DRI, COM = 0xD8, 0xD9, 0xDA, 0xDD, 0xFE
APP0, APP1, APP2, APP13, APP14, APP15 = 0xE0, 0xE1, 0xE2, 0xED, 0xEE, 0xEF
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Start-of-frame markers: all of C0–CF but DHT, JPG and DAC."""
STANDALONE = frozenset({0x01, *range(0xD0, 0xD9)})
"""Markers without a length."""

EXIF = b"Exif\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
ICC = b"ICC_PROFILE\0"
MPF = b"MPF\0"
ISO_GAIN_MAP = b"urn:iso:std:iso:ts:21496:-1\0"

_IN_SCAN = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]", re.DOTALL)
"""A marker that ends entropy-coded data; FF00 is data and the D0–D7 are restarts."""

type ReadAt = Callable[[int, int], bytes]


class Segment(NamedTuple):
    """One marker segment: its code and the bytes ``start`` (the FF) to ``end``; what it carries begins at ``body``."""

    marker: int
    start: int
    body: int
    end: int


def segments(read_at: ReadAt, start: int = 0) -> Iterator[Segment]:
    """The segments after SOI up to and including the first SOS or an EOI, finding markers as libjpeg does.

    Raises ValueError where the data ends first.
    """
    at = start + 2
    while True:
        marker, at = _next_marker(read_at, at)
        if marker in STANDALONE or marker == EOI:
            yield Segment(marker, at - 2, at, at)
            if marker == EOI:
                return
            continue
        size = int.from_bytes(read_at(at, 2))
        if size < 2:
            raise ValueError("a segment is shorter than its length field")
        yield Segment(marker, at - 2, at + 2, at + size)
        at += size
        if marker == SOS:
            return


def _next_marker(read_at: ReadAt, at: int) -> tuple[int, int]:
    """The next marker code and the position after it: libjpeg skips anything up to an FF, then fill bytes."""
    while True:
        window = read_at(at, 2)
        if len(window) < 2:
            raise ValueError("the data ends before a scan")
        if window[0] == 0xFF and window[1] not in (0, 0xFF):
            return window[1], at + 2
        at += 1


def end_of_scan(data: bytes, at: int) -> int:
    """The position of the marker after entropy-coded data that starts at ``at``; the length of ``data`` if none is."""
    found = _IN_SCAN.search(data, at)
    return found.end() - 2 if found else len(data)
