"""Metrics, records and side effects of ingest for each outcome of a change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from darkroom.aws.record import CLAIMED, READY, REMOVED, pad_sequencer
from darkroom.errors import Busy
from darkroom.services.ingest.context import IngestOutcome
from darkroom.services.ingest.events import EventKind, IngestEvent, build_repair_message, read_event
from darkroom.services.ingest.handler import handle_event
from tests.images.pictures import jpeg_photo

from .emf_metrics import counted, of
from .ingest_environment import IngestEnvironment
from .kill_points import Wire, wired

SMALL = jpeg_photo((48, 32))
KEY = "a.jpg"

REMEMBERED_S = 3_024_000
"""35 days: SQS keeps a message for at most 14, a DLQ message for as many again; a week is left for a redrive."""


@pytest.fixture
def world(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


def count(
    world: IngestEnvironment, change: IngestEvent, capsys: pytest.CaptureFixture[str]
) -> tuple[IngestOutcome, dict[str, Any]]:
    """Handle ``change``; return the outcome, and the metrics with all their values added."""
    context = world.context
    outcome = handle_event(context, change)
    capsys.readouterr()
    context.observer.flush()
    published = counted(capsys.readouterr().out)
    return outcome, {name: dict(of(published, name)) for name in ("Handled", "UploadToReady", "Timed", "Slow")}


def at(change: IngestEvent, happened_at_s: float) -> IngestEvent:
    return replace(change, happened_at_s=happened_at_s)


def test_the_time_to_ready_is_counted_in_milliseconds_and_never_below_0(
    world: IngestEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clocks of S3 and of the function may differ."""
    for waited_s, waited_ms in ((-5, 0), (-0.5, 0), (0.5, 500), (2, 2000)):
        key = f"{waited_ms} of {waited_s}.jpg"
        change = at(world.change(key, world.upload(key, SMALL)), world.now_s - waited_s)
        _, metrics = count(world, change, capsys)
        assert (metrics["UploadToReady"], metrics["Timed"]) == ({"": waited_ms}, {"": 1})


def test_the_time_to_ready_is_counted_for_ready_and_duplicate_alone(
    world: IngestEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    def upload(key: str, body: bytes) -> IngestEvent:
        return at(world.change(key, world.upload(key, body)), world.now_s - 1)

    first, timed = upload(KEY, SMALL), ({"": 1000}, {"": 1})
    expected = [
        (first, IngestOutcome.READY, timed),
        (first, IngestOutcome.DROPPED, ({}, {})),
        (upload("b.jpg", SMALL), IngestOutcome.DUPLICATE, timed),
        (upload("c.jpg", b"no picture"), IngestOutcome.REFUSED, ({}, {})),
        (at(world.deletion("d.jpg"), world.now_s - 1), IngestOutcome.REMOVED, ({}, {})),
    ]
    for change, outcome, times in expected:
        handled, metrics = count(world, change, capsys)
        assert (handled, metrics["Handled"]) == (outcome, {outcome: 1})
        assert (metrics["UploadToReady"], metrics["Timed"]) == times


def test_an_upload_of_unknown_time_is_not_timed(world: IngestEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    outcome, metrics = count(world, at(world.change(KEY, world.upload(KEY, SMALL)), 0), capsys)
    assert (outcome, metrics["UploadToReady"], metrics["Timed"]) == (IngestOutcome.READY, {}, {})


def test_a_deletion_is_remembered_for_35_days(world: IngestEnvironment) -> None:
    world.created(KEY, SMALL)
    assert world.deleted(KEY) is IngestOutcome.REMOVED
    assert world.record(KEY).expires_at_s == int(world.now_s) + REMEMBERED_S


def test_a_deletion_of_a_master_that_the_index_does_not_know_is_announced_and_purged(world: IngestEnvironment) -> None:
    world.created(KEY, SMALL)
    world.index.delete(KEY)
    world.published()
    assert world.deleted(KEY) is IngestOutcome.REMOVED
    assert world.keys("media") == []
    assert [detail_type for detail_type, _ in world.published()] == ["ImageRemoved"]
    assert [purge["key"] for purge in world.messages("purges")] == [KEY]


def test_a_deletion_of_nothing_is_neither_announced_nor_purged(world: IngestEnvironment) -> None:
    assert world.deleted(KEY) is IngestOutcome.REMOVED
    assert (world.published(), world.messages("purges")) == ([], [])
    assert (world.record(KEY).state, world.record(KEY).announced) == (REMOVED, True)


@pytest.mark.parametrize("older", [False, True])
def test_an_event_that_is_done_or_outdated_fetches_no_upload(world: IngestEnvironment, older: bool) -> None:
    late = world.next_sequencer()
    change = world.change(KEY, world.upload(KEY, SMALL))
    world.handle(change)
    before, fetched = world.record(KEY), Wire("before-send", 1, lambda: None, "s3.GetObject")
    with wired(world, fetched):
        assert world.handle(world.change(KEY, late) if older else change) is IngestOutcome.DROPPED
    assert fetched.calls == 0
    assert (world.record(KEY), world.sent) == (before, [])


def test_a_newer_event_fetches_the_upload(world: IngestEnvironment) -> None:
    world.created(KEY, SMALL)
    fetched = Wire("before-send", 1, lambda: None, "s3.GetObject")
    with wired(world, fetched):
        world.created(KEY, jpeg_photo((32, 48)))
    assert fetched.reached
    assert world.record(KEY).facts["height"] == 48


@pytest.mark.parametrize("older", [False, True])
def test_an_announcement_is_repeated_for_its_own_event_alone(world: IngestEnvironment, older: bool) -> None:
    late = world.next_sequencer()
    change = world.change(KEY, world.upload(KEY, SMALL))
    world.handle(change)
    world.published()
    world.index.put_record(replace(world.record(KEY), announced=False))
    world.handle(world.change(KEY, late) if older else change)
    assert len(world.published()) == (0 if older else 1)
    assert world.record(KEY).announced is not older


def test_an_event_that_is_worked_on_is_not_dropped(world: IngestEnvironment) -> None:
    change = world.change(KEY, world.upload(KEY, SMALL))
    world.index.claim(KEY, change.sequencer, "a worker", now_s=world.now_s, lease_s=60)
    with pytest.raises(Busy):
        world.handle(change)
    world.now_s += 61
    assert world.handle(change) is IngestOutcome.READY


def test_a_decision_waits_for_the_lease_and_then_has_the_work_done(world: IngestEnvironment) -> None:
    for lease_left_s, retry_in_s, state in ((2, 2, CLAIMED), (1, 1, CLAIMED), (0, 1, CLAIMED), (-1, 1, READY)):
        key = f"{lease_left_s}.jpg"
        change = world.change(key, world.upload(key, SMALL))
        world.index.claim(key, change.sequencer, "a worker", now_s=world.now_s, lease_s=lease_left_s)
        with pytest.raises(Busy) as busy:
            world.released(key)
        assert (busy.value.retry_in_s, world.record(key).state) == (retry_in_s, state)


def test_a_message_about_an_unknown_key_is_dropped(world: IngestEnvironment) -> None:
    for kind in (EventKind.VERDICT, EventKind.RELEASE, EventKind.CONFIRM, EventKind.LARGE_IMAGE, EventKind.REPAIR):
        assert world.handle(IngestEvent(kind, KEY, "")) is IngestOutcome.DROPPED
    assert (world.index.get(KEY), world.sent) == (None, [])


def test_a_repair_of_a_key_in_order_claims_nothing(world: IngestEnvironment) -> None:
    world.created(KEY, SMALL)
    before = world.record(KEY)
    repair = read_event(json.dumps(build_repair_message(KEY)))
    assert repair is not None
    assert world.handle(repair) is IngestOutcome.DROPPED
    assert world.record(KEY) == before


def test_a_removal_that_left_its_master_is_repaired(world: IngestEnvironment) -> None:
    world.created(KEY, SMALL)
    world.deleted(KEY)
    marks = {"sequencer": pad_sequencer("0F"), "sha256": "0", "version-id": "0"}
    world.vault("media").put(f"masters/{KEY}", b"of an overtaken worker", headers={}, metadata=marks)
    repair = read_event(json.dumps(build_repair_message(KEY)))
    assert repair is not None
    assert world.handle(repair) is IngestOutcome.REMOVED
    assert world.keys("media") == []
    assert world.record(KEY).state == REMOVED


def test_a_claim_that_was_left_by_an_expired_upload_is_a_removal(world: IngestEnvironment) -> None:
    sequencer = world.upload(KEY, SMALL)
    world.index.claim(KEY, sequencer, "a worker", now_s=world.now_s, lease_s=60)
    world.vault("uploads").erase(KEY)
    world.now_s += 61
    assert world.handle(IngestEvent(EventKind.REPAIR, KEY, "")) is IngestOutcome.REMOVED
    assert world.record(KEY).state == REMOVED
