"""Batches that are killed, fail or time out are resumed; every key has one outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event

import pytest

from darkroom.errors import BadRun, DamagedSource, GaveUp, Unavailable, Unfinished, Unsettled
from darkroom.services.deadline import CpuLimit, Deadline, is_abandoned
from darkroom_pipeline.bulk.job import BatchResults
from darkroom_pipeline.bulk.messages import JobSpec, Operation
from darkroom_pipeline.bulk.results import MAX_ATTEMPTS, KeyOutcome, KeyResult, furthest
from darkroom_pipeline.bulk.worker import RESERVE_S
from tests.component.services.kill_points import Killed, Wire, wired
from tests.waiting import HANG_S, wait_until

from .jobs import BulkJobs, WouldWait

ORDER = {"operation": "presets", "prefix": ""}
KEYS = tuple(f"{number}.jpg" for number in range(6))


@dataclass
class Scripted:
    """A scripted operation: ``acts`` by key, each used once; ``seen`` counts calls."""

    acts: dict[str, list[Callable[[], KeyResult]]] = field(default_factory=dict)
    answers: dict[str, KeyResult] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)

    def start(self, key: str, spec: JobSpec) -> KeyResult:
        assert spec.operation is Operation.PRESETS
        self.seen[key] += 1
        acts = self.acts.get(key)
        return acts.pop(0)() if acts else KeyResult(KeyOutcome.DONE)

    def poll(self, key: str, mark: str) -> KeyResult | None:
        assert mark == f"mark of {key}"
        return self.answers.get(key)


def raising(error: BaseException) -> Callable[[], KeyResult]:
    def act() -> KeyResult:
        raise error

    return act


@pytest.fixture
def script(runs: BulkJobs) -> Scripted:
    found = Scripted()
    runs.operations[Operation.PRESETS] = found
    for key in KEYS:
        runs.env.clients["s3"].put_object(Bucket=runs.env.names["media"], Key=f"masters/{key}", Body=b"picture")
    return found


@pytest.mark.sample(15)
@pytest.mark.parametrize("moment", ["before-send", "after-call"])
@pytest.mark.parametrize("at", range(1, 14))
def test_a_worker_killed_at_any_call_leaves_a_batch_that_is_done_again(
    runs: BulkJobs, script: Scripted, moment: str, at: int
) -> None:
    """Careful from the second worker on, it stores before and after each key: a dozen calls."""
    [(number, keys)] = runs.listed("one", ORDER)
    with pytest.raises(Killed), wired(runs.env, Wire(moment, 3, raising(Killed()))):  # at the end of the first
        runs.work("one", ORDER, number, keys)
    wire = Wire(moment, at, raising(Killed()))
    try:
        with wired(runs.env, wire):
            runs.work("one", ORDER, number, keys)
    except Killed:
        assert wire.reached
        runs.work("one", ORDER, number, keys)
    report = runs.step("report", "one", ORDER)
    assert (report["keys"], report["outcomes"], report["unaccounted"]) == (6, {"done": 6}, 0)
    assert max(script.seen.values()) <= MAX_ATTEMPTS


def test_a_key_that_kills_its_workers_fails_and_the_others_succeed(runs: BulkJobs, script: Scripted) -> None:
    script.acts["2.jpg"] = [raising(Killed())] * 100
    [(number, keys)] = runs.listed("one", ORDER)
    for _ in range(MAX_ATTEMPTS + 1):
        with pytest.raises(Killed):
            runs.work("one", ORDER, number, keys)
    with pytest.raises(GaveUp):
        runs.work("one", ORDER, number, keys)
    runs.step("report", "one", ORDER)
    assert runs.reported("one") == dict.fromkeys(KEYS, "done") | {"2.jpg": "failed worker-died"}


def test_a_failure_is_retried_and_sent_to_the_dlq_in_the_end(runs: BulkJobs, script: Scripted) -> None:
    script.acts["1.jpg"] = [raising(Unavailable())]
    script.acts["2.jpg"] = [raising(Unavailable())] * 100
    script.acts["3.jpg"] = [raising(ZeroDivisionError())] * 100
    script.acts["4.jpg"] = [raising(DamagedSource())]
    assert runs.all("one", ORDER) == dict.fromkeys(KEYS, "done") | {
        "2.jpg": "failed unavailable",
        "3.jpg": "failed defect",
        "4.jpg": "refused damaged",
    }
    assert (script.seen["1.jpg"], script.seen["2.jpg"], script.seen["4.jpg"]) == (2, MAX_ATTEMPTS, 1)


def test_a_batch_without_time_goes_on_in_the_next_invocation(runs: BulkJobs, script: Scripted) -> None:
    [(number, keys)] = runs.listed("one", ORDER)
    left = iter([RESERVE_S + 1, RESERVE_S + 1, *[RESERVE_S - 1] * 20])
    with pytest.raises(Unfinished):
        runs.work("one", ORDER, number, keys, remaining=lambda: next(left))
    assert script.seen.total() == 2
    runs.work("one", ORDER, number, keys)
    assert dict(script.seen) == dict.fromkeys(KEYS, 1)


def test_no_key_is_begun_beside_an_abandoned_render(runs: BulkJobs, script: Scripted) -> None:
    """Its CPU time would count for the next key. The process is replaced, and the batch tried again."""
    ended = Event()

    def hang() -> KeyResult:
        ended.wait()
        return KeyResult(KeyOutcome.DONE)

    script.acts["1.jpg"] = [lambda: Deadline(CpuLimit(HANG_S, 0.01)).run(hang)]
    [(number, keys)] = runs.listed("one", ORDER)
    with pytest.raises(Unfinished):
        runs.work("one", ORDER, number, keys)
    assert script.seen.total() == 2
    ended.set()
    wait_until(lambda: not is_abandoned(), "the render ends", every_s=0.02)
    runs.work("one", ORDER, number, keys)
    assert dict(script.seen) == {**dict.fromkeys(KEYS, 1), "1.jpg": 2}


def test_pending_requests_of_other_workers_are_waited_for(runs: BulkJobs, script: Scripted) -> None:
    script.acts["1.jpg"] = [lambda: KeyResult(KeyOutcome.PENDING, mark="mark of 1.jpg")] * 2
    [(number, keys)] = runs.listed("one", ORDER)
    with pytest.raises(WouldWait):  # it would have slept
        runs.work("one", ORDER, number, keys)
    with pytest.raises(Unsettled):
        runs.work("one", ORDER, number, keys, remaining=lambda: 0.0)
    assert runs.step("report", "one", ORDER)["reasons"] == {"failed: unsettled": 1}
    script.answers["1.jpg"] = KeyResult(KeyOutcome.REFUSED, "damaged")
    runs.work("one", ORDER, number, keys)
    runs.step("report", "one", ORDER)
    assert runs.reported("one")["1.jpg"] == "refused damaged"


def test_a_resumed_run_does_only_what_is_left(runs: BulkJobs, script: Scripted) -> None:
    script.acts["2.jpg"] = [raising(Unavailable())] * MAX_ATTEMPTS
    runs.all("one", ORDER, batch=2)
    runs.env.clients["s3"].put_object(Bucket=runs.env.names["media"], Key="masters/new.jpg", Body=b"picture")
    assert runs.listed("one", ORDER) == [("000001", ("2.jpg",))]
    assert runs.all("one", ORDER) == dict.fromkeys(KEYS, "done")
    assert script.seen["2.jpg"] == MAX_ATTEMPTS + 1
    assert script.seen["3.jpg"] == 1
    assert runs.listed("one", ORDER) == []


def test_a_run_is_not_taken_for_another_one(runs: BulkJobs, script: Scripted) -> None:
    runs.all("one", ORDER)
    with pytest.raises(BadRun, match="another"):
        runs.listed("one", {"operation": "presets", "prefix": "1"})
    assert script.seen.total() == len(KEYS)


def test_unstarted_keys_are_reported_as_such(runs: BulkJobs, script: Scripted) -> None:
    runs.listed("one", ORDER, batch=4)
    report = runs.step("report", "one", ORDER, stopped={"Error": "States.ExceedToleratedFailureThreshold"})
    assert (report["keys"], report["unaccounted"]) == (6, 6)
    assert report["stopped"] == "States.ExceedToleratedFailureThreshold"
    assert set(runs.reported("one").values()) == {"failed not-tried"}
    assert not script.seen


def test_two_workers_at_one_batch_lose_nothing_of_each_other(runs: BulkJobs) -> None:
    run = runs.run("one")
    first = run.put_results("000000", BatchResults({"a": KeyResult(KeyOutcome.STARTED, attempts=1)}, 1))
    run.put_results(
        "000000", BatchResults({**first.results, "b": KeyResult(KeyOutcome.DONE, attempts=1)}, 2, first.etag)
    )
    run.put_results("000000", BatchResults({"a": KeyResult(KeyOutcome.DONE, attempts=1)}, 1, first.etag))
    found = run.read_results("000000")
    assert {key: entry.outcome for key, entry in found.results.items()} == {"a": "done", "b": "done"}
    assert found.starts == 2


def test_the_end_of_a_key_is_never_undone() -> None:
    done, started = KeyResult(KeyOutcome.DONE, attempts=1), KeyResult(KeyOutcome.STARTED, attempts=2)
    assert furthest(done, started) == furthest(started, done) == done
