"""Files that were made to harm: each is refused within the limits of the process."""

from __future__ import annotations

import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from darkroom.errors import Unavailable
from evidence import measures
from evidence.analysis import analyse
from evidence.jpeg_header import DQT, MAX_TABLES, parse_header
from evidence.process import AnalysisFailed, AnalysisProcess
from tests.waiting import HANG_S

from .images import build_exif, coffee, compress, entry, make_thumbnail, once, with_exif

TABLE = b"\0" + bytes([16] * 64)


def segment(marker: int, body: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(body) + 2).to_bytes(2) + body


def insert(jpeg: bytes, *segments: bytes) -> bytes:
    return jpeg[:2] + b"".join(segments) + jpeg[2:]


def claim_size(jpeg: bytes, width: int, height: int) -> bytes:
    """Return ``jpeg`` with another size in its frame header."""
    at = jpeg.index(b"\xff\xc0")
    return jpeg[: at + 5] + height.to_bytes(2) + width.to_bytes(2) + jpeg[at + 9 :]


def list_bad_exif() -> dict[str, bytes]:
    thumbnail = make_thumbnail(coffee())
    bomb = claim_size(thumbnail, 65_000, 65_000)
    loop = build_exif(thumbnail, next_at=8)
    many = b"MM\0\x2a" + (8).to_bytes(4) + (0xFFFF).to_bytes(2) + entry(271, 2, 0xFFFFFFFF, 8) * 100
    huge_text = b"MM\0\x2a" + (8).to_bytes(4) + (1).to_bytes(2) + entry(271, 2, 0xFFFFFFF0, 20) + bytes(4) + b"x" * 99
    return {
        "cut off": build_exif(thumbnail)[:-500],
        "loop": loop,
        "bomb": build_exif(bomb),
        "too many entries": many,
        "long text": huge_text,
        "no directory": b"MM\0\x2a" + (60_000).to_bytes(4),
        "thumbnail is no JPEG": build_exif(b"\xff\xd8" + b"\0" * 400),
    }


@pytest.mark.sample(3)
@pytest.mark.parametrize("name", list_bad_exif())
def test_damaged_exif_blocks_do_not_stop_the_other_measures(name: str) -> None:
    found: Any = analyse(with_exif(once(), list_bad_exif()[name]), {})
    assert found[measures.THUMBNAIL]["state"] in ("refused", "missing")
    assert found[measures.THUMBNAIL]["reason"]
    assert found[measures.DOUBLE_COMPRESSION]["state"] == "measured"


def test_headers_with_too_many_tables_are_refused() -> None:
    parse_header(insert(once(), segment(DQT, TABLE * (MAX_TABLES - 2))))
    for segments in ([segment(DQT, TABLE * 900)], [segment(DQT, TABLE)] * 4_000):
        with pytest.raises(ValueError, match="more than 8"):
            parse_header(insert(once(), *segments))
    for body in (TABLE[:-1], b"\x04" + TABLE[1:], b"\x20" + TABLE[1:], b"\0" + bytes(64)):
        with pytest.raises(ValueError, match="quantisation table"):
            parse_header(insert(once(), segment(DQT, body)))


def test_every_prefix_of_a_file_ends_in_a_document() -> None:
    jpeg = with_exif(once(), build_exif(make_thumbnail(coffee()), "SONY", "ILCE-6000"))
    for size in (3, 20, 300, 2_000, 6_000, len(jpeg) // 2):
        found: Any = analyse(jpeg[:size], {})
        assert found[measures.DOUBLE_COMPRESSION]["state"] in ("refused", "missing")


def test_claimed_sizes_are_refused_by_the_header() -> None:
    found: Any = analyse(claim_size(once(), 60_000, 60_000), {"a.jpg": claim_size(once(), 60_000, 60_000)})
    assert "megapixels" in found[measures.DOUBLE_COMPRESSION]["reason"]
    assert "megapixels" in found[measures.COPIES]["a.jpg"]["reason"]


@pytest.mark.slow
def test_the_process_is_limited_in_memory_and_time() -> None:
    wide = build_png(30_000, 8_000)
    large = compress(coffee().resize((3000, 2000)), 85)
    try:
        found = AnalysisProcess(HANG_S, memory_bytes=150_000_000).analyse(large, {})
    except AnalysisFailed:
        pass
    else:
        assert found[measures.DOUBLE_COMPRESSION]["state"] == "refused"
    with pytest.raises(AnalysisFailed, match="too long"):
        AnalysisProcess(HANG_S, cpu_s=2).analyse(wide, {f"{number}.png": wide for number in range(400)})
    with pytest.raises(Unavailable):
        AnalysisProcess(0.1).analyse(once(), {})


def test_the_process_returns_what_the_analysis_finds() -> None:
    found = AnalysisProcess(HANG_S).analyse(compress(Image.new("RGB", (64, 64)), 80), {})
    assert found[measures.TABLES]["value"]["libjpeg_quality"] == [80, 80]


def build_png(width: int, height: int) -> bytes:
    """Build a PNG of one colour without drawing it."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    rows = zlib.compress(bytes((width + 1) * height), 1)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
