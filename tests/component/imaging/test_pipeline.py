"""Plans in pixels: orientation, crop, trim, resize, cover, margins, corners, background, watermark."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from PIL import Image, ImageDraw

from darkroom.errors import BadOption, DarkroomError
from darkroom.imaging.render.steps import DECODE_STEPS, EDIT_STEPS
from darkroom.plan.model import Crop, Gravity, Padding, Watermark
from tests.images.photographs import photograph
from tests.images.rendering import alike, apart, made, opened, rgba, seen
from tests.images.sources import SVG, cutout, photo, saved

ORIENTATIONS = range(1, 9)
RED, LIME, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def turned(orientation: int) -> bytes:
    """The photograph as a JPEG that is stored turned, with its EXIF tag."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = photo().transpose(undo[orientation]) if orientation in undo else photo()
    exif = Image.Exif()
    exif[0x0112] = orientation
    return saved(stored, "JPEG", quality=95, subsampling=0, exif=exif)


def quarters() -> Image.Image:
    """120×80 in four colours: red, lime; blue, white."""
    image = Image.new("RGB", (120, 80), RED)
    draw = ImageDraw.Draw(image)
    draw.rectangle((60, 0, 119, 39), fill=LIME)
    draw.rectangle((0, 40, 59, 79), fill=BLUE)
    draw.rectangle((60, 40, 119, 79), fill=WHITE)
    return image


QUARTERS = saved(quarters(), "PNG")


def test_the_order_of_work_is_the_documented_one() -> None:
    names = [step.__name__ for step in (*DECODE_STEPS, *EDIT_STEPS)]
    order = [
        *("crop", "convert_cmyk", "redact", "crop_to_attention", "trim", "resize", "crop_to_cover", "materialise"),
        *(
            "auto_orient",
            "convert_to_srgb",
            "cut_out",
            "enhance",
            "darken_red_eyes",
            "rotate_and_flip",
            "rotate_free",
            "apply_median",
            "denoise",
            "equalise_locally",
        ),
        *(
            "equalise_histogram",
            "apply_threshold",
            "apply_curves",
            "apply_colour_matrix",
            "adjust_tone",
            "modulate_lch",
            "convolve",
            "blur",
        ),
        *(
            "sharpen",
            "pixelate",
            "add_noise",
            "add_watermark",
            "add_second_watermark",
            "normalise_late",
            "equalise_in_window",
            "tint",
        ),
        *(
            "apply_colour_matrix",
            "change_alpha",
            "round_corners",
            "crop_to_ellipse",
            "add_margins",
            "fill_from_image",
            "fill_background",
            "add_watermark_last",
            "overlay_nine_patch",
            "run_plugins",
            "finalise",
        ),
    ]
    assert names == order


@pytest.mark.sample(2)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_every_orientation_comes_out_upright(orientation: int) -> None:
    upright = np.asarray(photo().resize((160, 120), Image.Resampling.LANCZOS))
    assert alike(seen(made(turned(orientation), width=160).body), upright) > 0.97


@pytest.mark.parametrize("form", ["jpeg", "png", "webp", "avif", "gif"])
def test_no_output_has_an_orientation_tag(form: str) -> None:
    """libvips' AVIF saver writes ``irot`` for an orientation in an image's metadata; a viewer would turn it again."""
    image = opened(made(turned(6), format=form, width=160).body)
    assert 0x0112 not in image.getexif()
    assert alike(np.asarray(image.convert("RGB")), np.asarray(photo().resize((160, 120)))) > 0.75


@pytest.mark.sample(5)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize(
    "options",
    [
        {"crop": Crop("px", 40, 20, 100, 60)},
        {"crop": Crop("pct", 10, 20, 50, 30), "width": 80},
        {"width": 50, "height": 100, "fit": "cover", "gravity": Gravity("northwest")},
        {"width": 100, "height": 40, "fit": "cover", "gravity": Gravity("fp", 0.2, 0.9), "rotate": 90},
        {"width": 60, "height": 60, "fit": "fill", "flip": "h"},
    ],
)
def test_geometry_is_about_the_upright_image(orientation: int, options: dict[str, object]) -> None:
    """The same region is returned for any stored orientation."""
    assert alike(seen(made(turned(orientation), **options).body), seen(made(turned(1), **options).body)) > 0.93


def test_rotation_is_clockwise_and_before_the_mirror() -> None:
    corners = seen(made(QUARTERS, rotate=90).body)
    assert [tuple(corners[y, x].tolist()) for y, x in ((5, 5), (5, 75), (115, 5), (115, 75))] == [
        BLUE,
        RED,
        WHITE,
        LIME,
    ]
    mirrored = seen(made(QUARTERS, rotate=90, flip="h").body)
    assert np.array_equal(mirrored, corners[:, ::-1])


def test_crop_comes_before_the_resize() -> None:
    assert tuple(seen(made(QUARTERS, crop=Crop("px", 60, 0, 60, 40), width=30).body)[10, 15]) == LIME
    clipped = made(QUARTERS, crop=Crop("px", 110, 70, 500, 500))
    assert (clipped.width, clipped.height) == (10, 10)
    with pytest.raises(BadOption, match="120 × 80"):
        made(QUARTERS, crop=Crop("px", 120, 0, 5, 5))


@pytest.mark.sample(3)
@pytest.mark.parametrize("width", [64, 100, 255, 500])
def test_resizing_is_as_good_as_lanczos_in_pillow(width: int) -> None:
    source = photograph().resize((1500, 1500), Image.Resampling.LANCZOS)
    for body in (
        saved(source, "PNG", compress_level=1),
        saved(source, "JPEG", quality=95),
        saved(source, "WEBP", quality=95),
    ):
        wanted = np.asarray(source.resize((width, width), Image.Resampling.LANCZOS))
        assert alike(seen(made(body, width=width).body), wanted) > 0.97


@pytest.mark.parametrize("width", [30, 90, 137])
def test_no_dark_fringe_at_alpha_edges(width: int) -> None:
    """White on nothing that is black: no visible pixel may become grey."""
    disc = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    ImageDraw.Draw(disc).ellipse((20, 20, 280, 280), fill=(255, 255, 255, 255))
    for body in (saved(disc, "PNG"), saved(disc, "WEBP", lossless=True, exact=True)):
        pixels = rgba(made(body, width=width).body)
        visible = pixels[pixels[..., 3] > 8]
        assert visible[:, :3].min() >= 250
        assert np.count_nonzero((pixels[..., 3] > 8) & (pixels[..., 3] < 247)) > 0, "the edge is smooth"
        assert seen(made(body, width=width, format="jpeg").body).min() > 240


def test_fits() -> None:
    for fit, size in (("contain", (40, 27)), ("cover", (40, 40)), ("fill", (40, 40)), ("letterbox", (40, 40))):
        image = made(QUARTERS, width=40, height=40, fit=fit)
        assert (image.width, image.height) == size == opened(image.body).size
    squeezed = seen(made(QUARTERS, width=40, height=40, fit="fill").body)
    assert [tuple(squeezed[y, x].tolist()) for y, x in ((5, 5), (5, 35), (35, 5), (35, 35))] == [RED, LIME, BLUE, WHITE]


def test_letterbox_and_padding_are_transparent_where_they_can_be() -> None:
    boxed = rgba(made(QUARTERS, width=60, height=60, fit="letterbox", padding=Padding(1, 2, 3, 4)).body)
    assert boxed.shape[:2] == (64, 66)
    assert boxed[:11, :, 3].max() == 0 == boxed[-13:, :, 3].max()
    assert boxed[11:51, 4:64, 3].min() == 255
    assert boxed[:, :4, 3].max() == 0 == boxed[:, -2:, 3].max()


def test_margins_take_bg_and_are_white_in_jpeg() -> None:
    options = {"width": 60, "height": 60, "fit": "letterbox"}
    assert tuple(seen(made(QUARTERS, background="336699", **options).body)[2, 2]) == (0x33, 0x66, 0x99)
    assert opened(made(QUARTERS, background="336699", **options).body).mode == "RGB"
    assert seen(made(QUARTERS, format="jpeg", **options).body)[:2].min() > 240
    translucent = rgba(made(QUARTERS, background="33669980", **options).body)
    assert translucent[2, 2].tolist() == [0x33, 0x66, 0x99, 0x80]
    assert translucent[20, 10].tolist() == [255, 0, 0, 255]
    on_white = seen(made(QUARTERS, background="00000080", format="jpeg", **options).body)[2, 2]
    assert np.abs(on_white.astype(int) - 127).max() <= 5


def test_radius_cuts_smooth_corners() -> None:
    alpha = rgba(made(saved(Image.new("RGB", (100, 60), RED), "PNG"), radius=20).body)[..., 3].astype(int)
    assert alpha[0, 0] == alpha[0, -1] == alpha[-1, 0] == alpha[-1, -1] == 0
    assert alpha[0, 25:75].min() == alpha[25:35, 0].min() == alpha[30, 50] == 255
    assert np.array_equal(alpha, alpha[::-1]) and np.array_equal(alpha, alpha[:, ::-1])
    cut = (255 - alpha).sum() / 255
    assert cut == pytest.approx((4 - np.pi) * 20**2, rel=0.02)
    circle = rgba(made(saved(Image.new("RGB", (80, 80), RED), "PNG"), radius=4096).body)[..., 3]
    assert circle.sum() / 255 == pytest.approx(np.pi * 40**2, rel=0.01)


def test_corners_have_the_background() -> None:
    source = saved(Image.new("RGB", (60, 60), RED), "PNG")
    assert tuple(seen(made(source, radius=20, background="0000ff").body)[0, 0]) == BLUE
    assert np.abs(seen(made(source, radius=20, format="jpeg").body)[0, 0].astype(int) - 255).max() < 12


def test_background_lies_behind_transparency() -> None:
    pixels = seen(made(saved(cutout(), "PNG"), background="00ff00").body)
    assert tuple(pixels[3, 3]) == LIME
    assert apart(pixels[100:140, 140:180], np.asarray(photo())[100:140, 140:180]) == 0


def framed(colour: tuple[int, ...], mode: str = "RGB") -> Image.Image:
    image = Image.new(mode, (200, 150), colour)
    image.paste(photo().resize((80, 60)), (30, 50))
    return image


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_trim_cuts_the_border(orientation: int) -> None:
    stored = framed((240, 240, 240))
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = stored.transpose(back[orientation]) if orientation in back else stored
    image = made(saved(stored, "PNG", exif=exif), trim=10)
    assert (image.width, image.height) == (80, 60)
    assert alike(seen(image.body), np.asarray(photo().resize((80, 60)))) > 0.99


def test_trim_comes_before_the_resize_and_never_enlarges() -> None:
    source = saved(framed((240, 240, 240)), "PNG")
    assert (made(source, trim=10, width=40).width, made(source, trim=10, width=40).height) == (40, 30)
    assert made(source, trim=10, width=120).width == 80
    assert made(source, trim=10, crop=Crop("px", 0, 0, 70, 150)).width == 40


def test_trim_takes_a_transparent_border_whatever_its_hidden_colour() -> None:
    dark = Image.new("RGBA", (200, 150), (0, 0, 0, 0))
    dark.paste(Image.new("RGBA", (80, 60), (0, 0, 0, 255)), (30, 50))
    image = made(saved(dark, "PNG"), trim=10)
    assert (image.width, image.height) == (80, 60)


def test_trim_leaves_an_image_of_one_colour() -> None:
    assert made(saved(Image.new("RGB", (50, 40), RED), "PNG"), trim=10).width == 50


def test_attention_and_entropy_find_the_busy_part() -> None:
    empty = Image.new("RGB", (600, 200), (120, 120, 120))
    empty.paste(photo().resize((200, 150)), (390, 20))
    for gravity, orientation in itertools.product(("attention", "entropy"), (1, 6, 3)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        back = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90}
        stored = empty.transpose(back[orientation]) if orientation in back else empty
        found = made(saved(stored, "PNG", exif=exif), width=200, height=200, fit="cover", gravity=Gravity(gravity))
        assert seen(found.body).std() > 40, (gravity, orientation)


MARK = saved(Image.new("RGBA", (40, 20), (255, 0, 0, 255)), "PNG")
GREY = saved(Image.new("RGB", (200, 100), (100, 100, 100)), "PNG")


@pytest.mark.parametrize(
    ("position", "box"),
    [
        ("northwest", (2, 2)),
        ("north", (75, 2)),
        ("east", (148, 38)),
        ("center", (75, 38)),
        ("southeast", (148, 73)),
        ("southwest", (2, 73)),
    ],
)
def test_watermark_is_placed_at_its_position(position: str, box: tuple[int, int]) -> None:
    pixels = seen(stamped(GREY, MARK, Watermark("m", position)))
    rows, columns = np.nonzero(pixels[..., 0] > 200)
    assert (columns.min(), rows.min(), columns.max() - columns.min() + 1, rows.max() - rows.min() + 1) == (*box, 50, 25)


def stamped(source: bytes, mark: bytes, wanted: Watermark) -> bytes:
    return made(source, mark=mark, watermark=wanted).body


def test_watermark_opacity_scale_and_kinds() -> None:
    half = seen(stamped(GREY, MARK, Watermark("m", "center", 50, 50)))
    assert np.abs(half[50, 100].astype(int) - (177, 50, 50)).max() <= 1
    assert np.count_nonzero(half[50, :, 0] > 150) == 100
    for mark in (SVG, saved(cutout(), "WEBP"), saved(photo(), "JPEG"), saved(photo().convert("L"), "PNG")):
        assert apart(seen(stamped(GREY, mark, Watermark("m", "center", 100, 40))), seen(GREY)) > 2


def test_a_watermark_fits_any_image() -> None:
    tall = saved(Image.new("RGB", (10, 900), RED), "PNG")
    for source, mark in ((GREY, tall), (tall, MARK), (saved(Image.new("RGB", (3, 2), BLUE), "PNG"), tall)):
        assert opened(stamped(source, mark, Watermark("m", "south", 100, 100))).size == opened(source).size


def test_a_watermark_on_grey_and_on_transparency() -> None:
    pixels = rgba(stamped(saved(cutout().convert("LA"), "PNG"), MARK, Watermark("m", "northwest", 100, 20)))
    assert pixels[10, 10].tolist() == [255, 0, 0, 255]
    assert pixels[3, 310, 3] == 0


def test_a_watermark_that_is_no_image_is_a_fault() -> None:
    with pytest.raises(DarkroomError) as fault:
        stamped(GREY, b"nothing", Watermark("m"))
    assert (fault.value.status, "m" in fault.value.detail) == (500, True)


def test_upscaling_only_when_requested() -> None:
    assert made(QUARTERS, width=240).width == 120
    large = made(QUARTERS, width=240, upscale=True)
    assert (large.width, large.height) == (240, 160)
    assert tuple(seen(large.body)[20, 200]) == LIME


def test_one_pixel_images_go_through_everything() -> None:
    dot = saved(Image.new("RGB", (1, 1), RED), "PNG")
    options = {"blur": 2.0, "sharpen": 1.0, "denoise": 3, "equalise": True, "trim": 5, "radius": 1, "rotate": 90}
    for form in ("png", "jpeg", "webp", "avif", "gif"):
        assert opened(made(dot, format=form, width=5, **options).body).size == (1, 1)
