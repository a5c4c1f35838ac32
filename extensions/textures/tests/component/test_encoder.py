"""Textures by the real encoder: levels, colour space, alpha, blocks, limits."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DarkroomError, OverLimits, TooSlow, Unavailable
from darkroom.imaging.render.output import RenderedImage
from darkroom.plan.model import Plan
from textures import converter
from textures.container import BT709, LINEAR, SRGB, UNSPECIFIED, ZSTANDARD, parse_texture
from textures.converter import TextureConverter, align_blocks
from textures.encoder import COLOUR_MODELS, Encoder
from textures.request import Codec, Space, TextureOptions

from .decoding import decode_levels, find_program

COLOURS = {Space.SRGB: (BT709, SRGB), Space.LINEAR: (UNSPECIFIED, LINEAR)}
EVERY = [TextureOptions(codec, space) for codec in Codec for space in Space]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder(find_program(), timeout_s=300)


def png_of(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def checkerboard(side: int) -> np.ndarray:
    """Black and white pixels in turn: half of the light."""
    rows, columns = np.indices((side, side))
    return np.repeat(((rows + columns) % 2 * 255).astype(np.uint8)[..., None], 3, axis=2)


def quadrants(side: int) -> np.ndarray:
    """Red, green, blue and white, from the top left to the bottom right."""
    found = np.zeros((side, side, 3), np.uint8)
    half = side // 2
    found[:half, :half], found[:half, half:] = (220, 30, 30), (30, 200, 30)
    found[half:, :half], found[half:, half:] = (30, 30, 220), (240, 240, 240)
    return found


@pytest.mark.parametrize("options", EVERY, ids=lambda options: options.format)
def test_a_texture_states_what_it_is(encoder: Encoder, options: TextureOptions) -> None:
    texture = parse_texture(encoder.encode(png_of(quadrants(32)[:16]), options, 32, 16))
    assert (texture.width, texture.height, len(texture.levels)) == (32, 16, 6)
    assert (texture.vk_format, texture.type_size) == (0, 1)
    assert texture.colour_model == COLOUR_MODELS[options.codec]
    assert (texture.primaries, texture.transfer) == COLOURS[options.space]
    assert texture.metadata["KTXorientation"] == b"rd\0"
    assert texture.metadata["KTXwriter"].startswith(b"darkroom ")
    assert texture.metadata["KTXwriter"].endswith(b"Basis Universal 1.16\0")
    if options.codec is Codec.UASTC:
        assert texture.supercompression == ZSTANDARD
        assert [level.uncompressed_bytes for level in texture.levels] == [512, 128, 32, 16, 16, 16]


@pytest.mark.sample(3)
@pytest.mark.parametrize("options", EVERY, ids=lambda options: options.format)
def test_levels_are_filtered_in_linear_light_only_for_colours(encoder: Encoder, options: TextureOptions) -> None:
    """The mean of black and white is 188 in sRGB (IEC 61966-2-1), and 128 of data."""
    levels = decode_levels(encoder.encode(png_of(checkerboard(64)), options, 64, 64))
    expected = 188 if options.space is Space.SRGB else 128
    assert [level.shape[0] for level in levels] == [64, 32, 16, 8, 4, 2, 1]
    for level in levels[1:]:
        assert abs(float(level[..., :3].mean()) - expected) < 6


@pytest.mark.slow
@pytest.mark.parametrize("codec", Codec)
def test_the_first_texel_is_the_top_left_one(encoder: Encoder, codec: Codec) -> None:
    pixels = quadrants(32)
    top, *_ = decode_levels(encoder.encode(png_of(pixels), TextureOptions(codec), 32, 32))
    assert np.abs(top[..., :3].astype(int) - pixels).max() < 40
    assert np.all(top[..., 3] == 255)


@pytest.mark.slow
@pytest.mark.parametrize("codec", Codec)
def test_alpha_is_kept(encoder: Encoder, codec: Codec) -> None:
    pixels = np.dstack([quadrants(32), np.repeat(np.linspace(0, 255, 8), 4).astype(np.uint8)[None].repeat(32, 0)])
    top, *_ = decode_levels(encoder.encode(png_of(pixels), TextureOptions(codec), 32, 32))
    assert np.abs(top[..., 3].astype(int) - pixels[..., 3]).max() < 20


def rendered(width: int, height: int, mode: str = "RGB") -> RenderedImage:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert(mode).save(file, "PNG")
    return RenderedImage(file.getvalue(), "image/png", width, height)


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    ("size", "expected"), [((33, 30), (32, 28)), ((3, 2), (4, 4)), ((7, 64), (4, 64)), ((32, 32), (32, 32))]
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA"])
def test_sizes_are_whole_blocks(encoder: Encoder, size: tuple[int, int], expected: tuple[int, int], mode: str) -> None:
    image = TextureConverter(encoder).convert(Plan("a.png", format="etc1s.ktx2"), rendered(*size, mode))
    texture = parse_texture(image.body)
    assert (texture.width, texture.height) == (image.width, image.height) == expected
    assert image.content_type == "image/ktx2"
    assert "texture" in image.timings_ms


def test_a_resize_to_blocks_keeps_the_whole_image_and_its_transparency() -> None:
    file = io.BytesIO()
    source = Image.new("RGBA", (35, 35), (200, 100, 50, 255))
    source.paste((0, 0, 0, 0), (0, 0, 35, 17))
    source.save(file, "PNG")
    found = np.asarray(Image.open(io.BytesIO(align_blocks(file.getvalue(), 32, 32))))
    assert found.shape == (32, 32, 4)
    assert found[0, 0, 3] == 0
    edge = found[17, :, :]
    assert np.all(np.abs(edge[edge[..., 3] > 32][..., :3].astype(int) - (200, 100, 50)) < 8), "no dark fringe"


def test_deep_pixels_are_reduced_to_eight_bits() -> None:
    file = io.BytesIO()
    Image.fromarray((np.ones((8, 8)) * 0x8000).astype(np.uint16)).save(file, "PNG")
    found = Image.open(io.BytesIO(align_blocks(file.getvalue(), 8, 8)))
    assert (found.mode, found.getpixel((0, 0))) == ("L", 128)


@pytest.mark.parametrize(("codec", "size"), [(Codec.ETC1S, (2100, 8)), (Codec.UASTC, (2048, 2048))])
def test_too_many_pixels_are_refused_before_they_are_encoded(codec: Codec, size: tuple[int, int]) -> None:
    convert = TextureConverter(Encoder(Path("/missing"))).convert
    with pytest.raises(OverLimits, match="set a smaller w or h"):
        convert(Plan("a.png", format=TextureOptions(codec).format), RenderedImage(b"", "image/png", *size))


def test_a_body_that_lambda_cannot_return_is_refused(encoder: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converter, "MAX_BODY_BYTES", 100)
    with pytest.raises(OverLimits, match="At most 100 are served"):
        TextureConverter(encoder).convert(Plan("a.png", format="etc1s.ktx2"), rendered(16, 16))


@pytest.mark.slow
def test_the_encoder_ends_at_its_limits(encoder: Encoder) -> None:
    """Elapsed time says nothing about the image: it may be that of a busy machine, and is not recorded."""
    png = png_of(np.random.default_rng(1).integers(0, 255, (1024, 1024, 3), np.uint8))
    with pytest.raises(Unavailable) as late:
        replace(encoder, timeout_s=0.2).encode(png, TextureOptions(), 1024, 1024)
    assert "more than 0.2 s" in late.value.detail
    with pytest.raises(TooSlow) as slow:
        replace(encoder, cpu_s=1).encode(png, TextureOptions(), 1024, 1024)
    assert "more than 1 s of CPU" in slow.value.detail
    with pytest.raises(Unavailable) as full:
        replace(encoder, memory_bytes=40_000_000).encode(png, TextureOptions(), 1024, 1024)
    assert "basisu ended with" in full.value.detail


@pytest.mark.parametrize("data", [b"", b"\x89PNG\r\n\x1a\n", b"no image" * 1000], ids=["empty", "cut", "text"])
def test_what_is_no_image_is_refused(encoder: Encoder, data: bytes) -> None:
    with pytest.raises(DarkroomError) as raised:
        encoder.encode(data, TextureOptions(), 16, 16)
    assert raised.value.status in (500, 503)


def test_another_size_than_expected_is_a_fault(encoder: Encoder) -> None:
    with pytest.raises(DarkroomError) as raised:
        encoder.encode(png_of(quadrants(16)), TextureOptions(), 32, 32)
    assert "(16, 16, 5, 163), not (32, 32, 6, 163)" in raised.value.detail


def test_a_missing_program_is_a_fault_that_can_be_retried() -> None:
    with pytest.raises(Unavailable) as raised:
        Encoder(Path("/missing")).encode(png_of(quadrants(16)), TextureOptions(), 16, 16)
    assert "127" in raised.value.detail
