"""The sample reservoir in a DynamoDB table of MiniStack."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from darkroom.errors import Unavailable
from darkroom.findings import FACES
from darkroom_analysis.mlops.sample import Sample, ShadowComparison, TaskComparison, TaskSummary
from darkroom_analysis.mlops.sample_store import SampleStore
from darkroom_pipeline.aws.sample_slots import SAMPLE, SLOTS, TRIAL_SLOTS
from tests.component.services.ingest_environment import make_table

_numbers = itertools.count(1)


TRIED = ShadowComparison("new", "main", {FACES: TaskComparison(0.125, (True, False), (None, 0.7))}, (12.5, 3.0))


def sample(key: str, at_s: float = 1.25, trial: ShadowComparison | None = None) -> Sample:
    tasks = {FACES: TaskSummary(0.30000000000000004, False)}
    return Sample(key, "etag", at_s, "jpeg", 12_000_000, 0.1, tasks, "endpoint", "main", bytes(range(256)) * 2, trial)


@pytest.fixture
def table(aws: Callable[[str], Any]) -> str:
    name = f"samples-{next(_numbers)}"
    make_table(aws("dynamodb"), name)
    return name


def slots(aws: Callable[[str], Any], table: str, *chosen: int, count: int = SLOTS) -> SampleStore:
    left = iter(chosen)
    return SampleStore(aws("dynamodb"), table, slots=count, choose=lambda _: next(left))


def test_samples_are_read_as_they_were_put(aws: Callable[[str], Any], table: str) -> None:
    samples = slots(aws, table, 0, SLOTS - 1, TRIAL_SLOTS - 1)
    put = [
        sample("ü b/1.jpg"),
        Sample("plain", "", 2.0, "", 0, 0.0, {}, "fallback"),
        sample("tried", 3.0, TRIED),
    ]
    assert [samples.put(one) for one in put] == [0, SLOTS - 1, SLOTS + TRIAL_SLOTS - 1]
    assert sorted(samples.recent(), key=lambda one: one.at_s) == put


def test_a_sample_expires_after_ninety_days(aws: Callable[[str], Any], table: str) -> None:
    slots(aws, table, 5).put(sample("a", at_s=1_000_000.75))
    item = aws("dynamodb").get_item(TableName=table, Key={"pk": {"S": f"{SAMPLE}5"}})["Item"]
    assert item["expires_at_s"] == {"N": str(1_000_000 + 90 * 86_400)}


def test_images_of_a_trial_have_slots_of_their_own(aws: Callable[[str], Any], table: str) -> None:
    """A hundred others do not take the place of one."""
    samples = SampleStore(aws("dynamodb"), table, slots=10, trial_slots=3)
    chosen = {samples.put(sample(f"tried {number}", trial=TRIED)) for number in range(30)}
    assert chosen == {10, 11, 12}
    for number in range(100):
        samples.put(sample(f"plain {number}"))
    found = samples.recent()
    assert (sum(one.trial is not None for one in found), len(found)) == (3, 13)
    assert samples.delete(next(one.key for one in found if one.trial is not None)) == 1


def test_a_slot_holds_the_newest(aws: Callable[[str], Any], table: str) -> None:
    samples = slots(aws, table, 7, 7)
    for key in ("a", "b"):
        samples.put(sample(key))
    assert [one.key for one in samples.recent()] == ["b"]


def test_older_ones_are_left_out(aws: Callable[[str], Any], table: str) -> None:
    samples = slots(aws, table, 1, 2, 3)
    for at_s in (1.0, 2.0, 3.0):
        samples.put(sample(str(at_s), at_s))
    assert sorted(one.key for one in samples.recent(since_s=2.0)) == ["2.0", "3.0"]


def test_there_are_never_more_than_there_are_slots(aws: Callable[[str], Any], table: str) -> None:
    samples = SampleStore(aws("dynamodb"), table, slots=5)
    chosen = Counter(samples.put(sample(str(number))) for number in range(100))
    assert set(chosen) == set(range(5))
    assert len(samples.recent()) == 5


def test_all_samples_of_a_key_are_forgotten_and_no_others(aws: Callable[[str], Any], table: str) -> None:
    samples = slots(aws, table, 1, 150, 999, 3)
    for key in ("a", "b", "a", "a2"):
        samples.put(sample(key))
    assert samples.delete("a") == 2
    assert sorted(one.key for one in samples.recent()) == ["a2", "b"]
    assert samples.delete("a") == 0


def test_what_was_put_over_a_sample_is_not_withdrawn(aws: Callable[[str], Any], table: str) -> None:
    samples = slots(aws, table, 4, 4)
    slot = samples.put(sample("a"))
    samples.put(sample("b"))
    samples.withdraw(slot, "a")
    assert [one.key for one in samples.recent()] == ["b"]
    samples.withdraw(slot, "b")
    assert samples.recent() == []


def test_a_table_out_of_reach(aws: Callable[[str], Any]) -> None:
    samples = SampleStore(aws("dynamodb"), "no-such-table")
    for ask in (samples.recent, lambda: samples.put(sample("a")), lambda: samples.delete("a")):
        with pytest.raises(Unavailable):
            ask()
