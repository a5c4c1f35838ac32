"""Merge the findings of several images of one source."""

from __future__ import annotations

from darkroom.findings import (
    FACES,
    FALLBACK,
    MODERATION,
    SIMILARITY,
    TEXT,
    Face,
    Finding,
    Label,
    Region,
    TextLine,
)
from darkroom_analysis.inference.views import UNREADABLE, UNSAMPLED, Views, combine, find_flagged


def moderation(score: float, *, flagged: bool = False, error: str = "") -> Finding:
    labels = () if error else (Label("nsfw", score),)
    return Finding(MODERATION, "m", "1", FALLBACK, labels=labels, flagged=flagged, error=error)


def verdict(*findings: Finding, gap: str = "") -> Finding:
    first, *others = ({MODERATION: finding} for finding in findings)
    return combine(first, others, {MODERATION: gap} if gap else {})[MODERATION]


def faces(*regions: Region) -> dict[str, Finding]:
    return {FACES: Finding(FACES, "f", "1", faces=tuple(Face(region, 0.9) for region in regions))}


def line(text: str, left: float = 0.1, top: float = 0.2) -> TextLine:
    return TextLine(((left, top), (left + 0.3, top), (left + 0.3, top + 0.05), (left, top + 0.05)), text, 0.9)


def test_one_flagged_view_flags_the_source() -> None:
    found = verdict(moderation(0.1), moderation(0.9, flagged=True), moderation(0.2))
    assert (found.flagged, found.labels, found.origin) == (True, (Label("nsfw", 0.9),), FALLBACK)


def test_the_highest_score_of_a_label_counts() -> None:
    assert verdict(moderation(0.1), moderation(0.4), moderation(0.2)).labels == (Label("nsfw", 0.4),)


def test_an_unreadable_view_leaves_no_verdict_unless_another_is_flagged() -> None:
    unreadable, bad = moderation(0, error=UNREADABLE), moderation(0.9, flagged=True)
    assert verdict(moderation(0.1), unreadable).error == UNREADABLE
    assert verdict(unreadable, moderation(0.1)).error == UNREADABLE
    for one, other in ((bad, unreadable), (unreadable, bad)):
        assert (verdict(one, other).flagged, verdict(one, other).error) == (True, "")
    assert verdict(moderation(0.1), unreadable, bad).flagged
    assert verdict(moderation(0.1), bad, unreadable).flagged


def test_a_gap_is_flagged_or_leaves_no_verdict() -> None:
    unsampled = verdict(moderation(0.1), gap=UNSAMPLED)
    assert (unsampled.flagged, unsampled.labels) == (True, (Label("nsfw", 0.1), Label(UNSAMPLED, 1.0)))
    assert verdict(moderation(0.1), gap=UNREADABLE).error == UNREADABLE
    bad = moderation(0.9, flagged=True)
    assert verdict(bad, gap=UNREADABLE) == verdict(bad, gap=UNSAMPLED) == bad


def test_places_are_those_of_all_views() -> None:
    one, other = Region(0.1, 0.1, 0.2, 0.2), Region(0.6, 0.1, 0.2, 0.2)
    nearly = Region(0.102, 0.099, 0.199, 0.202)
    found = combine(faces(one), [faces(nearly, other), faces(other)])[FACES]
    assert [face.region for face in found.faces] == [one, other]
    inside = Region(0.1, 0.1, 0.2, 0.23)
    assert len(combine(faces(one), [faces(inside)])[FACES].faces) == 2, "its cover reaches farther"
    text = {TEXT: Finding(TEXT, "t", "1", lines=(line("one"),))}
    again = {TEXT: Finding(TEXT, "t", "1", lines=(line("one", 0.1005), line("two"), line("one", top=0.6)))}
    assert [found.text for found in combine(text, [again])[TEXT].lines] == ["one", "two", "one"]


def test_only_what_was_found_first_is_extended() -> None:
    vector = {SIMILARITY: Finding(SIMILARITY, "s", "1", vector=(1.0,))}
    assert combine(vector, [faces(Region(0, 0, 1, 1))]) == vector
    assert combine(vector, [], {MODERATION: UNSAMPLED}) == vector


def test_each_view_has_its_tasks() -> None:
    views = Views((b"white", b"black"), (b"frame",))
    assert list(views.by_tasks((FACES, SIMILARITY, MODERATION))) == [
        (b"black", (FACES, MODERATION)), (b"frame", (MODERATION,)),
    ]  # fmt: skip
    assert list(views.by_tasks((TEXT, SIMILARITY))) == [(b"black", (TEXT,))]
    assert list(views.by_tasks((SIMILARITY,))) == []


def test_the_first_flagged_view_is_found() -> None:
    fit, bad, broken = moderation(0.1), moderation(0.9, flagged=True), moderation(0, error=UNREADABLE)
    for findings, number in [
        ([fit, fit], None),
        ([bad], 0),
        ([fit, broken, bad, bad], 2),
        ([broken], None),
    ]:
        assert find_flagged([{MODERATION: finding} for finding in findings]) == number
    assert find_flagged([faces(Region(0, 0, 1, 1)), {MODERATION: bad}]) == 1


def test_views_are_numbered_from_the_first_frame_on_white() -> None:
    assert Views((b"white", b"black"), (b"frame",)).all == (b"white", b"black", b"frame")
