"""Many purges at once: the whole CDN is invalidated once in a period, after the store has been purged."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from darkroom_pipeline.services.purge.consumer import BULK_PERIOD_S, MAX_DEFERRALS, REPEAT_AFTER_S
from darkroom_pipeline.services.purge.stale_derivatives import FIRST, SECOND, purge_message

from .cloudfront import LIMIT
from .purge_harness import PurgeEnvironment, lasting

START_S = 1_800_000_000  # the beginning of a period
MANY = 5


@pytest.fixture
def env(aws_environment: dict[str, str]) -> PurgeEnvironment:
    return PurgeEnvironment.build(aws_environment)


class Run:
    """A purge service whose queue is always long enough for bulk, and a clock; delayed messages arrive at once."""

    def __init__(self, env: PurgeEnvironment, **further: Any) -> None:
        self.env, self.now_s, self.delays = env, float(START_S), []
        env.sqs.meta.events.register("provide-client-params.sqs.SendMessage", self._note)
        settings = {"bulk_messages": 0, "clock": lambda: self.now_s, "repeat_after_s": REPEAT_AFTER_S} | further
        self.service = env.purging(**settings)

    def _note(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        self.delays.append(params["DelaySeconds"])
        return params | {"DelaySeconds": 0}

    def work_off(self) -> list[dict[str, Any]]:
        """Process the messages of the queue; return their bodies."""
        records = self.env.receive()
        failed = self.service.run(records, lasting)
        assert failed == []
        self.env.done(records, failed)
        return [json.loads(record["body"]) for record in records]


@pytest.fixture
def run(env: PurgeEnvironment) -> Iterator[Run]:
    yield Run(env)


@pytest.mark.parametrize("after_s", [0, 1, 539, 540, 541, 599])
def test_a_purge_is_complete_with_the_first_period_after_its_renders(run: Run, after_s: int) -> None:
    run.now_s += after_s + 0.5
    run.env.derivative("a.jpg", "w-320.webp")
    run.env.queue.send(purge_message("a.jpg"))
    run.work_off()
    assert (run.env.keys(), run.env.cdn.invalidations()) == ([], [])
    [delay_s] = run.delays[1:]
    bulk_s = START_S + (1 if after_s < 540 else 2) * BULK_PERIOD_S
    assert REPEAT_AFTER_S <= delay_s <= BULK_PERIOD_S + REPEAT_AFTER_S <= 900
    assert bulk_s <= run.now_s + delay_s < bulk_s + 1
    run.now_s += delay_s
    run.env.derivative("a.jpg", "w-640.webp")  # by a render that was in progress
    [second] = run.work_off()
    assert (second["pass"], second["bulk_s"]) == (SECOND, bulk_s)
    assert run.env.keys() == []
    assert run.env.cdn.invalidations() == [["/*"]]
    assert run.work_off() == []


def test_all_batches_of_a_period_share_one_invalidation_and_the_next_has_its_own(run: Run) -> None:
    for number in range(3):
        run.env.queue.send(purge_message(f"{number}.jpg", SECOND, bulk_s=START_S))
        run.now_s += 100
        run.work_off()
    assert run.env.cdn.invalidations() == [["/*"]]
    run.now_s += BULK_PERIOD_S
    run.env.queue.send(purge_message("4.jpg", SECOND, bulk_s=START_S))
    run.work_off()
    assert run.env.cdn.invalidations() == [["/*"]] * 2


def test_a_second_pass_of_a_single_purge_waits_for_a_period_too(run: Run) -> None:
    run.env.queue.send(purge_message("a.jpg", SECOND))
    run.work_off()
    assert run.env.cdn.invalidations() == []
    run.now_s += BULK_PERIOD_S
    [second] = run.work_off()
    assert second == purge_message("a.jpg", SECOND, deferrals=1, bulk_s=START_S + BULK_PERIOD_S)
    assert run.env.cdn.invalidations() == [["/*"]]


def test_erasures_are_invalidated_by_themselves(run: Run) -> None:
    run.env.queue.send(purge_message("a.jpg"))
    run.env.queue.send(purge_message("b.jpg", erasure="2026-11-28T12:00:00+00:00 id"))
    run.work_off()
    assert run.env.cdn.invalidations() == [["/b.jpg/_/*", "/b.jpg"]]


def test_a_short_queue_is_purged_key_by_key(env: PurgeEnvironment) -> None:
    run = Run(env, bulk_messages=MANY)
    env.queue.send_many(purge_message(f"{number}.jpg") for number in range(MANY))
    run.work_off()  # none of them waits now, as all are in flight
    assert len(env.cdn.invalidations()[0]) == 2 * MANY
    for _ in range(2):
        env.queue.send_many(purge_message(f"{number}.jpg", FIRST) for number in range(10))
    run.work_off()
    assert len(env.cdn.invalidations()) == 1


def test_a_bulk_purge_ends_in_bulk_when_the_queue_is_short_again(env: PurgeEnvironment) -> None:
    run = Run(env, bulk_messages=MANY)
    env.queue.send(purge_message("a.jpg", SECOND, bulk_s=START_S))
    env.queue.send(purge_message("b.jpg", SECOND))
    run.work_off()
    assert sorted(env.cdn.invalidations()) == [["/*"], ["/b.jpg/_/*", "/b.jpg"]]
    assert run.work_off() == []


def test_a_cdn_at_its_limit_defers_the_bulk(run: Run) -> None:
    run.env.cdn.held["of others"] = LIMIT
    run.env.queue.send(purge_message("a.jpg", SECOND, bulk_s=START_S))
    run.work_off()
    run.env.cdn.let_go()
    [again] = run.work_off()
    assert again == purge_message("a.jpg", SECOND, deferrals=1, bulk_s=START_S)
    assert run.env.cdn.invalidations() == [["/*"]]


def test_a_purge_that_has_waited_too_often_goes_to_the_dlq(run: Run) -> None:
    run.env.queue.send(purge_message("a.jpg", deferrals=MAX_DEFERRALS))
    run.work_off()
    [letter] = run.env.buried()
    assert letter["cause"] == f"deferred {MAX_DEFERRALS} times"


def test_purges_of_a_batch_wait_for_the_later_period_and_for_one_at_all(run: Run) -> None:
    later = START_S + BULK_PERIOD_S
    for message in (
        purge_message("a.jpg", SECOND, bulk_s=START_S),
        purge_message("a.jpg", SECOND, bulk_s=later),
        purge_message("b.jpg", SECOND, bulk_s=START_S),
        purge_message("b.jpg", SECOND),
    ):
        run.env.queue.send(message)
    run.work_off()
    assert run.env.cdn.invalidations() == []
