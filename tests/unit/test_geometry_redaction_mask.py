"""Redaction masks: by findings, orientation and crop, and never too small."""

from __future__ import annotations

from dataclasses import replace
from math import cos, floor, radians, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.errors import BadOption, FindingsPending, NoInference, Unanalysable
from darkroom.findings import (
    CLIENT,
    FACES,
    OBJECTS,
    TEXT,
    UNSURE,
    DetectedObject,
    Face,
    Finding,
    Findings,
    Region,
    TextLine,
)
from darkroom.plan.geometry.layout import Geometry, Size, compute_geometry
from darkroom.plan.geometry.placement import Box, to_stored_box
from darkroom.plan.geometry.redaction_mask import Outline, compute_outlines, rasterize_mask
from darkroom.plan.model import Crop, Plan

SIZE = Size(200, 100)
FACE = Face(Region(0.4, 0.4, 0.1, 0.2), 0.9)
LINE = TextLine(((0.1, 0.1), (0.3, 0.1), (0.3, 0.2), (0.1, 0.2)), "words", 0.9)
FOUND = {
    FACES: Finding(FACES, "model", "1", faces=(FACE,)),
    TEXT: Finding(TEXT, "model", "1", lines=(LINE,)),
}
AROUND_FACE = ((74.0, 30.0), (106.0, 30.0), (106.0, 70.0), (74.0, 70.0))
AROUND_LINE = ((17.0, 7.0), (63.0, 7.0), (63.0, 23.0), (17.0, 23.0))


def covered(redact: str, **found: Finding) -> list[Outline]:
    return [
        tuple((round(x, 3), round(y, 3)) for x, y in outline)  # type: ignore[misc]
        for outline in compute_outlines(Plan("k", redact=redact), Findings("1", "etag", found), SIZE)
    ]


@pytest.mark.parametrize(
    ("redact", "expected"),
    [("", []), ("faces", [AROUND_FACE]), ("text", [AROUND_LINE]), ("all", [AROUND_FACE, AROUND_LINE])],
)
def test_outlines_of_the_redacted_tasks_have_a_margin(redact: str, expected: list[Outline]) -> None:
    assert covered(redact, **FOUND) == expected


PLATE = DetectedObject("plate", Region(0.5, 0.5, 0.2, 0.1), 0.7)
SEEN = Finding(
    OBJECTS, "model", "1", objects=(PLATE, DetectedObject("car", Region(0, 0, 1, 1), 0.9)), classes=("car", "plate")
)
AROUND_PLATE = ((96.0, 49.0), (144.0, 49.0), (144.0, 61.0), (96.0, 61.0))


def page_of(*texts: str) -> Finding:
    """Lines of these texts, each below the one before."""
    rows = [(0.1 + number / 10, 0.15 + number / 10) for number in range(len(texts))]
    lines = [
        TextLine(((0.1, top), (0.9, top), (0.9, bottom), (0.1, bottom)), text, 0.9)
        for text, (top, bottom) in zip(texts, rows, strict=True)
    ]
    return Finding(TEXT, "model", "1", lines=tuple(lines))


def test_objects_of_the_class_are_covered_with_a_margin() -> None:
    assert covered("plate", objects=SEEN) == [AROUND_PLATE]
    assert covered("faces-plate", objects=SEEN, **FOUND) == [AROUND_FACE, AROUND_PLATE]
    assert covered("all-plate", objects=SEEN, **FOUND) == [AROUND_FACE, AROUND_LINE, AROUND_PLATE]
    assert covered("plate", objects=replace(SEEN, objects=())) == []


def test_a_misspelled_class_is_not_shown_without_cover() -> None:
    with pytest.raises(BadOption, match="'plates' are not detected; there are car, plate"):
        covered("plates", objects=SEEN)


def test_lines_with_personal_data_are_covered_and_no_others() -> None:
    page = page_of("Hello John", "john@example.com", "Total 12.50", "")
    classes = ((), ("mail",), (), (UNSURE,))
    marked = tuple(replace(line, personal=one) for line, one in zip(page.lines, classes, strict=True))
    outlines = covered("pii", text=replace(page, lines=marked))
    assert [round((top + bottom) / 2, 1) for (_, top), _, (_, bottom), _ in outlines] == [22.5, 42.5]
    assert covered("pii", text=replace(page, lines=marked[:1])) == []
    assert covered("faces-pii", text=replace(page, lines=marked[1:2]), faces=FOUND[FACES])[0] == AROUND_FACE


def test_lines_that_were_not_searched_for_personal_data_are_covered() -> None:
    assert covered("pii", text=page_of("Hello John", "Total 12.50")) == covered("text", text=page_of("a", "b"))


def test_the_margin_of_slanted_text_is_slanted() -> None:
    askew = TextLine(((0.25, 0.2), (0.45, 0.6), (0.425, 0.65), (0.225, 0.25)), "words", 0.9)  # 45° in 200 × 100
    finding = Finding(TEXT, "model", "1", lines=(askew,))
    [outline] = covered("text", text=finding)
    assert outline == ((50.0, 17.0), (93.0, 60.0), (85.0, 68.0), (42.0, 25.0))


@pytest.mark.parametrize(("left_bottom", "right_bottom"), [(0.4, 0.6), (0.6, 0.4)])
def test_the_margin_of_text_in_perspective_is_that_of_its_higher_side(left_bottom: float, right_bottom: float) -> None:
    askew = TextLine(((0.1, 0.2), (0.3, 0.2), (0.3, right_bottom), (0.1, left_bottom)), "words", 0.9)
    [outline] = covered("text", text=Finding(TEXT, "model", "1", lines=(askew,)))
    assert outline[:2] == ((8.0, 8.0), (72.0, 8.0)), "12 px: 0.3 of the side of 40"


@pytest.mark.parametrize("redact", ["pii", "plate"])
def test_other_redactions_fail_closed_as_well(redact: str) -> None:
    plan, task = Plan("k", redact=redact), TEXT if redact == "pii" else OBJECTS
    with pytest.raises(FindingsPending):
        compute_outlines(plan, None, SIZE)
    with pytest.raises(FindingsPending):
        compute_outlines(plan, Findings("1", "etag", {FACES: FOUND[FACES]}, pending=(task,)), SIZE)
    with pytest.raises(NoInference, match=f"no model for {task}"):
        covered(redact, faces=FOUND[FACES])
    with pytest.raises(Unanalysable):
        covered(redact, **{task: Finding(task, "model", "1", error="unreadable")})
    with pytest.raises(BadOption):
        compute_outlines(replace(plan, page=1), Findings("1", "etag", {task: FOUND[TEXT]}), SIZE)


@pytest.mark.parametrize("redact", ["faces", "text", "all"])
def test_without_findings_nothing_is_known(redact: str) -> None:
    with pytest.raises(FindingsPending):
        compute_outlines(Plan("k", redact=redact), None, SIZE)
    other = TEXT if redact == "faces" else FACES
    with pytest.raises(FindingsPending):
        compute_outlines(
            Plan("k", redact=redact), Findings("1", "etag", {other: FOUND[other]}, pending=(FACES, TEXT)), SIZE
        )


@pytest.mark.parametrize("redact", ["faces", "text", "all"])
def test_findings_of_unconfigured_tasks_are_not_pending(redact: str) -> None:
    other = TEXT if redact == "faces" else FACES
    with pytest.raises(NoInference):
        covered(redact, **{other: FOUND[other]})


@pytest.mark.parametrize("redact", ["faces", "text", "all"])
def test_tasks_missing_from_client_findings_may_still_follow(redact: str) -> None:
    other = TEXT if redact == "faces" else FACES
    theirs = replace(FOUND[other], origin=CLIENT)
    for found in ({}, {other: theirs}):
        with pytest.raises(FindingsPending):
            covered(redact, **found)


def test_what_no_model_can_read_is_never_shown() -> None:
    with pytest.raises(Unanalysable):
        covered("faces", faces=Finding(FACES, "model", "1", error="unreadable"))
    with pytest.raises(Unanalysable):
        covered("all", **FOUND | {"text": Finding(TEXT, "model", "1", error="unreadable")})


def test_a_page_without_analysis_is_refused() -> None:
    with pytest.raises(BadOption):
        compute_outlines(Plan("k", redact="faces", page=1), Findings("1", "etag", FOUND), SIZE)


def rows(cells: bytes, grid: Size) -> list[list[int]]:
    return [list(cells[row * grid.width : (row + 1) * grid.width]) for row in range(grid.height)]


def block(left: float, top: float, right: float, bottom: float) -> Outline:
    return (left, top), (right, top), (right, bottom), (left, bottom)


def test_a_mask_covers_a_margin_of_three_pixels() -> None:
    grid, cells = rasterize_mask([block(10.2, 8, 12, 9)], compute_geometry(Plan("k"), Size(30, 20)), 1)
    assert grid == (30, 20)
    marked = {(x, y) for y, row in enumerate(rows(cells, grid)) for x, cell in enumerate(row) if cell}
    assert marked == {(x, y) for x in range(7, 15) for y in range(5, 12)}


def test_the_margin_around_tilted_text_has_three_pixels_on_each_side() -> None:
    geometry = compute_geometry(Plan("k"), Size(40, 40))
    for outline in (
        ((20.0, 10.0), (30.0, 20.0), (20.0, 30.0), (10.0, 20.0)),
        ((20.0, 10.0), (24.0, 14.0), (14.0, 24.0), (10.0, 20.0)),
    ):
        grid, cells = rasterize_mask([outline], geometry, 1)
        marked = {(x, y) for y, row in enumerate(rows(cells, grid)) for x, cell in enumerate(row) if cell}
        within = {
            (floor(x + across), floor(y + down))
            for x, y in outline
            for across in (-2.9, 2.9)
            for down in (-2.9, 0.0, 2.9)
        }
        assert within <= marked
        assert min(x for x, _ in marked) == 7
        assert max(x for x, _ in marked) == floor(max(x for x, _ in outline)) + 2
        assert min(y for _, y in marked) == 7
        assert max(y for _, y in marked) == floor(max(y for _, y in outline)) + 2
        assert (7, 7) not in marked


@pytest.mark.parametrize("outline", [block(-50, -50, -10, -10), block(40, 5, 60, 10), block(5, 40, 10, 60)])
def test_an_outline_outside_of_the_image_covers_nothing(outline: Outline) -> None:
    assert not any(rasterize_mask([outline], compute_geometry(Plan("k"), Size(30, 20)), 1)[1])


def test_what_reaches_over_the_edge_is_covered_up_to_it() -> None:
    grid, cells = rasterize_mask([block(-50, -50, 500, 500)], compute_geometry(Plan("k"), Size(30, 20)), 7)
    assert grid == (5, 3)
    assert set(cells) == {255}


def test_an_edge_that_is_flat_to_the_last_bit_is_covered() -> None:
    """Its slope is beyond the largest number."""
    geometry = compute_geometry(Plan("k"), Size(30, 20))
    outline = ((2.0, 0.0), (12.0, 5e-324), (12.0, 9.0), (2.0, 9.0))
    assert rasterize_mask([outline], geometry, 1) == rasterize_mask([block(2, 0, 12, 9)], geometry, 1)


fractions = st.floats(-0.2, 1.2)
boxes = st.tuples(fractions, fractions, st.floats(0.01, 0.5), st.floats(0.01, 0.5))


@given(
    boxes,
    st.floats(0, 360),
    st.integers(10, 60),
    st.integers(10, 60),
    st.integers(1, 8),
    st.integers(1, 9),
    st.none() | st.just(Crop("pct", 20, 30, 50, 60)),
    st.tuples(st.floats(-2.99, 2.99), st.floats(-2.99, 2.99)),
    st.data(),
)
def test_no_point_of_an_outline_is_left_open(
    box: tuple[float, float, float, float],
    degrees: float,
    width: int,
    height: int,
    orientation: int,
    cell_px: int,
    crop: Crop | None,
    margin: tuple[float, float],
    data: st.DataObject,
) -> None:
    """Any point within a turned rectangle, or its margin, carried into the stored image by its box arithmetic."""
    geometry = compute_geometry(Plan("k", crop=crop), Size(width, height), orientation)
    outline = turned(box, degrees, geometry.upright)
    grid, cells = rasterize_mask([outline], geometry, cell_px)
    across, down = data.draw(st.floats(0, 1)), data.draw(st.floats(0, 1))
    x, y = (
        (outline[0][axis] * (1 - across) + outline[1][axis] * across) * (1 - down)
        + (outline[3][axis] * (1 - across) + outline[2][axis] * across) * down
        for axis in (0, 1)
    )
    column, row = pixel(geometry, x + margin[0], y + margin[1])
    subject = geometry.stored_subject
    if 0 <= column < subject.width and 0 <= row < subject.height:
        assert cells[row // cell_px * grid.width + column // cell_px] == 255


def turned(box: tuple[float, float, float, float], degrees: float, upright: Size) -> Outline:
    """A rectangle in fractions, turned around its first corner, in pixels."""
    left, top, wide, tall = (part * side for part, side in zip(box, (upright.width, upright.height) * 2, strict=True))
    along, beside = cos(radians(degrees)), sin(radians(degrees))
    points = [
        (left + x * along - y * beside, top + x * beside + y * along)
        for x, y in ((0, 0), (wide, 0), (wide, tall), (0, tall))
    ]
    return points[0], points[1], points[2], points[3]


def pixel(geometry: Geometry, x: float, y: float) -> tuple[int, int]:
    """Column and row of the pixel at the upright point, in the cropped stored image."""
    found = to_stored_box(Box(floor(x), floor(y), 1, 1), geometry.upright, geometry.orientation)
    return found.left - geometry.stored_subject.left, found.top - geometry.stored_subject.top
