"""Headers that decoders report as damaged, while they and browsers show the image as it is."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest
import pyvips
from PIL import Image

from darkroom.errors import DamagedSource, TypeNotAllowed
from darkroom.imaging.formats.jpeg.container import Marker, build_segment, parse_jpeg
from darkroom.imaging.formats.load import load_whole
from darkroom.imaging.formats.probe import find_patches, probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom_pipeline.imaging.master import make_master
from tests.images.drawn import animation, tiff
from tests.images.sources import photo, saved


def pixels(source: Source, page: int = 0) -> np.ndarray:
    header = probe(source, Limits(), page=page)
    with source.decoding():
        return np.asarray(load_whole(source, header, Limits(), page=page).frames[0].numpy())


def streamed(data: bytes) -> Source:
    return Source.from_stream((data[at : at + 500] for at in range(0, len(data), 500)), len(data))


def jpeg(mode: str = "RGB") -> bytes:
    return saved(photo().convert(mode), "JPEG", quality=90)


def between(data: bytes, junk: bytes) -> bytes:
    """A JPEG with ``junk`` before its quantisation tables, as editors leave it behind a wrong length."""
    at = data.index(b"\xff\xdb")
    return data[:at] + junk + data[at:]


def with_version(major: int) -> bytes:
    at = jpeg().index(b"JFIF\0") + 5
    return jpeg()[:at] + bytes([major]) + jpeg()[at + 1 :]


def with_transform(mode: str, transform: int) -> bytes:
    """A JPEG that Adobe's marker alone describes."""
    data = jpeg(mode)
    described = {Marker.APP0, Marker.APP14}
    kept = b"".join(data[part.start : part.end] for part in parse_jpeg(data).segments if part.marker not in described)
    return b"\xff\xd8" + build_segment(Marker.APP14, b"Adobe\0\x64\0\0\0\0" + bytes([transform])) + kept


JPEGS: dict[str, tuple[Callable[[], bytes], Callable[[], bytes]]] = {
    "a text between segments": (lambda: between(jpeg(), b"hello"), jpeg),
    "a marker without a code": (lambda: between(jpeg(), b"\xff\0\0\2"), jpeg),
    "60 KB of zeros": (lambda: between(jpeg(), bytes(60_000)), jpeg),
    "JFIF 2": (lambda: with_version(2), jpeg),
    "an unknown transform of RGB": (lambda: with_transform("RGB", 7), lambda: with_transform("RGB", 1)),
    "an unknown transform of CMYK": (lambda: with_transform("CMYK", 7), lambda: with_transform("CMYK", 2)),
}
"""A file, and one that decoders accept without a warning and show alike."""


@pytest.mark.parametrize("name", JPEGS)
def test_a_jpeg_is_served_with_its_pixels(name: str) -> None:
    data, plain = (make() for make in JPEGS[name])
    with pytest.raises(pyvips.Error):
        pyvips.Image.jpegload_buffer(data, fail_on="warning").copy_memory()
    for source in (Source.from_bytes(data), streamed(data)):
        assert np.array_equal(pixels(source), pixels(Source.from_bytes(plain)))


def test_a_master_has_nothing_between_its_segments() -> None:
    data = between(jpeg(), b"secret")
    master = make_master(data, probe(Source.from_bytes(data), Limits()), limits=Limits())
    assert master.method == "cleaned"
    assert b"secret" not in master.body
    assert pyvips.Image.jpegload_buffer(master.body, fail_on="warning").copy_memory().width == photo().width


def test_bytes_within_a_scan_are_still_damage() -> None:
    data = bytearray(jpeg())
    start = parse_jpeg(bytes(data)).segments[-2].end - 400
    data[start:start] = b"\xff\xd0" + bytes(100)
    with pytest.raises(DamagedSource):
        pixels(Source.from_bytes(bytes(data)))


def test_an_ordinary_jpeg_is_not_copied() -> None:
    assert find_patches(Source.from_bytes(jpeg()), "jpeg") == []


@pytest.mark.parametrize("junk", [b"G", b"\0\0\0", b"GIF89a" + bytes(50)])
def test_a_gif_ends_where_no_block_follows(junk: bytes) -> None:
    whole = animation("GIF", 2)
    data = whole[:-1] + junk
    header = probe(Source.from_bytes(data), Limits())
    assert header == probe(Source.from_bytes(whole), Limits())
    assert header.frames == 2
    assert np.array_equal(pixels(Source.from_bytes(data)), pixels(Source.from_bytes(whole)))
    assert make_master(data, header, limits=Limits()).body.endswith(b"\x3b")


def test_a_gif_without_a_frame_before_is_damaged() -> None:
    with pytest.raises(DamagedSource):
        probe(Source.from_bytes(b"GIF87aF\0F\0\r\n\x1a\n\n"), Limits())


def looped(pages: int, back_to: int) -> bytes:
    """A TIFF whose last directory leads back to another one."""
    data = bytearray(tiff(pages))
    at, places = 4, list[int]()
    while following := struct.unpack_from("<I", data, at)[0]:
        places.append(following)
        at = following + 2 + 12 * struct.unpack_from("<H", data, following)[0]
    struct.pack_into("<I", data, at, places[back_to])
    return bytes(data)


@pytest.mark.parametrize(("pages", "back_to"), [(1, 0), (3, 0), (3, 2)])
def test_pages_of_a_tiff_end_where_they_lead_back(pages: int, back_to: int) -> None:
    data = looped(pages, back_to)
    assert probe(Source.from_bytes(data), Limits()).frames == pages
    for page in range(pages):
        assert np.array_equal(pixels(Source.from_bytes(data), page), pixels(Source.from_bytes(tiff(pages)), page))


def entries(data: bytes) -> dict[int, int]:
    """Where the entries of the first directory are, by tag."""
    (first,) = struct.unpack_from("<I", data, 4)
    places = range(first + 2, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], 12)
    return {struct.unpack_from("<H", data, at)[0]: at for at in places}


def without_extra_channel() -> bytes:
    """RGB with alpha that nothing declares, as Panorama Tools write it, which have further tags."""
    data = bytearray(saved(photo().convert("RGBA"), "TIFF", description="of four channels"))
    places = entries(bytes(data))
    first, last = min(places.values()), max(places.values())
    data[places[338] : last] = data[places[338] + 12 : last + 12]
    struct.pack_into("<H", data, first - 2, len(places) - 1)
    data[last : last + 4] = bytes(4)
    return bytes(data)


def with_more_depths() -> bytes:
    """RGB with a depth for each of four channels, as GIMP writes it."""
    data = bytearray(saved(photo(), "TIFF", description="of three channels") + struct.pack("<4H", 8, 8, 8, 1))
    struct.pack_into("<HII", data, entries(bytes(data))[258] + 2, 3, 4, len(data) - 8)
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "plain"),
    [
        (without_extra_channel(), photo().convert("RGBA")),
        (with_more_depths(), photo()),
    ],
)
def test_a_tiff_whose_channels_are_declared_otherwise_is_served(data: bytes, plain: Image.Image) -> None:
    with pytest.raises(pyvips.Error):
        pyvips.Image.tiffload_buffer(data, fail_on="warning").copy_memory()
    assert np.array_equal(pixels(Source.from_bytes(data)), np.asarray(plain))


def test_tiles_of_one_channel_each_are_refused_by_name() -> None:
    data = bytearray(pyvips.Image.black(64, 64, bands=3).tiffsave_buffer(tile=True))
    struct.pack_into("<HIH", data, entries(bytes(data))[284] + 2, 3, 1, 2)
    with pytest.raises(TypeNotAllowed, match="tiles of one channel each"):
        probe(Source.from_bytes(bytes(data)), Limits())
