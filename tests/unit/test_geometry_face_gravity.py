"""Face gravity: examples, and invariants for all faces and images."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import Region
from darkroom.plan.geometry.faces import move_window_to_regions
from darkroom.plan.geometry.layout import Box, Geometry, Size, compute_geometry
from darkroom.plan.model import Crop, Gravity, Plan

WIDE, TALL = Size(1000, 400), Size(400, 1000)
LEFT, RIGHT, FAR_RIGHT = Region(0.1, 0.4, 0.1, 0.25), Region(0.4, 0.4, 0.1, 0.25), Region(0.85, 0.4, 0.1, 0.25)
SMALL = Region(0.6, 0.4, 0.02, 0.05)


def square(source: Size, *faces: Region, side: int = 400, crop: Crop | None = None, orientation: int = 1) -> Geometry:
    """A square cover of ``source``, which is of that size when it is upright."""
    plan = Plan("k", width=side, height=side, fit="cover", gravity=Gravity("face"), crop=crop)
    stored = source.transposed if orientation >= 5 else source
    return move_window_to_regions(compute_geometry(plan, stored, orientation), faces)


@pytest.mark.parametrize(
    ("source", "faces", "window"),
    [
        pytest.param(WIDE, [RIGHT], (250, 0), id="a face is in the middle"),
        pytest.param(WIDE, [LEFT], (0, 0), id="a window ends where the image does"),
        pytest.param(WIDE, [FAR_RIGHT], (600, 0), id="on the other side too"),
        pytest.param(WIDE, [LEFT, RIGHT], (100, 0), id="both faces just fit, without room"),
        pytest.param(WIDE, [RIGHT, SMALL], (300, 0), id="the room is that of each face"),
        pytest.param(WIDE, [LEFT, FAR_RIGHT], (0, 0), id="of two alike the one nearer to the middle"),
        pytest.param(WIDE, [LEFT, SMALL, FAR_RIGHT], (585, 0), id="as much of faces as fits"),
        pytest.param(WIDE, [Region(0.2, 0.1, 0.6, 0.8)], (300, 0), id="the middle of a face that does not fit"),
        pytest.param(TALL, [Region(0.3, 0.5, 0.3, 0.1)], (0, 338), id="more room above a head than below"),
        pytest.param(TALL, [Region(0.3, 0.01, 0.3, 0.1)], (0, 0), id="a head at the upper edge"),
        pytest.param(TALL, [Region(0.3, 0.5, 0.3, 0.38)], (0, 487), id="little room is shared as it is requested for"),
    ],
)
def test_the_window_that_keeps_faces(source: Size, faces: list[Region], window: tuple[int, int]) -> None:
    geometry = square(source, *faces)
    assert geometry.window == Box(*window, 400, 400)
    assert geometry.search == ""


@pytest.mark.parametrize("faces", [[], [Region(1.2, 0, 0.1, 0.1)]])
def test_without_a_face_the_pixels_decide(faces: list[Region]) -> None:
    assert square(WIDE, *faces).search == "attention"


def test_what_fits_has_no_window() -> None:
    geometry = square(Size(400, 400), LEFT)
    assert (geometry.window, geometry.search) == (None, "")


def test_a_face_outside_of_the_crop_does_not_count() -> None:
    crop = Crop("px", 300, 0, 700, 400)
    assert square(WIDE, LEFT, RIGHT, crop=crop).window == square(WIDE, RIGHT, crop=crop).window == Box(0, 0, 400, 400)
    assert square(WIDE, LEFT, FAR_RIGHT, crop=crop).window == Box(300, 0, 400, 400)


@pytest.mark.parametrize(("left", "counts"), [(440, True), (460, False)])
def test_half_of_a_face_must_be_in_the_crop(left: int, counts: bool) -> None:
    geometry = square(WIDE, RIGHT, crop=Crop("px", left, 0, 500, 400))
    assert (geometry.search == "") == counts


@pytest.mark.parametrize("orientation", range(1, 9))
def test_faces_are_in_the_upright_image_however_it_is_stored(orientation: int) -> None:
    assert square(WIDE, RIGHT, SMALL, orientation=orientation).window == square(WIDE, RIGHT, SMALL).window


fractions = st.floats(0, 0.99)
regions = st.builds(
    lambda left, top, width, height: Region(left, top, width * (1 - left), height * (1 - top)),
    fractions,
    fractions,
    st.floats(0.001, 1),
    st.floats(0.001, 1),
)
sizes = st.builds(Size, st.integers(20, 5000), st.integers(20, 5000))


@given(sizes, st.lists(regions, min_size=1, max_size=8), st.integers(1, 2000), st.integers(1, 2000))
def test_all_faces_are_kept_if_they_fit(source: Size, faces: list[Region], width: int, height: int) -> None:
    plan = Plan("k", width=width, height=height, fit="cover", gravity=Gravity("face"))
    geometry = move_window_to_regions(compute_geometry(plan, source), faces)
    if (window := geometry.window) is None or geometry.search:
        return
    assert 0 <= window.left <= geometry.scaled.width - window.width
    assert 0 <= window.top <= geometry.scaled.height - window.height
    for axis in (0, 1):
        side, start, kept = geometry.scaled[axis], window[axis], window[axis + 2]
        first = min(face[axis] for face in faces) * side
        last = max(face[axis] + face[axis + 2] for face in faces) * side
        if last - first <= kept - 2:  # a pixel that a face only touches counts as its own
            assert start <= first + 1e-6
            assert last <= start + kept + 1e-6


@given(sizes, st.lists(regions, min_size=1, max_size=8), st.randoms())
def test_the_order_of_the_faces_does_not_matter(source: Size, faces: list[Region], random: Random) -> None:
    shuffled = list(faces)
    random.shuffle(shuffled)
    assert square(source, *faces, side=200) == square(source, *shuffled, side=200)


@given(sizes, st.lists(regions, min_size=1, max_size=8))
def test_one_face_is_kept_completely_if_one_fits(source: Size, faces: list[Region]) -> None:
    geometry = square(source, *faces, side=300)
    if (window := geometry.window) is None or geometry.search:
        return
    axis = 0 if geometry.scaled.width > window.width else 1
    side, start, kept = geometry.scaled[axis], window[axis], window[axis + 2]
    spans = [(face[axis] * side, (face[axis] + face[axis + 2]) * side) for face in faces]
    if any(last - first <= kept - 2 for first, last in spans):
        assert any(start <= first + 1e-6 and last <= start + kept + 1e-6 for first, last in spans)
