"""Sheets and reviewed manifests: what a person wrote is stored, and nothing else counts as reviewed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cli.training.reviews import (
    MAX_TAG_CHARACTERS,
    MasterUris,
    ReviewedImage,
    apply_review,
    format_sheet,
    parse_lines,
    parse_reviewed,
    parse_sheet,
)
from darkroom.image_keys import MASTERS, ObjectNames

URIS = MasterUris("media", "media", MASTERS)


def line(name: str, *tags: str, human: str = "no") -> dict[str, Any]:
    """A line as the monitor writes it."""
    names = {str(number): tag for number, tag in enumerate(tags)}
    metadata = {"class-map": names, "human-annotated": human}
    return {"source-ref": f"s3://media/{name}", "tags": list(range(len(tags))), "tags-metadata": metadata}


UNANALYSED = {"source-ref": "s3://media/masters/c.jpg", "moderation": 0}
LINES = [line("masters/a.jpg", "dog", "animal"), line("held/b.jpg", "dog"), UNANALYSED]


def test_a_sheet_has_what_the_model_found() -> None:
    sheet = format_sheet(LINES, URIS)
    assert sheet == "a.jpg\tdog, animal\nb.jpg\tdog\nc.jpg\t\n"
    assert parse_sheet(sheet) == {"a.jpg": ("animal", "dog"), "b.jpg": ("dog",), "c.jpg": ()}


def test_names_in_the_bucket_are_decoded() -> None:
    assert URIS.key("s3://media/masters/b.-20.-C3A9.jpg") == "b é.jpg"
    own = MasterUris("media", "originals", ObjectNames("", encoded=False))
    assert own.key("s3://originals/b é.jpg") == "b é.jpg"
    for elsewhere in ("s3://media/masters/a.jpg", "s3://other/held/a.jpg"):
        with pytest.raises(ValueError, match="is no master of this deployment"):
            own.key(elsewhere)


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85"])
def test_a_key_may_have_a_character_that_separates_lines_elsewhere(character: str) -> None:
    key, uris = f"a{character}b.jpg", MasterUris("media", "media", ObjectNames("masters/", encoded=False))
    lines = [line(f"masters/{key}", "dog"), line("masters/c.jpg", "cat")]
    for end in ("\n", "\r\n"):
        assert parse_lines("".join(json.dumps(one, ensure_ascii=False) + end for one in lines), "m") == lines
        sheet = format_sheet(lines, uris).replace("\n", end)
        assert parse_sheet(sheet) == {key: ("dog",), "c.jpg": ("cat",)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a.jpg\tdog\n\na.jpg\tcat\n", r"line 3: a\.jpg has a line already"),
        ("a.jpg dog\n", "line 1: expected a key, a tab"),
        ("a.jpg\tdog\tcat\n", "line 1: expected a key, a tab"),
        (f"a.jpg\t{'x' * (MAX_TAG_CHARACTERS + 1)}\n", "line 1: a tag has at most 64 printable characters"),
        ("a.jpg\tdo\x00g\n", "line 1: a tag has"),
    ],
)
def test_a_mistake_in_a_sheet_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_sheet(text)


def test_a_review_is_read_as_it_was_written() -> None:
    sheet = parse_sheet("a.jpg\tStriped,  wool \nc.jpg\t\n")
    lines = apply_review(LINES, sheet, URIS, {"a.jpg": "5a"}, "ada", 1_795_600_000)
    assert lines[0]["tags-metadata"] | {"class-map": 0} == {
        "class-map": 0,
        "type": "groundtruth/image-classification-multilabel",
        "human-annotated": "yes",
        "creation-date": "2026-11-25T09:46:40",
        "job-name": "darkroom/review/ada",
        "sha256": "5a",
    }
    text = "".join(json.dumps(one) + "\n" for one in lines)
    assert parse_reviewed(text, "m", URIS.key) == [
        ReviewedImage("a.jpg", frozenset({"striped", "wool"}), "5a", "m"),
        ReviewedImage("c.jpg", frozenset(), "", "m"),
    ]


def test_only_images_of_the_day_are_reviewed() -> None:
    with pytest.raises(ValueError, match=r"do not have x\.jpg"):
        apply_review(LINES, {"x.jpg": ()}, URIS, {}, "ada", 0.0)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (json.dumps(line("masters/a.jpg", "dog")), r"^m is not reviewed: the tags of its image 1 are not by a person"),
        (json.dumps(UNANALYSED), "is not reviewed"),
        (json.dumps(line("masters/a.jpg", human="yes") | {"tags": [0]}), "m: image 1 has no valid tags"),
        (json.dumps({"tags": []}), "m, line 1 is no line of a manifest"),
        ("no json", "m, line 1"),
    ],
)
def test_what_no_person_reviewed_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_reviewed(text, "m", URIS.key)


def test_an_output_of_ground_truth_is_accepted() -> None:
    """It names the classes of the image alone, by their numbers in the job."""
    metadata = {"class-map": {"2": "Wool"}, "human-annotated": "yes", "confidence-map": {"2": 0.9}}
    text = json.dumps({"source-ref": "s3://media/masters/a.jpg", "tags": [2], "tags-metadata": metadata})
    assert parse_reviewed(text, "m", URIS.key) == [ReviewedImage("a.jpg", frozenset({"wool"}), "", "m")]


def ground_truth(*labels: str) -> str:
    classes = {str(number): label for number, label in enumerate(labels)}
    metadata = {"class-map": classes, "human-annotated": "yes"}
    return json.dumps(
        {"source-ref": "s3://media/masters/a.jpg", "tags": list(range(len(labels))), "tags-metadata": metadata}
    )


def test_labels_of_ground_truth_are_spelled_like_those_of_a_sheet() -> None:
    [image] = parse_reviewed(ground_truth(" Striped ", "striped", " ", "\U0001f984"), "m", URIS.key)
    assert image.tags == {"striped", "\U0001f984"}
    assert parse_sheet("a.jpg\t Striped ,striped, ,\U0001f984\n") == {"a.jpg": ("striped", "\U0001f984")}


@pytest.mark.parametrize("label", ["a\tb", "a\nb", "a\u2028b", "x" * (MAX_TAG_CHARACTERS + 1)])
def test_a_label_that_a_model_cannot_hold_is_refused(label: str) -> None:
    """The labels in the file of a model are separated by tabs and lines."""
    with pytest.raises(ValueError, match="m: image 1: a tag has at most 64 printable characters, unlike"):
        parse_reviewed(ground_truth("wool", label), "m", URIS.key)
