"""The JSON of an explanation: bounded, read back as written, and checked where it comes from another machine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import (
    GRID,
    MODERATION,
    Explanation,
    Finding,
    Label,
    explanation_from_document,
    explanation_to_document,
    finding_from_document,
    finding_to_document,
)

CELLS = GRID**2
MAX_CHARACTERS = 500
"""As documented for the event."""

shares = st.floats(0, 1)
explanations = st.builds(
    Explanation,
    shares,
    shares,
    st.lists(shares, min_size=CELLS, max_size=CELLS).map(tuple),
    st.lists(st.integers(0, CELLS - 1), unique=True).map(tuple),
    shares,
    st.integers(0, 200),
)
WHOLE = Explanation(0.9, 0.8, (0.9,) * CELLS, (3, 1), 0.4, 2)


@given(explanations)
def test_it_is_read_as_it_was_written_to_four_places(explanation: Explanation) -> None:
    again = explanation_from_document(json.loads(json.dumps(explanation_to_document(explanation))))
    assert (again.cells, again.view) == (explanation.cells, explanation.view)
    assert again.scores == pytest.approx(explanation.scores, abs=5.1e-5)
    assert (again.score, again.threshold, again.covered_score) == pytest.approx(
        (explanation.score, explanation.threshold, explanation.covered_score), abs=5.1e-5
    )
    assert explanation_from_document(explanation_to_document(again)) == again


@given(explanations)
def test_its_size_is_bounded(explanation: Explanation) -> None:
    assert len(json.dumps(explanation_to_document(explanation), separators=(",", ":"))) <= MAX_CHARACTERS


def test_the_largest_one_is_within_the_bound() -> None:
    largest = Explanation(0.9999, 0.9999, (0.9999,) * CELLS, tuple(range(CELLS)), 0.9999, 200)
    assert 400 < len(json.dumps(explanation_to_document(largest), separators=(",", ":"))) <= MAX_CHARACTERS


@pytest.mark.parametrize(
    "wrong",
    [
        {"grid": 5},
        {"scores": [0.1] * 35},
        {"scores": ["x"] * CELLS},
        {"cells": [36]},
        {"cells": [-1]},
        {"cells": None},
        {"view": "first"},
        {"threshold": None},
    ],
)
def test_a_malformed_one_is_refused(wrong: dict[str, Any]) -> None:
    document = explanation_to_document(WHOLE) | wrong
    with pytest.raises((ValueError, TypeError)):
        explanation_from_document(document)


@pytest.mark.parametrize("missing", explanation_to_document(WHOLE))
def test_every_field_is_required(missing: str) -> None:
    document = explanation_to_document(WHOLE)
    del document[missing]
    with pytest.raises(KeyError):
        explanation_from_document(document)


def test_a_finding_has_it_only_if_there_is_one() -> None:
    bare = Finding(MODERATION, "m", "1", labels=(Label("nsfw", 0.9),), flagged=True)
    assert "explanation" not in finding_to_document(bare)
    explained = replace(bare, explanation=WHOLE)
    assert finding_from_document(MODERATION, finding_to_document(explained)) == explained
