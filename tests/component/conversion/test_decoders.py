"""What decoders of converted formats return, in this process."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable

import numpy as np
import pytest
import pyvips
from PIL import Image

from darkroom.plan.limits import Limits
from darkroom.plan.model import CONVERTED_TYPES
from darkroom_pipeline.conversion import pillow_worker
from darkroom_pipeline.conversion.converter import Converter
from darkroom_pipeline.conversion.encode import encode
from darkroom_pipeline.conversion.formats import FORMATS

from .files import (
    SIZE,
    TRANSPARENT,
    bitmap,
    document,
    icon,
    icon_bitmap,
    photograph,
    resource,
    samples,
    save,
    save_document,
)

type Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]

EVERY = Converter(tuple(FORMATS))


def decode(data: bytes) -> Image.Image:
    """Decode ``data`` as its process does; PNG within an icon is not decoded there."""
    header = EVERY.read_header(data, Limits())
    assert header is not None
    if header.format == "ico" and b"\x89PNG" in data:
        body = EVERY.convert(data, header, Limits())
    else:
        decoders: dict[str, Callable[[bytes], bytes]] = {
            "bmp": pillow_worker.decode_bitmap,
            "ico": pillow_worker.decode_icon,
            "jp2": pillow_worker.decode_jpeg2000,
            "psd": pillow_worker.decode_photoshop,
        }
        body = decoders[header.format](data)
    image = Image.open(io.BytesIO(body))
    image.load()
    assert image.size == (header.width, header.height)
    return image


def pixels(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGBA"))


def test_each_format_has_media_types() -> None:
    assert list(FORMATS) == list(CONVERTED_TYPES)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("bmp", "RGB"),
        ("bmp palette", "P"),
        ("bmp grey", "L"),
        ("bmp bilevel", "1"),
        ("bmp 32 bit", "RGB"),
        ("ico png", "RGBA"),
        ("jp2", "RGB"),
        ("jp2 grey", "L"),
        ("jp2 alpha", "RGBA"),
        ("jp2 codestream", "RGB"),
        ("psd", "RGB"),
        ("psd grey", "L"),
        ("psd bilevel", "1"),
        ("psd palette", "P"),
        ("psd alpha", "RGBA"),
        ("psd 16 bit", "RGB"),
    ],
)
def test_pixels_are_those_of_the_image(name: str, mode: str) -> None:
    found = decode(samples()[name])
    assert found.format == "PNG"
    assert np.array_equal(pixels(found), pixels(photograph(mode)))


def test_lossy_images_become_jpeg_with_full_colour() -> None:
    found = decode(samples()["jp2 lossy"])
    assert found.format == "JPEG"
    assert np.abs(pixels(found).astype(int) - pixels(photograph())).mean() < 3


def test_noise_becomes_a_jpeg_of_more_than_a_byte_a_pixel() -> None:
    noise = [Image.effect_noise((600, 600), 90 + band) for band in range(3)]
    assert len(encode(Image.merge("RGB", noise), lossless=False)) > 600 * 600


def test_sixteen_bits_stay() -> None:
    found = decode(samples()["jp2 16 bit"])
    assert found.mode == "I;16"
    assert np.array_equal(np.asarray(found), np.asarray(photograph("L")).astype(np.uint16) * 257)


def test_the_largest_image_of_an_icon() -> None:
    assert decode(samples()["ico"]).size == (48, 32)
    small, large = save(photograph().resize((16, 16)), "PNG"), save(photograph().resize((300, 200)), "PNG")
    assert decode(icon(small, large, small)).size == (300, 200)
    assert decode(icon(small, large)[:-9]).size == (16, 16), "an image that is cut off is left out"


def test_the_deepest_of_equally_large_images_of_an_icon() -> None:
    few = icon_bitmap(2, 1, 1, bytes(4), bytes(4), bytes(4) + b"\xff\xff\xff\0")
    many = icon_bitmap(2, 1, 24, bytes([1, 2, 3] * 2).ljust(8, b"\0"), bytes(4))
    for data in (icon(few, many), icon(many, few)):
        assert decode(data).convert("RGB").getpixel((0, 0)) == (3, 2, 1)
    header = EVERY.read_header(icon(few, many), Limits())
    assert header is not None
    assert header.bits == 8


def test_a_bitmap_whose_first_row_is_the_top() -> None:
    rows = bytes([0, 0, 255, 0] * 2 + [255, 0, 0, 0] * 2)
    red, blue = (255, 0, 0, 255), (0, 0, 255, 255)
    for height, top, bottom in ((-2, red, blue), (2, blue, red)):
        found = decode(bitmap(2, height, 32, rows)).convert("RGBA")
        assert (found.getpixel((0, 0)), found.getpixel((1, 1))) == (top, bottom)


@pytest.mark.parametrize(("green", "levels"), [(0x7E0, (0xF800, 0x07E0, 0x001F)), (0x3E0, (0x7C00, 0x03E0, 0x001F))])
def test_sixteen_bits_a_pixel(green: int, levels: tuple[int, int, int]) -> None:
    row = struct.pack("<3Hxx", *levels)
    masks = (*levels[:1], green, *levels[2:])
    found = decode(bitmap(3, 1, 16, row, compression=3, masks=masks, header_size=52)).convert("RGB")
    assert [found.getpixel((x, 0)) for x in range(3)] == [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def test_alpha_of_a_bitmap_by_masks() -> None:
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    data = bitmap(1, 1, 32, bytes([1, 2, 3, 4]), compression=3, masks=masks, header_size=108)
    header = EVERY.read_header(data, Limits())
    assert header is not None
    assert header.has_alpha
    assert decode(data).getpixel((0, 0)) == (3, 2, 1, 4)


def test_run_lengths() -> None:
    palette = [(0, 0, 0), (255, 0, 0), (0, 255, 0), (0, 0, 255)] + [(9, 9, 9)] * 12
    eight = bytes([4, 1, 0, 0, 0, 3, 1, 2, 3, 0, 1, 3, 0, 1])
    four = bytes([4, 0x11, 0, 0, 0, 4, 0x12, 0x33, 0, 1])
    bottom, top = [(255, 0, 0)] * 4, [(255, 0, 0), (0, 255, 0), (0, 0, 255), (0, 0, 255)]
    for bits, compression, data in ((8, 1, eight), (4, 2, four)):
        found = decode(bitmap(4, 2, bits, data, palette=palette, compression=compression)).convert("RGB")
        assert [found.getpixel((x, 1)) for x in range(4)] == bottom
        assert [found.getpixel((x, 0)) for x in range(4)] == top


def test_a_profile_of_a_bitmap_is_kept() -> None:
    profile = bytes(pyvips.Image.profile_load("p3"))
    plain = bitmap(1, 1, 24, bytes([1, 2, 3, 0]), header_size=124)
    header = bytearray(plain)
    header[14 + 56 : 14 + 60] = b"DEBM"
    struct.pack_into("<2I", header, 14 + 112, len(plain) - 14, len(profile))
    assert decode(bytes(header) + profile).info["icc_profile"] == profile
    assert "icc_profile" not in decode(bytes(header)).info, "it is cut off"


def test_a_profile_of_a_jpeg2000_image_is_kept() -> None:
    profile = bytes(pyvips.Image.profile_load("p3"))
    data = samples()["jp2"]
    at = data.index(b"colr") - 4
    size = int.from_bytes(data[at : at + 4])
    box = struct.pack(">I4sBBB", 11 + len(profile), b"colr", 2, 0, 0) + profile
    head = data.index(b"jp2h") - 4
    longer = int.from_bytes(data[head : head + 4]) + len(box) - size
    changed = data[:head] + longer.to_bytes(4) + data[head + 4 : at] + box + data[at + size :]
    assert decode(changed).info["icc_profile"] == profile


@pytest.mark.parametrize("bits", [1, 4, 8, 24])
def test_masks_of_icons(bits: int) -> None:
    """The mask makes the upper row transparent."""
    row = {1: b"\xff", 4: b"\x11", 8: b"\1\1", 24: b"\x40\x80\xc0" * 2}[bits].ljust(8 if bits == 24 else 4, b"\0")
    palette = (bytes(4) + bytes([0x40, 0x80, 0xC0, 0])) if bits < 24 else b""
    mask = bytes([0, 0, 0, 0, 0xC0, 0, 0, 0])
    found = decode(icon(icon_bitmap(2, 2, bits, 2 * row, mask, palette))).convert("RGBA")
    assert found.getpixel((0, 1)) == (0xC0, 0x80, 0x40, 255)
    assert found.getpixel((0, 0))[3] == 0  # type: ignore[index]


@pytest.mark.parametrize(("alpha", "wanted"), [(0, (255, 0)), (77, (77, 77))])
def test_a_mask_applies_where_an_icon_has_no_alpha(alpha: int, wanted: tuple[int, int]) -> None:
    mask = bytes([0, 0, 0, 0, 0xC0, 0, 0, 0])
    found = decode(icon(icon_bitmap(2, 2, 32, bytes([1, 2, 3, alpha] * 4), mask), depths=[32])).convert("RGBA")
    assert (found.getpixel((0, 1))[3], found.getpixel((0, 0))[3]) == wanted  # type: ignore[index]


def test_four_inks_become_a_jpeg_of_four_inks() -> None:
    found = decode(samples()["psd cmyk"])
    assert (found.format, found.mode) == ("JPEG", "CMYK")
    wanted = np.asarray(photograph("CMYK")).astype(int)
    assert np.abs(np.asarray(found).astype(int) - wanted).mean() < 3


@pytest.mark.parametrize(("mode", "count"), [("RGB", 3), ("L", 1)])
def test_colours_that_were_composed_on_white_are_separated(mode: str, count: int) -> None:
    """As Photoshop writes them: white where nothing is."""
    alpha = photograph("L").point(lambda level: 0 if level < 80 else level)
    colours = photograph(mode)
    composed = Image.composite(colours, Image.new(mode, SIZE, "white"), alpha)
    planes = [band.tobytes() for band in (*composed.split(), alpha)]
    found = decode(document(planes, count, layers=TRANSPARENT))
    assert found.mode == ("RGBA" if mode == "RGB" else "LA")
    assert found.getchannel("A").tobytes() == alpha.tobytes()
    shown = np.asarray(alpha) > 0
    difference = np.abs(
        np.asarray(found)[shown, :count].astype(int) - np.asarray(colours).reshape(64, 96, count)[shown]
    )
    assert difference.max() <= 255 / 80 + 1, "levels of rounding, divided by the least alpha"


def test_a_channel_that_is_a_saved_selection_is_not_transparency() -> None:
    planes = [band.tobytes() for band in photograph("RGBA").split()]
    for layers in (b"", struct.pack(">Ih", 2, 1)):
        found = decode(document(planes, 3, layers=layers))
        assert np.array_equal(pixels(found), pixels(photograph("RGBA").convert("RGB")))


def test_a_block_after_the_layers_states_transparency() -> None:
    """As in documents of 16 bits, whose layers are in such a block."""
    planes = [band.tobytes() for band in photograph("RGBA").split()]
    blocks = struct.pack(">II4s4sI", 0, 0, b"8BIM", b"Patt", 3) + bytes(4) + struct.pack(">4s4sI", b"8BIM", b"Mt16", 0)
    assert decode(document(planes, 3, layers=blocks)).mode == "RGBA"


@pytest.mark.parametrize(("mode", "profile", "kept"), [("RGB", "p3", True), ("L", "p3", False), ("CMYK", "cmyk", True)])
def test_a_profile_of_a_document_is_kept_where_it_fits(mode: str, profile: str, kept: bool) -> None:
    body = bytes(pyvips.Image.profile_load(profile))
    found = decode(save_document(mode, resources=resource(1005, bytes(7)) + resource(1039, body)))
    assert found.info.get("icc_profile") == (body if kept else None)


def test_sizes() -> None:
    for name, data in samples().items():
        header = EVERY.read_header(data, Limits())
        assert header is not None
        assert name.partition(" ")[0] == header.format
        assert (header.width, header.height) == ((48, 32) if name == "ico" else SIZE)
