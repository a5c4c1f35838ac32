"""Files are passed to decoders without EXIF and without metadata that they report as damage."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from time import process_time

import numpy as np
import pytest
import pyvips
from PIL import TiffImagePlugin

from darkroom.errors import DamagedSource, TypeNotAllowed
from darkroom.imaging.formats.image_format import read_orientation
from darkroom.imaging.formats.jpeg.container import Marker, parse_jpeg
from darkroom.imaging.formats.load import load_whole
from darkroom.imaging.formats.metadata.provenance import read_provenance
from darkroom.imaging.formats.probe import find_patches, probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from tests.images.drawn import HEIC
from tests.images.heif_files import Part, heif, parts_of
from tests.images.planted import exif, in_jpeg, in_tiff, planted
from tests.images.sources import photo, saved

MOST_S = 4.0
"""Of CPU time, with room for a slow machine; without the patches libexif takes 17 s."""


def cyclic(entries: int) -> bytes:
    """An EXIF block whose directory has nothing but pointers to itself."""
    pointers = (0x8769, 0x8825, 0xA005)
    table = b"".join(struct.pack("<HHII", pointers[at % 3], 4, 1, 8) for at in range(entries))
    return b"II*\0" + struct.pack("<IH", 8, entries) + table + struct.pack("<I", 8)


def in_heif(data: bytes, block: bytes, brand: bytes) -> bytes:
    parts = [part for part in parts_of(data) if part.kind != b"Exif"]
    return heif([*parts, Part(b"Exif", bytes(4) + block, references=((b"cdsc", (1,)),))], brand=brand)


CONTAINERS: dict[str, Callable[[bytes], bytes]] = {
    "jpeg": lambda block: in_jpeg(saved(photo(), "JPEG"), block=block),
    "png": lambda block: saved(photo(), "PNG", exif=block),
    "webp": lambda block: saved(photo(), "WEBP", exif=block),
    "avif": lambda block: in_heif(saved(photo(), "AVIF"), block, b"avif"),
    "heic": lambda block: in_heif((HEIC / "corners-turned-6.heic").read_bytes(), block, b"heic"),
}


def streamed(data: bytes) -> Source:
    return Source.from_stream((data[at : at + 5000] for at in range(0, len(data), 5000)), len(data))


def decoded(source: Source) -> np.ndarray:
    header = probe(source, Limits())
    with source.decoding():
        return np.asarray(load_whole(source, header, Limits()).frames[0].numpy())


@pytest.mark.parametrize("entries", [1000])
@pytest.mark.parametrize("form", CONTAINERS)
def test_a_directory_that_leads_back_to_itself_costs_nothing(form: str, entries: int) -> None:
    data = CONTAINERS[form](cyclic(entries))
    started = process_time()
    pixels = decoded(Source.from_bytes(data))
    assert np.array_equal(pixels, decoded(streamed(data)))
    read_provenance(data, probe(Source.from_bytes(data), Limits()), keep_gps=True)
    assert process_time() - started < MOST_S
    assert np.array_equal(pixels, decoded(Source.from_bytes(CONTAINERS[form](exif()))))


@pytest.mark.parametrize("form", [form for form in CONTAINERS if form != "heic"])
def test_libvips_finds_no_exif_and_the_source_keeps_it(form: str) -> None:
    data = CONTAINERS[form](exif(6))
    for source in (Source.from_bytes(data), streamed(data)):
        image = load_whole(source, probe(source, Limits()), Limits()).frames[0]
        assert not [field for field in image.get_fields() if field.startswith("exif")]
        assert source.read_all() == data
    assert find_patches(Source.from_bytes(data), form)
    assert any(field.startswith("exif") for field in pyvips.Image.new_from_buffer(data, "").get_fields())


def test_a_tiff_of_directories_that_lead_back_costs_nothing() -> None:
    data = bytearray(in_tiff(photo()))
    (first,) = struct.unpack_from("<I", data, 4)
    for at in range(first + 2, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], 12):
        if struct.unpack_from("<H", data, at)[0] in (34665, 34853):
            struct.pack_into("<I", data, at + 8, first)
    started = process_time()
    decoded(Source.from_bytes(bytes(data)))
    assert process_time() - started < MOST_S


@pytest.mark.parametrize("form", CONTAINERS)
def test_a_file_that_ends_early_has_no_patches_or_few(form: str) -> None:
    data = CONTAINERS[form](exif())
    for length in range(0, min(len(data), 3000), 7):
        assert len(find_patches(Source.from_bytes(data[:length]), form)) <= 2


def test_no_more_entries_are_read_than_cameras_write() -> None:
    started = process_time()
    assert read_orientation(cyclic(65_535)) == 1
    assert process_time() - started < MOST_S


def tiff_with(tag: int, kind: int, count: int, value: int, **options: object) -> bytes:
    """A TIFF whose description entry was replaced by another one."""
    info = TiffImagePlugin.ImageFileDirectory_v2()
    info[270] = "description"
    data = bytearray(saved(photo(), "TIFF", tiffinfo=info, **options))
    (first,) = struct.unpack_from("<I", data, 4)
    for at in range(first + 2, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], 12):
        if struct.unpack_from("<H", data, at)[0] == 270:
            struct.pack_into("<HHII", data, at, tag, kind, count, value)
    return bytes(data)


METADATA = {
    "an unknown tag": (60000, 2, 12, 8),
    "an unknown type": (60001, 99, 12, 8),
    "a resolution of text": (282, 2, 12, 8),
    "a text beyond the file": (270, 2, 12, 0xFFFFFFF0),
    "a text without an end": (315, 2, 4, 0x41414141),
    "tags out of order": (1, 2, 4, 0x41414141),
    "a date of five bytes": (306, 2, 5, 8),
    "a directory beyond the file": (34665, 4, 1, 0xFFFFFFF0),
    "orientation 0": (274, 3, 1, 0),
    "a profile beyond the file": (34675, 7, 5000, 0xFFFFF000),
}


@pytest.mark.sample(3)
@pytest.mark.parametrize("compression", ["tiff_lzw"])
@pytest.mark.parametrize("case", METADATA)
def test_warnings_of_metadata_do_not_refuse_a_tiff(case: str, compression: str) -> None:
    data = tiff_with(*METADATA[case], compression=compression)
    plain = saved(photo(), "TIFF", compression=compression)
    for source in (Source.from_bytes(data), streamed(data)):
        assert np.array_equal(decoded(source), decoded(Source.from_bytes(plain)))
    with pytest.raises(pyvips.Error):
        pyvips.Image.tiffload_buffer(data, fail_on="warning").copy_memory()


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "jpeg", "packbits"])
def test_damaged_pixels_of_a_tiff_are_still_refused(compression: str) -> None:
    data = bytearray(saved(photo(), "TIFF", compression=compression))
    if compression == "raw":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2 : len(data) // 2 + 600] = bytes(600)
    with pytest.raises(DamagedSource):
        decoded(Source.from_bytes(bytes(data)))


def test_every_page_of_a_tiff_is_the_page_without_patches() -> None:
    data = planted()["tiff of three pages"]
    for page in range(3):
        source = Source.from_bytes(data)
        image = load_whole(source, probe(source, Limits(), page=page), Limits(), page=page).frames[0]
        assert np.array_equal(image.numpy(), pyvips.Image.tiffload_buffer(data, page=page).numpy())


def with_scan(jpeg: bytes, parameters: bytes) -> bytes:
    """``jpeg`` with other parameters in every scan's header."""
    body = bytearray(jpeg)
    for part in parse_jpeg(jpeg).segments:
        if part.marker == Marker.SOS:
            end = part.body - 2 + int.from_bytes(jpeg[part.body - 2 : part.body])
            body[end - 3 : end] = parameters
    return bytes(body)


@pytest.mark.parametrize("parameters", [b"\0\0\0", b"\1\x3f\0", b"\0\x3f\x21"])
def test_a_sequential_jpeg_with_other_scan_parameters_has_its_pixels(parameters: bytes) -> None:
    """Ss, Se, Ah and Al are fixed in sequential JPEG (T.81, B.2.3): decoders ignore them, and libjpeg warns."""
    jpeg = saved(photo(), "JPEG", quality=90)
    assert np.array_equal(decoded(streamed(with_scan(jpeg, parameters))), decoded(Source.from_bytes(jpeg)))
    assert find_patches(Source.from_bytes(jpeg), "jpeg") == []


def test_a_progressive_jpeg_with_other_scan_parameters_is_damaged() -> None:
    jpeg = saved(photo(), "JPEG", quality=90, progressive=True)
    with pytest.raises(DamagedSource):
        decoded(Source.from_bytes(with_scan(jpeg, b"\0\0\x21")))


NOT_SERVED = {
    "old-style JPEG": (259, 6),
    "JPEG 2000": (259, 34712),
    "Zstandard": (259, 50000),
    "unknown (4711)": (259, 4711),
    "SGILOG": (259, 34676),
    "ICCLab": (262, 9),
    "LogLuv": (262, 32845),
    "LogL ": (262, 32844),
    "colour filter array": (262, 32803),
}


@pytest.mark.parametrize("name", NOT_SERVED)
def test_a_tiff_of_a_kind_that_is_not_served_is_refused_by_name(name: str) -> None:
    tag, value = NOT_SERVED[name]
    data = bytearray(saved(photo(), "TIFF", compression="tiff_lzw"))
    (first,) = struct.unpack_from("<I", data, 4)
    for at in range(first + 2, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], 12):
        if struct.unpack_from("<H", data, at)[0] == tag:
            struct.pack_into("<I", data, at + 8, value)
    with pytest.raises(TypeNotAllowed, match=re.escape(name)):
        probe(Source.from_bytes(bytes(data)), Limits())
