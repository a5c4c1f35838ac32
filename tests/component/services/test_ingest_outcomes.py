"""Metrics, records and side effects of ingest for each outcome of a change."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from darkroom.errors import Busy
from darkroom.imaging.formats.jpeg.gain_map import GainMapMetadata, format_iso
from darkroom.imaging.formats.jpeg.ultrahdr import attach_gain_map
from darkroom_pipeline.aws.record import CLAIMED, READY, REMOVED, pad_sequencer
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import EventKind, IngestEvent, build_repair_message, read_event
from darkroom_pipeline.services.ingest.handler import handle_event
from tests.images.photographs import jpeg_photo

from .emf_metrics import counted, of
from .ingest_environment import IngestEnvironment
from .kill_points import Wire, wired

SMALL = jpeg_photo((48, 32))
KEY = "a.jpg"

REMEMBERED_S = 3_024_000
"""35 days: SQS keeps a message for at most 14, a DLQ message for as many again; a week is left for a redrive."""


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


def count(
    env: IngestEnvironment, change: IngestEvent, capsys: pytest.CaptureFixture[str]
) -> tuple[IngestOutcome, dict[str, Any]]:
    """Handle ``change``; return the outcome, and the metrics with all their values added."""
    context = env.context
    outcome = handle_event(context, change)
    capsys.readouterr()
    context.observer.flush()
    published = counted(capsys.readouterr().out)
    return outcome, {name: dict(of(published, name)) for name in ("Handled", "UploadToReady", "Timed", "Slow")}


def at(change: IngestEvent, happened_at_s: float) -> IngestEvent:
    return replace(change, happened_at_s=happened_at_s)


@pytest.mark.slow
def test_the_time_to_ready_is_counted_in_milliseconds_and_never_below_0(
    env: IngestEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    """The clocks of S3 and of the function may differ."""
    for waited_s, waited_ms in ((-5, 0), (-0.5, 0), (0.5, 500), (2, 2000)):
        key = f"{waited_ms} of {waited_s}.jpg"
        change = at(env.change(key, env.upload(key, SMALL)), env.now_s - waited_s)
        _, metrics = count(env, change, capsys)
        assert (metrics["UploadToReady"], metrics["Timed"]) == ({"": waited_ms}, {"": 1})


@pytest.mark.slow
def test_the_time_to_ready_is_counted_for_ready_and_duplicate_alone(
    env: IngestEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    def upload(key: str, body: bytes) -> IngestEvent:
        return at(env.change(key, env.upload(key, body)), env.now_s - 1)

    first, timed = upload(KEY, SMALL), ({"": 1000}, {"": 1})
    expected = [
        (first, IngestOutcome.READY, timed),
        (first, IngestOutcome.DROPPED, ({}, {})),
        (upload("b.jpg", SMALL), IngestOutcome.DUPLICATE, timed),
        (upload("c.jpg", b"no image"), IngestOutcome.REFUSED, ({}, {})),
        (at(env.deletion("d.jpg"), env.now_s - 1), IngestOutcome.REMOVED, ({}, {})),
    ]
    for change, outcome, times in expected:
        handled, metrics = count(env, change, capsys)
        assert (handled, metrics["Handled"]) == (outcome, {outcome: 1})
        assert (metrics["UploadToReady"], metrics["Timed"]) == times


def test_an_upload_of_unknown_time_is_not_timed(env: IngestEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    outcome, metrics = count(env, at(env.change(KEY, env.upload(KEY, SMALL)), 0), capsys)
    assert (outcome, metrics["UploadToReady"], metrics["Timed"]) == (IngestOutcome.READY, {}, {})


@pytest.mark.parametrize("usable", [True, False])
def test_a_gain_map_that_is_lost_is_noticed(
    env: IngestEnvironment, usable: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = GainMapMetadata((0.0,), (3.5,), (1.0,), (0.0,), (0.0,), 0.0, 3.5)
    body = attach_gain_map(SMALL, jpeg_photo((12, 8)), numbers)
    if not usable:
        body = body.replace(b"hdrgm:GainMapMax", b"hdrgm:GainMapMix").replace(format_iso(numbers), bytes(4))
    assert env.created(KEY, body) is IngestOutcome.READY
    assert env.record(KEY).facts["gain_map"] is usable
    assert ("gain map lost" in capsys.readouterr().out) is not usable


def test_a_deletion_is_remembered_for_35_days(env: IngestEnvironment) -> None:
    env.created(KEY, SMALL)
    assert env.deleted(KEY) is IngestOutcome.REMOVED
    assert env.record(KEY).expires_at_s == int(env.now_s) + REMEMBERED_S


def test_a_deletion_of_a_master_that_the_index_does_not_know_is_announced_and_purged(env: IngestEnvironment) -> None:
    env.created(KEY, SMALL)
    env.index.delete(KEY)
    env.published()
    assert env.deleted(KEY) is IngestOutcome.REMOVED
    assert env.keys("media") == []
    assert [detail_type for detail_type, _ in env.published()] == ["ImageRemoved"]
    assert [purge["key"] for purge in env.messages("purges")] == [KEY]


def test_a_deletion_of_nothing_is_neither_announced_nor_purged(env: IngestEnvironment) -> None:
    assert env.deleted(KEY) is IngestOutcome.REMOVED
    assert (env.published(), env.messages("purges")) == ([], [])
    assert (env.record(KEY).state, env.record(KEY).announced) == (REMOVED, True)


@pytest.mark.slow
@pytest.mark.parametrize("older", [False, True])
def test_an_event_that_is_done_or_outdated_fetches_no_upload(env: IngestEnvironment, older: bool) -> None:
    late = env.next_sequencer()
    change = env.change(KEY, env.upload(KEY, SMALL))
    env.handle(change)
    before, fetched = env.record(KEY), Wire("before-send", 1, lambda: None, "s3.GetObject")
    with wired(env, fetched):
        assert env.handle(env.change(KEY, late) if older else change) is IngestOutcome.DROPPED
    assert fetched.calls == 0
    assert (env.record(KEY), env.sent) == (before, [])


@pytest.mark.slow
def test_a_newer_event_fetches_the_upload(env: IngestEnvironment) -> None:
    env.created(KEY, SMALL)
    fetched = Wire("before-send", 1, lambda: None, "s3.GetObject")
    with wired(env, fetched):
        env.created(KEY, jpeg_photo((32, 48)))
    assert fetched.reached
    assert env.record(KEY).facts["height"] == 48


@pytest.mark.slow
@pytest.mark.parametrize("older", [False, True])
def test_an_announcement_is_repeated_for_its_own_event_alone(env: IngestEnvironment, older: bool) -> None:
    late = env.next_sequencer()
    change = env.change(KEY, env.upload(KEY, SMALL))
    env.handle(change)
    env.published()
    env.index.put_record(replace(env.record(KEY), announced=False))
    env.handle(env.change(KEY, late) if older else change)
    assert len(env.published()) == (0 if older else 1)
    assert env.record(KEY).announced is not older


def test_an_event_that_is_worked_on_is_not_dropped(env: IngestEnvironment) -> None:
    change = env.change(KEY, env.upload(KEY, SMALL))
    env.index.claim(KEY, change.sequencer, "a worker", now_s=env.now_s, lease_s=60)
    with pytest.raises(Busy):
        env.handle(change)
    env.now_s += 61
    assert env.handle(change) is IngestOutcome.READY


def test_a_decision_waits_for_the_lease_and_then_has_the_work_done(env: IngestEnvironment) -> None:
    for lease_left_s, retry_in_s, state in ((2, 2, CLAIMED), (1, 1, CLAIMED), (0, 1, CLAIMED), (-1, 1, READY)):
        key = f"{lease_left_s}.jpg"
        change = env.change(key, env.upload(key, SMALL))
        env.index.claim(key, change.sequencer, "a worker", now_s=env.now_s, lease_s=lease_left_s)
        with pytest.raises(Busy) as busy:
            env.released(key)
        assert (busy.value.retry_in_s, env.record(key).state) == (retry_in_s, state)


def test_a_message_about_an_unknown_key_is_dropped(env: IngestEnvironment) -> None:
    for kind in (EventKind.VERDICT, EventKind.RELEASE, EventKind.CONFIRM, EventKind.LARGE_IMAGE, EventKind.REPAIR):
        assert env.handle(IngestEvent(kind, KEY, "")) is IngestOutcome.DROPPED
    assert (env.index.get(KEY), env.sent) == (None, [])


def test_a_repair_of_a_key_in_order_claims_nothing(env: IngestEnvironment) -> None:
    env.created(KEY, SMALL)
    before = env.record(KEY)
    repair = read_event(json.dumps(build_repair_message(KEY)))
    assert repair is not None
    assert env.handle(repair) is IngestOutcome.DROPPED
    assert env.record(KEY) == before


def test_a_removal_that_left_its_master_is_repaired(env: IngestEnvironment) -> None:
    env.created(KEY, SMALL)
    env.deleted(KEY)
    marks = {"sequencer": pad_sequencer("0F"), "sha256": "0", "version-id": "0"}
    env.vault("media").put(f"masters/{KEY}", b"of an overtaken worker", headers={}, metadata=marks)
    repair = read_event(json.dumps(build_repair_message(KEY)))
    assert repair is not None
    assert env.handle(repair) is IngestOutcome.REMOVED
    assert env.keys("media") == []
    assert env.record(KEY).state == REMOVED


def test_a_claim_that_was_left_by_an_expired_upload_is_a_removal(env: IngestEnvironment) -> None:
    sequencer = env.upload(KEY, SMALL)
    env.index.claim(KEY, sequencer, "a worker", now_s=env.now_s, lease_s=60)
    env.vault("uploads").erase(KEY)
    env.now_s += 61
    assert env.handle(IngestEvent(EventKind.REPAIR, KEY, "")) is IngestOutcome.REMOVED
    assert env.record(KEY).state == REMOVED
