"""Crops, rotations, margins and watermarks of the dialects, in pixels."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from darkroom.findings import Region
from darkroom.imaging.source import Source
from darkroom.plan.model import (
    Crop,
    CropTo,
    Ellipse,
    Extension,
    FaceCrop,
    Gravity,
    Offset,
    Padding,
    Scale,
    TrimOptions,
    Watermark,
    WatermarkLayout,
)
from tests.component.imaging.test_animation import moving
from tests.images.findings import known
from tests.images.rendering import alike, apart, frames, made, opened, rgba, seen
from tests.images.sources import cutout, photo, saved, sixteen_bit, sources

PHOTO, CUTOUT = saved(photo(), "PNG"), saved(cutout(), "PNG")
BEFORE = np.asarray(photo())
MARK = saved(Image.new("RGBA", (40, 20), (255, 0, 0, 255)), "PNG")
SHAPES: list[dict[str, Any]] = [
    {"inset": Padding(10, 20, 30, 40)},
    {"crop_to": CropTo(0.5, 100, "attention")},
    {"crop_to": CropTo(100, 0.5, "southeast", dx=4, dy=0.1), "width": 60},
    {"trim": 10, "trim_options": TrimOptions("", "southeast", "hv")},
    {"trim": 10, "trim_first": True, "crop_to": CropTo(100, 0.5, "southeast"), "width": 60},
    {"width": 100, "height": 100, "fit": "cover", "pixel_ratio": 2.5, "padding": Padding(5, 5, 5, 5), "max_side": 150},
    {"scale": Scale(0.5, 0.4)},
    {"width": 100, "height": 100, "fit": "cover", "cover_mode": "clip", "offset": Offset(9, 0)},
    {"width": 100, "height": 300, "extension": Extension("box", "north", 0, 7)},
    {"angle": 33.3},
    {"ellipse": Ellipse(50, 30)},
    {"radius": 30, "radius_y": 60},
    {"width": 100, "height": 200, "fit": "letterbox", "background_fill": "blur"},
    {"padding": Padding(5, 5, 5, 5), "background_fill": "auto"},
    {"padding": Padding(5, 5, 5, 5), "radius": 9, "angle": 7.0, "margin_colour": "00ff0080"},
    {"watermark": Watermark("m", "south"), "watermark_layout": WatermarkLayout(0, 0, False, 0.5, 0.5)},
    {"watermark": Watermark("m", "south"), "watermark_layout": WatermarkLayout(5, 5, True)},
]


@pytest.mark.sample(25)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", ["jpeg", "jpeg grey", "png alpha", "png 16 bit", "tiff cmyk", "webp", "svg"])
def test_a_stream_gives_the_same_image(kind: str, shape: dict[str, Any]) -> None:
    data = sources()[kind]
    chunks: Iterator[bytes] = (data[at : at + 1000] for at in range(0, len(data), 1000))
    streamed = made(Source.from_stream(chunks, len(data)), mark=MARK, **shape)
    assert streamed.body == made(data, mark=MARK, **shape).body


@pytest.mark.sample(4)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_every_frame_is_shaped_alike(shape: dict[str, Any]) -> None:
    image = made(moving("WEBP"), format="webp", mark=MARK, **shape)
    assert image.frames == 4
    assert {frame.shape[:2] for frame in frames(image.body)} == {(image.height, image.width)}


@pytest.mark.sample(15)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    "shape",
    [
        {"crop_to": CropTo(120, 90, "northeast", dx=10, dy=5)},
        {"inset": Padding(10, 20, 30, 40), "width": 130},
        {"trim": 30, "trim_options": TrimOptions("", "southeast", "h")},
        {"trim": 30, "trim_options": TrimOptions("ffffff", "northwest", "v")},
        {"width": 120, "height": 60, "fit": "cover", "offset": Offset(0, 11)},
    ],
    ids=str,
)
def test_shapes_are_about_the_upright_image(orientation: int, shape: dict[str, Any]) -> None:
    framed = Image.new("RGB", (360, 300), "white")
    framed.paste(photo(), (30, 12))
    wanted = seen(made(saved(framed, "PNG"), **shape).body)
    found = seen(made(stored(framed, orientation), **shape).body)
    assert found.shape == wanted.shape
    assert apart(found, wanted) < 1


def stored(image: Image.Image, orientation: int) -> bytes:
    """``image`` as a PNG that EXIF turns upright."""
    back = {
        2: [Image.Transpose.FLIP_LEFT_RIGHT],
        3: [Image.Transpose.ROTATE_180],
        4: [Image.Transpose.FLIP_TOP_BOTTOM],
        5: [Image.Transpose.TRANSPOSE],
        6: [Image.Transpose.ROTATE_90],
        7: [Image.Transpose.TRANSVERSE],
        8: [Image.Transpose.ROTATE_270],
    }
    for step in back.get(orientation, []):
        image = image.transpose(step)
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(image, "PNG", exif=exif)


def test_what_is_not_to_be_turned_upright_is_not() -> None:
    body = stored(photo(), 6)
    assert np.array_equal(seen(made(body, orient=False).body), np.asarray(Image.open(io.BytesIO(body)).convert("RGB")))
    assert made(body, orient=False, width=120).height == 160
    lying = made(body, orient=False, crop=Crop("px", 0, 0, 10, 320))
    assert (lying.width, lying.height) == (10, 320)


def test_a_cut_by_attention_finds_what_draws_the_eye() -> None:
    scene = Image.new("RGB", (600, 200), (90, 120, 150))
    scene.paste(photo().resize((100, 75)), (450, 60))
    found = seen(made(saved(scene, "PNG"), crop_to=CropTo(150, 150, "attention")).body)
    assert found.shape == (150, 150, 3)
    assert found.std(axis=(0, 1)).min() > 20, "the photograph and not the flat rest"
    inset = made(saved(scene, "PNG"), crop_to=CropTo(150, 150, "attention"), inset=Padding(0, 200, 0, 0))
    assert seen(inset.body).std(axis=(0, 1)).max() == 0, "nothing is searched in what is cropped already"


def test_a_trim_takes_a_colour_or_a_corner() -> None:
    framed = Image.new("RGB", (100, 80), "white")
    framed.paste("black", (0, 0, 10, 80))
    framed.paste("red", (20, 25, 60, 45))
    body = saved(framed, "PNG")
    assert size(made(body, trim=10)) == (90, 80), "the first pixel is black"
    assert size(made(body, trim=10, trim_options=TrimOptions("", "southeast"))) == (60, 80), "the last one white"
    assert size(made(body, trim=10, trim_options=TrimOptions("000000"))) == (90, 80)
    assert size(made(body, trim=10, trim_options=TrimOptions("00ff00"))) == (100, 80)
    assert size(made(body, trim=10, trim_options=TrimOptions("", "southeast", "h"))) == (100, 80)
    nested = Image.new("L", (100, 80), 255)
    for left, level in ((10, 120), (20, 20)):
        nested.paste(level, (left, left, 90, 70))
    for threshold, wanted in ((134.5, (80, 60)), (135.5, (70, 50)), (234.5, (70, 50)), (0.5, (80, 60))):
        trimming = TrimOptions(level=threshold)
        assert size(made(saved(nested, "PNG"), trim=100, trim_options=trimming)) == wanted, threshold
    clear = saved(Image.new("RGBA", (100, 80), (0, 0, 0, 0)), "PNG")
    assert size(made(clear, trim=10, trim_options=TrimOptions("000000"))) == (100, 80), (
        "what is invisible has no colour"
    )


def test_a_trim_takes_what_is_transparent_for_a_colour_of_no_alpha() -> None:
    holed = Image.new("RGBA", (100, 80), (0, 0, 0, 0))
    holed.paste((0, 200, 0, 255), (20, 10, 60, 45))
    body = saved(holed, "PNG")
    assert size(made(body, trim=10, trim_options=TrimOptions("ff00ff00"))) == (40, 35)
    assert size(made(body, trim=10, trim_options=TrimOptions("ff00ff"))) == (100, 80)


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_cut_of_what_a_trim_leaves(orientation: int) -> None:
    framed = Image.new("RGB", (160, 120), "white")
    framed.paste(photo().resize((100, 80)), (20, 30))
    exif = Image.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    framed.save(out, "PNG", exif=exif)
    upright = {1: framed, 3: framed.rotate(180), 6: framed.rotate(-90, expand=True)}[orientation]
    left, top = {1: (20, 30), 3: (40, 10), 6: (10, 20)}[orientation]
    options: dict[str, Any] = {"trim": 10, "trim_first": True}
    found = seen(made(out.getvalue(), crop_to=CropTo(30, 20, "northwest", dx=5, dy=6), **options).body)
    wanted = np.asarray(upright.crop((left + 5, top + 6, left + 35, top + 26)))
    assert np.array_equal(found, wanted)
    assert seen(made(out.getvalue(), crop_to=CropTo(30, 20, "attention"), **options).body).shape == (20, 30, 3)
    plain = saved(Image.new("RGB", (160, 120), "white"), "PNG")
    assert size(made(plain, crop_to=CropTo(30, 20), **options)) == (30, 20), "where nothing is trimmed too"


def test_a_mark_that_comes_last_lies_on_the_margins() -> None:
    options: dict[str, Any] = {"padding": Padding(30, 50, 30, 50), "background": "0000ff", "mark": MARK}
    options |= {"watermark": Watermark("m", "northwest"), "watermark_layout": WatermarkLayout(5, 6)}
    last = rgba(made(PHOTO, **options, watermark_last=True).body)
    assert tuple(last[6, 5]) == tuple(last[25, 44]) == (255, 0, 0, 255)
    assert tuple(last[5, 5]) == tuple(last[26, 44]) == (0, 0, 255, 255)
    inside = rgba(made(PHOTO, **options).body)
    assert tuple(inside[6, 5]) == (0, 0, 255, 255)
    assert tuple(inside[36, 55]) == (255, 0, 0, 255)


@pytest.mark.parametrize(("axes", "wanted"), [("", (40, 20)), ("h", (60, 20)), ("v", (40, 32)), ("hv", (60, 32))])
def test_both_sides_lose_as_much_as_the_one_that_loses_less(axes: str, wanted: tuple[int, int]) -> None:
    framed = Image.new("RGB", (100, 80), "white")
    framed.paste("red", (20, 36, 60, 56))
    assert size(made(saved(framed, "PNG"), trim=10, trim_options=TrimOptions("", "northwest", axes))) == wanted


def size(image: Any) -> tuple[int, int]:
    assert opened(image.body).size == (image.width, image.height)
    return image.width, image.height


@pytest.mark.parametrize("degrees", [12.5, 45, 200])
def test_a_turn_is_clockwise_about_the_middle(degrees: float) -> None:
    found = rgba(made(PHOTO, angle=degrees).body)
    height, width = found.shape[:2]
    wide = Image.new("RGBA", (width, height), (0, 0, 0, 0))
    left, top = (width - 320) / 2, (height - 240) / 2
    # Pillow turns counter-clockwise; half a pixel of place is made up for in the transform.
    wide.paste(photo(), (int(left), int(top)))
    turned = wide.rotate(
        -degrees, Image.Resampling.BICUBIC, center=(int(left) + 160, int(top) + 120),
        translate=(left - int(left), top - int(top)),
    )  # fmt: skip
    inside = np.asarray(turned)[..., 3] == 255
    assert inside.sum() > 0.85 * 320 * 240
    assert (
        alike(
            np.where(inside[..., None], found[..., :3], 0), np.where(inside[..., None], np.asarray(turned)[..., :3], 0)
        )
        > 0.97
    )
    assert found[0, 0, 3] == found[-1, -1, 3] == 0


def test_a_turned_edge_keeps_its_colour() -> None:
    flat = saved(Image.new("RGB", (80, 60), (200, 100, 50)), "PNG")
    found = rgba(made(flat, angle=20).body)
    shown = found[..., 3] > 8
    assert np.abs(found[shown][:, :3].astype(int) - (200, 100, 50)).max() <= 6
    assert ((found[..., 3] > 0) & (found[..., 3] < 255)).any(), "smooth"
    white = seen(made(flat, angle=20, format="jpeg", quality=100).body)
    assert white[0, 0].min() > 250
    blue = seen(made(flat, angle=20, format="png", background="0000ff").body)
    assert blue[0, 0].tolist() == [0, 0, 255]


def test_a_turn_of_sixteen_bits_is_that_of_eight() -> None:
    assert apart(seen(made(sixteen_bit(), angle=10).body), seen(made(PHOTO, angle=10).body)) < 0.6


def test_an_image_stands_in_its_extension() -> None:
    found = rgba(made(PHOTO, width=400, height=300, extension=Extension("box", "southwest", 10, 0.1)).body)
    assert found.shape == (300, 400, 4)
    assert np.array_equal(found[30:270, 10:330, :3], BEFORE)
    rest = found.copy()
    rest[30:270, 10:330] = 0
    assert not rest.any()
    padded = rgba(
        made(PHOTO, width=400, height=300, extension=Extension("box", "north"), padding=Padding(1, 2, 3, 4)).body
    )
    assert padded.shape == (304, 406, 4)
    assert np.array_equal(padded[1:241, 44:364, :3], BEFORE)


def test_an_ellipse_is_all_that_is_left() -> None:
    found = rgba(made(PHOTO, ellipse=Ellipse()).body)
    assert found.shape == (240, 240, 4), "the circle of the shorter side, cut to its bounds"
    y, x = np.mgrid[0:240, 0:240] + 0.5 - 120
    distance = np.hypot(x, y)
    assert (found[distance < 119, 3] == 255).all()
    assert (found[distance > 121, 3] == 0).all()
    assert np.array_equal(found[60:180, 60:180, :3], BEFORE[60:180, 100:220])
    oval = rgba(made(CUTOUT, ellipse=Ellipse(100, 50, 160, 40)).body)
    assert oval.shape == (90, 200, 4)
    assert oval[0, 100, 3] == rgba(CUTOUT)[0, 160, 3]
    assert oval[89, 0, 3] == 0


def test_an_ellipses_edge_is_as_smooth_as_it_is_drawn_large() -> None:
    """Coverage against the same ellipse at eight times the size, averaged."""
    flat = saved(Image.new("RGB", (120, 80), "red"), "PNG")
    found = rgba(made(flat, ellipse=Ellipse(50, 25)).body)[..., 3]
    large = Image.new("L", (800, 400), 0)
    ImageDraw.Draw(large).ellipse((0, 0, 799, 399), fill=255)
    wanted = np.asarray(large.resize((100, 50), Image.Resampling.BOX)).astype(int)
    assert np.abs(found - wanted).max() < 40
    assert np.abs(found - wanted).mean() < 1


def test_corners_may_be_elliptic() -> None:
    flat = saved(Image.new("RGB", (200, 100), "red"), "PNG")
    found = rgba(made(flat, radius=60, radius_y=20).body)[..., 3]
    large = Image.new("L", (1600, 800), 255)
    ImageDraw.Draw(large).rectangle((0, 0, 479, 159), fill=0)
    ImageDraw.Draw(large).ellipse((0, 0, 959, 319), fill=255)
    wanted = np.asarray(large.resize((200, 100), Image.Resampling.BOX)).astype(int)
    assert np.abs(found[:50, :100] - wanted[:50, :100]).max() < 40
    assert np.array_equal(found, found[::-1, ::-1])
    assert np.array_equal(rgba(made(flat, radius=30, radius_y=30).body), rgba(made(flat, radius=30).body))
    assert rgba(made(flat, radius=900, radius_y=30).body)[0, 99, 3] > 200, "no more than half of a side"


def test_a_backdrop_is_the_image_out_of_focus() -> None:
    found = seen(made(PHOTO, width=320, height=480, fit="letterbox", background_fill="blur").body)
    assert np.array_equal(found[120:360], BEFORE)
    assert opened(made(PHOTO, width=320, height=480, fit="letterbox", background_fill="blur").body).mode == "RGB"
    behind = found[:120].astype(float)
    assert np.abs(np.diff(behind, axis=1)).max() <= 3, "smooth"
    middle = BEFORE[:, 80:240].mean(axis=(0, 1))
    assert np.abs(found[[*range(120), *range(360, 480)]].mean(axis=(0, 1)) - middle).max() < 40, "its colours"


def test_a_backdrop_may_be_the_mean_colour() -> None:
    found = seen(made(PHOTO, padding=Padding(10, 0, 0, 0), background_fill="auto", background="00ff00").body)
    assert np.abs(found[5, 5] - BEFORE.mean(axis=(0, 1))).max() <= 1
    visible = rgba(CUTOUT)
    weights = visible[..., 3:] / 255
    wanted = (visible[..., :3] * weights).sum(axis=(0, 1)) / weights.sum()
    assert np.abs(seen(made(CUTOUT, background_fill="autoall").body)[0, 0] - wanted).max() <= 1, "of what shows"
    assert (
        seen(made(saved(Image.new("RGBA", (9, 9), (0, 0, 0, 0)), "PNG"), background_fill="autoall").body).min() == 255
    )
    own = rgba(made(CUTOUT, background_fill="auto", padding=Padding(1, 2, 3, 4)).body)
    assert np.array_equal(own[1:-3, 4:-2, 3], visible[..., 3])
    assert np.abs(own[0] - [*wanted, 255]).max() <= 1


@pytest.mark.parametrize(
    ("stamp", "position", "box"),
    [
        (WatermarkLayout(), "northwest", (0, 0, 40, 20)),
        (WatermarkLayout(10, 5), "northwest", (10, 5, 50, 25)),
        (WatermarkLayout(10, 5), "southeast", (270, 215, 310, 235)),
        (WatermarkLayout(0.1, -0.25), "center", (172, 50, 212, 70)),
        (WatermarkLayout(0, 0, False, 0.5, 0.5), "north", (80, 0, 240, 80)),
        (WatermarkLayout(0, 0, False, 0, 0.5), "north", (40, 0, 280, 120)),
        (WatermarkLayout(0, 0, False, 0.25, 0), "south", (120, 200, 200, 240)),
        (WatermarkLayout(-20, -10), "northwest", (0, 0, 20, 10)),
        (WatermarkLayout(-30, 0), "southeast", (310, 220, 320, 240)),
        (WatermarkLayout(-500, 0), "west", (0, 110, 1, 130)),
    ],
)
def test_a_watermark_is_at_its_position(stamp: WatermarkLayout, position: str, box: tuple[int, int, int, int]) -> None:
    white = saved(Image.new("RGB", (320, 240), "white"), "PNG")
    found = seen(made(white, mark=MARK, watermark=Watermark("m", position), watermark_layout=stamp).body)
    wanted = Image.new("RGB", (320, 240), "white")
    wanted.paste("red", box)
    assert apart(found, np.asarray(wanted)) < 0.2


def test_tiles_begin_in_the_middle_with_room_between() -> None:
    white = saved(Image.new("RGB", (320, 240), "white"), "PNG")
    stamp = WatermarkLayout(10, 4, tiled=True)
    found = seen(made(white, mark=MARK, watermark=Watermark("m"), watermark_layout=stamp).body)
    red = (found == (255, 0, 0)).all(axis=2)
    assert red[120, 160]
    assert np.array_equal(red[:, 50:], red[:, :-50]), "every 40 + 10 px"
    assert np.array_equal(red[24:], red[:-24]), "every 20 + 4 px"
    assert 0.6 < red.mean() < 0.72, "40 · 20 of 50 · 24"


def test_a_mark_that_is_larger_than_the_image_is_cut() -> None:
    small = saved(Image.new("RGB", (20, 10), "white"), "PNG")
    found = seen(
        made(small, mark=MARK, watermark=Watermark("m", "center", 50), watermark_layout=WatermarkLayout()).body
    )
    assert np.abs(found.astype(int) - (255, 127, 127)).max() <= 1


def test_a_face_alone() -> None:
    face = Region(0.25, 0.25, 0.25, 0.5)
    image = made(PHOTO, known=known(face), face_crop=FaceCrop(0, 10))
    assert np.array_equal(seen(image.body), BEFORE[50:190, 70:170])
    small = made(PHOTO, known=known(face), face_crop=FaceCrop(0, 10), width=50)
    assert (small.width, small.height) == (50, 70)
    assert made(PHOTO, face_crop=FaceCrop(0, 10)).width == 320, "while none is known, all of it"


def test_a_zoom_to_the_face() -> None:
    face = Region(0.25, 0.25, 0.25, 0.25)
    options = {"width": 50, "height": 50, "fit": "cover", "gravity": Gravity("face")}
    far, near = (seen(made(PHOTO, known=known(face), face_zoom=zoom, **options).body) for zoom in (0.0, 1.0))
    assert far.shape == near.shape == (50, 50, 3)
    alone = np.asarray(Image.fromarray(BEFORE[50:130, 80:160]).resize((50, 50), Image.Resampling.LANCZOS))
    assert alike(near, alone) > 0.95
    assert alike(far, alone) < 0.6


def test_a_face_is_found_in_stored_orientation() -> None:
    face = Region(0.25, 0.25, 0.25, 0.5)
    lying = made(stored(photo(), 6), known=known(face), face_crop=FaceCrop(), orient=False)
    upright = seen(made(PHOTO, known=known(face), face_crop=FaceCrop()).body)
    assert np.array_equal(np.rot90(seen(lying.body), -1), upright)


def test_a_redacted_image_is_upright() -> None:
    face = Region(0.4, 0.4, 0.2, 0.2)
    hidden = made(stored(photo(), 6), known=known(face), redact="faces", orient=False)
    assert np.array_equal(seen(hidden.body), seen(made(PHOTO, known=known(face), redact="faces").body))
    within = made(stored(photo(), 6), known=known(face), redact="faces", crop_to=CropTo(200, 200, "attention"))
    assert (seen(within.body).max(axis=2) == 0).sum() > 0.2 * 0.2 * 320 * 240 * 0.9, "covered before it is analysed"
