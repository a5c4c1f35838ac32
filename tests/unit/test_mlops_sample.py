"""Features of findings."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import (
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
from darkroom_analysis.mlops.sample import (
    Sample,
    ShadowComparison,
    TaskComparison,
    TaskSummary,
    parse_sample,
    quantise,
    summarise,
    unit_vector,
)

CORNERS = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2))
BOX = Region(0.1, 0.1, 0.2, 0.2)

PLAIN = Sample(
    "a.jpg", "e", 1.5, "jpeg", 120, 0.25, {FACES: TaskSummary(0.9, False), TEXT: TaskSummary(None, True)}, "endpoint"
)
TRIED = Sample(
    "ü/b.png",
    "f",
    2.0,
    "png",
    9,
    1.0,
    {SIMILARITY: TaskSummary(None, False)},
    "endpoint",
    "main",
    bytes(range(256)) * 2,
    ShadowComparison(
        "canary",
        "main",
        {
            FACES: TaskComparison(0.5, (True, False), (None, 0.8)),
            TEXT: TaskComparison(None, (False, False), (0.1, 0.2)),
        },
        (12.5, 10.0),
    ),
)


@pytest.mark.parametrize("sample", [PLAIN, TRIED])
def test_a_sample_is_read_as_it_was_written(sample: Sample) -> None:
    document = sample.to_document()
    assert parse_sample(document) == sample
    json.dumps({name: value for name, value in document.items() if name != "embedding"})


@pytest.mark.parametrize(
    "broken",
    [
        {},
        PLAIN.to_document() | {"tasks": []},
        PLAIN.to_document() | {"at_s": "yesterday"},
        PLAIN.to_document() | {"trial": {}},
        TRIED.to_document() | {"trial": TRIED.to_document()["trial"] | {"latency_ms": [1]}},
    ],
)
def test_what_is_no_sample_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no sample"):
        parse_sample(broken)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (Finding(FACES, "m", "1", faces=(Face(BOX, 0.5), Face(BOX, 0.9))), TaskSummary(0.7, False)),
        (Finding(FACES, "m", "1"), TaskSummary(None, True)),
        (Finding(TEXT, "m", "1", lines=(TextLine(CORNERS, "a", 0.8),)), TaskSummary(0.8, False)),
        (
            Finding(TEXT, "m", "1", lines=(TextLine(CORNERS, "a", 0.8), TextLine(CORNERS, "", 0.3))),
            TaskSummary(0.8, False),
        ),
        (Finding(OBJECTS, "m", "1", objects=(DetectedObject("car", BOX, 0.6),)), TaskSummary(0.6, False)),
        (Finding(OBJECTS, "m", "1", classes=("car",)), TaskSummary(None, True)),
        (Finding(MODERATION, "m", "1", labels=(Label("safe", 0.3), Label("unsafe", 0.7))), TaskSummary(0.7, False)),
        (Finding(TAGS, "m", "1", labels=(Label("cat", 0.4), Label("dog", 0.2))), TaskSummary(0.4, False)),
        (Finding(TAGS, "m", "1"), TaskSummary(None, True)),
        (Finding(SIMILARITY, "m", "1", vector=(1.0, 0.0)), TaskSummary(None, False)),
        (Finding(SIMILARITY, "m", "1"), TaskSummary(None, True)),
        (Finding(FACES, "m", "1", faces=(Face(BOX, 0.5),), error="unreadable"), TaskSummary(None, True)),
    ],
)
def test_features_of_a_finding(finding: Finding, expected: TaskSummary) -> None:
    assert summarise(finding) == expected


vectors = st.lists(st.floats(-1, 1).filter(lambda part: not 0 < abs(part) < 1e-9), min_size=2, max_size=64)


@given(vectors.filter(any))
def test_quantising_keeps_the_direction(vector: list[float]) -> None:
    embedding = quantise(vector)
    assert len(embedding) == len(vector)
    unit = unit_vector(embedding)
    assert math.sumprod(unit, unit) == pytest.approx(1)
    assert math.sumprod(unit, vector) / math.sqrt(math.sumprod(vector, vector)) > 0.99


def test_signed_bytes() -> None:
    assert quantise([0.0, 1.0, -1.0, 0.5]) == bytes([0, 127, 256 - 127, 64])
    assert quantise([0.0, 0.0]) == b""
    with pytest.raises(ValueError, match="points nowhere"):
        unit_vector(bytes(4))


def test_the_lot_of_a_key_never_changes() -> None:
    assert PLAIN.hash_bucket == 80
    assert len({Sample(f"{n}.jpg", "e", 0, "jpeg", 1, 0, {}, "endpoint").hash_bucket for n in range(2000)}) > 250
