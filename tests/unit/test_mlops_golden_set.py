"""Evaluate models against labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.findings import (
    FACES,
    MODERATION,
    OBJECTS,
    TAGS,
    TEXT,
    DetectedObject,
    Face,
    Finding,
    Label,
    Region,
    TextLine,
)
from darkroom_analysis.mlops.golden_set import (
    Confusion,
    GoldenImage,
    QualityRecord,
    count_labelled,
    format_history,
    parse_history,
    parse_manifest,
    score_classes,
    score_image,
    sum_classes,
    sum_confusions,
)

CORNERS = ((0.1, 0.1), (0.5, 0.1), (0.5, 0.2), (0.1, 0.2))
BOX, SHIFTED, OTHER = Region(0.1, 0.1, 0.2, 0.2), Region(0.12, 0.1, 0.2, 0.2), Region(0.6, 0.6, 0.2, 0.2)


def faces(*boxes: Region) -> Finding:
    return Finding(FACES, "m", "1", faces=tuple(Face(box, 0.9) for box in boxes))


def moderation(unsafe: float, *, flagged: bool) -> Finding:
    return Finding(MODERATION, "m", "1", labels=(Label("safe", 1 - unsafe), Label("unsafe", unsafe)), flagged=flagged)


def objects(*found: tuple[str, Region]) -> Finding:
    boxes = tuple(DetectedObject(name, box, 0.9) for name, box in found)
    return Finding(OBJECTS, "m", "1", objects=boxes, classes=("car", "dog"))


def labelled(*found: tuple[str, Region]) -> GoldenImage:
    return GoldenImage("a", objects=tuple(DetectedObject(name, box, 1.0) for name, box in found))


def text(*lines: str) -> Finding:
    return Finding(TEXT, "m", "1", lines=tuple(TextLine(CORNERS, line, 0.9) for line in lines))


def tags(*names: str) -> Finding:
    return Finding(TAGS, "m", "1", labels=tuple(Label(name, 0.9) for name in names))


CAT = GoldenImage("a", tags=("Cat", "animal", "sofa?"))


@pytest.mark.parametrize(
    ("golden", "finding", "expected"),
    [
        (GoldenImage("a", faces=(BOX,)), faces(SHIFTED), Confusion(true_positives=1)),
        (GoldenImage("a", faces=(BOX,)), faces(SHIFTED, OTHER), Confusion(true_positives=1, false_positives=1)),
        (GoldenImage("a", faces=(BOX, OTHER)), faces(SHIFTED), Confusion(true_positives=1, false_negatives=1)),
        (GoldenImage("a", faces=(BOX,)), faces(), Confusion(false_negatives=1)),
        (GoldenImage("a", faces=()), faces(), Confusion(negatives=1)),
        (GoldenImage("a", faces=()), faces(BOX, OTHER), Confusion(false_positives=2, negatives=1, false_alarms=1)),
        (labelled(("car", BOX)), objects(("car", SHIFTED)), Confusion(true_positives=1)),
        (labelled(("car", BOX)), objects(("dog", SHIFTED)), Confusion(false_positives=1, false_negatives=1)),
        (labelled(("tram", BOX)), objects(), Confusion(negatives=1)),
        (labelled(), objects(("dog", BOX)), Confusion(false_positives=1, negatives=1, false_alarms=1)),
        (GoldenImage("a", unsafe=True), moderation(0.9, flagged=True), Confusion(true_positives=1)),
        (GoldenImage("a", unsafe=True), moderation(0.2, flagged=False), Confusion(false_negatives=1)),
        (
            GoldenImage("a", unsafe=False),
            moderation(0.9, flagged=True),
            Confusion(false_positives=1, negatives=1, false_alarms=1),
        ),
        (GoldenImage("a", unsafe=False), moderation(0.2, flagged=False), Confusion(negatives=1)),
        (GoldenImage("a", text="No entry"), text("no", "entry."), Confusion(true_positives=2)),
        (
            GoldenImage("a", text="No no entry"),
            text("no exit"),
            Confusion(true_positives=1, false_positives=1, false_negatives=2),
        ),
        (CAT, tags("cat", "animal"), Confusion(true_positives=2)),
        (CAT, tags("cat", "sofa"), Confusion(true_positives=1, false_negatives=1)),
        (CAT, tags("cat", "animal", "dog"), Confusion(true_positives=2, false_positives=1)),
        (CAT, tags(), Confusion(false_negatives=2)),
        (GoldenImage("a", tags=("sofa?",)), tags("sofa"), Confusion(negatives=1)),
        (GoldenImage("a", tags=()), tags("dog"), Confusion(false_positives=1, negatives=1, false_alarms=1)),
        (GoldenImage("a", text=""), text("ghost"), Confusion(false_positives=1, negatives=1, false_alarms=1)),
    ],
)
def test_an_image_is_evaluated(golden: GoldenImage, finding: Finding, expected: Confusion) -> None:
    assert score_image(golden, {finding.task: finding}) == {finding.task: expected}


@pytest.mark.parametrize(("threshold", "found"), [(0.8, 0), (0.7, 1), (0.5, 1)])
def test_moderation_may_use_another_threshold(threshold: float, found: int) -> None:
    golden, finding = GoldenImage("a", unsafe=True), moderation(0.7, flagged=False)
    assert score_image(golden, {MODERATION: finding}, threshold)[MODERATION].true_positives == found


def test_unlabelled_and_unrequested_tasks_are_not_evaluated() -> None:
    assert (
        score_image(GoldenImage("a"), {FACES: faces(BOX), TEXT: text("a"), MODERATION: moderation(1, flagged=True)})
        == {}
    )
    assert score_image(GoldenImage("a", faces=(BOX,), unsafe=True, text="a"), {FACES: faces(BOX)}).keys() == {FACES}


def test_the_sums_and_their_shares() -> None:
    results = [
        score_image(GoldenImage("a", faces=(BOX,)), {FACES: faces(BOX, OTHER)}),
        score_image(GoldenImage("b", faces=(BOX, OTHER)), {FACES: faces(BOX)}),
        score_image(GoldenImage("c", faces=()), {FACES: faces(BOX)}),
        score_image(GoldenImage("d", faces=()), {FACES: faces()}),
    ]
    found = sum_confusions(results)[FACES]
    assert found == Confusion(true_positives=2, false_positives=2, false_negatives=1, negatives=2, false_alarms=1)
    assert (found.precision, found.recall, found.false_positive_rate) == (0.5, pytest.approx(2 / 3), 0.5)


def test_labels_are_counted_by_class() -> None:
    """Also those of a class that the model does not know: it has lost them."""
    labels = tuple(DetectedObject(name, box, 1.0) for name, box in (("car", BOX), ("car", OTHER), ("dog", BOX)))
    golden = [GoldenImage("a", objects=labels, tags=("Bridge", "river", "sea?")), GoldenImage("b", tags=("bridge",))]
    found = {
        OBJECTS: Finding(OBJECTS, "m", "1", objects=labels[:1], classes=("car",)),
        TAGS: Finding(TAGS, "m", "1", labels=(Label("bridge", 0.9), Label("sea", 0.9))),
    }
    assert sum_classes(score_classes(one, found) for one in golden) == {
        OBJECTS: {"car": Confusion(1, 0, 1), "dog": Confusion(0, 0, 1)},
        TAGS: {"bridge": Confusion(2), "river": Confusion(0, 0, 1)},
    }
    assert count_labelled(golden) == {FACES: 0, OBJECTS: 1, MODERATION: 0, TEXT: 0, TAGS: 2}


def test_shares_of_nothing_are_undefined() -> None:
    assert (Confusion().precision, Confusion().recall, Confusion().false_positive_rate) == (None, None, None)
    assert Confusion(false_negatives=1).precision is None
    assert Confusion(false_negatives=1).recall == 0
    assert Confusion(false_positives=1).recall is None


confusions = st.builds(Confusion, *[st.integers(0, 50)] * 3)


@given(confusions)
def test_shares_are_shares(confusion: Confusion) -> None:
    for share in (confusion.precision, confusion.recall):
        assert share is None or 0 <= share <= 1


MANIFEST = """
{"picture": "golden/a.jpg", "faces": [[0.1, 0.1, 0.2, 0.2]], "unsafe": false, "text": "no entry"}

{"picture": "golden/b.jpg", "unsafe": true}
{"picture": "golden/c.jpg", "faces": [], "tags": ["bridge", "river?"]}
{"picture": "golden/d.jpg", "objects": [["car", 0.1, 0.1, 0.2, 0.2]]}
"""


def test_a_manifest_is_read() -> None:
    assert list(parse_manifest(MANIFEST)) == [
        GoldenImage("golden/a.jpg", (BOX,), False, "no entry"),
        GoldenImage("golden/b.jpg", unsafe=True),
        GoldenImage("golden/c.jpg", faces=(), tags=("bridge", "river?")),
        GoldenImage("golden/d.jpg", objects=(DetectedObject("car", BOX, 1.0),)),
    ]


def test_a_text_may_have_a_character_that_separates_lines_elsewhere() -> None:
    lines = '{"picture": "a", "text": "no\u2028entry"}\r\n\r\n{"picture": "b", "text": "no\x85entry"}\r\n'
    assert list(parse_manifest(lines)) == [
        GoldenImage("a", text="no\u2028entry"),
        GoldenImage("b", text="no\x85entry"),
    ]


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        "{}",
        '{"picture": "a", "faces": [[1, 2, 3]]}',
        '{"picture": "a", "faces": 3}',
        '{"picture": "a", "unsafe": "yes"}',
        '{"picture": "a", "text": 3}',
        '{"picture": "a", "tags": "bridge"}',
        '{"picture": "a", "tags": [3]}',
        '{"picture": "a", "objects": [["car", 1, 2, 3]]}',
        '{"picture": "a", "objects": 3}',
    ],
)
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(ValueError, match="line 2 of the golden set"):
        list(parse_manifest(f'{{"picture": "a"}}\n{line}\n'))


def test_a_history_is_read_as_it_was_written() -> None:
    scores, by_class = {TAGS: Confusion(1, 2, 3, 4, 5)}, {TAGS: {"bridge": Confusion(1)}}
    history = {"main": QualityRecord(1.5, 3.0, scores, by_class), "canary": QualityRecord(2.0)}
    assert parse_history(format_history(history)) == history
    assert parse_history('{"main": {"seen_s": 1, "judged_s": 2}}') == {"main": QualityRecord(1.0, 2.0)}  # of 0.2


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '{"main": 3}',
        '{"main": {"seen_s": 1, "judged_s": 1, "scores": 3}}',
        '{"main": {"seen_s": 1}}',
        '{"main": {"seen_s": "x"}}',
        "no",
    ],
)
def test_what_is_no_history_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"history|could not convert|Expecting"):
        parse_history(text)


@pytest.mark.parametrize(
    ("checked", "is_due", "age_s"),
    [
        (QualityRecord(99_000.0), True, 1000),
        (QualityRecord(0.0, 100_000.0), False, 0),
        (QualityRecord(0.0, 15_401.0), False, 84_599),
        (QualityRecord(0.0, 15_400.0), True, 84_600),
    ],
)
def test_a_variant_is_due_before_a_day_is_over(checked: QualityRecord, is_due: bool, age_s: float) -> None:
    assert (checked.is_due(100_000.0), checked.age_s(100_000.0)) == (is_due, age_s)
