"""Disagreement between two findings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import (
    CUTOUT,
    FACES,
    MODERATION,
    OBJECTS,
    SIMILARITY,
    TAGS,
    TEXT,
    DetectedObject,
    Face,
    Finding,
    Label,
    Region,
    TextLine,
)
from darkroom_analysis.mlops.agreement import count_matches, count_words, disagreement, intersection_over_union
from tests.images.rasters import encode, rectangle

BOX, SHIFTED, OTHER = Region(0.1, 0.1, 0.2, 0.2), Region(0.12, 0.1, 0.2, 0.2), Region(0.6, 0.6, 0.2, 0.2)
CORNERS = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2))


def faces(*boxes: Region, error: str = "") -> Finding:
    return Finding(FACES, "m", "1", faces=tuple(Face(box, 0.9) for box in boxes), error=error)


def objects(*found: tuple[str, Region]) -> Finding:
    boxes = tuple(DetectedObject(name, box, 0.9) for name, box in found)
    return Finding(OBJECTS, "m", "1", objects=boxes, classes=("car", "dog"))


def text(*lines: str) -> Finding:
    return Finding(TEXT, "m", "1", lines=tuple(TextLine(CORNERS, line, 0.9) for line in lines))


def tags(*names: str) -> Finding:
    return Finding(TAGS, "m", "1", labels=tuple(Label(name, 0.5) for name in names))


def moderation(unsafe: float, *, flagged: bool = False) -> Finding:
    return Finding(MODERATION, "m", "1", labels=(Label("safe", 1 - unsafe), Label("unsafe", unsafe)), flagged=flagged)


def embedding(*vector: float) -> Finding:
    return Finding(SIMILARITY, "m", "1", vector=vector)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (faces(BOX), faces(SHIFTED), 0.0),
        (faces(), faces(), 0.0),
        (faces(BOX), faces(OTHER), 1.0),
        (faces(BOX, OTHER), faces(SHIFTED), 0.5),
        (faces(BOX, BOX), faces(BOX), 0.5),  # one face is not two
        (faces(), faces(BOX), 1.0),
        (objects(("car", BOX)), objects(("car", SHIFTED)), 0.0),
        (objects(("car", BOX)), objects(("dog", SHIFTED)), 1.0),
        (objects(("car", BOX), ("dog", BOX)), objects(("dog", SHIFTED)), 0.5),
        (objects(), objects(("car", BOX)), 1.0),
        (objects(), objects(), 0.0),
        (tags("cat", "red"), tags("cat"), 0.5),
        (tags(), tags(), 0.0),
        (text("No Entry"), text("no", "ENTRY!"), 0.0),
        (text("no entry"), text("no exit no"), 0.75),
        (text("no"), text(), 1.0),
        (moderation(0.1), moderation(0.1), 0.0),
        (moderation(0.1), moderation(0.4), 0.3),
        (moderation(0.7), moderation(0.8, flagged=True), 1.0),
        (moderation(0.1), Finding(MODERATION, "m", "1"), 0.5),
        (embedding(0.6, 0.8), embedding(0.6, 0.8), 0.0),
        (embedding(1.0, 0.0), embedding(0.6, 0.8), 0.4),
        (embedding(1.0, 0.0), embedding(-1.0, 0.0), 1.0),
        (embedding(1.0, 0.0), embedding(1.0, 0.0, 0.0), None),
        (embedding(), embedding(), None),
        (faces(error="unreadable"), faces(BOX), None),
        (faces(BOX), faces(error="unreadable"), None),
    ],
)
def test_disagreement(one: Finding, other: Finding, expected: float | None) -> None:
    assert disagreement(one, other) == (None if expected is None else pytest.approx(expected, abs=1e-9))


fractions = st.floats(0, 0.5)
regions = st.builds(Region, fractions, fractions, st.floats(0.01, 0.5), st.floats(0.01, 0.5))


@given(regions, regions)
def test_overlap_is_a_share_and_symmetric(a: Region, b: Region) -> None:
    assert 0 <= intersection_over_union(a, b) <= 1 + 1e-9
    assert intersection_over_union(a, b) == pytest.approx(intersection_over_union(b, a))
    assert intersection_over_union(a, a) == pytest.approx(1)


@given(st.lists(regions, max_size=4), st.lists(regions, max_size=4))
def test_disagreement_of_faces_is_a_share_and_symmetric(one: list[Region], other: list[Region]) -> None:
    apart = disagreement(faces(*one), faces(*other))
    assert apart is not None
    assert 0 <= apart <= 1
    assert apart == disagreement(faces(*other), faces(*one))
    assert disagreement(faces(*one), faces(*one)) == 0


@given(st.floats(0, 1), st.floats(0, 1))
def test_disagreement_of_moderation_is_a_share_and_symmetric(one: float, other: float) -> None:
    apart = disagreement(moderation(one), moderation(other))
    assert apart is not None
    assert 0 <= apart <= 1
    assert apart == pytest.approx(disagreement(moderation(other), moderation(one)))


def test_a_face_is_the_same_from_half_an_overlap_on() -> None:
    box = Region(0.0, 0.0, 0.3, 0.1)
    assert intersection_over_union(box, Region(0.1, 0.0, 0.3, 0.1)) == pytest.approx(0.5)
    assert count_matches([box], [Region(0.0999, 0.0, 0.3, 0.1)]) == 1
    assert count_matches([box], [Region(0.101, 0.0, 0.3, 0.1)]) == 0


def test_words_are_counted_whatever_their_case() -> None:
    assert count_words("Straße, STRASSE: e-mail 24/7") == {"strasse": 2, "e": 1, "mail": 1, "24": 1, "7": 1}


def test_cut_outs_are_compared_by_their_overlap() -> None:
    left, right = (Finding(CUTOUT, "m", "1", raster=encode(rectangle(40, 20, *box))) for box in (LEFT_HALF, MIDDLE))
    assert disagreement(left, left) == pytest.approx(0.0)
    assert disagreement(left, right) == pytest.approx(2 / 3, abs=0.01)
    nothing = Finding(CUTOUT, "m", "1", raster=encode(rectangle(40, 20, 0, 0, 0, 0)))
    assert disagreement(nothing, nothing) == 0.0
    smaller = Finding(CUTOUT, "m", "1", raster=encode(rectangle(20, 20, 0, 0, 10, 20)))
    assert disagreement(left, smaller) is None


LEFT_HALF, MIDDLE = (0, 0, 20, 20), (10, 0, 30, 20)
