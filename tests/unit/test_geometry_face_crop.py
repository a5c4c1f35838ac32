"""Crop to faces, and faces in stored orientation."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadOption
from darkroom.findings import FACES, Face, Finding, Findings, Region, get_face_regions
from darkroom.plan.geometry.faces import crop_to_faces, rotate_faces_to_stored
from darkroom.plan.geometry.placement import Box, Size, to_stored_box
from darkroom.plan.model import Crop, FaceCrop, Gravity, Padding, Plan

SIZE = Size(1000, 500)
SMALL, LARGE = Region(0.1, 0.2, 0.1, 0.2), Region(0.5, 0.4, 0.2, 0.3)


def one_face(wanted: FaceCrop, *faces: Region, **options: Any) -> Box | None:
    return crop_to_faces(Plan("k", face_crop=wanted, **options), SIZE, 1, faces)


def test_faces_are_counted_from_the_largest() -> None:
    assert one_face(FaceCrop(), SMALL, LARGE) == (500, 200, 200, 150)
    assert one_face(FaceCrop(1), SMALL, LARGE) == (100, 100, 100, 100)


def test_padding_ends_where_the_image_does() -> None:
    assert one_face(FaceCrop(0, 20), SMALL) == (80, 80, 140, 140)
    assert one_face(FaceCrop(0, 150), SMALL) == (0, 0, 350, 350)
    assert one_face(FaceCrop(0, 20), SMALL, inset=Padding(90, 0, 0, 95)) == (95, 90, 125, 130)


def test_a_face_that_there_is_not_is_refused_by_name() -> None:
    with pytest.raises(BadOption, match="no face 2") as refusal:
        one_face(FaceCrop(2), SMALL, LARGE)
    assert refusal.value.option == "face"


def test_without_faces_the_image_is_not_cropped() -> None:
    assert one_face(FaceCrop(3)) is None
    assert one_face(FaceCrop(), SMALL, crop=Crop("px", 500, 0, 500, 500)) is None


def test_the_face_of_a_turned_image_is_found_upright() -> None:
    assert crop_to_faces(Plan("k", face_crop=FaceCrop()), SIZE.transposed, 6, [LARGE]) == (500, 200, 200, 150)


def zoomed(closeness: float, *faces: Region, size: Size = SIZE) -> Box | None:
    plan = Plan("k", width=100, height=100, fit="cover", gravity=Gravity("face"), face_zoom=closeness)
    return crop_to_faces(plan, size, 1, faces)


def test_a_zoom_goes_from_the_widest_cover_to_the_face_alone() -> None:
    """The widest square around (500–700, 200–350) is 500 px; the tightest as wide as the face, 200."""
    assert zoomed(0, LARGE) is None, "as far as ever"
    assert zoomed(1, LARGE) == (500, 175, 200, 200)
    assert zoomed(0.5, LARGE) == (425, 88, 350, 350)


def test_a_zoom_holds_all_faces_that_the_widest_cover_keeps() -> None:
    near = Region(0.35, 0.45, 0.1, 0.2)
    box = zoomed(1, LARGE, near)
    assert box is not None
    assert (box.left, box.left + box.width) == (350, 700)
    assert zoomed(1) is None


@given(
    st.floats(0.01, 1), st.integers(1, 3000), st.integers(1, 3000),
    st.lists(st.builds(Region, *[st.floats(0, 0.9)] * 2, *[st.floats(0.01, 0.5)] * 2), max_size=4),
)  # fmt: skip
def test_every_zoom_is_within_the_image(closeness: float, width: int, height: int, faces: list[Region]) -> None:
    box = zoomed(closeness, *faces, size=Size(width, height))
    if box is not None:
        assert min(box.left, box.top, box.width - 1, box.height - 1) >= 0
        assert box.left + box.width <= width
        assert box.top + box.height <= height


@pytest.mark.parametrize("orientation", range(1, 9))
def test_faces_are_in_stored_orientation(orientation: int) -> None:
    known = Findings("1", "etag", {FACES: Finding(FACES, "m", "1", faces=(Face(LARGE, 0.9),))})
    (region,) = get_face_regions(rotate_faces_to_stored(known, orientation))
    stored = SIZE.transposed if orientation >= 5 else SIZE
    wanted = to_stored_box(Box(500, 200, 200, 150), SIZE, orientation)
    found = [part * side for part, side in zip(region, (*stored, *stored), strict=True)]
    assert found == pytest.approx(wanted)
