"""The overlay steps: size, position and pixels of watermarks, layouts and frames."""

from __future__ import annotations

import struct
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from darkroom.errors import DarkroomError
from darkroom.imaging.render.steps.overlay import (
    WATERMARK_LIMITS,
    add_watermark,
    clip_watermark,
    overlay_nine_patch,
    place_watermark,
)
from darkroom.plan.geometry.layout import FREE_SPACE_SHARES, Box, Size
from darkroom.plan.model import Watermark, WatermarkLayout
from tests.images.sources import saved
from tests.images.steps import Array, apply_step, build_context, build_image, draw_noise, find_step, read_pixels

GREY = 100


def draw_mark(width: int, height: int, colour: tuple[int, ...] = (40, 80, 120, 255)) -> bytes:
    """Draw a mark of one colour."""
    return saved(Image.new("RGBA", (width, height), colour), "PNG")


def find_box(before: Array, after: Array) -> Box:
    """Find the bounds of the difference."""
    lines, columns = np.nonzero((before != after).any(axis=2))
    left, top = int(columns.min()), int(lines.min())
    return Box(left, top, int(columns.max()) - left + 1, int(lines.max()) - top + 1)


def lay_mark(width: int, height: int, mark: bytes, position: str = "southeast", scale: int = 25) -> Box:
    """Lay ``mark`` over a grey image, and find its place."""
    image = np.full((height, width, 3), GREY, np.uint8)
    found = apply_step(add_watermark, image, mark=mark, watermark=Watermark("m", position, 100, scale))
    return find_box(image, found)


@pytest.mark.parametrize("position", FREE_SPACE_SHARES)
def test_a_watermark_keeps_its_distance_from_the_sides(position: str) -> None:
    """The margin is 2 % of 120 px, rounded; the mark is a quarter of 200 px wide."""
    across, down = FREE_SPACE_SHARES[position]
    left = {0: 2, 0.5: 75, 1: 148}[across]
    top = {0: 2, 0.5: 47, 1: 93}[down]
    assert lay_mark(200, 120, draw_mark(20, 10), position) == Box(left, top, 50, 25) or down == 0.5
    if down == 0.5:
        assert lay_mark(200, 120, draw_mark(20, 10), position) in (
            Box(left, 47, 50, 25),
            Box(left, 48, 50, 25),
        )


@pytest.mark.parametrize(
    ("image", "mark", "scale", "place"),
    [
        ((100, 100), (20, 10), 100, Box(2, 50, 96, 48)),
        ((300, 50), (20, 10), 100, Box(203, 1, 96, 48)),
        ((300, 50), (10, 40), 50, Box(287, 1, 12, 48)),
        ((124, 124), (10, 10), 10, Box(110, 110, 12, 12)),
        ((125, 126), (10, 10), 10, Box(111, 112, 12, 12)),
        ((24, 24), (1, 1), 25, Box(18, 18, 6, 6)),
        ((26, 26), (1, 1), 25, Box(19, 19, 6, 6)),
        ((1, 1), (9, 9), 25, Box(0, 0, 1, 1)),
        ((2, 1), (9, 9), 100, Box(1, 0, 1, 1)),
        ((40, 40), (50, 1), 25, Box(29, 38, 10, 1)),
        ((1000, 60), (40, 1), 50, Box(499, 47, 500, 12)),
    ],
)
def test_a_watermark_fits_between_the_margins(
    image: tuple[int, int], mark: tuple[int, int], scale: int, place: Box
) -> None:
    assert lay_mark(*image, draw_mark(*mark), scale=scale) == place


@pytest.mark.parametrize("opacity", [100, 60, 1])
@pytest.mark.parametrize("bands", [1, 3])
def test_a_watermark_is_composited_by_its_opacity(opacity: int, bands: int) -> None:
    image = np.full((20, 20, bands), GREY, np.uint8)
    mark = draw_mark(10, 10, (40, 80, 121, 200))
    found = apply_step(add_watermark, image, mark=mark, watermark=Watermark("m", "northwest", opacity, 50))
    share = int(200 * opacity / 100) / 255
    wanted = [round(colour * share + GREY * (1 - share)) for colour in (40, 80, 121)]
    assert found.shape == (20, 20, 3)
    assert np.abs(found[:10, :10].astype(int) - wanted).max() <= (1 if share < 1 else 0)
    assert (found[10:] == GREY).all()
    assert (found[:, 10:] == GREY).all()


def test_a_watermark_over_transparency_keeps_its_own_alpha() -> None:
    image = np.zeros((20, 20, 4), np.uint8)
    found = apply_step(
        add_watermark,
        image,
        mark=draw_mark(10, 10, (40, 80, 121, 200)),
        watermark=Watermark("m", "northwest", 50, 50),
    )
    assert (found[:10, :10, 3] == 100).all()
    assert np.abs(found[:10, :10, :3].astype(int) - (40, 80, 121)).max() <= 1
    assert not found[10:].any()


def test_an_opaque_watermark_covers() -> None:
    mark = saved(Image.new("RGB", (10, 10), (40, 80, 120)), "PNG")
    found = apply_step(add_watermark, draw_noise(20, 20, 3), mark=mark, watermark=Watermark("m", "northwest", 100, 50))
    assert (found[:10, :10] == (40, 80, 120)).all()


def test_sixteen_bits_become_eight_under_a_watermark() -> None:
    image = np.full((20, 20, 3), GREY * 257, np.uint16)
    found = apply_step(add_watermark, image, mark=draw_mark(9, 9), watermark=Watermark("m", "northwest", 100, 50))
    assert found.dtype == np.uint8
    assert (found[0, 0] == (40, 80, 120)).all()
    assert (found[-1, -1] == GREY).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_watermark_is_turned_upright(orientation: int) -> None:
    pixels = np.zeros((6, 9, 3), np.uint8)
    pixels[:3, :3], pixels[:3, 6:], pixels[3:, :3], pixels[3:, 6:] = (250, 0, 0), (0, 250, 0), (0, 0, 250), (9, 9, 9)
    undone = {
        2: lambda a: a[:, ::-1],
        3: lambda a: a[::-1, ::-1],
        4: lambda a: a[::-1],
        5: lambda a: a.transpose(1, 0, 2),
        6: np.rot90,
        7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
        8: lambda a: np.rot90(a, -1),
    }.get(orientation, lambda a: a)
    exif = Image.Exif()
    exif[0x0112] = orientation
    mark = saved(Image.fromarray(np.ascontiguousarray(undone(pixels))), "PNG", exif=exif)
    found = apply_step(
        add_watermark, np.full((12, 18, 3), GREY, np.uint8), mark=mark, watermark=Watermark("m", "northwest", 100, 50)
    )
    assert np.array_equal(found[:6, :9], pixels)


def pad_file(size: int) -> bytes:
    """Draw a mark, in a file of ``size`` bytes."""
    mark = draw_mark(4, 4)
    return mark + bytes(size - len(mark))


def write_empty_png(width: int, height: int) -> bytes:
    """Write a PNG with one bit a pixel and no pixels."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", b""), (b"IEND", b""))
    written = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc32(kind + data)) for kind, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


def write_gif(frames: int, side: int = 1) -> bytes:
    """Write an animation of one black pixel on a canvas of ``side``."""
    frame = bytes.fromhex("2c 00000000 0100 0100 00 02 02 4401 00")
    return b"GIF89a" + struct.pack("<HH", side, side) + bytes.fromhex("80 00 00 000000 ffffff") + frame * frames + b";"


def find_detail(mark: bytes | None) -> str:
    """Find why ``mark`` is refused."""
    with pytest.raises(DarkroomError) as raised:
        apply_step(add_watermark, draw_noise(20, 20, 3), mark=mark, watermark=Watermark("m"))
    assert raised.value.status == 500
    return str(raised.value.detail)


def test_a_watermark_file_is_at_most_ten_mebibytes() -> None:
    limit = 10 * 1024 * 1024
    assert lay_mark(20, 20, pad_file(limit), "northwest") == Box(0, 0, 5, 5)
    assert "10,485,761 bytes; the limit is 10,485,760" in find_detail(pad_file(limit + 1))


def test_a_watermark_has_at_most_fifty_megapixels() -> None:
    assert WATERMARK_LIMITS.max_pixels == 50_000_000
    assert "the limit is 50,000,000" in find_detail(write_empty_png(57, 877_193))


def test_a_watermark_has_at_most_five_hundred_frames() -> None:
    assert lay_mark(20, 20, write_gif(500), "northwest") == Box(0, 0, 5, 5)
    assert "501 frames; the limit is 500" in find_detail(write_gif(501))


def test_pixels_of_the_first_frame_count() -> None:
    """All frames together have 80 megapixels."""
    assert lay_mark(20, 20, write_gif(500, 400), "northwest").size == (5, 5)


def test_a_plan_with_a_watermark_needs_its_file() -> None:
    assert find_detail(None) == "no bytes for the watermark 'm'"
    assert find_detail(b"no image").startswith("the watermark 'm' cannot be used: ")


def test_a_plan_without_a_watermark_or_with_a_frame_adds_nothing() -> None:
    work = build_context(draw_noise(9, 9, 3), mark=draw_mark(4, 4))
    find_step(add_watermark)(work)
    assert not work.touched
    work = build_context(draw_noise(9, 9, 3), mark=draw_mark(4, 4), watermark=Watermark("m"), nine_patch=True)
    find_step(add_watermark)(work)
    assert not work.touched


IMAGE = Size(100, 80)


@pytest.mark.parametrize("position", FREE_SPACE_SHARES)
def test_a_watermark_stands_at_its_side(position: str) -> None:
    across, down = FREE_SPACE_SHARES[position]
    box = place_watermark(Size(20, 10), position, WatermarkLayout(3, 0.1), IMAGE)
    left = {0: 3, 0.5: 43, 1: 77}[across]
    top = {0: 8, 0.5: 43, 1: 62}[down]
    assert box == Box(left, top, 20, 10)


@pytest.mark.parametrize(
    ("dx", "dy", "left", "top"),
    [
        *((-500, -500, -19, -9), (-20, -10, -19, -9), (-19, -9, -19, -9), (-18, -8, -18, -8), (0, 0, 0, 0)),
        *((500, 500, 99, 79), (100, 80, 99, 79), (99, 79, 99, 79), (98, 78, 98, 78)),
    ],
)
def test_one_pixel_of_a_watermark_is_inside(dx: int, dy: int, left: int, top: int) -> None:
    assert place_watermark(Size(20, 10), "northwest", WatermarkLayout(dx, dy), IMAGE) == Box(left, top, 20, 10)
    mirrored = place_watermark(Size(20, 10), "southeast", WatermarkLayout(dx, dy), IMAGE)
    assert mirrored == Box(100 - 20 - left, 80 - 10 - top, 20, 10)


@pytest.mark.parametrize(
    ("width", "height", "size"),
    [
        (0.5, 0.0, (50, 25)),
        (0.0, 0.5, (80, 40)),
        (0.5, 0.5, (50, 25)),
        (0.5, 0.1, (16, 8)),
        (0.001, 0.0, (1, 1)),
        (0.0, 0.001, (2, 1)),
        (1.0, 0.0, (100, 50)),
        (0.0, 1.0, (100, 50)),
        (0.0, 0.0, (20, 10)),
        (0.095, 0.0, (10, 5)),
    ],
)
def test_a_watermark_fits_into_parts_of_the_sides(width: float, height: float, size: tuple[int, int]) -> None:
    assert place_watermark(Size(20, 10), "northwest", WatermarkLayout(0, 0, False, width, height), IMAGE).size == size


def test_a_watermark_of_one_part_is_bounded_by_the_longer_side() -> None:
    assert place_watermark(Size(10, 40), "northwest", WatermarkLayout(0, 0, False, 0.5, 0), IMAGE).size == (25, 100)
    assert place_watermark(Size(40, 10), "northwest", WatermarkLayout(0, 0, False, 0, 0.5), IMAGE).size == (100, 25)


@pytest.mark.parametrize(
    ("box", "seen"),
    [
        (Box(-5, -3, 20, 10), Box(0, 0, 15, 7)),
        (Box(90, 75, 20, 10), Box(90, 75, 10, 5)),
        (Box(80, 70, 20, 10), Box(80, 70, 20, 10)),
        (Box(0, 0, 20, 10), Box(0, 0, 20, 10)),
        (Box(81, 71, 20, 10), Box(81, 71, 19, 9)),
        (Box(-19, 79, 20, 10), Box(0, 79, 1, 1)),
    ],
)
def test_a_watermark_is_clipped_to_the_image(box: Box, seen: Box) -> None:
    mark = draw_noise(10, 20, 4)
    found, where = clip_watermark(build_image(mark), box, WatermarkLayout(), IMAGE)
    assert where == seen
    left, top = seen.left - box.left, seen.top - box.top
    assert np.array_equal(read_pixels(found), mark[top : top + seen.height, left : left + seen.width])


@pytest.mark.parametrize(
    ("image", "mark", "gaps"),
    [
        ((64, 64), (63, 63), (0, 0)),
        ((63, 64), (63, 32), (0, 0)),
        ((63, 63), (21, 63), (0, 0)),
        ((10, 9), (20, 10), (0, 0)),
        ((100, 80), (20, 10), (0, 0)),
        ((100, 80), (20, 10), (4, 6)),
        ((101, 83), (21, 11), (3, 5)),
        ((100, 80), (20, 10), (0.1, 0.05)),
        ((100, 80), (20, 10), (-4, -6)),
        ((50, 40), (20, 10), (1, 0)),
        ((40, 40), (10, 10), (30, 70)),
    ],
)
def test_tiles_repeat_from_the_middle_on(
    image: tuple[int, int], mark: tuple[int, int], gaps: tuple[float, float]
) -> None:
    """One tile is in the middle, and its mark in the middle of its gaps, rounded to the upper left."""
    pixels = draw_noise(mark[1], mark[0], 4)
    across, down = (
        max(0, round(gap * side) if abs(gap) < 1 else int(gap)) for gap, side in zip(gaps, image, strict=True)
    )
    tile = np.zeros((mark[1] + down, mark[0] + across, 4), np.uint8)
    tile[down // 2 : down // 2 + mark[1], across // 2 : across // 2 + mark[0]] = pixels
    counts = (2 * (outer // own + 1) + 1 for outer, own in zip(image[::-1], tile.shape, strict=False))
    repeated = np.tile(tile, (*counts, 1))
    top, left = ((big - small) // 2 for big, small in zip(repeated.shape, image[::-1], strict=False))
    found, box = clip_watermark(build_image(pixels), Box(7, 7, 1, 1), WatermarkLayout(*gaps, tiled=True), Size(*image))
    assert box == Box(0, 0, *image)
    assert np.array_equal(read_pixels(found), repeated[top : top + image[1], left : left + image[0]])


def test_a_layout_takes_precedence_over_the_anchor() -> None:
    image = np.full((80, 100, 3), GREY, np.uint8)
    found = apply_step(
        add_watermark,
        image,
        mark=draw_mark(20, 10),
        watermark=Watermark("m", "southeast"),
        watermark_layout=WatermarkLayout(-5, 7),
    )
    assert find_box(image, found) == Box(85, 63, 15, 10)


OPAQUE = (0, 0, 0, 255)


def draw_patch(
    pixels: Array, stretch: tuple[slice, slice], content: tuple[slice, slice] = (slice(0), slice(0))
) -> bytes:
    """Draw a nine-patch of ``pixels`` with marks on these columns and lines."""
    height, width = pixels.shape[:2]
    patch = np.zeros((height + 2, width + 2, 4), np.uint8)
    patch[1:-1, 1:-1] = pixels
    patch[0, 1:-1][stretch[0]] = OPAQUE
    patch[1:-1, 0][stretch[1]] = OPAQUE
    patch[-1, 1:-1][content[0]] = OPAQUE
    patch[1:-1, -1][content[1]] = OPAQUE
    return saved(Image.fromarray(patch), "PNG")


def lay_frame(image: Array, patch: bytes) -> Array:
    """Lay a nine-patch over ``image``."""
    return apply_step(overlay_nine_patch, image, mark=patch, watermark=Watermark("f"), nine_patch=True)


def draw_opaque(height: int, width: int) -> Array:
    """Draw random opaque pixels."""
    pixels = draw_noise(height, width, 4)
    pixels[..., 3] = 255
    return pixels


@pytest.mark.parametrize(("height", "width"), [(20, 30), (11, 12), (9, 10)])
def test_what_is_not_stretched_is_copied(height: int, width: int) -> None:
    pixels = draw_opaque(7, 9)
    pixels[3, :], pixels[:, 4] = pixels[3, 4], pixels[3, 4]
    pixels[3, :4] = pixels[3, 4]
    patch = draw_patch(pixels, (slice(4, 5), slice(3, 4)))
    found = lay_frame(np.full((height, width, 3), GREY, np.uint8), patch)
    wanted = np.empty((height, width, 3), np.uint8)
    wanted[:] = pixels[3, 4, :3]
    wanted[:3, :4], wanted[:3, -4:] = pixels[:3, :4, :3], pixels[:3, -4:, :3]
    wanted[-3:, :4], wanted[-3:, -4:] = pixels[-3:, :4, :3], pixels[-3:, -4:, :3]
    assert np.array_equal(found, wanted)


def test_what_is_stretched_is_interpolated_along_its_side() -> None:
    """Three columns of 30, 120 and 210 become six, sampled where libvips samples an enlargement."""
    pixels = np.full((3, 5, 4), 255, np.uint8)
    pixels[..., :3] = np.array([0, 30, 120, 210, 250])[None, :, None]
    patch = draw_patch(pixels, (slice(1, 4), slice(0, 3)))
    found = lay_frame(np.zeros((12, 8, 3), np.uint8), patch)
    assert (found == found[:1]).all()
    assert found[0, :, 0].tolist() == [0, 30, 30, 75, 120, 165, 210, 250]
    turned = lay_frame(
        np.zeros((8, 12, 3), np.uint8), draw_patch(pixels.transpose(1, 0, 2), (slice(0, 3), slice(1, 4)))
    )
    assert np.array_equal(turned.transpose(1, 0, 2), found)


@pytest.mark.parametrize(
    ("content", "left", "top", "right", "bottom"),
    [
        ((slice(2, 6), slice(1, 5)), 2, 1, 3, 2),
        ((slice(0, 9), slice(0, 7)), 0, 0, 0, 0),
        ((slice(0, 8), slice(0, 6)), 0, 0, 1, 1),
        ((slice(1, 9), slice(1, 7)), 1, 1, 0, 0),
        ((slice(0), slice(0)), 0, 0, 0, 0),
    ],
)
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_room_around_the_content_is_white(
    content: tuple[slice, slice], left: int, top: int, right: int, bottom: int, bands: int
) -> None:
    patch = draw_patch(np.zeros((7, 9, 4), np.uint8), (slice(3, 6), slice(3, 4)), content)
    image = draw_noise(16, 20, bands)
    found = lay_frame(image, patch)
    rich = image.repeat(3, axis=2) if bands == 1 else image.copy()
    if bands == 4:
        rich[rich[..., 3] == 0] = 0
    wanted = np.pad(rich, ((top, bottom), (left, right), (0, 0)), constant_values=255)
    assert found.shape == wanted.shape
    assert np.array_equal(found, wanted)


def test_a_translucent_frame_is_composited() -> None:
    pixels = np.full((5, 5, 4), (200, 40, 10, 128), np.uint8)
    patch = draw_patch(pixels, (slice(0, 5), slice(0, 5)))
    found = lay_frame(np.full((9, 8, 3), GREY, np.uint8), patch)
    wanted = np.array([200, 40, 10]) * 128 / 255 + GREY * 127 / 255
    assert np.abs(found - wanted).max() <= 0.51
    clear = lay_frame(np.zeros((9, 8, 4), np.uint8), patch)
    assert (clear == (200, 40, 10, 128)).all()
    fine = lay_frame(np.full((9, 8, 3), GREY * 257, np.uint16), patch)
    assert np.array_equal(fine, found)


@pytest.mark.parametrize(("dark", "room"), [((0, 0, 0, 255), 1), ((0, 0, 0, 254), 0), ((1, 0, 0, 255), 0)])
def test_only_opaque_black_marks(dark: tuple[int, ...], room: int) -> None:
    patch = np.zeros((7, 8, 4), np.uint8)
    patch[-1, 2:-1] = dark
    found = lay_frame(np.zeros((9, 10, 3), np.uint8), saved(Image.fromarray(patch), "PNG"))
    assert found.shape == (9, 10 + room, 3)


@pytest.mark.parametrize(
    ("sides", "fits"),
    [
        *(((3, 3), True), ((2048, 3), True), ((3, 2048), True)),
        *(((2, 3), False), ((3, 2), False), ((2049, 3), False), ((3, 2049), False)),
    ],
)
def test_sides_of_a_frame_are_bounded(sides: tuple[int, int], fits: bool) -> None:
    patch = draw_mark(*sides, (0, 0, 0, 0))
    if fits:
        assert not lay_frame(np.zeros((9, 10, 3), np.uint8), patch).any()
        return
    with pytest.raises(DarkroomError) as raised:
        lay_frame(np.zeros((9, 10, 3), np.uint8), patch)
    assert raised.value.detail == f"the frame 'f' is of {sides[0]} × {sides[1]} px, not of 3 to 2048"


def test_a_frame_needs_its_file() -> None:
    for options in ({"watermark": Watermark("f")}, {"mark": draw_mark(9, 9)}):
        with pytest.raises(DarkroomError) as raised:
            apply_step(overlay_nine_patch, draw_noise(9, 9, 3), nine_patch=True, **options)
        assert "no bytes for the frame" in str(raised.value.detail)
