"""What findings are in figures."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import FACES, MODERATION, SIMILARITY, TAGS, TEXT, Face, Finding, Label, Region, TextLine
from darkroom.watch.sample import Compared, Said, Sample, Trial, direction, quantised, read_sample, said

CORNERS = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2))
BOX = Region(0.1, 0.1, 0.2, 0.2)

PLAIN = Sample("a.jpg", "e", 1.5, "jpeg", 120, 0.25, {FACES: Said(0.9, False), TEXT: Said(None, True)}, "endpoint")
TRIED = Sample(
    "ü/b.png", "f", 2.0, "png", 9, 1.0, {SIMILARITY: Said(None, False)}, "endpoint", "main", bytes(range(256)) * 2,
    Trial(
        "canary", "main",
        {FACES: Compared(0.5, (True, False), (None, 0.8)), TEXT: Compared(None, (False, False), (0.1, 0.2))},
        (12.5, 10.0),
    ),
)  # fmt: skip


@pytest.mark.parametrize("sample", [PLAIN, TRIED])
def test_a_sample_is_read_as_it_was_written(sample: Sample) -> None:
    document = sample.document()
    assert read_sample(document) == sample
    json.dumps({name: value for name, value in document.items() if name != "embedding"})


@pytest.mark.parametrize(
    "broken",
    [
        {},
        PLAIN.document() | {"tasks": []},
        PLAIN.document() | {"at_s": "yesterday"},
        PLAIN.document() | {"trial": {}},
        TRIED.document() | {"trial": TRIED.document()["trial"] | {"latency_ms": [1]}},
    ],
)
def test_what_is_no_sample_is_refused(broken: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no sample"):
        read_sample(broken)


@pytest.mark.parametrize(
    ("finding", "expected"),
    [
        (Finding(FACES, "m", "1", faces=(Face(BOX, 0.5), Face(BOX, 0.9))), Said(0.7, False)),
        (Finding(FACES, "m", "1"), Said(None, True)),
        (Finding(TEXT, "m", "1", lines=(TextLine(CORNERS, "a", 0.8),)), Said(0.8, False)),
        (Finding(MODERATION, "m", "1", labels=(Label("safe", 0.3), Label("unsafe", 0.7))), Said(0.7, False)),
        (Finding(TAGS, "m", "1", labels=(Label("cat", 0.4), Label("dog", 0.2))), Said(0.4, False)),
        (Finding(TAGS, "m", "1"), Said(None, True)),
        (Finding(SIMILARITY, "m", "1", vector=(1.0, 0.0)), Said(None, False)),
        (Finding(SIMILARITY, "m", "1"), Said(None, True)),
        (Finding(FACES, "m", "1", faces=(Face(BOX, 0.5),), error="unreadable"), Said(None, True)),
    ],
)
def test_a_finding_in_figures(finding: Finding, expected: Said) -> None:
    assert said(finding) == expected


vectors = st.lists(st.floats(-1, 1).filter(lambda part: not 0 < abs(part) < 1e-9), min_size=2, max_size=64)


@given(vectors.filter(any))
def test_quantising_keeps_the_direction(vector: list[float]) -> None:
    embedding = quantised(vector)
    assert len(embedding) == len(vector)
    unit = direction(embedding)
    assert math.sumprod(unit, unit) == pytest.approx(1)
    assert math.sumprod(unit, vector) / math.sqrt(math.sumprod(vector, vector)) > 0.99


def test_signed_bytes() -> None:
    assert quantised([0.0, 1.0, -1.0, 0.5]) == bytes([0, 127, 256 - 127, 64])
    assert quantised([0.0, 0.0]) == b""
    with pytest.raises(ValueError, match="points nowhere"):
        direction(bytes(4))


def test_the_lot_of_a_key_never_changes() -> None:
    assert PLAIN.lot == 80
    assert len({Sample(f"{n}.jpg", "e", 0, "jpeg", 1, 0, {}, "endpoint").lot for n in range(2000)}) > 250
