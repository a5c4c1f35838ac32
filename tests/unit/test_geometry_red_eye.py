"""Search regions for red eyes."""

from __future__ import annotations

from darkroom.findings import Region
from darkroom.plan.geometry.faces import locate_eyes
from darkroom.plan.geometry.layout import Box, Size, compute_geometry
from darkroom.plan.model import Crop, Plan

FACE = Region(0.25, 0.25, 0.25, 0.5)
SOURCE = Size(800, 400)


def test_two_of_each_face_in_pixels_of_the_result() -> None:
    assert locate_eyes([FACE], compute_geometry(Plan("k"), SOURCE)) == [Box(220, 156, 80, 56), Box(300, 156, 80, 56)]
    assert (
        locate_eyes([FACE, FACE], compute_geometry(Plan("k", width=400), SOURCE))
        == [Box(110, 78, 40, 28), Box(150, 78, 40, 28)] * 2
    )


def test_where_a_crop_and_a_cover_have_left_them() -> None:
    assert locate_eyes([FACE], compute_geometry(Plan("k", crop=Crop("px", 200, 100, 200, 200)), SOURCE)) == [
        Box(20, 56, 80, 56),
        Box(100, 56, 80, 56),
    ]
    cover = compute_geometry(Plan("k", width=200, height=400, fit="cover"), SOURCE)
    assert cover.window == Box(300, 0, 200, 400)
    assert locate_eyes([FACE], cover) == [Box(0, 156, 80, 56)]


def test_no_eyes_of_a_face_outside_of_the_crop() -> None:
    assert locate_eyes([FACE], compute_geometry(Plan("k", crop=Crop("px", 500, 0, 300, 400)), SOURCE)) == []
    assert locate_eyes([], compute_geometry(Plan("k"), SOURCE)) == []
