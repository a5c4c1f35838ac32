"""Geometry of extended options: each service's own rounding, and invariants of every plan."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadOption
from darkroom.plan.geometry.layout import Box, Geometry, Size, compute_geometry
from darkroom.plan.model import (
    COMPASS_POINTS,
    Crop,
    CropTo,
    Ellipse,
    Extension,
    Focus,
    Gravity,
    Offset,
    Padding,
    Plan,
    Proportion,
    Scale,
)

WIDE = Size(200, 100)
"""imgproxy's ``testdata/test2.jpg``, to which the sizes in its ``processing/processing_test.go`` belong."""

FIT, FILL = {"fit": "contain"}, {"fit": "cover", "cover_mode": "clip"}
DOWN = {"fit": "cover"}
AUTO = {"fit": "cover", "cover_mode": "flex"}
UNCUT = {"fit": "cover", "cover_mode": "uncut"}
EXTEND, SHAPE = {"extension": Extension("box", "north")}, {"extension": Extension("ratio")}
ENLARGE = {"upscale": True}


def compute(stored: Size = WIDE, orientation: int = 1, **options: Any) -> Geometry:
    return compute_geometry(Plan("k", **options), stored, orientation)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        # By thumbor 7.8: tests/peers/thumbor.
        ({"proportion": Proportion(0.333)}, (66, 33)),
        ({"proportion": Proportion(0.009)}, (200, 100)),
        ({"width": 90, "proportion": Proportion(0.5)}, (45, 22)),
        ({"width": 31, "height": 31, "fit": "cover", "proportion": Proportion(0.5)}, (15, 15)),
        ({"width": 90, "height": 90, "fit": "letterbox", "proportion": Proportion(0.5, canvas=True)}, (45, 45)),
        ({"width": 90, "height": 90, "fit": "letterbox", "proportion": Proportion(0.5, canvas=False)}, (90, 90)),
        ({"height": 50, "source_side": "w", "fit": "cover"}, (200, 50)),
        ({"width": 50, "source_side": "h", "fit": "cover"}, (50, 100)),
        ({"height": 300, "source_side": "w", "fit": "cover", "upscale": True}, (200, 300)),
        ({"width": 50, "source_side": "w", "fit": "cover", "rotate": 90}, (50, 200)),
        ({"height": 50, "source_side": "w", "adaptive": True}, (100, 50)),
        ({"height": 50, "source_side": "w", "fit": "fill", "upscale": True}, (200, 50)),
    ],
)
def test_sizes_of_thumbors_own(options: dict[str, Any], size: tuple[int, int]) -> None:
    assert compute(**options).size == size


@pytest.mark.parametrize(
    ("options", "box", "size"),
    [
        # TestResizeToFitExtend, …Extend of fill, …ExtendAR: a side of 0 is not given.
        (FIT | EXTEND, (50, 50), (50, 50)),
        (FIT | EXTEND, (20, 50), (20, 50)),
        (FIT | EXTEND, (300, 125), (300, 125)),
        (FIT | EXTEND, (250, 300), (250, 300)),
        (FIT | EXTEND, (0, 200), (200, 200)),
        (FIT | EXTEND, (300, 0), (300, 100)),
        (FIT | SHAPE, (50, 20), (50, 20)),
        (FIT | SHAPE, (300, 300), (200, 200)),
        (FIT | SHAPE, (300, 125), (240, 100)),
        (FIT | SHAPE, (250, 500), (200, 400)),
        (FILL, (50, 50), (50, 50)),
        (FILL, (300, 300), (200, 100)),
        (FILL, (300, 50), (200, 50)),
        (FILL, (100, 300), (100, 100)),
        (FILL | ENLARGE, (300, 125), (300, 125)),
        (FILL | ENLARGE, (250, 300), (250, 300)),
        (FILL | EXTEND, (300, 50), (300, 50)),
        (FILL | SHAPE, (300, 300), (200, 200)),
        (FILL | SHAPE, (300, 50), (300, 50)),
        (FILL | SHAPE, (100, 300), (100, 300)),
        (DOWN, (300, 125), (200, 83)),
        (DOWN, (250, 300), (83, 100)),
        # calcScale: `auto` fills where both lie or both stand, and fits where not.
        (AUTO, (50, 20), (50, 20)),
        (AUTO, (20, 50), (20, 10)),
        (AUTO, (300, 50), (200, 50)),
        # thumbor's transformer.py, fit_in_resize: full-fit-in covers, adaptive-fit-in turns the box.
        (UNCUT, (50, 50), (100, 50)),
        (UNCUT | ENLARGE, (300, 300), (600, 300)),
        (FIT | {"adaptive": True}, (20, 50), (40, 20)),
        (FIT | {"adaptive": True}, (50, 20), (40, 20)),
        (FIT | {"adaptive": True, "rotate": 90}, (50, 20), (20, 40)),
        # calcScale: zoom multiplies the size of the box, and enlarges only where that is allowed.
        (FIT | {"scale": Scale(0.5, 0.5)}, (50, 50), (25, 13)),
        (FIT | {"scale": Scale(0.5, 0.5)}, (800, 800), (200, 100)),
        (FIT | {"scale": Scale(3, 3)}, (100, 100), (200, 100)),
        (FIT | {"scale": Scale(3, 3)} | ENLARGE, (100, 100), (300, 150)),
        (FIT | {"scale": Scale(0.5, 1)}, (100, 100), (50, 50)),
        (FIT | {"scale": Scale(0.5, 0.5)}, (0, 0), (100, 50)),
        (FIT | {"scale": Scale(2, 2)}, (0, 0), (200, 100)),
        (FIT | {"scale": Scale(2, 2)} | ENLARGE, (0, 0), (400, 200)),
        (FIT | {"scale": Scale(2, 1), "rotate": 90} | ENLARGE, (0, 0), (200, 200)),
        (FILL | {"scale": Scale(0.5, 0.5)}, (100, 100), (50, 50)),
        (DOWN | {"scale": Scale(2, 2)}, (100, 200), (50, 100)),
        # calcScale and cropToResult: least sides enlarge, and the box cuts.
        (FIT | {"min_width": 200}, (100, 100), (100, 100)),
        (FIT | {"min_width": 90}, (50, 0), (50, 45)),
        (FIT | {"min_height": 300}, (0, 0), (600, 300)),
        (FIT | {"min_width": 300, "min_height": 300}, (0, 0), (600, 300)),
        (FIT | {"min_width": 50}, (100, 100), (100, 50)),
    ],
)
def test_sizes_equal_those_of_the_original_service(
    options: dict[str, Any], box: tuple[int, int], size: tuple[int, int]
) -> None:
    given = {name: side for name, side in zip(("width", "height"), box, strict=True) if side}
    assert compute(**options, **given).size == size


@pytest.mark.parametrize(
    ("cut", "box"),
    [
        (CropTo(50, 50), Box(75, 25, 50, 50)),
        (CropTo(50, 50, "north"), Box(75, 0, 50, 50)),
        (CropTo(50, 50, "southeast"), Box(150, 50, 50, 50)),
        (CropTo(0.5, 0), Box(50, 0, 100, 100)),
        (CropTo(0, 0.25, "south"), Box(0, 75, 200, 25)),
        (CropTo(50, 50, "fp", 0.25, 0.9), Box(25, 50, 50, 50)),
        (CropTo(50, 50, dx=10, dy=10), Box(85, 35, 50, 50)),
        (CropTo(50, 50, dx=0.1, dy=-0.1), Box(95, 15, 50, 50)),
        (CropTo(50, 50, "southeast", dx=10, dy=0.1), Box(140, 40, 50, 50)),
        (CropTo(50, 50, "west", dx=-30), Box(0, 25, 50, 50)),
        (CropTo(900, 900), Box(0, 0, 200, 100)),
        (CropTo(0.001, 0.001), Box(100, 50, 1, 1)),
    ],
)
def test_gravity_and_offset_place_crop_to(cut: CropTo, box: Box) -> None:
    geometry = compute(crop_to=cut)
    assert (geometry.subject, geometry.search_area) == (box, None)


PADDED = {"padding": Padding(10, 20, 30, 40)}


@pytest.mark.parametrize(
    ("stored", "options", "size", "ratio"),
    [
        # A fill keeps the box's shape as far as the source has pixels for.
        (Size(640, 480), FILL | {"width": 400, "height": 400, "pixel_ratio": 2.0}, (480, 480), 1.2),
        (Size(640, 480), FILL | ENLARGE | {"width": 400, "height": 400, "pixel_ratio": 2.0}, (800, 800), 2.0),
        (WIDE, FIT | {"width": 50, "height": 50, "pixel_ratio": 2.0}, (100, 50), 2.0),
        (WIDE, FIT | {"width": 50, "height": 50, "pixel_ratio": 9.0}, (200, 100), 4.0),
        (WIDE, FIT | {"width": 400, "height": 400, "pixel_ratio": 0.5}, (200, 100), 1.0),
        (WIDE, FIT | {"width": 400, "height": 400, "pixel_ratio": 0.25}, (100, 50), 0.5),
        (WIDE, DOWN | {"width": 300, "height": 300, "pixel_ratio": 2.0}, (100, 100), 1.0),
        # A result that is extended to its box keeps its layout at every ratio.
        (WIDE, FIT | EXTEND | {"width": 500, "height": 500, "pixel_ratio": 0.5}, (250, 250), 0.5),
        (WIDE, FIT | EXTEND | {"width": 500, "height": 500, "pixel_ratio": 2.0}, (500, 500), 1.0),
        (WIDE, FIT | SHAPE | {"width": 300, "height": 600, "pixel_ratio": 2.0}, (200, 400), 1.0),
        # Stretched to one side: without enlargement the image becomes narrower instead.
        (WIDE, {"one_side": True, "width": 50}, (50, 100), 1.0),
        (WIDE, {"one_side": True, "height": 50}, (200, 50), 1.0),
        (WIDE, {"one_side": True, "width": 400}, (200, 50), 1.0),
        (WIDE, ENLARGE | {"one_side": True, "width": 400}, (400, 100), 1.0),
        (WIDE, ENLARGE | {"one_side": True, "width": 400, "pixel_ratio": 0.5}, (200, 50), 0.5),
        # Without a box.
        (WIDE, {"pixel_ratio": 0.5}, (100, 50), 0.5),
        (WIDE, {"pixel_ratio": 2.0}, (200, 100), 1.0),
        (WIDE, ENLARGE | {"pixel_ratio": 2.0}, (400, 200), 2.0),
        (WIDE, {"scale": Scale(0.5, 0.5), "pixel_ratio": 2.0}, (200, 100), 2.0),
        (WIDE, FIT | {"width": 50, "min_width": 80, "pixel_ratio": 2.0}, (100, 80), 2.0),
        # A longest side, of which padding and extension are parts.
        (WIDE, FIT | {"width": 100, "height": 100, "max_side": 50}, (50, 25), 0.5),
        (WIDE, {"max_side": 50}, (50, 25), 0.25),
        (WIDE, FIT | PADDED | {"width": 100, "height": 100, "max_side": 80}, (50, 25), 0.5),
        (WIDE, FIT | EXTEND | {"width": 1000, "height": 2000, "max_side": 100}, (50, 100), 0.05),
        (WIDE, FIT | {"width": 100, "height": 150, "rotate": 90, "max_side": 100}, (50, 100), 0.6667),
        (WIDE, FILL | {"width": 1, "height": 1000, "max_side": 1}, (1, 1), 0.01),
    ],
)
def test_a_ratio_is_limited_to_the_pixels_of_the_source(
    stored: Size, options: dict[str, Any], size: tuple[int, int], ratio: float
) -> None:
    geometry = compute(stored, **options)
    assert geometry.size == size
    assert geometry.ratio == pytest.approx(ratio, abs=0.0001)
    assert geometry.padding == tuple(round(side * geometry.ratio) for side in options.get("padding", Padding()))


def test_offsets_and_padding_are_multiplied_by_the_ratio_that_is_left() -> None:
    options = FILL | {"width": 100, "height": 26, "gravity": Gravity("north"), "offset": Offset(0, 5)}
    for ratio, top in ((0.5, 2), (1.0, 5), (2.0, 10), (9.0, 10)):
        window = compute(**options, pixel_ratio=ratio).window
        assert window is not None
        assert window.top == top
    padded = compute(padding=Padding(10, 20, 30, 40), upscale=True, pixel_ratio=0.25)
    assert padded.padding == (2, 5, 8, 10), "halves to even"
    placed = compute(width=300, height=300, pixel_ratio=0.5, extension=Extension("box", "northwest", 20, 0.1))
    assert (placed.size, placed.canvas_position) == ((150, 150), (10, 15)), "a part of a side is no length in px"


def test_limits_hold_where_a_ratio_requests_more() -> None:
    geometry = compute_geometry(
        Plan("k", width=8000, upscale=True, pixel_ratio=1000.0, **PADDED), WIDE, max_side_px=16_383
    )
    assert geometry.size.width + geometry.padding.left + geometry.padding.right <= 16_383
    assert geometry.size.width > 7000
    narrow = compute(Size(8000, 1), **FILL, **ENLARGE, width=100, height=100, pixel_ratio=3.0)
    assert max(narrow.scaled) <= 65_535
    assert narrow.window is not None
    assert narrow.window.height == narrow.scaled.height


@pytest.mark.parametrize(
    ("room", "before"), [(0, 0), (1, 1), (2, 2), (3, 2), (4, 2), (5, 3), (6, 4), (7, 4), (100, 50)]
)
def test_imgproxy_centres_to_even_numbers(room: int, before: int) -> None:
    """ShrinkToEven(room + 1, 2) of its calc_position.go; 4 × 4 in 11 × 10 begins at (4, 4)."""
    box = {"cover_mode": "clip", "fit": "cover", "width": 200 - room, "height": 100}
    window = compute(**box, even_centre=True).window
    assert (window.left if window else 0) == before
    for turn in ({"rotate": 180}, {"flip": "h"}):
        turned = compute(**box, **turn, even_centre=True).window
        assert (turned.left if turned else 0) == room - before, "the same pixels after the turn"
    cut = compute(crop_to=CropTo(200 - room, 0), even_centre=True).subject
    assert cut.left == before
    extended = compute(extension=Extension(), width=200 + room, height=100, even_centre=True)
    assert (extended.canvas_position or (0, 0))[0] == before


def test_imgproxys_focal_point_rounds_to_even_and_halves_down() -> None:
    window = compute(
        **FILL, width=25, height=100, gravity=Gravity("fp", 0.2525, 0.5), even_centre=True
    ).window  # 50.5 rounds to 50, half of 25 is 12
    assert window is not None
    assert window.left == 38
    placed = compute(extension=Extension("box", "fp", 0.25, 1), width=300, height=300, even_centre=True)
    assert placed.canvas_position == (0, 200)


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((400, 0), (400, 200)),
        ((50, 0), (200, 100)),
        ((50, 50), (200, 100)),
        ((300, 300), (300, 150)),
        ((0, 100), (200, 100)),
    ],
)
def test_what_only_grows_is_never_smaller(box: tuple[int, int], size: tuple[int, int]) -> None:
    given = {name: side for name, side in zip(("width", "height"), box, strict=True) if side}
    assert compute(**given, upscale=True, enlarge_only=True).size == size


def test_crop_to_waits_for_the_trim() -> None:
    plan = Plan("k", trim=10, trim_first=True, crop_to=CropTo(50, 0.5, "northwest", dx=5))
    assert compute_geometry(plan, WIDE).subject == Box(0, 0, 200, 100)
    assert compute_geometry(plan, WIDE, subject=Box(20, 30, 160, 60)).subject == Box(25, 30, 50, 30)


def test_crop_to_attention_has_a_size_and_a_search_area() -> None:
    geometry = compute(crop_to=CropTo(50, 50, "attention"), inset=Padding(10, 0, 0, 20))
    assert geometry.subject.size == geometry.scaled == (50, 50)
    assert geometry.search_area == geometry.stored_region == Box(20, 10, 180, 90)
    assert geometry.shrink == 1


def test_inset_crop_and_crop_to_are_applied_in_order() -> None:
    inset, crop, cut = Padding(10, 20, 30, 40), Crop("px", 5, 5, 100, 50), CropTo(0.5, 10, "southwest")
    assert compute(inset=inset).subject == (40, 10, 140, 60)
    assert compute(inset=inset, crop=crop).subject == (45, 15, 100, 50)
    assert compute(inset=inset, crop=crop, crop_to=cut).subject == (45, 55, 50, 10)


@pytest.mark.parametrize(
    ("options", "option"),
    [
        ({"inset": Padding(50, 0, 50, 0)}, "inset"),
        ({"inset": Padding(10, 10, 10, 10), "crop": Crop("px", 180, 0, 10, 10)}, "crop"),
        ({"ellipse": Ellipse(10, 10, 300, 50)}, "ell"),
    ],
)
def test_what_leaves_nothing_is_refused_by_name(options: dict[str, Any], option: str) -> None:
    with pytest.raises(BadOption) as refusal:
        compute(**options)
    assert refusal.value.option == option


@pytest.mark.parametrize(
    ("options", "window"),
    [
        ({"offset": Offset(5, 0)}, Box(55, 0, 100, 100)),
        ({"offset": Offset(-0.1, 0)}, Box(30, 0, 100, 100)),
        ({"offset": Offset(70, 0)}, Box(100, 0, 100, 100)),
        ({"gravity": Gravity("east"), "offset": Offset(5, 9)}, Box(95, 0, 100, 100)),
        ({"gravity": Gravity("fp", 0.3, 0.5), "offset": Offset(5, 0)}, Box(10, 0, 100, 100)),
        ({"focus": Focus(60, 0)}, Box(10, 0, 100, 100)),
        ({"focus": Focus(0, 50)}, Box(0, 0, 100, 100)),
        ({"focus": Focus(9999, 50)}, Box(100, 0, 100, 100)),
    ],
)
def test_what_a_cover_keeps_is_moved(options: dict[str, Any], window: Box) -> None:
    assert compute(width=100, height=100, fit="cover", **options).window == window


def test_a_focus_is_a_point_of_the_source() -> None:
    geometry = compute(Size(400, 200), width=50, height=50, fit="cover", focus=Focus(120, 0))
    assert (geometry.scaled, geometry.window) == ((100, 50), Box(5, 0, 50, 50))
    cropped = compute(
        Size(500, 200), width=50, height=50, fit="cover", focus=Focus(220, 0), crop=Crop("px", 100, 0, 400, 200)
    )
    assert cropped.window == geometry.window


@pytest.mark.parametrize(
    ("extension", "stand"),
    [
        (Extension("box", "north"), (50, 0)),
        (Extension("box", "north", 0, 5), (50, 5)),
        (Extension("box", "east", 5), (95, 100)),
        (Extension("box", "southeast", 0.1, 0.1), (70, 170)),
        (Extension("box", "northwest", -5, 900), (0, 200)),
    ],
)
def test_position_and_offset_place_an_extension(extension: Extension, stand: tuple[int, int]) -> None:
    geometry = compute(width=300, height=300, extension=extension)
    assert (geometry.rotated_size, geometry.canvas, geometry.canvas_position) == ((200, 100), (300, 300), stand)


def test_an_extension_is_about_the_result() -> None:
    geometry = compute(rotate=90, width=50, height=200, extension=Extension("box", "west", 3))
    assert (geometry.rotated_size, geometry.canvas, geometry.canvas_position) == ((50, 100), (50, 200), (0, 50))


@pytest.mark.parametrize(
    ("degrees", "size"), [(30, (224, 187)), (45, (213, 213)), (90.01, (101, 201)), (0.01, (201, 101))]
)
def test_a_turn_by_an_angle_holds_the_corners(degrees: float, size: tuple[int, int]) -> None:
    """200 cos + 100 sin, 200 sin + 100 cos, rounded up."""
    assert compute(angle=degrees).size == size


def test_a_letterbox_grows_with_what_is_turned_in_it() -> None:
    assert compute(width=200, height=120, fit="letterbox", angle=30).size == (224, 187)
    assert compute(width=300, height=120, fit="letterbox", angle=30).size == (300, 187)


@pytest.mark.parametrize(
    ("ellipse", "box"),
    [
        (Ellipse(), Box(50, 0, 100, 100)),
        (Ellipse(20, 30), Box(80, 20, 40, 60)),
        (Ellipse(20, 30, 10, 95), Box(0, 65, 30, 35)),
        (Ellipse(900, 900), Box(0, 0, 200, 100)),
    ],
)
def test_an_ellipse_has_its_bounds(ellipse: Ellipse, box: Box) -> None:
    geometry = compute(ellipse=ellipse)
    assert (geometry.ellipse, geometry.size) == (box, box.size)


lengths = st.one_of(st.integers(-400, 400).map(float), st.integers(-9999, 9999).map(lambda n: n / 10_000))
parts = st.one_of(st.integers(0, 400).map(float), st.integers(0, 9999).map(lambda n: n / 10_000))
fractions = st.integers(0, 100).map(lambda n: n / 100)
zooms = st.integers(1, 1_000_000).map(lambda n: n / 10_000)
box_sides = st.none() | st.integers(1, 8192)
plans = st.builds(
    Plan,
    key=st.just("k"),
    width=box_sides,
    height=box_sides,
    upscale=st.booleans(),
    fit=st.sampled_from(["contain", "cover", "fill", "letterbox"]),
    gravity=st.sampled_from([Gravity(name) for name in (*COMPASS_POINTS, "attention")] + [Gravity("fp", 0.2, 0.7)]),
    rotate=st.sampled_from([0, 90, 180, 270]),
    padding=st.builds(Padding, *[st.integers(0, 100)] * 4),
    inset=st.builds(Padding, *[st.integers(0, 40)] * 4),
    crop_to=st.none()
    | st.builds(
        CropTo, parts, parts, st.sampled_from([*COMPASS_POINTS, "attention", "fp"]), *[fractions] * 2, *[lengths] * 2
    ),
    min_width=box_sides,
    min_height=box_sides,
    scale=st.just(Scale()) | st.builds(Scale, zooms, zooms),
    pixel_ratio=st.just(1.0) | st.integers(1, 50_000).map(lambda n: n / 1000),
    max_side=st.just(0) | st.integers(1, 9000),
    even_centre=st.booleans(),
    cover_mode=st.sampled_from(["", "clip", "flex", "uncut"]),
    adaptive=st.booleans(),
    offset=st.builds(Offset, lengths, lengths),
    focus=st.none() | st.builds(Focus, st.integers(0, 65_535), st.integers(0, 65_535)),
    extension=st.none()
    | st.builds(Extension, st.sampled_from(["box", "ratio"]), st.sampled_from(COMPASS_POINTS), lengths, lengths),
    angle=st.just(0.0) | st.integers(1, 35_999).map(lambda n: n / 100),
    ellipse=st.none() | st.builds(Ellipse, *[st.integers(0, 300)] * 4),
)


@given(
    plans, st.integers(1, 12_000), st.integers(1, 12_000), st.integers(1, 8), st.sampled_from([16_383, 65_500]),
    st.none() | st.just(40_000_000),
)  # fmt: skip
def test_every_geometry_is_within_its_image(
    plan: Plan, width: int, height: int, orientation: int, max_side_px: int, max_pixels: int | None
) -> None:
    try:
        geometry = compute_geometry(
            plan, Size(width, height), orientation, max_side_px=max_side_px, max_pixels=max_pixels
        )
    except BadOption as refusal:
        assert refusal.option in ("inset", "ell")
        return
    region = geometry.search_area or geometry.subject
    assert inside(region, geometry.upright)
    assert inside(geometry.subject, geometry.upright)
    assert inside(geometry.stored_region, geometry.stored)
    assert min(*geometry.scaled, *geometry.cropped_size, *geometry.image_size, *geometry.size) >= 1
    if geometry.window:
        assert inside(geometry.window, geometry.scaled)
    if geometry.ellipse:
        assert inside(geometry.ellipse, geometry.angled_size)
    if geometry.canvas_position:
        assert inside(Box(*geometry.canvas_position, *geometry.image_size), geometry.size)
    assert all(own <= around for own, around in zip(geometry.image_size, geometry.size, strict=True))
    padding = geometry.padding
    assert geometry.size.width + padding.left + padding.right <= max_side_px
    assert geometry.size.height + padding.top + padding.bottom <= max_side_px
    assert geometry.ratio <= max(1, plan.pixel_ratio) or not plan.upscale
    assert max(geometry.scaled) <= max(65_535, width, height)
    assert max(geometry.cropped_size) <= max(8192, width, height)
    assert all(side <= max(own, 8192) for side, own in zip(geometry.size, geometry.image_size, strict=True))


@given(plans, st.integers(1, 3000), st.integers(1, 3000))
def test_only_a_minimum_size_enlarges_without_upscale(plan: Plan, width: int, height: int) -> None:
    try:
        geometry = compute_geometry(plan, Size(width, height))
    except BadOption:
        return
    if not (plan.upscale or plan.min_width or plan.min_height):
        assert geometry.scaled.width <= geometry.subject.width
        assert geometry.scaled.height <= geometry.subject.height


@given(plans, st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 8))
def test_orientation_changes_nothing_but_where_pixels_come_from(
    plan: Plan, width: int, height: int, orientation: int
) -> None:
    stored = Size(height, width) if orientation >= 5 else Size(width, height)
    try:
        turned, upright = compute_geometry(plan, stored, orientation), compute_geometry(plan, Size(width, height), 1)
    except BadOption:
        return
    for name in ("subject", "search_area", "scaled", "window", "canvas", "canvas_position", "ellipse", "size"):
        assert getattr(turned, name) == getattr(upright, name), name


def inside(box: Box, size: Size) -> bool:
    left, top, width, height = box
    fits = left + width <= size.width and top + height <= size.height
    return left >= 0 and top >= 0 and width >= 1 and height >= 1 and fits
