"""Probe headers: type and dimensions before anything is decoded."""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import pyvips
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from darkroom.errors import DamagedSource, DarkroomError, OverLimits, TypeNotAllowed
from darkroom.imaging.formats.probe import Cicp, Header, probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from tests.images.drawn import (
    HEIC,
    animation,
    avif,
    avif_of_size,
    exif_block,
    jpeg_of_size,
    png_chunk,
    png_of_size,
    saved,
    tiff,
    with_exif,
)
from tests.peak_memory import READ_PEAK

LIMITS = Limits()


def read(data: bytes, **options: object) -> Header:
    return probe(Source.from_bytes(data), LIMITS, **options)  # type: ignore[arg-type]


def heic(name: str) -> bytes:
    return (HEIC / name).read_bytes()


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (saved("JPEG"), Header("jpeg", 96, 64)),
        (saved("JPEG", mode="L"), Header("jpeg", 96, 64, colour="gray")),
        (saved("JPEG", mode="CMYK"), Header("jpeg", 96, 64, colour="cmyk")),
        (saved("JPEG", progressive=True), Header("jpeg", 96, 64, progressive=True)),
        (saved("JPEG", icc_profile=b"x" * 70_000), Header("jpeg", 96, 64, has_profile=True)),
        (with_exif(saved("JPEG"), 6), Header("jpeg", 96, 64, orientation=6)),
        (with_exif(saved("JPEG"), 8, big=True), Header("jpeg", 96, 64, orientation=8)),
        (saved("PNG"), Header("png", 96, 64)),
        (saved("PNG", mode="RGBA"), Header("png", 96, 64, has_alpha=True)),
        (saved("PNG", mode="P"), Header("png", 96, 64)),
        (saved("PNG", mode="P", transparency=3), Header("png", 96, 64, has_alpha=True)),
        (saved("PNG", mode="1"), Header("png", 96, 64, bits=1, colour="gray")),
        (saved("PNG", mode="I;16"), Header("png", 96, 64, bits=16, colour="gray")),
        (saved("PNG", icc_profile=b"x" * 9000), Header("png", 96, 64, has_profile=True)),
        (saved("PNG", exif=exif_block(7)), Header("png", 96, 64, orientation=7)),
        (saved("WEBP"), Header("webp", 96, 64)),
        (saved("WEBP", lossless=True), Header("webp", 96, 64)),
        (saved("WEBP", lossless=True, mode="RGBA", exact=True), Header("webp", 96, 64)),
        (saved("WEBP", exif=exif_block(3)), Header("webp", 96, 64, orientation=3)),
        (saved("WEBP", icc_profile=b"x" * 300), Header("webp", 96, 64, has_profile=True)),
        (animation("WEBP"), Header("webp", 40, 30, frames=3)),
        (saved("GIF"), Header("gif", 96, 64, progressive=True)),
        (animation("GIF", 5), Header("gif", 40, 30, frames=5, has_alpha=True)),
        (tiff(), Header("tiff", 10, 8)),
        (tiff(3), Header("tiff", 10, 8, frames=3)),
        (tiff(tag_274=5), Header("tiff", 10, 8, orientation=5)),
        (saved("TIFF", mode="CMYK", compression="tiff_lzw"), Header("tiff", 96, 64, colour="cmyk")),
        (saved("TIFF", mode="LAB"), Header("tiff", 96, 64, colour="lab", has_profile=True)),
        (saved("TIFF", mode="RGBA"), Header("tiff", 96, 64, has_alpha=True)),
        (avif(), Header("avif", 96, 64)),
        (avif(bands=4), Header("avif", 96, 64, has_alpha=True)),
        (avif(bitdepth=10), Header("avif", 96, 64, bits=10)),
        (heic("ramp-10-bit.heic"), Header("heic", 256, 64, bits=10, cicp=Cicp(1, 13))),
        (heic("corners-turned-6.heic"), Header("heic", 96, 64, orientation=6, cicp=Cicp(1, 13))),
        (heic("corners-turned-5.heic"), Header("heic", 96, 64, orientation=5, cicp=Cicp(1, 13))),
        (heic("corners-display-p3.heic"), Header("heic", 64, 96, orientation=5, cicp=Cicp(12, 13))),
        (heic("half-transparent.heic"), Header("heic", 48, 48, has_alpha=True, cicp=Cicp(1, 13))),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='30' height='20'/>", Header("svg", 30, 20, has_alpha=True)),
    ],
)
def test_values_of_a_header(data: bytes, header: Header) -> None:
    assert read(data) == header


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_it_agrees_with_libvips(form: str) -> None:
    data = saved(form, 123, 45)
    image = pyvips.Image.new_from_buffer(data, "")
    header = read(data)
    assert (header.width, header.height) == (image.width, image.height)


def test_upright_size() -> None:
    turned = read(with_exif(saved("JPEG"), 6))
    assert (turned.upright_width, turned.upright_height) == (64, 96)
    mirrored = read(with_exif(saved("JPEG"), 4))
    assert (mirrored.upright_width, mirrored.upright_height) == (96, 64)


def test_a_page_of_a_tiff_has_its_own_size() -> None:
    assert read(tiff(4), page=2).width == 12
    assert read(tiff(4), page=9).width == 13


def test_only_the_beginning_is_read() -> None:
    taken = 0

    def chunks() -> Iterator[bytes]:
        nonlocal taken
        for start in range(0, len(data), 4096):
            taken += 1
            yield data[start : start + 4096]

    data = saved("JPEG", 96, 64, quality=95) + bytes(10_000_000)
    probe(Source.from_stream(chunks(), len(data)), LIMITS)
    assert taken * 4096 <= 2 * 65_536


def test_headers_longer_than_the_first_read() -> None:
    jpeg = saved("JPEG")
    filler = b"".join(b"\xff\xef" + struct.pack(">H", 65_000) + bytes(64_998) for _ in range(5))
    assert read(jpeg[:2] + filler + jpeg[2:]) == read(jpeg)


def test_the_first_frame_of_a_gif_may_enlarge_it() -> None:
    data = bytearray(saved("GIF"))
    data[6:10] = struct.pack("<HH", 20, 10)
    image = pyvips.Image.gifload_buffer(bytes(data))
    header = read(bytes(data))
    assert (header.width, header.height) == (image.width, image.height) == (96, 64)


def test_code_points_of_a_png() -> None:
    png = saved("PNG")
    at = png.index(b"IDAT") - 4
    assert read(png[:at] + png_chunk(b"cICP", bytes((9, 16, 0, 1))) + png[at:]).cicp == Cicp(9, 16)


def test_damaged_exif_does_not_damage_the_image() -> None:
    jpeg = saved("JPEG")
    for block in (b"", b"II", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"II*\0\x08\0\0\0\1\0\x12\1\3\0"):
        body = b"Exif\0\0" + block
        data = jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]
        assert read(data) == read(jpeg)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        (jpeg_of_size(20_000, 14_000), "280,000,000"),
        (png_of_size(65_536, 65_536), "4,294,967,296"),
        (avif_of_size(17_000, 17_000), "289,000,000"),
        (b"<svg xmlns='http://www.w3.org/2000/svg' width='30000' height='30000'/>", "900,000,000"),
    ],
)
def test_too_many_pixels(data: bytes, number: str) -> None:
    with pytest.raises(OverLimits, match=number) as caught:
        read(data)
    assert "120,000,000" in caught.value.message
    assert caught.value.applies_to_source


def test_pixels_of_all_frames_count_if_they_are_read() -> None:
    limits = Limits(max_pixels=40 * 30 * 4)
    for form in ("GIF", "WEBP"):
        source = Source.from_bytes(animation(form, 5))
        with pytest.raises(OverLimits, match=r"6,000 pixels .* 5 frames") as caught:
            probe(source, limits)
        assert not caught.value.applies_to_source, "a still of it has fewer"
        assert probe(source, limits, animated=False).frames == 5


def unasked() -> Iterator[bytes]:
    """A stream that is not to be read."""
    pytest.fail("bytes were taken")
    yield b""


def test_too_many_frames_and_too_many_bytes() -> None:
    with pytest.raises(OverLimits, match="5 frames; the limit is 4") as caught:
        probe(Source.from_bytes(animation("GIF", 5)), Limits(max_frames=4))
    assert caught.value.applies_to_source
    with pytest.raises(OverLimits, match="bytes; the limit is 100"):
        probe(Source.from_bytes(saved("PNG")), Limits(max_bytes=100))
    with pytest.raises(OverLimits, match="has 101 bytes; the limit is 100"):
        probe(Source.from_stream(unasked(), 101), Limits(max_bytes=100))


def test_a_bitstream_larger_than_its_container_declares() -> None:
    with pytest.raises(DamagedSource) as caught:
        read(avif_of_size(64, 64, coded_width=640, coded_height=480))
    assert "640 × 480" in caught.value.detail
    data = heic("ramp-10-bit.heic")
    box = b"ispe" + bytes(4) + struct.pack(">II", 256, 64)
    with pytest.raises(DamagedSource):
        read(data.replace(box, b"ispe" + bytes(4) + struct.pack(">II", 16, 16)))


def test_a_grid_whose_data_has_another_size() -> None:
    data = avif(96, 64)
    with pytest.raises((DamagedSource, TypeNotAllowed)):
        read(data.replace(b"av01", b"grid", 1))


def test_other_codecs_in_a_heif_are_refused() -> None:
    data = heic("ramp-10-bit.heic")
    assert b"hvc1" in data
    with pytest.raises(TypeNotAllowed, match="HEIF"):
        read(data.replace(b"infe\2\0\0\0\0\1\0\0hvc1", b"infe\2\0\0\0\0\1\0\0j2k1"))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_cut_off_headers_are_damaged(form: str) -> None:
    data = saved(form)
    for length in (13, 20, 25):
        with pytest.raises(DamagedSource):
            read(data[:length])


def test_animations_that_are_cut_off_are_damaged() -> None:
    for form in ("GIF", "WEBP"):
        data = animation(form)
        with pytest.raises(DamagedSource):
            read(data[: len(data) * 2 // 3])


def test_lost_tiles_of_a_heic_are_damage() -> None:
    data = heic("corners-turned-6.heic")
    with pytest.raises(DamagedSource):
        read(data[:-60])


def test_camera_raw_files_in_tiff_clothes() -> None:
    with pytest.raises(TypeNotAllowed, match="camera raw"):
        read(tiff(tag_50706=1))


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0\0\4ab" + b"\0" * 3_000_000 + b"\xff\xd9",
        b"\xff\xd8" + b"\xff\xe1\0\2" * 2_000_000,
        b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", struct.pack(">IIBBBBB", 9, 9, 8, 2, 0, 0, 0)) + bytes(6_000_000),
        b"RIFF" + struct.pack("<I", 8_000_000) + b"WEBPVP8X\x0a\0\0\0\2" + bytes(9) + b"JUNK\0\0\0\0" * 1_000_000,
    ],
)
def test_endless_headers_come_to_an_end(data: bytes) -> None:
    with pytest.raises(DamagedSource):
        read(data)


MEASURE = """
import sys
from darkroom.errors import OverLimits
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
data = sys.stdin.buffer.read()
before = read_peak_kb()
try:
    probe(Source.from_bytes(data), Limits())
except OverLimits:
    print(read_peak_kb() - before)
"""


@pytest.mark.parametrize(
    "data", [jpeg_of_size(20_000, 14_000), png_of_size(65_536, 65_536), avif_of_size(17_000, 17_000)]
)
def test_pixel_bombs_cost_no_memory(data: bytes) -> None:
    layer = Path(__file__).parents[3] / "layers" / "darkroom"
    done = subprocess.run(
        [sys.executable, "-c", READ_PEAK + MEASURE],
        input=data,
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(layer)},
    )
    assert int(done.stdout) < 50 * 1024


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF", "TIFF", "AVIF", "HEIC"]), st.data())
def test_any_mangled_file_is_read_or_refused(form: str, data: st.DataObject) -> None:
    whole = {"AVIF": avif, "HEIC": lambda: heic("corners-turned-6.heic")}.get(form, lambda: saved(form))()
    mangled = bytearray(whole)
    for at in data.draw(st.lists(st.integers(0, min(len(whole), 700) - 1), max_size=8)):
        mangled[at] = data.draw(st.integers(0, 255))
    try:
        header = read(bytes(mangled[: data.draw(st.integers(0, len(whole)))]))
    except DarkroomError:
        return
    assert header.width * header.height <= LIMITS.max_pixels


def test_messages_name_no_native_options() -> None:
    with pytest.raises(DamagedSource) as caught:
        read(saved("PNG")[:20])
    assert caught.value.message == "The source's header is damaged"


def test_pillow_agrees_on_orientation_of_every_kind() -> None:
    for turn in range(1, 9):
        data = with_exif(saved("JPEG"), turn)
        with Image.open(BytesIO(data)) as image:
            assert image.getexif().get(0x0112) == read(data).orientation == turn


def test_a_jpeg_costs_no_other_format() -> None:
    script = (
        "import sys; from darkroom.imaging.formats.probe import probe; from darkroom.imaging.source import Source;"
        "from darkroom.plan.limits import Limits; probe(Source.from_bytes(sys.stdin.buffer.read()), Limits());"
        "print(*sys.modules)"
    )
    layer = Path(__file__).parents[3] / "layers" / "darkroom"
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=saved("JPEG"),
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(layer)},
    )
    loaded = set(done.stdout.decode().split())
    assert "darkroom.imaging.formats.jpeg.probe" in loaded
    unwanted = {f"darkroom.imaging.formats.{name}.probe" for name in ("bmff", "gif", "png", "svg", "tiff", "webp")}
    assert not loaded & (
        unwanted | {"pi_heif", "PIL", "xml.parsers.expat", "numpy", "json", "darkroom.imaging.formats.svg.sanitise"}
    )


def test_an_animated_webp_without_a_frame_is_damaged() -> None:
    body = b"WEBP" + b"VP8X" + (10).to_bytes(4, "little") + b"\x02\0\0\0" + bytes(6)
    body += b"ANIM" + (6).to_bytes(4, "little") + bytes(6)
    with pytest.raises(DamagedSource):
        read(b"RIFF" + len(body).to_bytes(4, "little") + body)
