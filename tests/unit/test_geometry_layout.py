"""Layout: examples of each rule, and invariants of every plan and source."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadOption
from darkroom.plan.geometry.layout import MAX_SCALED_SIDE_PX, Box, Geometry, Size, compute_geometry
from darkroom.plan.model import COMPASS_POINTS, Crop, Gravity, Padding, Plan
from darkroom.plan.options import MAX_SIDE_PX

SOURCE = Size(4000, 3000)


def compute(
    stored: Size = SOURCE, orientation: int = 1, max_side_px: int = MAX_SCALED_SIDE_PX, **options: Any
) -> Geometry:
    return compute_geometry(Plan("k", **options), stored, orientation, max_side_px=max_side_px)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (4000, 3000)),
        ({"width": 800}, (800, 600)),
        ({"height": 600}, (800, 600)),
        ({"width": 800, "height": 800}, (800, 600)),
        ({"width": 800, "height": 300}, (400, 300)),
        ({"width": 801}, (801, 601)),
        ({"width": 1}, (1, 1)),
        ({"width": 8000}, (4000, 3000)),
        ({"width": 8000, "upscale": True}, (8000, 6000)),
        ({"width": 800, "height": 800, "fit": "cover"}, (800, 800)),
        ({"width": 800, "fit": "cover"}, (800, 600)),
        ({"width": 800, "height": 100, "fit": "fill"}, (800, 100)),
        ({"width": 800, "height": 800, "fit": "letterbox"}, (800, 800)),
        ({"width": 8000, "height": 8000, "fit": "letterbox"}, (8000, 8000)),
        ({"width": 6000, "height": 6000, "fit": "cover"}, (3000, 3000)),
        ({"width": 8000, "height": 2000, "fit": "cover"}, (4000, 1000)),
        ({"width": 8000, "height": 2000, "fit": "fill"}, (4000, 1000)),
        ({"width": 6000, "height": 6000, "fit": "cover", "upscale": True}, (6000, 6000)),
        ({"crop": Crop("px", 100, 200, 300, 400)}, (300, 400)),
        ({"crop": Crop("px", 3900, 2900, 300, 400)}, (100, 100)),
        ({"crop": Crop("pct", 50, 50, 25, 50)}, (1000, 1500)),
        ({"crop": Crop("pct", 99.99, 99.99, 0.01, 0.01)}, (1, 1)),
        ({"crop": Crop("px", 0, 0, 2000, 1000), "width": 500}, (500, 250)),
        ({"rotate": 90}, (3000, 4000)),
        ({"rotate": 90, "width": 300}, (300, 400)),
        ({"rotate": 180, "width": 400}, (400, 300)),
        ({"rotate": 270, "width": 200, "height": 300, "fit": "cover"}, (200, 300)),
        ({"rotate": 90, "width": 200, "height": 500, "fit": "letterbox"}, (200, 500)),
    ],
)
def test_size_of_the_result(options: dict[str, Any], size: tuple[int, int]) -> None:
    assert compute(**options).size == size


def test_one_side_of_the_box_is_exact_whatever_rounding_does() -> None:
    for width in range(1, 400):
        assert compute(Size(997, 613), width=width).size.width == width


@pytest.mark.parametrize(
    ("gravity", "window"),
    [
        (Gravity("center"), Box(200, 0, 400, 600)),
        (Gravity("west"), Box(0, 0, 400, 600)),
        (Gravity("southeast"), Box(400, 0, 400, 600)),
        (Gravity("fp", 0.0, 0.5), Box(0, 0, 400, 600)),
        (Gravity("fp", 0.5, 0.9), Box(200, 0, 400, 600)),
        (Gravity("fp", 0.3, 0.5), Box(40, 0, 400, 600)),
        (Gravity("fp", 1.0, 1.0), Box(400, 0, 400, 600)),
    ],
)
def test_cover_keeps_the_side_of_gravity(gravity: Gravity, window: Box) -> None:
    geometry = compute(width=400, height=600, fit="cover", gravity=gravity)
    assert (geometry.scaled, geometry.window, geometry.search) == ((800, 600), window, "")


def test_attention_leaves_the_place_to_the_pixels() -> None:
    geometry = compute(width=400, height=600, fit="cover", gravity=Gravity("attention"))
    assert geometry.search == "attention"
    found = geometry.with_window(Box(13, 0, 400, 600))
    assert (found.window, found.search) == ((13, 0, 400, 600), "")


@pytest.mark.parametrize(("x", "y"), [(4000, 0), (0, 3000), (60000, 60000)])
def test_a_crop_outside_of_the_image_is_refused_by_name(x: int, y: int) -> None:
    with pytest.raises(BadOption, match="4000 × 3000") as refusal:
        compute(crop=Crop("px", x, y, 10, 10))
    assert refusal.value.option == "crop"


def test_a_crop_is_checked_against_the_upright_image() -> None:
    assert compute(orientation=6, crop=Crop("px", 0, 3500, 10, 10)).size == (10, 10)
    with pytest.raises(BadOption):
        compute(orientation=6, crop=Crop("px", 3500, 0, 10, 10))


def test_what_no_option_bounds_fits_the_format() -> None:
    wide = Size(40_000, 1000)
    assert compute(wide, max_side_px=16_383).size == (16_383, 410)
    padded = compute(wide, max_side_px=16_383, padding=Padding(0, 100, 0, 283))
    assert padded.size == (16_000, 400)
    assert compute(Size(1000, 40_000), max_side_px=16_383, width=900).size.height == 16_383


@pytest.mark.parametrize("stored", [Size(12_000, 9000), Size(9000, 12_000), Size(100_000, 1080), Size(3, 60_000)])
def test_what_no_box_bounds_fits_into_memory(stored: Size) -> None:
    for options in ({}, {"width": 8192}, {"rotate": 90}):
        size = compute_geometry(Plan("k", **options), stored, max_pixels=100_000).size
        assert 90_000 < size.width * size.height <= 100_000 or min(size) <= 2
    assert compute_geometry(Plan("k"), Size(300, 300), max_pixels=100_000).size == (300, 300)


def test_enlarging_never_makes_an_image_smaller() -> None:
    assert compute(Size(1000, 20_000), width=1200, upscale=True).size == (1000, 20_000)


def test_the_stored_region_is_the_upright_region() -> None:
    pixels = [[(x, y) for x in range(6)] for y in range(4)]
    for orientation in range(1, 9):
        stored = stored_as(pixels, orientation)
        size = Size(len(stored[0]), len(stored))
        geometry = compute(size, orientation, crop=Crop("px", 1, 2, 3, 1))
        left, top, width, height = geometry.stored_subject
        cut = {pixel for row in stored[top : top + height] for pixel in row[left : left + width]}
        assert cut == {(1, 2), (2, 2), (3, 2)}, orientation
        assert geometry.to_upright(geometry.stored_subject) == geometry.subject


def stored_as[T](upright: list[list[T]], orientation: int) -> list[list[T]]:
    """The rows of an image that ``orientation`` turns upright, by the EXIF standard's table of row 0 and column 0."""
    swapped = [list(column) for column in zip(*upright, strict=True)] if orientation >= 5 else upright
    rows_reversed = orientation in (3, 4, 7, 6)
    columns_reversed = orientation in (2, 3, 7, 8)
    turned = swapped[::-1] if rows_reversed else swapped
    return [row[::-1] for row in turned] if columns_reversed else turned


sides = st.integers(1, 12_000)
places = st.one_of(
    st.sampled_from([Gravity(name) for name in (*COMPASS_POINTS, "attention", "entropy")]),
    st.builds(lambda x, y: Gravity("fp", x / 100, y / 100), st.integers(0, 100), st.integers(0, 100)),
)
crops = st.one_of(
    st.builds(lambda x, y, w, h: Crop("px", x, y, w, h), *[st.integers(0, 65_535)] * 2, *[st.integers(1, 65_535)] * 2),
    st.builds(
        lambda x, y, w, h: Crop("pct", x / 100, y / 100, min(w, 10_000 - x) / 100, min(h, 10_000 - y) / 100),
        *[st.integers(0, 9_999)] * 2,
        *[st.integers(1, 10_000)] * 2,
    ),
)
box_sides = st.none() | st.integers(1, MAX_SIDE_PX)
plans = st.builds(
    Plan,
    key=st.just("k"),
    width=box_sides,
    height=box_sides,
    upscale=st.booleans(),
    fit=st.sampled_from(["contain", "cover", "fill", "letterbox"]),
    gravity=places,
    crop=st.none() | crops,
    rotate=st.sampled_from([0, 90, 180, 270]),
    flip=st.sampled_from(["none", "h"]),
    padding=st.builds(Padding, *[st.integers(0, 2048)] * 4),
)
limits_px = st.sampled_from([16_383, 65_500])


def compute_or_none(plan: Plan, stored: Size, orientation: int, max_side_px: int) -> Geometry | None:
    try:
        return compute_geometry(plan, stored, orientation, max_side_px=max_side_px)
    except BadOption:
        return None


@given(plans, sides, sides, st.integers(1, 8), limits_px)
def test_every_geometry_is_within_its_image(
    plan: Plan, width: int, height: int, orientation: int, max_side_px: int
) -> None:
    geometry = compute_or_none(plan, Size(width, height), orientation, max_side_px)
    if geometry is None:
        return
    assert inside(geometry.subject, geometry.upright)
    assert inside(geometry.stored_subject, geometry.stored)
    assert min(*geometry.scaled, *geometry.size) >= 1
    if geometry.window:
        assert inside(geometry.window, geometry.scaled)
    assert geometry.size.width + plan.padding.left + plan.padding.right <= max_side_px
    assert geometry.size.height + plan.padding.top + plan.padding.bottom <= max_side_px


@given(plans, sides, sides, st.integers(1, 8), limits_px)
def test_nothing_is_enlarged_without_upscale(
    plan: Plan, width: int, height: int, orientation: int, max_side_px: int
) -> None:
    geometry = compute_or_none(plan, Size(width, height), orientation, max_side_px)
    if geometry is None or plan.upscale:
        return
    assert geometry.scaled.width <= geometry.subject.width
    assert geometry.scaled.height <= geometry.subject.height


@given(plans, sides, sides, limits_px)
def test_the_result_is_inside_the_box(plan: Plan, width: int, height: int, max_side_px: int) -> None:
    geometry = compute_or_none(plan, Size(width, height), 1, max_side_px)
    if geometry is None:
        return
    assert geometry.size.width <= (plan.width or max_side_px)
    assert geometry.size.height <= (plan.height or max_side_px)


@given(plans, sides, sides)
def test_aspect_ratio_is_kept_within_a_pixel(plan: Plan, width: int, height: int) -> None:
    geometry = compute_or_none(plan, Size(width, height), 1, MAX_SCALED_SIDE_PX)
    if geometry is None or (plan.fit == "fill" and plan.width and plan.height):
        return
    (wide, tall), (scaled_wide, scaled_tall) = geometry.subject.size, geometry.scaled
    off_px = min(abs(scaled_wide - scaled_tall * wide / tall), abs(scaled_tall - scaled_wide * tall / wide))
    assert off_px <= 1


@given(plans, sides, sides, st.integers(1, 8))
def test_orientation_changes_nothing_but_where_pixels_come_from(
    plan: Plan, width: int, height: int, orientation: int
) -> None:
    stored = Size(height, width) if orientation >= 5 else Size(width, height)
    turned = compute_or_none(plan, stored, orientation, MAX_SCALED_SIDE_PX)
    upright = compute_or_none(plan, Size(width, height), 1, MAX_SCALED_SIDE_PX)
    if turned is None or upright is None:
        assert turned is upright
        return
    assert (turned.subject, turned.scaled, turned.window, turned.size) == (
        upright.subject,
        upright.scaled,
        upright.window,
        upright.size,
    )


@given(plans, sides, sides, st.integers(1, 8), st.integers(1, 16))
def test_a_shrunk_image_has_the_same_region(plan: Plan, width: int, height: int, orientation: int, factor: int) -> None:
    geometry = compute_or_none(plan, Size(width, height), orientation, MAX_SCALED_SIDE_PX)
    if geometry is None:
        return
    small = Size(-(-width // factor), -(-height // factor))
    other = geometry.for_stored_size(small)
    assert (other.scaled, other.window, other.size) == (geometry.scaled, geometry.window, geometry.size)
    assert inside(other.subject, other.upright)
    for edge, edge_whole, side, whole in (
        (other.subject.left, geometry.subject.left, other.upright.width, geometry.upright.width),
        (other.subject.top, geometry.subject.top, other.upright.height, geometry.upright.height),
    ):
        assert abs(edge - edge_whole * side / whole) <= 1


def inside(box: Box, size: Size) -> bool:
    left, top, width, height = box
    fits = left + width <= size.width and top + height <= size.height
    return left >= 0 and top >= 0 and width >= 1 and height >= 1 and fits
