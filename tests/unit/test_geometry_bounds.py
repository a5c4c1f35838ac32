"""Geometry at its bounds: requested sizes, boxes, window positions, faces at the edge of a crop."""

from __future__ import annotations

from typing import Any

import pytest

from darkroom.client_findings import FaceBox, parse_client_findings
from darkroom.errors import BadOption, BadUpload
from darkroom.findings import Region
from darkroom.plan.geometry.faces import crop_to_faces, project_region
from darkroom.plan.geometry.layout import Geometry, compute_geometry
from darkroom.plan.geometry.placement import (
    Box,
    Size,
    center_window,
    compute_crop,
    compute_ellipse_axes,
    compute_ellipse_bounds,
    compute_rotation_growth,
    extend_canvas,
    place_inwards,
    place_window,
    rescale_box,
    resolve_length,
    rotate_size,
    round_half_up,
    to_stored_box,
    to_upright_box,
)
from darkroom.plan.geometry.resize import (
    ResizeRequest,
    contain,
    cover,
    limit_pixels,
    orientation_differs,
    resize,
    scale_side,
    shrink_to_fit,
    swap_box,
)
from darkroom.plan.model import Crop, CropTo, Ellipse, Extension, Focus, Gravity, Offset, Padding, Plan, Scale

WIDE = Size(200, 100)


def compute(stored: Size = WIDE, **options: Any) -> Geometry:
    return compute_geometry(Plan("k", **options), stored)


def test_zooms_scale_in_either_direction() -> None:
    sizes = {
        (2.0, 2.0, True): (400, 200),
        (2.0, 1.0, True): (400, 100),
        (1.0, 2.0, True): (200, 200),
        (2.0, 2.0, False): (200, 100),
        (0.5, 0.5, False): (100, 50),
        (0.5, 1.0, False): (100, 100),
        (1.0, 1.0, False): (200, 100),
    }
    found = {case: compute(scale=Scale(*case[:2]), upscale=case[2]).size for case in sizes}
    assert found == sizes


def test_max_pixels_limits_results_without_a_box() -> None:
    for options in ({}, {"min_width": 200}, {"scale": Scale(1.0, 1.0), "min_height": 100}, {"width": 200}):
        assert compute_geometry(Plan("k", **options), WIDE, max_pixels=20_000).scaled == (200, 100)
        assert compute_geometry(Plan("k", **options), WIDE, max_pixels=19_999).scaled == (198, 99)
        assert compute_geometry(Plan("k", **options), WIDE, max_pixels=5_000).scaled == (100, 50)
        assert compute_geometry(Plan("k", **options), WIDE, max_pixels=5_000).window is None


def test_bounded_sizes_keep_their_shape() -> None:
    assert limit_pixels(Size(10, 10), None) == (10, 10)
    assert limit_pixels(Size(10, 10), 100) == (10, 10)
    assert limit_pixels(Size(10, 10), 99) == (9, 9)
    assert limit_pixels(Size(1000, 1), 10) == (100, 1)
    assert limit_pixels(Size(1, 1000), 10) == (1, 100)


def test_sizes_are_rounded_half_up() -> None:
    assert [
        scale_side(1, 1, 2),
        scale_side(1, 3, 2),
        scale_side(5, 1, 2),
        scale_side(1, 1, 3),
        scale_side(2, 1, 3),
        scale_side(7, 2, 2),
    ] == [
        *(1, 2, 3, 1, 1, 7),
    ]
    assert [round_half_up(length) for length in (0.4, 0.5, 0.6, 1.5, 2.5)] == [0, 1, 1, 2, 3]
    assert contain(Size(3, 2), Size(2, 9), upscale=False) == (2, 1)
    assert contain(Size(2, 3), Size(9, 2), upscale=False) == (1, 2)
    assert contain(Size(10, 10), Size(10, 10), upscale=True) == (10, 10)
    assert contain(Size(10, 5), Size(10, 9), upscale=False) == (10, 5)
    assert contain(Size(10, 5), Size(20, 20), upscale=False) == (10, 5)
    assert contain(Size(10, 5), Size(20, 20), upscale=True) == (20, 10)
    assert contain(Size(10, 5), Size(9, 20), upscale=False) == (9, 5)
    assert contain(Size(5, 10), Size(20, 9), upscale=False) == (5, 9)
    assert shrink_to_fit(Size(30, 20), Size(15, 15)) == (15, 10)
    assert shrink_to_fit(Size(15, 10), Size(15, 15)) == (15, 10)
    assert cover(Size(100, 50), Size(40, 40), upscale=False) == ((80, 40), (40, 40))
    assert cover(Size(50, 100), Size(40, 40), upscale=False) == ((40, 80), (40, 40))
    assert cover(Size(100, 50), Size(200, 200), upscale=False) == ((100, 50), (50, 50))
    assert cover(Size(100, 50), Size(200, 200), upscale=True) == ((400, 200), (200, 200))
    assert cover(Size(1, 1000), Size(8192, 8192), upscale=True) == ((65, 65_000), (65, 65))
    assert cover(Size(43_690, 1), Size(8192, 8192), upscale=True) == ((43_690, 1), (1, 1))


def test_boxes_turn_with_the_image() -> None:
    assert swap_box(Size(20, 10), Size(1, 2)) == (10, 20)
    assert swap_box(Size(20, 10), Size(2, 1)) == (20, 10)
    assert swap_box(Size(20, 10), Size(2, 2)) == (20, 10)
    assert swap_box(Size(20, 20), Size(1, 2)) == (20, 20)
    assert [orientation_differs(Size(*one), Size(*other)) for one, other in (((2, 1), (1, 2)), ((1, 1), (1, 2)))] == [
        True
    ] * 2
    assert [orientation_differs(Size(*one), Size(*other)) for one, other in (((2, 1), (1, 1)), ((1, 2), (1, 2)))] == [
        False
    ] * 2


def test_resize_requests() -> None:
    most = Size(8192, 8192)

    def scale(
        box: tuple[int, int], *rest: Any, fit: str = "contain", cover_mode: str = "", upscale: bool = False
    ) -> Any:
        return resize(WIDE, ResizeRequest(Size(*box), *rest), fit, cover_mode, most, upscale=upscale)

    assert scale((50, 0)) == ((50, 25), (50, 25))
    assert scale((0, 50)) == ((100, 50), (100, 50))
    assert scale((0, 0)) == ((200, 100), (200, 100))
    assert scale((50, 50)) == ((50, 25), (50, 25))
    assert scale((50, 50), fit="fill") == ((50, 50), (50, 50))
    assert scale((50, 50), fit="cover") == ((100, 50), (50, 50))
    assert scale((50, 100), fit="cover", cover_mode="flex") == ((50, 25), (50, 25))
    assert scale((50, 40), fit="cover", cover_mode="flex") == ((80, 40), (50, 40))
    assert scale((50, 50), fit="cover", cover_mode="uncut") == ((100, 50), (100, 50))
    assert scale((300, 200), fit="cover") == ((200, 100), (150, 100))
    assert scale((300, 200), fit="cover", cover_mode="clip") == ((200, 100), (200, 100))
    assert scale((300, 200), fit="cover", upscale=True) == ((400, 200), (300, 200))
    assert scale((100, 100), (0.5, 0.25)) == ((50, 13), (50, 13))
    assert scale((100, 100), (1.0, 1.0), Size(100, 50)) == ((100, 50), (100, 50))
    assert scale((100, 100), (1.0, 1.0), Size(101, 0)) == ((101, 51), (100, 51))
    assert scale((100, 100), (1.0, 1.0), Size(0, 51)) == ((102, 51), (100, 51))
    assert scale((100, 100), (1.0, 1.0), Size(150, 100)) == ((200, 100), (100, 100))
    assert resize(WIDE, ResizeRequest(Size(0, 0)), "contain", "", Size(100, 100), upscale=False) == (
        (100, 50),
        (100, 50),
    )
    assert resize(WIDE, ResizeRequest(Size(0, 0)), "contain", "", Size(200, 50), upscale=False) == (
        (100, 50),
        (100, 50),
    )
    assert resize(WIDE, ResizeRequest(Size(0, 0)), "contain", "", Size(200, 100), upscale=False) == (
        (200, 100),
        (200, 100),
    )
    assert ResizeRequest(Size(10, 0), (0.01, 1.0)).target == (1, 0)
    assert ResizeRequest(Size(0, 10), (1.0, 0.25)).target == (0, 3)


def test_places() -> None:
    assert [resolve_length(length, 200) for length in (0.5, -0.5, 0.999, 1, -1, 1.9, -1.9, 10)] == [
        100,
        -100,
        200,
        1,
        -1,
        1,
        -1,
        10,
    ]
    assert [place_inwards(10, 4, share, 1) for share in (0, 0.5, 1)] == [1, 4, 5]
    assert [center_window(middle, 10, 4) for middle in (0, 2, 2.6, 5, 8, 9)] == [0, 0, 1, 3, 6, 6]
    inner, outer = Size(4, 2), Size(10, 10)
    places = {
        "center": (3, 4), "north": (3, 0), "northeast": (6, 0), "east": (6, 4), "southeast": (6, 8),
        "south": (3, 8), "southwest": (0, 8), "west": (0, 4), "northwest": (0, 0), "attention": (3, 4), "face": (3, 4),
    }  # fmt: skip
    assert {name: place_window(outer, inner, Gravity(name))[:2] for name in places} == places
    moved = {
        "center": (4, 6), "north": (4, 2), "northeast": (5, 2), "east": (5, 6), "southeast": (5, 6),
        "south": (4, 6), "southwest": (1, 6), "west": (1, 6), "northwest": (1, 2),
    }  # fmt: skip
    assert {name: place_window(outer, inner, Gravity(name), 1, 2)[:2] for name in moved} == moved
    assert place_window(outer, inner, Gravity("fp", 0.0, 1.0), 5, 5) == (0, 8, 4, 2)
    assert place_window(outer, inner, Gravity("fp", 0.5, 0.3)) == (3, 2, 4, 2)
    assert place_window(outer, inner, Gravity(), -99, 99) == (0, 8, 4, 2)


def test_turned_sizes() -> None:
    assert rotate_size(WIDE, 0) == WIDE
    assert rotate_size(WIDE, 90) == (100, 200)
    assert rotate_size(WIDE, 180) == WIDE
    assert rotate_size(WIDE, 45) == (213, 213)
    assert rotate_size(WIDE, 30) == (224, 187)
    assert [compute_rotation_growth(degrees) for degrees in (0, 45, 90, 120)] == pytest.approx(
        [1, 2**0.5, 1, 0.5 + 0.75**0.5]
    )


def test_canvases() -> None:
    room = Size(8192, 8192)
    assert extend_canvas(WIDE, Size(200, 100), Extension(), room) is None
    assert extend_canvas(WIDE, Size(0, 0), Extension(), room) is None
    assert extend_canvas(WIDE, Size(300, 0), Extension(), room) == (50, 0, 300, 100)
    assert extend_canvas(WIDE, Size(300, 200), Extension("box", "southeast", 10, 20), room) == (90, 80, 300, 200)
    assert extend_canvas(WIDE, Size(300, 300), Extension("ratio"), room) == (0, 50, 200, 200)
    assert extend_canvas(WIDE, Size(300, 100), Extension("ratio"), room) == (50, 0, 300, 100)
    assert extend_canvas(WIDE, Size(300, 0), Extension("ratio"), room) is None
    assert extend_canvas(WIDE, Size(0, 300), Extension("ratio"), room) is None
    assert extend_canvas(WIDE, Size(300, 300), Extension(), Size(250, 150)) == (25, 25, 250, 150)
    assert extend_canvas(WIDE, Size(300, 300), Extension(), Size(100, 100)) is None


def test_ellipses() -> None:
    assert compute_ellipse_axes(Ellipse(), WIDE) == (100, 50, 50, 50)
    assert compute_ellipse_axes(Ellipse(10, 20, 30, 40), WIDE) == (30, 40, 10, 20)
    assert compute_ellipse_bounds(Ellipse(), WIDE) == (50, 0, 100, 100)
    assert compute_ellipse_bounds(Ellipse(10, 20, 30, 40), WIDE) == (20, 20, 20, 40)
    assert compute_ellipse_bounds(Ellipse(10, 10, 209, 109), WIDE) == (199, 99, 1, 1)
    for ellipse in (Ellipse(10, 10, 210, 50), Ellipse(10, 10, 50, 110)):
        with pytest.raises(BadOption) as refusal:
            compute_ellipse_bounds(ellipse, WIDE)
        assert refusal.value.option == "ell"


def test_crop_regions() -> None:
    cases: list[tuple[dict[str, Any], Box]] = [
        ({}, Box(0, 0, 200, 100)),
        ({"inset": Padding(1, 2, 3, 4)}, Box(4, 1, 194, 96)),
        ({"inset": Padding(99, 0, 0, 199)}, Box(199, 99, 1, 1)),
        ({"inset": Padding(0, 199, 99, 0)}, Box(0, 0, 1, 1)),
        ({"crop": Crop("px", 199, 99, 5, 5)}, Box(199, 99, 1, 1)),
        ({"crop": Crop("pct", 25, 25, 50, 50)}, Box(50, 25, 100, 50)),
        ({"crop": Crop("pct", 0.25, 0.5, 0.5, 0.5)}, Box(1, 1, 1, 1)),
        ({"crop": Crop("pct", 99.99, 99.99, 0.01, 0.01)}, Box(199, 99, 1, 1)),
        ({"crop": Crop("pct", 0, 0, 0.01, 0.01)}, Box(0, 0, 1, 1)),
        ({"crop_to": CropTo(0, 0)}, Box(0, 0, 200, 100)),
        ({"crop_to": CropTo(0.5, 1)}, Box(50, 50, 100, 1)),
        ({"crop_to": CropTo(201, 101)}, Box(0, 0, 200, 100)),
        ({"crop_to": CropTo(1.9, 99, "northwest")}, Box(0, 0, 1, 99)),
    ]
    assert [(options, compute_crop(Plan("k", **options), WIDE).subject) for options, _ in cases] == cases
    for inset in (Padding(50, 0, 50, 0), Padding(0, 100, 0, 100)):
        with pytest.raises(BadOption) as refusal:
            compute_crop(Plan("k", inset=inset), WIDE)
        assert refusal.value.option == "inset"
    assert compute_crop(
        Plan("k", crop_to=CropTo(50, 50, "attention"), inset=Padding(1, 2, 3, 4)), WIDE
    ).search_area == (
        4,
        1,
        194,
        96,
    )
    assert compute_crop(Plan("k", crop_to=CropTo(50, 50, "east")), WIDE).search_area is None


def test_boxes_of_a_turned_or_scaled_image() -> None:
    box, upright = Box(1, 2, 3, 4), Size(10, 20)
    turned = [to_stored_box(box, upright, orientation) for orientation in range(1, 9)]
    assert turned == [
        *((1, 2, 3, 4), (6, 2, 3, 4), (6, 14, 3, 4), (1, 14, 3, 4)),
        *((2, 1, 4, 3), (2, 6, 4, 3), (14, 6, 4, 3), (14, 1, 4, 3)),
    ]
    stored = [upright if orientation < 5 else upright.transposed for orientation in range(1, 9)]
    assert [to_upright_box(one, stored[at], at + 1) for at, one in enumerate(turned)] == [box] * 8
    assert rescale_box(Box(1, 2, 3, 4), upright, Size(20, 40)) == (2, 4, 6, 8)
    assert rescale_box(Box(9, 19, 1, 1), upright, Size(1, 1)) == (0, 0, 1, 1)
    assert rescale_box(Box(9, 19, 1, 1), upright, Size(2, 2)) == (1, 1, 1, 1)
    assert rescale_box(Box(0, 0, 1, 1), upright, Size(5, 5)) == (0, 0, 1, 1)


def test_windows() -> None:
    cover: dict[str, Any] = {"width": 50, "height": 50, "fit": "cover"}
    assert compute(**cover).window == (25, 0, 50, 50)
    assert compute(**cover, gravity=Gravity("east"), offset=Offset(10, 0)).window == (40, 0, 50, 50)
    assert compute(**cover, focus=Focus(150, 50)).window == (50, 0, 50, 50)
    assert compute(**cover, focus=Focus(60, 50)).window == (5, 0, 50, 50)
    assert compute(**cover, focus=Focus(100, 0), crop=Crop("px", 50, 0, 150, 100)).window == (0, 0, 50, 50)
    assert compute(Size(100, 200), **cover, focus=Focus(0, 120)).window == (0, 35, 50, 50)
    assert [compute(**cover, gravity=Gravity(name)).search for name in ("attention", "entropy", "face", "north")] == [
        *("attention", "entropy", "face", ""),
    ]
    assert compute(width=50, height=25, fit="cover").window is None


def test_faces_that_a_crop_leaves() -> None:
    geometry = compute(crop=Crop("px", 50, 20, 100, 50))
    assert project_region(Region(0.25, 0.2, 0.5, 0.5), geometry) == (0, 0, 100, 50)
    assert project_region(Region(0.2, 0.3, 0.1, 0.1), geometry) == (0, 10, 10, 10)
    assert project_region(Region(0.1999, 0.3, 0.1, 0.1), geometry) is None
    assert project_region(Region(0.7, 0.3, 0.1, 0.1), geometry) == (90, 10, 10, 10)
    assert project_region(Region(0.3, 0.15, 0.1, 0.1), geometry) == (10, 0, 20, 5)
    assert project_region(Region(0.3, 0.65, 0.1, 0.1), geometry) == (10, 45, 20, 5)
    for outside in (
        Region(0, 0, 0.1, 0.1),
        Region(0.9, 0.9, 0.1, 0.1),
        Region(0, 0.9, 0.1, 0.1),
        Region(0, 0.3, 0.1, 0.1),
    ):
        assert project_region(outside, geometry) is None
    for empty in (Region(0.3, 0.3, 0, 0.1), Region(0.3, 0.3, 0.1, 0), Region(0.3, 0.3, 0, 0)):
        assert project_region(empty, geometry) is None


def test_face_zoom_of_a_cover_without_a_crop() -> None:
    plan = Plan("k", width=100, height=100, fit="cover", gravity=Gravity("face"), face_zoom=1.0)
    corner, far = Region(0, 0, 0.25, 0.25), Region(0.5, 0.5, 0.5, 0.5)
    assert crop_to_faces(plan, Size(200, 200), 1, [corner]) == (0, 0, 50, 50)
    assert crop_to_faces(plan, Size(200, 200), 1, [far]) == (100, 100, 100, 100)
    assert crop_to_faces(plan, Size(200, 200), 1, [Region(0, 0, 1, 1)]) == (0, 0, 200, 200)
    assert crop_to_faces(plan, Size(100, 100), 1, [corner, Region(0.5, 0, 0.25, 0.25)]) == (0, 0, 75, 75)


def test_boxes_of_findings() -> None:
    def read(*box: float) -> FaceBox:
        (face,) = parse_client_findings({"faces": [{"box": list(box), "score": 0.5}]}).faces or ()
        return face

    assert read(0, 0, 1, 1) == (0, 0, 10_000, 10_000, 5000)
    assert read(0.1, 0.2, 0.3, 0.4) == (1000, 2000, 3000, 4000, 5000)
    assert read(1, 0, 0.0001, 1) == (9999, 0, 1, 10_000, 5000)
    assert read(0, 1, 1, 0.0001) == (0, 9999, 10_000, 1, 5000)
    assert read(0, 0, 0.00001, 0.00001) == (0, 0, 1, 1, 5000)
    assert read(0.5, 0.5, 0.5001, 0.5001) == (5000, 5000, 5000, 5000, 5000)
    for box in ((0, 0, 0, 1), (0, 0, 1, 0), (0.5, 0, 0.5002, 1), (0, 0.5, 1, 0.5002), (-0.1, 0, 1, 1), (0, 0, 1.1, 1)):
        with pytest.raises(BadUpload):
            read(*box)
    for parts in ((0, 0, 1), (0, 0, 1, 1, 1), ()):
        with pytest.raises(BadUpload):
            read(*parts)
