"""The steps that crop, rotate, extend and mask: exact pixels by numpy."""

from __future__ import annotations

import numpy as np
import pytest
import pyvips

from darkroom.imaging.render import context as context_module
from darkroom.imaging.render.context import RenderContext
from darkroom.imaging.render.steps import common as cover_step
from darkroom.imaging.render.steps import trim as cut_step
from darkroom.imaging.render.steps.common import (
    add_margins,
    auto_orient,
    crop,
    crop_to_cover,
    finalise,
    materialise,
    resize,
    rotate_and_flip,
    rotate_free,
)
from darkroom.imaging.render.steps.fill import fill_background, fill_from_image
from darkroom.imaging.render.steps.shape import crop_to_ellipse, round_corners
from darkroom.imaging.render.steps.trim import crop_to_attention
from darkroom.plan.geometry.layout import Box, Size
from darkroom.plan.model import Convolution, Crop, Ellipse, Extension, Gravity, Padding
from tests.images.steps import Array, apply_step, build_context, build_image, draw_noise, find_step, read_pixels

SIZES = [(20, 30), (21, 30), (20, 31), (21, 31)]


def compute_coverage(height: int, width: int, across: float, down: float) -> Array:
    """Compute how much of each pixel lies within rounded corners with these radii, from 0 to 1."""
    y, x = (np.arange(side) + 0.5 - side / 2 for side in (height, width))
    beyond_x, beyond_y = np.meshgrid(
        np.maximum(0, abs(x) - (width / 2 - across)), np.maximum(0, abs(y) - (height / 2 - down))
    )
    if across == down:
        return np.clip(across + 0.5 - np.hypot(beyond_x, beyond_y), 0, 1)
    return compute_ellipse(beyond_x, beyond_y, across, down)


def compute_ellipse(x: Array, y: Array, across: float, down: float) -> Array:
    """Compute the coverage of an ellipse by the first-order distance from its edge."""
    off = (x / across) ** 2 + (y / down) ** 2 - 1
    return np.clip(0.5 - off / (2 * np.hypot(x / across**2, y / down**2) + 1e-9), 0, 1)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "radii", [(1, 0), (3, 0), (7, 7), (10, 0), (99, 0), (3, 8), (99, 4), (5, 99), (99, 98), (99, 99), (1, 2)]
)
@pytest.mark.parametrize("alpha", [None, 200])
def test_corners_are_arcs_of_their_radii(size: tuple[int, int], radii: tuple[int, int], alpha: int | None) -> None:
    pixels = draw_noise(*size, 4)[..., : 3 if alpha is None else 4]
    if alpha is not None:
        pixels[..., 3] = alpha
    found = apply_step(round_corners, pixels, radius=radii[0], radius_y=radii[1])
    if not radii[1]:
        across = down = min(radii[0], *(side / 2 for side in size))
    else:
        across, down = min(radii[0], size[1] / 2), min(radii[1], size[0] / 2)
    wanted = compute_coverage(*size, across, down) * (alpha or 255)
    assert np.array_equal(found[..., :3], pixels[..., :3])
    assert np.abs(found[..., 3] - wanted).max() <= 0.51
    assert (found[..., 3] == np.rint(wanted)).mean() > 0.95


def test_corners_of_sixteen_bits_and_without_radius() -> None:
    found = apply_step(round_corners, np.full((9, 9, 3), 65_535, np.uint16), radius=4)
    assert found[4, 4, 3] == 65_535
    assert np.abs(found[..., 3] - compute_coverage(9, 9, 4, 4) * 65_535).max() <= 1
    work = build_context(draw_noise(9, 9, 3), radius=0, radius_y=5)
    find_step(round_corners)(work)
    assert not work.touched


@pytest.mark.parametrize(
    "ellipse", [Ellipse(), Ellipse(8, 5), Ellipse(5, 8, 9, 7), Ellipse(20, 3, 2, 18), Ellipse(6, 6)]
)
@pytest.mark.parametrize("size", SIZES)
def test_an_ellipse_is_cut_out(size: tuple[int, int], ellipse: Ellipse) -> None:
    height, width = size
    pixels = draw_noise(height, width, 3)
    work = build_context(pixels, ellipse=ellipse)
    crop_to_ellipse(work)
    found = read_pixels(work.frames[0])
    middle_x, middle_y = ellipse.x or width / 2, ellipse.y or height / 2
    across, down = ellipse.rx or min(size) / 2, ellipse.ry or min(size) / 2
    y, x = np.mgrid[:height, :width] + 0.5
    wanted = compute_ellipse(x - middle_x, y - middle_y, across, down) * 255
    bounds = work.geometry.ellipse
    assert bounds is not None
    inside = (slice(bounds.top, bounds.top + bounds.height), slice(bounds.left, bounds.left + bounds.width))
    assert np.array_equal(found[..., :3], pixels[inside])
    assert np.abs(found[..., 3] - wanted[inside]).max() <= 0.51


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("angle", "turns"), [(90.0, -1), (180.0, 2), (270.0, 1), (-90.0, 1)])
@pytest.mark.parametrize("bands", [1, 3, 4])
def test_a_tilt_by_right_angles_is_exact(size: tuple[int, int], angle: float, turns: int, bands: int) -> None:
    pixels = draw_noise(*size, bands)
    if bands == 4:
        pixels[..., 3] = 255
    found = apply_step(rotate_free, pixels, angle=angle)
    wanted = np.rot90(pixels, turns)
    assert found.shape[:2] == wanted.shape[:2]
    assert np.array_equal(found[..., : 3 if bands == 4 else bands], wanted[..., : 3 if bands == 4 else bands])
    assert (found[..., -1] == 255).all()


@pytest.mark.parametrize("alpha", [51, 128])
def test_a_tilt_weights_colours_by_alpha(alpha: int) -> None:
    pixels = np.full((12, 16, 4), (200, 100, 50, alpha), np.uint8)
    pixels[:, :8] = (0, 255, 0, 0)
    found = apply_step(rotate_free, pixels, angle=90.0)
    assert (found[:8, :, 3] == 0).all()
    assert np.abs(found[8:].astype(int) - (200, 100, 50, alpha)).max() <= 1
    inclined = apply_step(rotate_free, pixels, angle=30.0)
    visible = inclined[..., 3] >= alpha
    assert visible.sum() > 60
    assert np.abs(inclined[visible][:, :3].astype(int) - (200, 100, 50)).max() <= 2


@pytest.mark.parametrize("size", [(20, 30), (21, 31)])
def test_a_tilt_turns_about_the_middle(size: tuple[int, int]) -> None:
    """A disc in the middle stays there, and corners become transparent."""
    height, width = size
    y, x = np.mgrid[:height, :width]
    ramp = np.zeros((*size, 3), np.uint8)
    ramp[..., 0] = np.clip(100 + 4 * (x - (width - 1) / 2), 0, 255)
    ramp[..., 1] = np.clip(100 + 4 * (y - (height - 1) / 2), 0, 255)
    work = build_context(ramp, angle=30.0)
    rotate_free(work)
    found = read_pixels(work.frames[0]).astype(float)
    assert found.shape[:2] == (work.geometry.angled_size.height, work.geometry.angled_size.width)
    assert not found[[0, 0, -1, -1], [0, -1, 0, -1]].any()
    y, x = np.mgrid[: found.shape[0], : found.shape[1]]
    x, y = x - (found.shape[1] - 1) / 2, y - (found.shape[0] - 1) / 2
    inner = np.hypot(x, y) < 8
    cos, sin = np.sqrt(0.75), 0.5
    assert np.abs(found[..., 0] - (100 + 4 * (x * cos + y * sin)))[inner].max() <= 1.6
    assert np.abs(found[..., 1] - (100 + 4 * (y * cos - x * sin)))[inner].max() <= 1.6
    assert (found[inner][:, 3] == 255).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientations_are_undone(orientation: int) -> None:
    pixels = draw_noise(6, 9, 3)
    upright = {
        2: pixels[:, ::-1],
        3: pixels[::-1, ::-1],
        4: pixels[::-1],
        5: pixels.transpose(1, 0, 2),
        6: np.rot90(pixels, -1),
        7: pixels[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(pixels),
    }.get(orientation, pixels)
    work = build_context(pixels, orientation=orientation)
    auto_orient(work)
    assert np.array_equal(read_pixels(work.frames[0]), upright)
    assert work.touched == (orientation != 1)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", ["none", "h"])
def test_a_turn_rotates_clockwise_and_then_mirrors(rotate: int, flip: str) -> None:
    pixels = draw_noise(6, 9, 3)
    wanted = np.rot90(pixels, -rotate // 90)
    work = build_context(pixels, rotate=rotate, flip=flip)
    rotate_and_flip(work)
    assert np.array_equal(read_pixels(work.frames[0]), wanted[:, ::-1] if flip == "h" else wanted)
    assert work.touched == bool(rotate or flip == "h")


def test_a_crop_keeps_its_box() -> None:
    pixels = draw_noise(12, 20, 3)
    assert np.array_equal(apply_step(crop, pixels, crop=Crop("px", 3, 2, 9, 7)), pixels[2:9, 3:12])
    work = build_context(pixels, crop=Crop("px", 0, 0, 20, 12))
    crop(work)
    assert not work.touched


def test_a_resize_to_the_same_size_changes_nothing() -> None:
    work = build_context(draw_noise(12, 20, 3), width=20)
    resize(work)
    assert not work.touched
    assert apply_step(resize, draw_noise(12, 20, 3), width=10).shape == (6, 10, 3)


@pytest.mark.parametrize("bands", [1, 3, 4])
def test_margins_are_transparent(bands: int) -> None:
    pixels = draw_noise(8, 13, bands)
    found = apply_step(add_margins, pixels, padding=Padding(1, 2, 3, 4))
    shown = pixels if bands == 4 else np.concatenate([pixels, np.full_like(pixels[..., :1], 255)], axis=2)
    assert np.array_equal(found, np.pad(shown, ((1, 3), (4, 2), (0, 0))))


@pytest.mark.parametrize(("width", "height", "left", "top"), [(20, 11, 3, 1), (21, 12, 4, 2), (13, 9, 0, 0)])
def test_a_letterbox_has_the_image_in_its_middle(width: int, height: int, left: int, top: int) -> None:
    pixels = draw_noise(8, 13, 4)
    found = apply_step(add_margins, pixels, width=width, height=height, fit="letterbox", padding=Padding(0, 0, 1, 2))
    assert found.shape == (height + 1, width + 2, 4)
    assert np.array_equal(found[top : top + 8, left + 2 : left + 15], pixels)
    assert int((found[..., 3] > 0).sum()) == int((pixels[..., 3] > 0).sum())


def test_an_extension_has_the_image_at_its_place() -> None:
    pixels = draw_noise(8, 13, 4)
    options = {"width": 30, "height": 20, "extension": Extension("box", "southeast", 2, 3)}
    found = apply_step(add_margins, pixels, **options)
    assert np.array_equal(found[9:17, 15:28], pixels)
    work = build_context(pixels)
    add_margins(work)
    assert not work.touched


@pytest.mark.parametrize("peak", [255, 65_535])
def test_a_background_is_flattened(peak: int) -> None:
    dtype = np.uint8 if peak == 255 else np.uint16
    pixels = np.zeros((4, 5, 4), dtype)
    pixels[..., :3], pixels[:, 2:, 3] = 10 * peak // 255, peak
    pixels[0, 0, 3] = peak // 5
    found = apply_step(fill_background, pixels, background="c86400")
    factor = peak / 255
    assert found.shape == (4, 5, 3)
    assert np.array_equal(found[1, 0], (np.array([200, 100, 0]) * factor).astype(dtype))
    assert np.array_equal(found[1, 4], pixels[1, 4, :3])
    assert np.abs(found[0, 0] / factor - (np.array([200, 100, 0]) * 0.8 + 2)).max() <= 1
    white = apply_step(fill_background, pixels, target="jpeg")
    assert (white[1, 0] == peak).all()
    assert np.abs(white[0, 0] / factor - 206).max() <= 1
    assert np.array_equal(apply_step(fill_background, pixels), pixels)


def test_a_background_of_grey_images() -> None:
    pixels = np.zeros((4, 5, 2), np.uint8)
    assert (apply_step(fill_background, pixels, background="c86400") == (200, 100, 0)).all()
    white = apply_step(fill_background, pixels, background="ffffff")
    assert white.shape == (4, 5, 1)
    assert (white == 255).all()
    assert (apply_step(fill_background, pixels, background="c8640080") == (200, 100, 0, 128)).all()
    work = build_context(draw_noise(4, 5, 1), background="c86400")
    find_step(fill_background)(work)
    assert not work.touched


@pytest.mark.parametrize("peak", [255, 65_535])
def test_a_translucent_background_lies_under(peak: int) -> None:
    dtype = np.uint8 if peak == 255 else np.uint16
    factor = peak // 255
    pixels = np.zeros((4, 5, 4), dtype)
    pixels[:, 2:] = (10 * factor, 20 * factor, 30 * factor, peak)
    pixels[:, 3] = (10 * factor, 20 * factor, 30 * factor, 51 * factor)
    found = apply_step(fill_background, pixels, background="c8640080") / factor
    assert np.abs(found[:, :2] - (200, 100, 0, 128)).max() <= 1
    assert np.abs(found[:, 2] - (10, 20, 30, 255)).max() <= 1
    below, share = 128 / 255 * 0.8, 0.2
    both = share + below
    wanted = [(10 * share + 200 * below) / both, (20 * share + 100 * below) / both, 30 * share / both, both * 255]
    assert np.abs(found[:, 3] - wanted).max() <= 1
    white = apply_step(fill_background, pixels, background="c8640080", target="jpeg")
    assert white.shape == (4, 5, 3)
    assert np.abs(white[0, 0] / factor - (np.array([200, 100, 0]) * 128 + 255 * 127) / 255).max() <= 1


def draw_half_transparent(peak: int = 255) -> Array:
    """Draw 16 × 16 pixels: transparent blue on the left, opaque red on the right."""
    pixels = np.zeros((16, 16, 4), np.uint8 if peak == 255 else np.uint16)
    pixels[:, :8, 2] = peak
    pixels[:, 8:] = np.array([200, 40, 40, 255]) * (peak // 255)
    return pixels


@pytest.mark.parametrize("peak", [255, 65_535])
@pytest.mark.parametrize(("colour", "alpha"), [("00ff00", 255), ("00ff0080", 128)])
def test_margins_alone_have_their_colour(peak: int, colour: str, alpha: int) -> None:
    """As sharp 0.35's ``extend`` and ``contain``: transparent pixels stay transparent."""
    pixels = draw_half_transparent(peak)
    found = apply_step(add_margins, pixels, padding=Padding(1, 2, 3, 4), margin_colour=colour)
    assert np.array_equal(found[1:17, 4:20], pixels)
    margins = np.ones(found.shape[:2], bool)
    margins[1:17, 4:20] = False
    assert (found[margins] == np.array([0, 255, 0, alpha]) * (peak // 255)).all()


def test_margins_of_an_opaque_image_are_opaque_if_their_colour_is() -> None:
    pixels = draw_noise(4, 5, 1)
    found = apply_step(add_margins, pixels, padding=Padding(1, 1, 1, 1), margin_colour="c86400")
    assert found.shape == (6, 7, 3)
    assert (found[0] == (200, 100, 0)).all()
    assert np.array_equal(found[1:5, 1:6], pixels.repeat(3, axis=2))
    found = apply_step(add_margins, pixels, padding=Padding(1, 1, 1, 1), margin_colour="c8640080")
    assert (found[0] == (200, 100, 0, 128)).all()


@pytest.mark.parametrize("peak", [255, 65_535])
def test_corners_are_painted_where_the_image_is_visible(peak: int) -> None:
    """As thumbor 7.8's ``round_corner``, which ignores alpha."""
    pixels, factor = draw_half_transparent(peak), peak // 255
    found = apply_step(round_corners, pixels, radius=6, margin_colour="00ff00")
    assert np.array_equal(found[..., 3], pixels[..., 3])
    assert (found[0, 15] == np.array([0, 255, 0, 255]) * factor).all()
    assert np.array_equal(found[8], pixels[8])
    opaque = apply_step(round_corners, pixels[..., :3], radius=6, margin_colour="00ff00")
    assert (opaque[0, 0] == np.array([0, 255, 0]) * factor).all()
    clear = apply_step(round_corners, pixels, radius=6, margin_colour="00ff0033")
    assert (clear[0, 15] == np.array([0, 255, 0, 51]) * factor).all()


def test_a_tilt_paints_the_corners_alone() -> None:
    """As sharp 0.35's ``rotate``."""
    found = apply_step(rotate_free, draw_half_transparent(), angle=45.0, margin_colour="00ff00")
    assert (found[0, 0] == (0, 255, 0, 255)).all()
    assert (found[11, 4, 3], found[11, 18].tolist()) == (0, [200, 40, 40, 255])
    opaque = apply_step(rotate_free, draw_half_transparent()[..., :3], angle=45.0, margin_colour="00ff00")
    assert opaque.shape[2] == 3
    assert (opaque[0, 0] == (0, 255, 0)).all()
    half = apply_step(rotate_free, draw_half_transparent()[..., :3], angle=45.0, margin_colour="00ff0080")
    assert np.abs(half[0, 0].astype(int) - (0, 255, 0, 128)).max() <= 1


@pytest.mark.parametrize("bands", [2, 4])
@pytest.mark.parametrize("peak", [255, 65_535])
def test_a_plain_backdrop_is_the_mean_of_what_is_visible(bands: int, peak: int) -> None:
    """Half of the pixels count in full, a quarter by a fifth; margins and transparent pixels do not count."""
    factor = peak // 255
    dtype = np.uint8 if peak == 255 else np.uint16
    pixels = np.zeros((4, 8, 4), dtype)
    pixels[:, :4] = (100 * factor, 50 * factor, 20 * factor, peak)
    pixels[:, 4:6] = (200 * factor, 90 * factor, 0, 51 * factor)
    pixels[:, 6:] = (peak, peak, peak, 0)
    pixels = pixels if bands == 4 else pixels[..., [0, 3]]
    work = build_context(pixels, background_fill="autoall", padding=Padding(1, 2, 3, 4))
    add_margins(work)
    fill_from_image(work)
    found = read_pixels(work.frames[0]) / factor
    visible, faint = np.array([100, 50, 20]), np.array([200, 90, 0])
    visible, faint = (visible, faint) if bands == 4 else (visible[[0, 0, 0]], faint[[0, 0, 0]])
    mean = (visible * 4 + faint * 2 * 0.2) / 4.4
    assert found.shape == (8, 14, 3)
    margins = np.ones((8, 14), bool)
    margins[1:5, 4:12] = False
    assert np.abs(found[margins] - mean).max() <= 0.51
    assert np.abs(found[1:5, 10:12] - mean).max() <= 0.51
    assert np.abs(found[1:5, 4:8] - visible).max() == 0
    assert np.abs(found[1:5, 8:10] - (faint * 0.2 + mean * 0.8)).max() <= 1
    work = build_context(pixels, background_fill="auto", padding=Padding(1, 2, 3, 4))
    add_margins(work)
    fill_from_image(work)
    kept = read_pixels(work.frames[0]) / factor
    assert np.abs(kept[margins] - [*mean, 255]).max() <= 0.51
    own = pixels if bands == 4 else pixels[..., [0, 0, 0, 1]]
    assert np.array_equal(kept[1:5, 4:12], own / factor)


def test_a_plain_backdrop_of_nothing_visible_is_white() -> None:
    assert (apply_step(fill_from_image, np.zeros((4, 5, 4), np.uint8), background_fill="autoall") == 255).all()
    assert (apply_step(fill_from_image, np.zeros((4, 5, 4), np.uint16), background_fill="autoall") == 65_535).all()
    for pixels, backdrop in ((draw_noise(4, 5, 3), "autoall"), (draw_noise(4, 5, 4), "auto")):
        work = build_context(pixels, background_fill=backdrop)
        fill_from_image(work)
        assert not work.touched


@pytest.mark.parametrize(("height", "width"), [(64, 80), (65, 121), (40, 24)])
@pytest.mark.parametrize("kind", ["wide", "high"])
def test_a_blurred_backdrop_covers_all_and_has_a_sigma_of_50_px(height: int, width: int, kind: str) -> None:
    """The middle of the image, scaled to cover an eighth of the size, blurred, and enlarged."""
    own = Size(width, height // 2) if kind == "wide" else Size(width // 2, height)
    pixels = draw_noise(own.height, own.width, 4)
    pixels[..., 3] = 255
    pixels[:, : own.width // 2, 0] //= 3
    pixels[: own.height // 2, :, 1] //= 3
    work = build_context(pixels, width=width, height=height, fit="letterbox", background_fill="blur")
    add_margins(work)
    fill_from_image(work)
    found = read_pixels(work.frames[0]).astype(int)
    small = Size(-(-width // 8), -(-height // 8))
    factor = max(small.width / own.width, small.height / own.height)
    covering = Size(
        max(small.width, round(own.width * factor)),
        max(small.height, round(own.height * factor)),
    )
    whole = build_image(pixels[..., :3])
    whole = whole.resize(covering.width / own.width, vscale=covering.height / own.height)
    left, top = (covering.width - small.width) // 2, (covering.height - small.height) // 2
    soft = whole.crop(left, top, *small).gaussblur(50 / 8, min_ampl=0.02)
    behind = read_pixels(soft.resize(width / small.width, vscale=height / small.height)).astype(int)
    left, top = (width - own.width) // 2, (height - own.height) // 2
    wanted = behind.copy()
    wanted[top : top + own.height, left : left + own.width] = pixels[..., :3]
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1
    assert (found == wanted).mean() > 0.9


JUMPS = [
    *({"rotate": 90}, {"equalise": True}, {"blur": 1.0}, {"denoise": 1}, {"sharpen": 1.0}, {"angle": 3.0}),
    *({"median": 3}, {"normalise": "stretch"}, {"convolution": Convolution(1, False, (1.0,))}, {"pixelate": 2}),
    *({"background_fill": "auto"}, {"max_bytes": 9}),
]


def is_held(work: RenderContext) -> bool:
    """Whether ``develop`` reads the frames into memory."""
    before = work.frames
    materialise(work)
    return work.frames[0] is not before[0]


@pytest.mark.parametrize("options", JUMPS, ids=str)
def test_large_stills_are_held_for_steps_that_jump(monkeypatch: pytest.MonkeyPatch, options: dict[str, object]) -> None:
    monkeypatch.setattr(context_module, "IN_MEMORY_PIXELS", 19)
    pixels = draw_noise(4, 5, 3)
    assert is_held(build_context(pixels, **options))
    assert not is_held(build_context(pixels, grayscale=True))
    monkeypatch.setattr(context_module, "IN_MEMORY_PIXELS", 20)
    assert is_held(build_context(pixels))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_large_stills_are_held_where_lines_change_order(monkeypatch: pytest.MonkeyPatch, orientation: int) -> None:
    monkeypatch.setattr(context_module, "IN_MEMORY_PIXELS", 19)
    assert is_held(build_context(draw_noise(4, 5, 3), orientation=orientation)) == (orientation > 2)


def draw_spot(left: int, top: int) -> Array:
    """Draw a colourful spot of 10 px on faint stripes, 60 × 60 px."""
    y, x = np.mgrid[:60, :60]
    pixels = (124 + (x + 3 * y) % 7).astype(np.uint8)[..., None].repeat(3, axis=2)
    pixels[top : top + 10, left : left + 10] = (230, 60, 30)
    pixels[top + 3 : top + 7, left + 3 : left + 7] = (250, 220, 200)
    return pixels


@pytest.mark.parametrize(
    ("frames", "most", "searched"), [(1, 900, True), (1, 899, False), (2, 1800, True), (2, 1799, False)]
)
def test_a_cover_seeks_in_what_fits_into_memory(
    monkeypatch: pytest.MonkeyPatch, frames: int, most: int, searched: bool
) -> None:
    monkeypatch.setattr(cover_step, "IN_MEMORY_PIXELS", most)
    pixels = draw_spot(2, 20)
    work = build_context(*[pixels] * frames, width=20, height=60, fit="cover", gravity=Gravity("attention"))
    crop_to_cover(work)
    found = read_pixels(work.frames[-1])
    assert found.shape == (60, 20, 3)
    spot = (found == (230, 60, 30)).all(axis=2).any()
    assert spot == searched
    window = work.geometry.window
    assert window is not None
    assert np.array_equal(found, pixels[:, window.left : window.left + 20])
    assert (work.geometry.search == "") == searched
    assert searched or window.left == 20


def test_frames_are_cut_where_the_first_one_is() -> None:
    first, last = draw_spot(2, 20), draw_spot(45, 20)
    work = build_context(first, last, width=20, height=60, fit="cover", gravity=Gravity("attention"))
    crop_to_cover(work)
    assert (read_pixels(work.frames[0]) == (230, 60, 30)).all(axis=2).any()
    assert np.ptp(read_pixels(work.frames[1])) == 6
    geometry = {"subject": Box(20, 20, 20, 20), "search_area": Box(0, 0, 60, 60), "scaled": Size(20, 20)}
    work = build_context(first, last, geometry=geometry)
    crop_to_attention(work)
    assert (read_pixels(work.frames[0]) == (230, 60, 30)).all(axis=2).any()
    assert np.ptp(read_pixels(work.frames[1])) == 6


def test_a_plain_backdrop_is_that_of_the_first_frame() -> None:
    first, last = np.zeros((4, 5, 4), np.uint8), np.zeros((4, 5, 4), np.uint8)
    first[1, 2], last[1, 2] = (200, 100, 50, 255), (9, 9, 9, 255)
    work = build_context(first, last, background_fill="autoall")
    fill_from_image(work)
    assert (read_pixels(work.frames[0]) == (200, 100, 50)).all()
    assert (read_pixels(work.frames[1])[0] == (200, 100, 50)).all()


def test_a_cover_by_a_side_does_not_seek() -> None:
    pixels = draw_spot(2, 20)
    work = build_context(pixels, width=20, height=60, fit="cover", gravity=Gravity("east"))
    crop_to_cover(work)
    assert np.array_equal(read_pixels(work.frames[0]), pixels[:, 40:])
    work = build_context(pixels)
    crop_to_cover(work)
    assert not work.touched


@pytest.mark.parametrize(
    ("frames", "most", "searched"), [(1, 500, True), (1, 499, False), (2, 1000, True), (2, 999, False)]
)
@pytest.mark.parametrize("orientation", [1, 3])
def test_a_cut_seeks_in_what_fits_into_memory(
    monkeypatch: pytest.MonkeyPatch, frames: int, most: int, searched: bool, orientation: int
) -> None:
    """The region of 50 × 40 px begins at (5, 15)."""
    monkeypatch.setattr(cut_step, "IN_MEMORY_PIXELS", most)
    pixels = draw_spot(7, 17)
    upright = pixels[::-1, ::-1] if orientation == 3 else pixels
    region = Box(5, 5, 50, 40) if orientation == 3 else Box(5, 15, 50, 40)
    kept = Box(region.left + 15, region.top + 10, 20, 20)
    stored = [pixels[15:55, 5:55]] * frames
    whole = build_context(
        pixels, orientation=orientation, geometry={"subject": kept, "search_area": region, "scaled": kept.size}
    )
    work = RenderContext(whole.plan, whole.target, whole.geometry, [build_image(one) for one in stored])
    crop_to_attention(work)
    found = read_pixels(work.frames[-1])
    subject = work.geometry.subject
    assert work.geometry.search_area is None
    assert subject.size == (20, 20)
    assert (subject != kept) == searched
    shown = found[::-1, ::-1] if orientation == 3 else found
    inside = (slice(subject.top, subject.top + 20), slice(subject.left, subject.left + 20))
    assert np.array_equal(shown, upright[inside])
    assert (found == (230, 60, 30)).all(axis=2).any() == searched


def test_an_alpha_that_hides_nothing_is_dropped() -> None:
    opaque = np.full((4, 5, 4), 255, np.uint8)
    clear = opaque.copy()
    clear[2, 3, 3] = 254
    for frames, bands in (([opaque], 3), ([clear], 4), ([opaque, clear], 4), ([opaque, opaque], 3)):
        work = build_context(*frames)
        finalise(work)
        assert [frame.bands for frame in work.frames] == [bands] * len(frames)
    sixteen = np.full((4, 5, 4), 65_535, np.uint16)
    sixteen[..., 0] = 128 * 257 + 128
    found = apply_step(finalise, sixteen)
    assert found.shape == (4, 5, 3)
    assert (found == (128, 255, 255)).all()


def test_an_image_that_streams_is_not_read_by_finish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(context_module, "IN_MEMORY_PIXELS", 19)
    work = build_context(np.full((4, 5, 4), 255, np.uint8))
    before = work.frames[0]
    finalise(work)
    assert work.frames[0] is before


def test_frames_without_alpha_stay_without() -> None:
    image = draw_noise(4, 5, 3)
    assert np.array_equal(apply_step(finalise, image), image)
    assert isinstance(build_image(image), pyvips.Image)
