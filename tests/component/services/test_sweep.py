"""The sweep queues abandoned uploads again, and no others."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from darkroom.image_keys import MASTERS
from darkroom_pipeline.aws.powertools import PowertoolsObserver
from darkroom_pipeline.aws.record import READY, REFUSED, REMOVED, Record, pad_sequencer
from darkroom_pipeline.operations.sweep import (
    LEASE_GRACE_S,
    MAX_AGE_S,
    MAX_BACKLOG,
    MAX_RETRY_AGE_S,
    MAX_REVIEW_WAIT_S,
    MIN_AGE_S,
    MIN_REMAINING_S,
    Sweep,
    SweepReport,
)
from darkroom_pipeline.services.ingest.context import IngestOutcome
from darkroom_pipeline.services.ingest.events import EventKind, IngestEvent, build_verdict_message, read_event
from local.events import read_events
from tests.images.photographs import jpeg_photo

from .functions import load
from .ingest_environment import IngestEnvironment
from .purge_harness import lasting

HOUR_S = 3_600


@pytest.fixture
def env(aws: Callable[[str], Any]) -> IngestEnvironment:
    return IngestEnvironment.build(aws)


def sweep(env: IngestEnvironment, later_s: float = HOUR_S) -> Sweep:
    """The service, which runs ``later_s`` from now."""
    return Sweep(
        uploads=env.vault("uploads"),
        source=env.vault("media"),
        source_names=MASTERS,
        index=env.index,
        queue=env.queue("changes"),
        observer=PowertoolsObserver("sweep"),
        clock=lambda: time.time() + later_s,
    )


def queued(env: IngestEnvironment) -> list[IngestEvent | None]:
    """The changes that ingest would read."""
    texts = [json.dumps(message) for message in env.messages("changes")]
    return [read_event(text) for text in texts]


def claim(env: IngestEnvironment, key: str, lease_s: float) -> None:
    env.index.claim(key, "5", "token", now_s=time.time(), lease_s=lease_s)


@pytest.mark.parametrize("key", ["a.jpg", "ünï/ツ 100%25 #1?&+.jpg"])
def test_an_upload_that_the_index_does_not_know_is_queued_as_its_event(env: IngestEnvironment, key: str) -> None:
    env.upload(key, b"picture")
    assert sweep(env).run(lasting) == SweepReport(checked=1, queued=1, complete=True)
    (change,) = queued(env)
    assert change is not None
    assert (change.kind, change.key, change.sequencer) == (EventKind.CREATED, key, pad_sequencer("0"))
    assert abs(change.happened_at_s - time.time()) < HOUR_S


def test_ingest_deals_with_it_and_with_a_true_event_that_comes_after_all(env: IngestEnvironment) -> None:
    sequencer = env.upload("a.jpg", b"no image at all")
    sweep(env).run(lasting)
    (change,) = queued(env)
    assert change is not None
    assert env.handle(change) is IngestOutcome.REFUSED
    assert sweep(env).run(lasting).queued == 0
    assert env.handle(env.change("a.jpg", sequencer)) is IngestOutcome.REFUSED
    assert env.handle(change) is IngestOutcome.DROPPED


@pytest.mark.slow
def test_a_lost_index_is_rebuilt(env: IngestEnvironment) -> None:
    assert env.created("a.jpg", jpeg_photo()) is IngestOutcome.READY
    assert env.created("b.jpg", jpeg_photo()) is IngestOutcome.DUPLICATE
    before = env.record("a.jpg")
    for key in ("a.jpg", "b.jpg"):
        env.index.delete(key)
    assert sweep(env).run(lasting).queued == 2
    for change in queued(env):
        assert change is not None
        assert env.handle(change) in (IngestOutcome.READY, IngestOutcome.DUPLICATE)
    after = env.record("a.jpg")
    assert (after.state, after.sequencer, after.image_id) == (READY, before.sequencer, before.image_id)
    assert (after.sha256, after.facts) == (before.sha256, before.facts)


@pytest.mark.parametrize("state", [READY, REFUSED, REMOVED])
def test_what_is_done_is_left_alone(env: IngestEnvironment, state: str) -> None:
    env.upload("a.jpg", b"picture")
    claim(env, "a.jpg", 60)
    env.index.put_record(Record("a.jpg", state, pad_sequencer("5"), "token"))
    assert sweep(env).run(lasting) == SweepReport(checked=1, queued=0, complete=True)


def test_what_may_be_on_its_way_is_left_alone(env: IngestEnvironment) -> None:
    env.upload("a.jpg", b"picture")
    assert sweep(env, later_s=MIN_AGE_S - 10).run(lasting).queued == 0
    assert sweep(env, later_s=MIN_AGE_S + 10).run(lasting).queued == 1


def test_old_uploads_are_skipped_unless_everything_is_requested(env: IngestEnvironment) -> None:
    """Each lookup costs money; by then the upload has been seen by many sweeps."""
    env.upload("photo.jpg", b"picture")
    old = sweep(env, MAX_AGE_S + HOUR_S)
    assert old.run(lasting) == SweepReport(checked=1, queued=0, complete=True)
    assert old.run(lasting, everything=True) == SweepReport(checked=1, queued=1, complete=True)


def test_leftovers_of_a_worker_are_to_be_repaired(env: IngestEnvironment) -> None:
    env.upload("a.jpg", b"picture")
    claim(env, "a.jpg", lease_s=100)
    assert sweep(env, later_s=100 + LEASE_GRACE_S - 10).run(lasting).queued == 0
    assert sweep(env, later_s=100 + LEASE_GRACE_S + 10).run(lasting).queued == 1
    assert queued(env) == [IngestEvent(EventKind.REPAIR, "a.jpg", "")]


def test_after_a_day_of_retries_it_is_left_to_an_operator(
    env: IngestEnvironment, capsys: pytest.CaptureFixture[str]
) -> None:
    env.upload("a.jpg", b"picture")
    claim(env, "a.jpg", lease_s=100)
    service = sweep(env, later_s=MAX_RETRY_AGE_S + 10)
    assert service.run(lasting).queued == 0
    service.observer.flush()
    assert '"UploadsStuck":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_a_folder_of_the_console_is_no_upload(env: IngestEnvironment) -> None:
    env.upload("trips/", b"")
    env.upload("trips/rome.jpg", b"picture")
    assert sweep(env).run(lasting).queued == 1
    assert [change.key for change in queued(env) if change] == ["trips/rome.jpg"]


def test_nothing_is_queued_behind_a_long_queue(env: IngestEnvironment) -> None:
    env.upload("a.jpg", b"picture")
    env.queue("changes").send_many({"number": number} for number in range(MAX_BACKLOG - 1))
    env.queue("changes").send({"number": MAX_BACKLOG}, delay_s=900)
    assert sweep(env).run(lasting) == SweepReport(skipped=True)
    env.clients["sqs"].purge_queue(QueueUrl=env.names["changes"])
    assert sweep(env).run(lasting).queued == 1


@pytest.mark.slow
def test_a_sweep_that_time_was_too_short_for_is_taken_up_by_the_next(env: IngestEnvironment) -> None:
    keys = [f"{number:04}.jpg" for number in range(1100)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: env.upload(key, b"picture"), keys))
    times = iter([MIN_REMAINING_S + 1, MIN_REMAINING_S - 1])
    assert sweep(env).run(lambda: next(times)) == SweepReport(checked=1000, queued=1000)
    first = [change.key for change in queued(env) if change]
    assert sweep(env).run(lasting) == SweepReport(checked=100, queued=100, complete=True)
    second = [change.key for change in queued(env) if change]
    assert sorted(first + second) == keys
    assert sweep(env).run(lasting).checked == 1100


def test_the_function_sweeps_on_its_schedule(env: IngestEnvironment, aws_environment: dict[str, str]) -> None:
    names = {"UPLOADS_BUCKET": "uploads", "MEDIA_BUCKET": "media", "INDEX_TABLE": "index"}
    names |= {"INGEST_QUEUE_URL": "changes"}
    app = load("sweep", aws_environment | {variable: env.names[name] for variable, name in names.items()})
    env.upload("a.jpg", b"picture")
    assert app.invoke(read_events("sweep")["hourly.json"]) == {
        "checked": 1,
        "queued": 0,
        "complete": True,
        "skipped": False,
    }


@pytest.mark.slow
def test_an_upload_that_waits_too_long_for_a_verdict_is_analysed_again(env: IngestEnvironment) -> None:
    env.blocks = True
    body = jpeg_photo((60, 40))
    env.created("a.jpg", body)
    assert sweep(env, MAX_REVIEW_WAIT_S - 60).run(lasting).queued == 0
    assert sweep(env, MAX_REVIEW_WAIT_S + 60).run(lasting).queued == 1
    assert env.messages("changes") == [build_verdict_message("a.jpg") | {"attributes": {}}]
    env.judged("a.jpg", flagged=True, body=body)
    assert sweep(env, MAX_REVIEW_WAIT_S + 60).run(lasting).queued == 0, "a moderator has to decide now"
