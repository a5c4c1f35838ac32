"""Headers are checked before GDAL opens a file; hostile ones are refused by a bounded number of reads."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from darkroom.errors import DamagedSource, DarkroomError, OverLimits, TypeNotAllowed
from map_tiles.header import MAX_DIRECTORIES, RasterHeader, check_header

from .tiffs import LONG, SHORT, declare, write_tiff

HEADERS = {
    "landsat7.tif": RasterHeader(2181, 1917, 3, 8, 3),
    "landsat.tif": RasterHeader(1489, 1482, 7, 8, 4),
    "srtm90.tif": RasterHeader(4269, 2465, 1, 16, 4),
}


class Reads:
    """A file that counts what is read of it."""

    def __init__(self, body: bytes) -> None:
        self.body, self.bytes, self.calls = body, 0, 0

    def __call__(self, offset: int, length: int) -> bytes:
        self.calls += 1
        found = self.body[offset : offset + length]
        self.bytes += len(found)
        return found


def check(body: bytes, size_bytes: int = 0) -> RasterHeader:
    return check_header(Reads(body), size_bytes or len(body))


@pytest.mark.parametrize("name", HEADERS)
def test_real_rasters_are_accepted_by_little_of_them(name: str, rasters: Path) -> None:
    reads = Reads((rasters / name).read_bytes())
    assert check_header(reads, len(reads.body)) == HEADERS[name]
    assert reads.bytes < 20_000


def test_the_plain_file_of_the_tests_is_accepted() -> None:
    assert check(write_tiff()) == RasterHeader(512, 512, 1, 8, 1)


HOSTILE = {
    "tiles of one pixel": ({322: (LONG, 1), 323: (LONG, 1)}, OverLimits),
    "tiles of 16 pixels": ({322: (LONG, 16), 323: (LONG, 16)}, OverLimits),
    "no width": ({256: (LONG, 0)}, DamagedSource),
    "tile without height": ({323: (LONG, 0)}, DamagedSource),
    "a side of 4 billion": ({256: (LONG, 2**32 - 1)}, OverLimits),
    "too many bands": ({277: (SHORT, 60_000)}, OverLimits),
    "a huge tile": ({322: (LONG, 65_536), 323: (LONG, 65_536)}, OverLimits),
    "one huge strip": (
        {322: None, 323: None, 256: (LONG, 400_000), 257: (LONG, 400_000), 278: (LONG, 400_000)},
        OverLimits,
    ),
    "no height of strips, so one": ({322: None, 323: None, 256: (LONG, 400_000), 257: (LONG, 400_000)}, OverLimits),
    "millions of tiles": ({256: (LONG, 400_000), 257: (LONG, 400_000), 322: (LONG, 64), 323: (LONG, 64)}, OverLimits),
    "JPEG 2000": ({259: (SHORT, 34712)}, TypeNotAllowed),
    "LERC": ({259: (SHORT, 34887)}, TypeNotAllowed),
    "old-style JPEG": ({259: (SHORT, 6)}, TypeNotAllowed),
    "bits of two kinds": ({277: (SHORT, 2), 258: (SHORT, (8, 16))}, TypeNotAllowed),
    "twelve bits": ({258: (SHORT, 12)}, TypeNotAllowed),
    "complex numbers": ({258: (SHORT, 64), 339: (SHORT, 6)}, TypeNotAllowed),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_header_is_refused(name: str) -> None:
    changes, error = HOSTILE[name]
    with pytest.raises(error):
        check(write_tiff(changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("tag", [324, 325, 34675, 42112, 700])
def test_a_tag_with_more_values_than_the_file_has_bytes_is_refused(tag: int) -> None:
    with pytest.raises(OverLimits):
        check(declare(tag, LONG, 2**31))
    with pytest.raises(OverLimits):
        check(declare(tag, LONG, 2**31), size_bytes=60 * 2**30)


def test_directories_end() -> None:
    with pytest.raises(DamagedSource):
        check(write_tiff(next_at=8))
    one = write_tiff()
    chain = b"II\x2a\0" + (8).to_bytes(4, "little")
    directory = one[8:][: 2 + 12 * 11]
    for number in range(MAX_DIRECTORIES + 1):
        chain += directory + (8 + (number + 1) * (len(directory) + 4)).to_bytes(4, "little")
    with pytest.raises(OverLimits, match="directories"):
        check(chain)


@pytest.mark.parametrize("body", [b"", b"II", b"<VRTDataset/>", b"\x89PNG\r\n\x1a\n" + bytes(64)])
def test_other_files_are_refused(body: bytes) -> None:
    with pytest.raises(TypeNotAllowed):
        check(body)


def test_a_file_that_is_too_large_is_not_read() -> None:
    reads = Reads(write_tiff())
    with pytest.raises(OverLimits):
        check_header(reads, 2**40)
    assert reads.calls == 0


def test_any_mangled_header_is_accepted_or_refused(rasters: Path) -> None:
    original = (rasters / "bahamas_rgb.tif").read_bytes()
    draw = random.Random(82)
    for _ in range(300):
        body = bytearray(original)
        for _ in range(draw.randint(1, 8)):
            body[draw.randrange(1200)] = draw.randrange(256)
        reads = Reads(bytes(body))
        try:
            check_header(reads, len(body))
        except DarkroomError as error:
            assert not error.is_fault
        assert reads.bytes < 6_000_000
