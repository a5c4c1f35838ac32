"""EXIF that leads back to itself costs nothing: no decoder is given EXIF at all."""

from __future__ import annotations

import struct
from collections.abc import Callable
from time import process_time

import numpy as np
import pytest
import pyvips

from darkroom.imaging.header import inspect
from darkroom.imaging.headers.exif import orientation
from darkroom.imaging.hide_exif import exif_patches
from darkroom.imaging.loading import load_whole
from darkroom.imaging.provenance import provenance
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from tests.images.drawn import HEIC
from tests.images.heif_files import Part, heif, parts_of
from tests.images.planted import exif, in_jpeg, in_tiff
from tests.images.sources import photo, saved

MOST_S = 1.0
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
    return Source.streamed((data[at : at + 5000] for at in range(0, len(data), 5000)), len(data))


def decoded(source: Source) -> np.ndarray:
    header = inspect(source, Limits())
    with source.decoding():
        return np.asarray(load_whole(source, header, Limits()).frames[0].numpy())


@pytest.mark.parametrize("entries", [100, 5000])
@pytest.mark.parametrize("form", CONTAINERS)
def test_a_directory_that_leads_back_to_itself_costs_nothing(form: str, entries: int) -> None:
    data = CONTAINERS[form](cyclic(entries))
    started = process_time()
    pixels = decoded(Source.of(data))
    assert np.array_equal(pixels, decoded(streamed(data)))
    provenance(data, inspect(Source.of(data), Limits()), keep_gps=True)
    assert process_time() - started < MOST_S
    assert np.array_equal(pixels, decoded(Source.of(CONTAINERS[form](exif()))))


@pytest.mark.parametrize("form", [form for form in CONTAINERS if form != "heic"])
def test_libvips_finds_no_exif_and_the_source_keeps_it(form: str) -> None:
    data = CONTAINERS[form](exif(6))
    for source in (Source.of(data), streamed(data)):
        image = load_whole(source, inspect(source, Limits()), Limits()).frames[0]
        assert not [field for field in image.get_fields() if field.startswith("exif")]
        assert source.read_all() == data
    assert exif_patches(Source.of(data), form)
    assert any(field.startswith("exif") for field in pyvips.Image.new_from_buffer(data, "").get_fields())


def test_a_tiff_of_directories_that_lead_back_costs_nothing() -> None:
    data = bytearray(in_tiff(photo()))
    (first,) = struct.unpack_from("<I", data, 4)
    for at in range(first + 2, first + 2 + 12 * struct.unpack_from("<H", data, first)[0], 12):
        if struct.unpack_from("<H", data, at)[0] in (34665, 34853):
            struct.pack_into("<I", data, at + 8, first)
    started = process_time()
    decoded(Source.of(bytes(data)))
    assert process_time() - started < MOST_S


@pytest.mark.parametrize("form", CONTAINERS)
def test_a_file_that_ends_early_has_no_patches_or_few(form: str) -> None:
    data = CONTAINERS[form](exif())
    for length in range(0, min(len(data), 3000), 7):
        assert len(exif_patches(Source.of(data[:length]), form)) <= 2


def test_no_more_entries_are_read_than_cameras_write() -> None:
    started = process_time()
    assert orientation(cyclic(65_535)) == 1
    assert process_time() - started < MOST_S
