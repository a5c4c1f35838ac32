"""JPEG XL by libjxl: headers, pixels, reconstructed JPEGs, damage."""

from __future__ import annotations

import asyncio
import ctypes
import io
import random
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.conversion import jpeg_xl, jxl_worker
from darkroom.conversion.converter import Converter
from darkroom.errors import DamagedSource, DarkroomError, OverLimits
from darkroom.plan.limits import Limits
from local.progress import Progress
from local.tool_venvs import JPEG_XL, ensure_one, site_packages
from tests.waiting import HANG_S

from .files import SIZE, photograph
from .test_damage import mutate

FILES = Path(__file__).parents[2] / "images" / "jxl"
"""Written by libjxl 0.12 (``imagecodecs.jpegxl_encode``) of :func:`.files.photograph`."""
CONVERTER = Converter(("jxl",), wall_s=HANG_S)


@pytest.fixture(autouse=True)
def packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package with libjxl, behind all others."""
    asyncio.run(ensure_one(JPEG_XL, Progress()))
    folder = site_packages(JPEG_XL)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    monkeypatch.setattr(jxl_worker, "FOLDERS", [str(folder / "imagecodecs.libs")])


@pytest.fixture
def library(packages: None) -> ctypes.CDLL:
    del packages
    return jxl_worker.load_library()


def file(name: str) -> bytes:
    return (FILES / f"{name}.jxl").read_bytes()


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.mark.parametrize("name", sorted(path.stem for path in FILES.glob("*.jxl")))
def test_headers(name: str) -> None:
    header = CONVERTER.read_header(file(name), Limits())
    assert header is not None
    assert (header.width, header.height, header.orientation) == (*SIZE, 1)


@pytest.mark.parametrize(
    ("name", "mode"), [("lossless", "RGB"), ("grey", "L"), ("bits-16", "RGB"), ("animation", "RGB")]
)
def test_lossless_images_become_png_with_equal_pixels(library: ctypes.CDLL, name: str, mode: str) -> None:
    found = opened(jxl_worker.decode(library, file(name)))
    assert (found.format, found.mode) == ("PNG", mode)
    assert np.array_equal(np.asarray(found), np.asarray(photograph(mode)))


@pytest.mark.parametrize(
    ("name", "mode", "form"), [("lossy", "RGB", "JPEG"), ("container", "RGB", "JPEG"), ("lossy-alpha", "RGBA", "PNG")]
)
def test_lossy_images(library: ctypes.CDLL, name: str, mode: str, form: str) -> None:
    found = opened(jxl_worker.decode(library, file(name)))
    assert (found.format, found.mode) == (form, mode)
    assert np.abs(np.asarray(found).astype(int) - np.asarray(photograph(mode))).mean() < 4


def test_a_jpeg_is_restored_byte_by_byte(library: ctypes.CDLL) -> None:
    assert jxl_worker.decode(library, file("jpeg")) == (FILES / "source.jpg").read_bytes()


def test_a_file_is_converted_in_its_process() -> None:
    data = file("lossless")
    header = CONVERTER.read_header(data, Limits())
    assert header is not None
    assert opened(CONVERTER.convert(data, header, Limits())).size == SIZE
    with pytest.raises(DamagedSource):
        CONVERTER.convert(data[:4000], header, Limits())


def test_limits_and_damaged_headers() -> None:
    with pytest.raises(OverLimits):
        CONVERTER.read_header(file("lossy"), Limits(max_pixels=100))
    huge = b"\xff\x0a" + ((3 << 1) | ((1 << 30) - 1) << 3 | 1 << 33).to_bytes(8, "little")
    with pytest.raises(OverLimits):
        CONVERTER.read_header(huge, Limits())
    for data in (b"\xff\x0a", jpeg_xl.CONTAINER, jpeg_xl.CONTAINER + bytes(30), file("container")[:40]):
        with pytest.raises(DamagedSource):
            CONVERTER.read_header(data, Limits())


@pytest.mark.parametrize("name", ["lossless", "lossy-alpha", "jpeg", "animation"])
def test_mutated_files_end_in_an_image_or_an_exception(library: ctypes.CDLL, name: str) -> None:
    data, dice = file(name), random.Random(name)
    for _ in range(60):
        changed = mutate(data, dice)
        try:
            if CONVERTER.read_header(changed, Limits(max_pixels=100_000)) is not None:
                jxl_worker.decode(library, changed)
        except (DarkroomError, OSError, ValueError, LookupError, struct.error, MemoryError):
            continue
