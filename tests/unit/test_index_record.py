"""Records of the index and their DynamoDB items: the shape of an item does not change."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from darkroom_pipeline.aws.record import (
    CLAIMED,
    HELD,
    READY,
    REFUSED,
    REMOVED,
    HeldUpload,
    LargeImageRef,
    MasterRef,
    Record,
    Refusal,
    from_item,
    to_item,
)

ITEMS: dict[str, Any] = json.loads((Path(__file__).parent / "index_items.json").read_text(encoding="utf-8"))
"""Items that the version before typed records wrote."""

FACTS = {"width": 3, "ratio": 1.5, "has_alpha": False, "thumbhash": ""}
MASTER = MasterRef('"e"', "0B", "v1", "image/jpeg", 9, "cleaned")
FLAGGED = Record("a.jpg", HELD, "0B", "t", held=HeldUpload("s", FACTS, {}, MASTER, flagged=True))
RECORDS = {
    "ready": Record(
        "a.jpg",
        READY,
        "0B",
        "t",
        image_id="i",
        announced=True,
        sha256="s",
        version_id="v1",
        facts=FACTS,
        provenance={"gps": [1.5, 2]},
        master=replace(MASTER, master_sha256="m"),
        derivatives=("a", "b"),
        same_as="b.jpg",
        updated_at="2026",
    ),
    "held": FLAGGED,
    "reviewed": replace(FLAGGED, held=replace(FLAGGED.held, reviewed=True)),
    "refused": Record("a.jpg", REFUSED, "0B", "t", master=MASTER, refusal=Refusal("damaged", "r", "", "s", "")),
    "large": Record(
        "a.tif", CLAIMED, "0B", "t", lease_until_s=7, large_image=LargeImageRef("i", "t", 2, "s", "v", FACTS, {})
    ),
    "removed": Record("a.jpg", REMOVED, "0B", "t", expires_at_s=99),
}


@pytest.mark.parametrize("name", ITEMS)
def test_items_are_those_of_the_version_before(name: str) -> None:
    assert RECORDS.keys() == ITEMS.keys()
    assert to_item(RECORDS[name]) == ITEMS[name]
    assert from_item(ITEMS[name]) == RECORDS[name]


def test_items_of_the_first_versions_lack_fields() -> None:
    item = json.loads(json.dumps(ITEMS["ready"]))
    del item["master"]["M"]["version_id"], item["master"]["M"]["master_sha256"], item["provenance"], item["same_as"]
    expected = replace(RECORDS["ready"], master=replace(MASTER, version_id=""), provenance={}, same_as="")
    assert from_item(item) == expected
    assert from_item(to_item(expected)) == expected
    held = json.loads(json.dumps(ITEMS["held"]))
    del held["held"]["M"]["provenance"], held["held"]["M"]["flagged"]
    assert from_item(held).held == HeldUpload("s", FACTS, {}, MASTER)


def test_attributes_of_later_versions_are_ignored() -> None:
    item = json.loads(json.dumps(ITEMS["refused"]))
    item["later"] = {"S": "x"}
    item["refusal"]["M"]["later"] = {"S": "x"}
    assert from_item(item) == RECORDS["refused"]


@pytest.mark.parametrize("part", [MasterRef(), Refusal(), HeldUpload(), LargeImageRef()])
def test_a_part_with_all_defaults_is_left_out(part: Any) -> None:
    assert not part
    assert bool(replace(part, sha256="s") if hasattr(part, "sha256") else replace(part, etag="e"))
    assert to_item(Record("a.jpg", READY, "0B")).keys() == {"pk", "key", "state", "sequencer"}


def test_only_flagged_uploads_without_a_decision_are_in_the_review_queue() -> None:
    in_queue = {name for name, record in RECORDS.items() if "review" in to_item(record)}
    assert in_queue == {"held"}
