"""The checker notices each kind of violation, and nothing where nothing is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from chaos.environment import INGEST, PURGE, PURGE_DEAD
from chaos.image_oracle import digest
from chaos.invariants import DERIVATIVES, INVARIANTS, MASTERS, Case, check
from chaos.queues import Depth
from chaos.snapshot import DeadLetter, PublishedEvent, Snapshot, Stored

from .cases import (
    DAMAGED,
    OTHER,
    PICTURE,
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
    """Objects of the media bucket: other ones, or none."""

    def plant(evidence: Snapshot) -> Snapshot:
        changed: dict[str, Stored | None] = {**evidence.media, **changes}
        return replace(evidence, media={name: found for name, found in changed.items() if found is not None})

    return plant


def record(key: str, **changes: Any) -> Plant:
    """Fields of an item of the index."""
    return lambda evidence: replace(
        evidence, records={**evidence.records, key: {**evidence.records.get(key, {}), **changes}}
    )


def forgotten(key: str) -> Plant:
    return lambda evidence: replace(
        evidence, records={name: found for name, found in evidence.records.items() if name != key}
    )


def told(*more: PublishedEvent) -> Plant:
    return lambda evidence: replace(evidence, announced=[*evidence.announced, *more])


def untold(detail_type: str) -> Plant:
    return lambda evidence: replace(
        evidence, announced=[one for one in evidence.announced if one.detail_type != detail_type]
    )


def quarantined(changes: Mapping[str, Stored]) -> Plant:
    return lambda evidence: replace(evidence, quarantine={**evidence.quarantine, **changes})


KEPT = master(PICTURE, "01")
TORN = replace(KEPT, body=KEPT.body[:-500])
ELSEWHERE = master(OTHER, "03")

PLANTED: list[tuple[str, str, Plant]] = [
    ("an upload that nobody looked at", ACCOUNTED, forgotten(READY)),
    ("a claim that nobody ended", ACCOUNTED, record(READY, state="claimed")),
    ("a good upload refused", ACCOUNTED, record(READY, state="refused")),
    ("the wrong code", ACCOUNTED, record(REFUSED, refusal={"code": "infected", "sha256": digest(DAMAGED)})),
    ("an index that lags behind", ACCOUNTED, record(READY, sha256=digest(OTHER))),
    ("an older version", ACCOUNTED, record(READY, version_id="v0")),
    ("a deletion that was overlooked", ACCOUNTED, record(REMOVED, state="ready")),
    ("an item of nobody", ACCOUNTED, record("strange.jpg", state="ready")),
    ("a missing master", MASTER, media({MASTERS + READY: None})),
    ("a half-written master", MASTER, media({MASTERS + READY: TORN})),
    ("an outdated master", MASTER, media({MASTERS + READY: ELSEWHERE})),
    ("a master of a refused upload", MASTER, media({MASTERS + REFUSED: stored(DAMAGED.data)})),
    ("a master of a deleted upload", MASTER, media({MASTERS + REMOVED: ELSEWHERE})),
    ("a master of nobody", MASTER, media({MASTERS + "strange.jpg": KEPT})),
    ("a master with another's hash", MASTER, media({MASTERS + READY: replace(KEPT, metadata={"sequencer": "01"})})),
    ("a master of no event", MASTER, media({MASTERS + READY: master(PICTURE, "0A")})),
    ("a master that the index does not know", MASTER, record(READY, master={"etag": '"0"'})),
    ("a stale derivative", DERIVED, media({RENDERED: stored(OTHER.data, source_etag=ELSEWHERE.etag)})),
    ("a derivative that says nothing", DERIVED, media({RENDERED: stored(PICTURE.data)})),
    ("a derivative of a deleted master", DERIVED, media({f"{DERIVATIVES}{REMOVED}/_/full.webp": stored(OTHER.data)})),
    ("a derivative that lies", DERIVED, media({RENDERED: stored(OTHER.data, source_etag=KEPT.etag)})),
    ("a torn derivative", DERIVED, media({RENDERED: stored(PICTURE.data[:200], source_etag=KEPT.etag)})),
    ("a missing preset", PRESETS, media({COVER: None})),
    ("a preset that the index does not know", PRESETS, record(READY, derivatives=presets(READY)[1:])),
    ("a refused upload that was not kept", QUARANTINE, lambda evidence: replace(evidence, quarantine={})),
    ("another upload kept instead", QUARANTINE, quarantined({"refused.jpg/_/02": stored(OTHER.data, code="damaged")})),
    ("a good upload in quarantine", QUARANTINE, quarantined({"ready.jpg/_/01": stored(PICTURE.data, code="damaged")})),
    ("another reason", QUARANTINE, quarantined({"refused.jpg/_/02": stored(DAMAGED.data, code="infected")})),
    ("a second id", ANNOUNCED, told(announced("ImageReady", READY, "09", "v1", sha256=digest(PICTURE)))),
    ("one id for two things", ANNOUNCED, told(announced("ImageRefused", READY, "01", "v1", sha256="", code="damaged"))),
    ("a picture that was never there", ANNOUNCED, told(announced("ImageReady", REFUSED, "02", "v2", sha256="0"))),
    ("silence about a picture", ANNOUNCED, untold("ImageReady")),
    ("silence about a refusal", ANNOUNCED, untold("ImageRefused")),
    ("silence about a deletion", ANNOUNCED, untold("ImageRemoved")),
    ("a stuck message", QUIET, lambda evidence: replace(evidence, depths={INGEST: Depth(0, 1, 0)})),
    ("an endless purge", QUIET, lambda evidence: replace(evidence, depths={PURGE: Depth(0, 0, 1)})),
    (
        "a purge given up",
        GIVEN_UP,
        lambda evidence: replace(evidence, dead=[*evidence.dead, DeadLetter(PURGE_DEAD, "{}", {})]),
    ),
    ("poison that was drunk", GIVEN_UP, lambda evidence: replace(evidence, dead=[])),
    ("something left over", STRAYS, media({"tmp/photo.jpg": KEPT})),
]


def test_nothing_is_wrong_where_nothing_is_wrong() -> None:
    assert check(sound()) == []


@pytest.mark.parametrize(("invariant", "plant"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_what_is_wrong_is_noticed(invariant: str, plant: Plant) -> None:
    case = sound()
    found = check(replace(case, evidence=plant(case.evidence)))
    assert invariant in {violation.invariant for violation in found}, found


def test_every_invariant_has_been_broken() -> None:
    assert {invariant for _, invariant, _ in PLANTED} == set(INVARIANTS)


@pytest.mark.parametrize(
    "plant",
    [
        forgotten(REMOVED),
        lambda evidence: replace(evidence, dead=[*evidence.dead, *evidence.dead]),
        media({RENDERED: stored(PICTURE.data, source_etag=KEPT.etag)}),
    ],
    ids=["nothing known of what was deleted", "poison given up twice", "a fresh render"],
)
def test_what_may_be_is_no_violation(plant: Plant) -> None:
    case = sound()
    assert check(replace(case, evidence=plant(case.evidence))) == []


def test_an_earlier_picture_may_stay_behind_a_refused_one() -> None:
    case = sound()
    expected = replace(case.expected[REFUSED], masters=(OTHER,))
    evidence = media({MASTERS + REFUSED: master(OTHER, "02")})(case.evidence)
    evidence = record(REFUSED, master={"etag": ELSEWHERE.etag})(evidence)
    changed: Case = replace(case, expected={**case.expected, REFUSED: expected}, evidence=evidence)
    assert check(changed) == []
    assert case.poison == (POISON,)
