"""Merge findings: precedence of origins, effects on derivatives, and the error of client findings."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import (
    CLIENT,
    ENDPOINT,
    FACES,
    FALLBACK,
    MODERATION,
    OBJECTS,
    TAGS,
    TEXT,
    DetectedObject,
    Face,
    Finding,
    Findings,
    Label,
    Region,
    TextLine,
)
from darkroom_analysis.inference.merge import RANKS, invalidates_derivatives, lowest_source, merge_findings

ALL = (FACES, TEXT, MODERATION)
BOX, OTHER = Region(0.1, 0.1, 0.2, 0.2), Region(0.6, 0.6, 0.2, 0.2)


def faces(*boxes: Region, by: str = ENDPOINT, error: str = "") -> Finding:
    return Finding(FACES, "m", "1", by, faces=tuple(Face(box, 0.9) for box in boxes), error=error)


def line(left: float = 0.1) -> TextLine:
    return TextLine(((left, 0.1), (0.5, 0.1), (0.5, 0.2), (left, 0.2)), "words", 0.9)


def objects(name: str, *boxes: Region, classes: tuple[str, ...] = ("car",)) -> Finding:
    found = tuple(DetectedObject(name, box, 0.9) for box in boxes)
    return Finding(OBJECTS, "m", "1", objects=found, classes=classes)


def text(*lines: TextLine, by: str = ENDPOINT) -> Finding:
    return Finding(TEXT, "m", "1", by, lines=lines)


def tags(*names: str, by: str = ENDPOINT) -> Finding:
    return Finding(TAGS, "m", "1", by, labels=tuple(Label(name, 0.5) for name in names))


def known(*found: Finding, etag: str = "e", generation: str = "1", pending: tuple[str, ...] = ()) -> Findings:
    return Findings(generation, etag, {one.task: one for one in found}, pending)


@given(st.sampled_from([*RANKS]), st.sampled_from([*RANKS]))
def test_the_better_origin_wins_and_of_equals_the_newer(first: str, second: str) -> None:
    result = merge_findings(known(faces(BOX, by=first)), known(faces(OTHER, by=second)), ALL)
    assert result.found[FACES].origin == max(first, second, key=lambda by: RANKS[by])
    assert result.found[FACES].faces[0].region == (OTHER if RANKS[second] >= RANKS[first] else BOX)


@pytest.mark.parametrize("earlier", [known(faces(BOX), etag="old"), known(faces(BOX), generation="2"), None])
def test_what_is_known_of_another_master_or_generation_does_not_count(earlier: Findings | None) -> None:
    new = known(faces(OTHER, by=FALLBACK))
    assert merge_findings(earlier, new, ALL) == new


def test_what_the_fallback_cannot_do_is_pending_unless_it_is_known() -> None:
    fallback = known(faces(BOX, by=FALLBACK), pending=(TEXT,))
    assert merge_findings(None, fallback, (FACES, TEXT)).pending == (TEXT,)
    late = merge_findings(known(faces(BOX), text(line())), fallback, (FACES, TEXT))
    assert (late.pending, lowest_source(late.found)) == ((), ENDPOINT)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (None, known(faces(BOX)), False),
        (known(faces(BOX), etag="old"), known(faces(OTHER)), False),
        (known(tags("a", by=CLIENT)), known(faces(BOX), tags("b")), False),
        (known(faces(BOX, by=FALLBACK)), known(faces(BOX)), False),
        (known(faces(BOX, by=FALLBACK)), known(faces(BOX), text(line())), False),
        (known(faces(BOX, by=FALLBACK)), known(faces(BOX, OTHER)), True),
        (known(faces(BOX)), known(faces()), True),
        (known(faces(BOX)), known(faces(error="unreadable")), True),
        (known(text(line())), known(text(line(0.2))), True),
        (known(text(line())), known(text(replace(line(), text="other words"))), False),
        (known(text(line())), known(text(replace(line(), personal=()))), True),
        (known(text(replace(line(), personal=()))), known(text(replace(line(), personal=("mail",)))), True),
        (known(objects("car", BOX)), known(objects("car", BOX)), False),
        (known(objects("car", BOX)), known(objects("car", OTHER)), True),
        (known(objects("car", BOX)), known(objects("dog", BOX)), True),
        (known(objects("car")), known(objects("car", classes=("car", "dog"))), True),
    ],
)
def test_images_change_with_places_that_were_known(before: Findings | None, after: Findings, expected: bool) -> None:
    assert invalidates_derivatives(before, after) is expected
