"""The trim step: the border pixel, the content box, and symmetric trims."""

from __future__ import annotations

import numpy as np
import pytest

from darkroom.imaging.colour.convert import apply_orientation
from darkroom.imaging.render.steps import trim as trim_step
from darkroom.imaging.render.steps.trim import trim
from darkroom.plan.geometry.layout import Box
from darkroom.plan.model import TrimOptions
from tests.images.steps import Array, build_context, build_image, read_pixels

UNDONE = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}
"""The orientation that undoes another."""


def draw(width: int, height: int, *blocks: tuple[int, int, int, int], border: int = 255, content: int = 0) -> Array:
    """Draw blocks (left, top, width, height) of ``content`` in RGB on ``border``."""
    pixels = np.full((height, width, 3), border, np.uint8)
    for left, top, across, down in blocks:
        pixels[top : top + down, left : left + across] = content
    return pixels


def find_kept(pixels: Array, *, trim_by: int = 10, orientation: int = 1, **trimming: str) -> Box:
    """Return the box of the upright image that a trim keeps; ``pixels`` are upright."""
    stored = read_pixels(apply_orientation(build_image(pixels), UNDONE[orientation]))
    work = build_context(stored, orientation=orientation, trim=trim_by, trim_options=TrimOptions(**trimming))
    trim(work)
    kept = work.geometry.subject
    shown = read_pixels(apply_orientation(work.frames[0], orientation))
    assert np.array_equal(shown, pixels[kept.top : kept.top + kept.height, kept.left : kept.left + kept.width])
    return kept


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(
    ("block", "corner", "kept"),
    [
        ((0, 0, 5, 15), "northwest", Box(5, 0, 16, 15)),
        ((0, 0, 5, 15), "southeast", Box(0, 0, 5, 15)),
        ((0, 0, 21, 4), "northwest", Box(0, 4, 21, 11)),
        ((0, 0, 21, 4), "southeast", Box(0, 0, 21, 4)),
        ((15, 0, 6, 15), "northwest", Box(15, 0, 6, 15)),
        ((15, 0, 6, 15), "southeast", Box(0, 0, 15, 15)),
        ((0, 9, 21, 6), "northwest", Box(0, 9, 21, 6)),
        ((0, 9, 21, 6), "southeast", Box(0, 0, 21, 9)),
        ((20, 0, 1, 15), "southeast", Box(0, 0, 20, 15)),
        ((0, 14, 21, 1), "southeast", Box(0, 0, 21, 14)),
        ((0, 0, 1, 15), "northwest", Box(1, 0, 20, 15)),
        ((0, 0, 21, 1), "northwest", Box(0, 1, 21, 14)),
    ],
)
def test_the_corner_is_that_of_the_upright_image(
    orientation: int, block: tuple[int, int, int, int], corner: str, kept: Box
) -> None:
    assert find_kept(draw(21, 15, block), orientation=orientation, corner=corner) == kept


BLOCKS = [(3, 5, 12, 7), (8, 3, 10, 11), (4, 4, 15, 9), (9, 8, 9, 9)]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("equal", ["", "h", "v", "hv"])
def test_both_sides_of_an_axis_lose_the_smaller_border(
    block: tuple[int, int, int, int], orientation: int, equal: str
) -> None:
    left, top, width, height = block
    across, down = min(left, 22 - left - width), min(top, 18 - top - height)
    left, width = (across, 22 - 2 * across) if "h" in equal else (left, width)
    top, height = (down, 18 - 2 * down) if "v" in equal else (top, height)
    assert find_kept(draw(22, 18, block), orientation=orientation, equal=equal) == Box(left, top, width, height)


def test_the_border_ends_where_the_difference_exceeds_the_threshold() -> None:
    block = (6, 5, 8, 6)
    assert find_kept(draw(22, 18, block, border=200, content=189)) == Box(*block)
    assert find_kept(draw(22, 18, block, border=200, content=190)) == Box(0, 0, 22, 18)
    assert find_kept(draw(22, 18, block, border=200, content=190), trim_by=9) == Box(*block)


@pytest.mark.parametrize(("width", "height", "plain"), [(2, 9, True), (9, 2, True), (3, 9, False), (9, 3, False)])
def test_single_pixels_count_where_the_median_has_no_room(width: int, height: int, plain: bool) -> None:
    """A median of 3 px takes a single pixel for noise; an image of 2 px has no room for it."""
    pixels = draw(width, height, (width // 2, height // 2, 1, 1))
    wanted = Box(width // 2, height // 2, 1, 1) if plain else Box(0, 0, width, height)
    assert find_kept(pixels) == wanted


@pytest.mark.parametrize(("most", "plain"), [(81, False), (80, True)])
def test_large_images_go_without_the_median(monkeypatch: pytest.MonkeyPatch, most: int, plain: bool) -> None:
    monkeypatch.setattr(trim_step, "MEDIAN_MAX_PIXELS", most)
    assert find_kept(draw(9, 9, (4, 5, 1, 1))) == (Box(4, 5, 1, 1) if plain else Box(0, 0, 9, 9))


def test_the_median_is_left_out_above_two_megapixels() -> None:
    assert (trim_step.MEDIAN_PX, trim_step.MEDIAN_MAX_PIXELS) == (3, 2_000_000)
    assert find_kept(draw(9, 9, (3, 4, 3, 3))) == Box(3, 4, 3, 3)


def test_a_transparent_first_pixel_makes_alpha_the_border() -> None:
    pixels = np.full((12, 14, 4), (9, 7, 8, 0), np.uint8)
    pixels[3:9, 5] = (0, 0, 0, 11)
    pixels[4, 6:9] = (255, 255, 255, 10)
    assert find_kept(pixels) == Box(5, 3, 1, 6)
    assert find_kept(pixels, trim_by=9) == Box(5, 3, 4, 6)


def test_a_translucent_first_pixel_names_a_colour() -> None:
    """Transparent pixels have the border's colour."""
    pixels = np.full((12, 14, 4), (200, 100, 50, 1), np.uint8)
    pixels[3:9, 5:10] = (0, 0, 0, 255)
    assert find_kept(pixels) == Box(5, 3, 5, 6)
    pixels[0, 0] = (200, 100, 50, 255)
    pixels[3:9, 1:4] = (0, 0, 0, 0)
    assert find_kept(pixels) == Box(5, 3, 5, 6)


@pytest.mark.parametrize("colour", ["8090a0", "c86432", "000000", "ffffff", "7f7f7f", "808080", "c8643280"])
def test_no_transparent_pixel_is_of_a_named_colour(colour: str) -> None:
    pixels = np.zeros((12, 14, 4), np.uint8)
    pixels[..., :3] = list(bytes.fromhex(colour[:6]))
    pixels[3:9, 5:10, 3] = 0
    pixels[:, :5, 3] = pixels[:, 10:, 3] = pixels[:3, :, 3] = pixels[9:, :, 3] = 255
    assert find_kept(pixels, trim_by=127, colour=colour) == Box(5, 3, 5, 6)


def test_a_named_colour_is_trimmed_from_grey_images() -> None:
    pixels = np.full((12, 14, 1), 90, np.uint8)
    pixels[3:9, 5:10] = 120
    assert find_kept(pixels, colour="5a5a5a") == Box(5, 3, 5, 6)
    assert find_kept(pixels, colour="5a5a78") == Box(0, 0, 14, 12)


def test_frames_keep_what_any_of_them_has() -> None:
    first, second = draw(30, 20, (4, 6, 8, 5)), draw(30, 20, (10, 3, 9, 11))
    empty = draw(30, 20)
    work = build_context(empty, first, second, trim=10)
    trim(work)
    assert work.geometry.subject == Box(4, 3, 15, 11)
    assert [(frame.width, frame.height) for frame in work.frames] == [(15, 11)] * 3
    work = build_context(empty, empty, trim=10)
    trim(work)
    assert work.geometry.subject == Box(0, 0, 30, 20)
    assert not work.touched


@pytest.mark.parametrize("orientation", range(1, 9))
def test_what_is_left_lies_within_the_crop(orientation: int) -> None:
    """The subject is in coordinates of the upright source, not of the crop."""
    block = draw(20, 16, (5, 4, 9, 7))
    stored = read_pixels(apply_orientation(build_image(block), UNDONE[orientation]))
    work = build_context(stored, orientation=orientation, trim=10)
    whole = build_context(
        np.zeros((*((40, 60) if orientation < 5 else (60, 40)), 3), np.uint8), orientation=orientation
    )
    subject = Box(11, 7, 20, 16)
    work.geometry = build_context(
        whole.frames[0], orientation=orientation, geometry={"subject": subject, "scaled": subject.size}
    ).geometry
    trim(work)
    assert work.geometry.subject == Box(16, 11, 9, 7)
    assert work.geometry.scaled == (9, 7)
