"""Strip metadata: all pixels stay bit by bit, all metadata is removed."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import pyvips
from PIL import Image, PngImagePlugin
from PIL.ImageCms import createProfile, profileToProfile

from darkroom.imaging.colour.icc import identify_profile
from darkroom.imaging.formats.image_format import read_orientation
from darkroom.imaging.formats.metadata.locate import strip_metadata
from darkroom.imaging.formats.metadata.rights import NO_RIGHTS, compose_metadata
from darkroom.imaging.formats.probe import Header, probe
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from tests.images.drawn import HEIC, animation, exif_block, png_chunk, saved, tiff, with_exif
from tests.images.exiftool import needs_exiftool, private_parts
from tests.images.planted import display_p3

pytestmark = pytest.mark.never_skips

TRAILER = b"secret trailer" * 10


def header(data: bytes) -> Header:
    return probe(Source.from_bytes(data), Limits())


def cleaned(data: bytes, *, keep_orientation: bool = False) -> bytes:
    result = strip_metadata(data, header(data), keep_orientation=keep_orientation)
    assert result is not None
    return result


def frames(data: bytes) -> list[bytes]:
    """The pixels of every frame by Pillow, which shares no code with the tested module."""
    with Image.open(BytesIO(data)) as image:
        found = []
        for frame in range(getattr(image, "n_frames", 1)):
            image.seek(frame)
            found.append(image.convert("RGBA").tobytes() if image.mode != "CMYK" else image.tobytes())
        return found


def between(jpeg: bytes, marker: int, body: bytes, before: int) -> bytes:
    """A JPEG with a segment put in front of the last marker ``before``."""
    at = jpeg.rindex(b"\xff" + bytes([before]))
    return jpeg[:at] + b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body + jpeg[at:]


def noisy(form: str, **options: object) -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (90, 110, 3), dtype=np.uint8)
    out = BytesIO()
    Image.fromarray(pixels).save(out, form, **options)
    return out.getvalue()


def png_with_everything() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", "secret name")
    info.add_text("Comment", "secret words" * 50, zip=True)
    info.add_itxt("XML:com.adobe.xmp", "<secret/>")
    png = saved("PNG", pnginfo=info, exif=exif_block(1), dpi=(72, 72), icc_profile=display_p3(b"secret"))
    end = png.index(b"IDAT") - 4
    extra = png_chunk(b"tIME", bytes(7)) + png_chunk(b"gAMA", bytes((0, 0, 177, 143))) + png_chunk(b"prVt", b"secret")
    return png[:end] + extra + png[end:] + TRAILER


def gif_with_everything() -> bytes:
    gif = animation("GIF")
    at = 13 + (3 << (gif[10] & 7) + 1)
    comment = b"\x21\xfe\x0esecret comment\0"
    xmp = b"\x21\xff\x0bXMP DataXMP<secret/>" + bytes(range(255, -1, -1)) + b"\0\0"
    xmp = b"\x21\xff\x0bXMP DataXMP" + b"\x09<secret/>" + b"\0"
    text = b"\x21\xf9\4\0\0\0\0\0\x21\x01\x0c" + bytes(12) + b"\6secret\0"
    return gif[:at] + comment + xmp + gif[at:-1] + text[8:] + b"\x3b" + TRAILER


CASES = {
    "jpeg": with_exif(noisy("JPEG"), 1) + TRAILER,
    "jpeg, progressive": with_exif(noisy("JPEG", progressive=True, quality=95), 1) + TRAILER,
    "jpeg, comment between scans": between(noisy("JPEG", progressive=True), 0xFE, b"secret", before=0xDA),
    "jpeg, restarts": with_exif(noisy("JPEG", restart_marker_rows=1), 1),
    "jpeg, grey": with_exif(saved("JPEG", mode="L"), 1),
    "jpeg, cmyk": with_exif(saved("JPEG", mode="CMYK"), 1),
    "jpeg, profile": with_exif(saved("JPEG", icc_profile=display_p3(b"secret" * 20_000)), 1),
    "jpeg in jpeg": noisy("JPEG") + with_exif(noisy("JPEG", quality=20), 3),
    "png": png_with_everything(),
    "png, palette": saved("PNG", mode="P", transparency=2, exif=exif_block(1)),
    "png, 16 bits": saved("PNG", mode="I;16", exif=exif_block(1)),
    "png, animated": animation("PNG"),
    "webp": saved("WEBP", exif=exif_block(1), xmp=b"<secret/>", icc_profile=display_p3(b"secret")) + TRAILER,
    "webp, lossless": saved("WEBP", lossless=True, exif=exif_block(1)),
    "webp, animated": animation("WEBP"),
    "gif": gif_with_everything(),
}


@pytest.mark.parametrize("name", CASES)
def test_pixels_stay_and_metadata_goes(name: str) -> None:
    before = CASES[name]
    after = cleaned(before)
    assert frames(after) == frames(before)
    assert header(after) == header(before)
    for trace in (b"secret", b"Exif", b"EXIF", b"adobe.com", b"tEXt", b"\x00\x02\x00\x07"):
        assert trace not in after.replace(b"Adobe", b""), trace
    assert cleaned(after) == after


@needs_exiftool
def test_exiftool_finds_nothing(tmp_path: Path) -> None:
    paths = []
    for index, (name, data) in enumerate(CASES.items()):
        path = tmp_path / f"{index}.{name.split()[0].strip(',')}"
        path.write_bytes(cleaned(data))
        paths.append(path)
    found = private_parts(*paths)
    assert len(found) == len(paths)
    assert not {name: tags for name, tags in found.items() if tags}


@needs_exiftool
def test_exiftool_would_have_found_it(tmp_path: Path) -> None:
    for name in ("jpeg", "png", "webp"):
        (tmp_path / f"dirty.{name}").write_bytes(CASES[name])
    found = private_parts(*tmp_path.iterdir())
    assert any(tag.startswith("GPS") for tag in found["dirty.jpeg"])
    assert "PNG:Author" in found["dirty.png"]
    assert any(tag.startswith("GPS") for tag in found["dirty.webp"])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_the_numbers_of_a_profile_stay_and_its_text_goes(form: str) -> None:
    """Colours are those of before: LittleCMS converts by both profiles alike."""
    before = saved(form, icc_profile=display_p3(b"secret" * 20_000), exif=exif_block(1))
    after = cleaned(before)
    assert b"secret" not in after
    with Image.open(BytesIO(before)) as one, Image.open(BytesIO(after)) as other:
        assert b"secret" in one.info["icc_profile"]
        assert b"secret" not in other.info["icc_profile"]
        assert identify_profile(other.info["icc_profile"]) == "Display P3"
        converted = [
            profileToProfile(image, BytesIO(image.info["icc_profile"]), createProfile("sRGB")) for image in (one, other)
        ]
    assert np.array_equal(np.asarray(converted[0]), np.asarray(converted[1]))


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_a_file_with_a_profile_that_cannot_be_rewritten_is_encoded_again(form: str) -> None:
    """It could hold any text, and colours need it."""
    data = saved(form, icc_profile=b"secret" * 99)
    assert strip_metadata(data, header(data), keep_orientation=True) is None
    assert b"secret" not in (strip_metadata(data, header(data), keep_profile=False) or b"secret")


def test_animations_play_as_before() -> None:
    for form in ("GIF", "WEBP", "PNG"):
        data = animation(form, 4)
        with Image.open(BytesIO(data)) as before, Image.open(BytesIO(cleaned(data))) as after:
            assert after.n_frames == before.n_frames == 4
            assert after.info["loop"] == before.info["loop"]
            after.seek(2)
            after.load()
            assert after.info["duration"] == 70


def test_a_jfif_thumbnail_goes() -> None:
    jpeg = saved("JPEG")
    assert jpeg[2:4] == b"\xff\xe0"
    body = jpeg[6:18] + b"\2\2" + b"secret thumb"
    dirty = jpeg[:2] + b"\xff\xe0" + struct.pack(">H", len(body) + 2) + body + jpeg[20:]
    after = cleaned(dirty)
    assert after == jpeg
    assert frames(after) == frames(dirty)


def test_the_colour_transform_of_cmyk_stays() -> None:
    data = saved("JPEG", mode="CMYK")
    assert b"Adobe" in cleaned(data)
    image = pyvips.Image.jpegload_buffer(cleaned(data))
    assert bytes(image.write_to_memory()) == bytes(pyvips.Image.jpegload_buffer(data).write_to_memory())


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("turn", range(2, 9))
def test_a_turned_image_keeps_that_one_tag_or_is_left_alone(form: str, turn: int, tmp_path: Path) -> None:
    data = with_exif(noisy("JPEG"), turn) if form == "JPEG" else saved(form, exif=exif_block(turn))
    assert strip_metadata(data, header(data)) is None
    after = cleaned(data, keep_orientation=True)
    assert header(after) == header(data)
    assert frames(after) == frames(data)
    assert b"secret" not in after
    image = pyvips.Image.new_from_buffer(after, "")
    assert image.get("orientation") == turn
    with Image.open(BytesIO(after)) as opened:
        assert dict(opened.getexif()) == {0x0112: turn}


def test_the_minimal_block_is_read_back() -> None:
    blocks = [compose_metadata(NO_RIGHTS, turn).exif for turn in range(1, 9)]
    assert [read_orientation(block) for block in blocks] == list(range(1, 9))
    assert not blocks[0]


@pytest.mark.parametrize(
    "data",
    [
        (HEIC / "ramp-10-bit.heic").read_bytes(),
        tiff(),
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>",
        noisy("JPEG")[:-500],
        noisy("PNG")[:-20],
    ],
)
def test_none_where_it_cannot_be_had_without_encoding(data: bytes) -> None:
    assert strip_metadata(data, header(data)) is None


def test_bytes_after_the_riff_are_gone_and_its_size_is_right() -> None:
    after = cleaned(CASES["webp"])
    assert len(after) == 8 + int.from_bytes(after[4:8], "little")


def test_unknown_chunks_within_a_frame_go() -> None:
    data = animation("WEBP")
    at = data.index(b"ANMF")
    size = int.from_bytes(data[at + 4 : at + 8], "little")
    frame = data[at + 8 : at + 8 + size] + b"EXIF\x06\0\0\0secret"
    inside = data[:at] + b"ANMF" + struct.pack("<I", len(frame)) + frame + data[at + 8 + size + (size & 1) :]
    dirty = b"RIFF" + struct.pack("<I", len(inside) - 8) + inside[8:]
    assert cleaned(dirty) == data
