"""JPEG XL by libjxl: headers, pixels, reconstructed JPEGs, damage."""

from __future__ import annotations

import ctypes
import io
import random
import shutil
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DamagedSource, DarkroomError, OverLimits
from darkroom.plan.limits import Limits
from darkroom_pipeline.conversion import jpeg_xl, jxl_worker
from darkroom_pipeline.conversion.converter import Converter
from darkroom_pipeline.conversion.jpeg2000 import iter_boxes
from darkroom_pipeline.conversion.sandbox import ProcessLimits
from tests.confined_probe import check_confined, supports_probe, take_over
from tests.waiting import HANG_S

from .files import SIZE, photograph
from .test_damage import mutate

FILES = Path(__file__).parents[2] / "images" / "jxl"
"""Written by libjxl 0.12 (``imagecodecs.jpegxl_encode``) of :func:`.files.photograph`."""
CONVERTER = Converter(("jxl",), wall_s=HANG_S)

pytestmark = pytest.mark.usefixtures("jxl_packages")


@pytest.fixture
def library(jxl_packages: None) -> ctypes.CDLL:
    del jxl_packages
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


def boxes(*found: tuple[bytes, bytes]) -> bytes:
    """A container of these boxes."""
    return jpeg_xl.CONTAINER + b"".join((8 + len(body)).to_bytes(4) + kind + body for kind, body in found)


def split(name: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The boxes of a container that are no part of its codestream, and the codestream."""
    data, others, stream = file(name), list[tuple[bytes, bytes]](), b""
    for kind, start, end in iter_boxes(data, len(jpeg_xl.CONTAINER), len(data)):
        if kind in (b"jxlc", b"jxlp"):
            stream += data[start + (4 if kind == b"jxlp" else 0) : end]
        else:
            others.append((kind, data[start:end]))
    return others, stream


def test_a_jpeg_whose_description_comes_first_is_restored(library: ctypes.CDLL) -> None:
    """As encoders before libjxl 0.9 write it; later ones put a part of the codestream before."""
    others, stream = split("jpeg")
    assert b"jbrd" in dict(others)
    data = boxes(*others, (b"jxlc", stream))
    assert jxl_worker.decode(library, data) == (FILES / "source.jpg").read_bytes()


def test_a_jpeg_that_cannot_be_restored_is_decoded(library: ctypes.CDLL) -> None:
    """Browsers show its pixels."""
    others, stream = split("jpeg")
    broken = [(kind, body[:-20] if kind == b"jbrd" else body) for kind, body in others]
    found = opened(jxl_worker.decode(library, boxes(*broken, (b"jxlc", stream))))
    wanted = Image.open(FILES / "source.jpg").convert("RGB")
    assert np.abs(np.asarray(found).astype(int) - np.asarray(wanted)).mean() < 4


@pytest.mark.parametrize("first_bytes", [2, 3, 5])
def test_a_header_may_lie_in_several_boxes(first_bytes: int) -> None:
    others, stream = split("jpeg")
    parts = stream[:first_bytes], stream[first_bytes:]
    data = boxes(*others, (b"jxlp", bytes(4) + parts[0]), (b"jxlp", b"\x80\0\0\1" + parts[1]))
    header = CONVERTER.read_header(data, Limits())
    assert header is not None
    assert (header.width, header.height) == SIZE


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cjxl") is None, reason="needs cjxl")
@pytest.mark.parametrize("options", [(), ("--container=1",), ("-e", "9"), ("--lossless_jpeg=0",), ("-d", "0", "-p")])
def test_files_of_cjxl_are_converted(options: tuple[str, ...], tmp_path: Path) -> None:
    target = tmp_path / "a.jxl"
    subprocess.run(["cjxl", FILES / "source.jpg", target, *options], check=True, capture_output=True)
    header = CONVERTER.read_header(target.read_bytes(), Limits())
    assert header is not None
    found = opened(CONVERTER.convert(target.read_bytes(), header, Limits()))
    wanted = Image.open(FILES / "source.jpg").convert("RGB")
    assert np.abs(np.asarray(found.convert("RGB")).astype(int) - np.asarray(wanted)).mean() < 4


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


@pytest.mark.skipif(not supports_probe(), reason="numbers of system calls")
def test_a_decoder_that_is_taken_over_reaches_nothing(tmp_path: Path) -> None:
    limits = ProcessLimits(1_200_000_000, 1_000_000, wall_s=HANG_S)
    check_confined(take_over("darkroom_pipeline.conversion.jxl_worker", ["jxl"], limits, tmp_path))
