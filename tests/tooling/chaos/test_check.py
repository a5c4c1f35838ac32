"""Tests of the invariants: each kind of violation is reported, a correct state is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from chaos.environment import INGEST, PURGE, PURGE_DEAD
from chaos.image_oracle import digest
from chaos.invariants import DERIVATIVES, INVARIANTS, MASTERS, Case, check
from chaos.snapshot import DeadLetter, PublishedEvent, Snapshot, Stored

from .cases import (
    DAMAGED,
    IMAGE,
    OTHER,
    POISON,
    READY,
    REFUSED,
    REMOVED,
    announced,
    master,
    presets,
    sound,
    stored,
)

ACCOUNTED, MASTER, DERIVED, PRESETS, QUARANTINE, ANNOUNCED, QUIET, GIVEN_UP, STRAYS = INVARIANTS
COVER = DERIVATIVES + presets(READY)[-1]
RENDERED = f"{DERIVATIVES}{READY}/_/w-480.jpeg"

type Plant = Callable[[Snapshot], Snapshot]


def media(changes: Mapping[str, Stored | None]) -> Plant:
    """Replace or delete objects of the media bucket."""

    def plant(snapshot: Snapshot) -> Snapshot:
        changed: dict[str, Stored | None] = {**snapshot.media, **changes}
        return replace(snapshot, media={name: found for name, found in changed.items() if found is not None})

    return plant


def record(key: str, **changes: Any) -> Plant:
    """Replace fields of an index item."""
    return lambda snapshot: replace(
        snapshot, records={**snapshot.records, key: {**snapshot.records.get(key, {}), **changes}}
    )


def drop_record(key: str) -> Plant:
    return lambda snapshot: replace(
        snapshot, records={name: found for name, found in snapshot.records.items() if name != key}
    )


def add_announcements(*more: PublishedEvent) -> Plant:
    return lambda snapshot: replace(snapshot, announced=[*snapshot.announced, *more])


def drop_announcements(detail_type: str) -> Plant:
    return lambda snapshot: replace(
        snapshot, announced=[one for one in snapshot.announced if one.detail_type != detail_type]
    )


def quarantined(changes: Mapping[str, Stored]) -> Plant:
    return lambda snapshot: replace(snapshot, quarantine={**snapshot.quarantine, **changes})


MASTER_OBJECT = master(IMAGE, "01")
TORN = replace(MASTER_OBJECT, body=MASTER_OBJECT.body[:-500])
ELSEWHERE = master(OTHER, "03")

PLANTED: list[tuple[str, str, Plant]] = [
    ("an upload without a record", ACCOUNTED, drop_record(READY)),
    ("an abandoned claim", ACCOUNTED, record(READY, state="claimed")),
    ("a good upload refused", ACCOUNTED, record(READY, state="refused")),
    ("the wrong code", ACCOUNTED, record(REFUSED, refusal={"code": "infected", "sha256": digest(DAMAGED)})),
    ("an outdated record", ACCOUNTED, record(READY, sha256=digest(OTHER))),
    ("an older version", ACCOUNTED, record(READY, version_id="v0")),
    ("a lost deletion", ACCOUNTED, record(REMOVED, state="ready")),
    ("a record without an upload", ACCOUNTED, record("strange.jpg", state="ready")),
    ("a missing master", MASTER, media({MASTERS + READY: None})),
    ("a half-written master", MASTER, media({MASTERS + READY: TORN})),
    ("an outdated master", MASTER, media({MASTERS + READY: ELSEWHERE})),
    ("a master of a refused upload", MASTER, media({MASTERS + REFUSED: stored(DAMAGED.data)})),
    ("a master of a deleted upload", MASTER, media({MASTERS + REMOVED: ELSEWHERE})),
    ("a master without an upload", MASTER, media({MASTERS + "strange.jpg": MASTER_OBJECT})),
    (
        "a master with another's hash",
        MASTER,
        media({MASTERS + READY: replace(MASTER_OBJECT, metadata={"sequencer": "01"})}),
    ),
    ("a master of no event", MASTER, media({MASTERS + READY: master(IMAGE, "0A")})),
    ("a master that the index does not know", MASTER, record(READY, master={"etag": '"0"'})),
    ("a stale derivative", DERIVED, media({RENDERED: stored(OTHER.data, source_etag=ELSEWHERE.etag)})),
    ("a derivative without source etag", DERIVED, media({RENDERED: stored(IMAGE.data)})),
    ("a derivative of a deleted master", DERIVED, media({f"{DERIVATIVES}{REMOVED}/_/full.webp": stored(OTHER.data)})),
    ("a derivative of another image", DERIVED, media({RENDERED: stored(OTHER.data, source_etag=MASTER_OBJECT.etag)})),
    ("a truncated derivative", DERIVED, media({RENDERED: stored(IMAGE.data[:200], source_etag=MASTER_OBJECT.etag)})),
    ("a missing preset", PRESETS, media({COVER: None})),
    ("a preset that the index does not know", PRESETS, record(READY, derivatives=presets(READY)[1:])),
    ("a refused upload missing in quarantine", QUARANTINE, lambda snapshot: replace(snapshot, quarantine={})),
    ("another upload in quarantine", QUARANTINE, quarantined({"refused.jpg/_/02": stored(OTHER.data, code="damaged")})),
    ("a good upload in quarantine", QUARANTINE, quarantined({"ready.jpg/_/01": stored(IMAGE.data, code="damaged")})),
    ("another reason", QUARANTINE, quarantined({"refused.jpg/_/02": stored(DAMAGED.data, code="infected")})),
    ("a second id", ANNOUNCED, add_announcements(announced("ImageReady", READY, "09", "v1", sha256=digest(IMAGE)))),
    (
        "one id for two things",
        ANNOUNCED,
        add_announcements(announced("ImageRefused", READY, "01", "v1", sha256="", code="damaged")),
    ),
    (
        "an announced image that never existed",
        ANNOUNCED,
        add_announcements(announced("ImageReady", REFUSED, "02", "v2", sha256="0")),
    ),
    ("no announcement of an image", ANNOUNCED, drop_announcements("ImageReady")),
    ("no announcement of a refusal", ANNOUNCED, drop_announcements("ImageRefused")),
    ("no announcement of a deletion", ANNOUNCED, drop_announcements("ImageRemoved")),
    ("a stuck message", QUIET, lambda snapshot: replace(snapshot, depths={INGEST: 1})),
    ("an endless purge", QUIET, lambda snapshot: replace(snapshot, depths={PURGE: 1})),
    (
        "a purge given up",
        GIVEN_UP,
        lambda snapshot: replace(snapshot, dead=[*snapshot.dead, DeadLetter(PURGE_DEAD, "{}", {})]),
    ),
    ("a lost poison message", GIVEN_UP, lambda snapshot: replace(snapshot, dead=[])),
    ("something left over", STRAYS, media({"tmp/photo.jpg": MASTER_OBJECT})),
]


def test_nothing_is_wrong_where_nothing_is_wrong() -> None:
    assert check(sound()) == []


@pytest.mark.parametrize(("invariant", "plant"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_a_violation_is_reported(invariant: str, plant: Plant) -> None:
    case = sound()
    found = check(replace(case, snapshot=plant(case.snapshot)))
    assert invariant in {violation.invariant for violation in found}, found


def test_every_invariant_has_been_broken() -> None:
    assert {invariant for _, invariant, _ in PLANTED} == set(INVARIANTS)


@pytest.mark.parametrize(
    "plant",
    [
        drop_record(REMOVED),
        lambda snapshot: replace(snapshot, dead=[*snapshot.dead, *snapshot.dead]),
        media({RENDERED: stored(IMAGE.data, source_etag=MASTER_OBJECT.etag)}),
    ],
    ids=["no record of a deleted key", "poison given up twice", "a fresh render"],
)
def test_what_may_be_is_no_violation(plant: Plant) -> None:
    case = sound()
    assert check(replace(case, snapshot=plant(case.snapshot))) == []


def test_an_earlier_image_may_stay_behind_a_refused_one() -> None:
    case = sound()
    expected = replace(case.expected[REFUSED], masters=(OTHER,))
    snapshot = media({MASTERS + REFUSED: master(OTHER, "02")})(case.snapshot)
    snapshot = record(REFUSED, master={"etag": ELSEWHERE.etag})(snapshot)
    changed: Case = replace(case, expected={**case.expected, REFUSED: expected}, snapshot=snapshot)
    assert check(changed) == []
    assert case.poison == (POISON,)
