"""Tests of the fault plan: equal seeds give equal faults, regardless of order."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from chaos.faults import EXTRA_FAILURES, Fault, FaultDecision, FaultPlan
from chaos.parse_aws_request import AwsRequest
from chaos.seeded_rng import seeded_random

GET = AwsRequest("ingest-0", "s3", "GET", "/uploads/photo.jpg")
PUT = AwsRequest("ingest-0", "s3", "PUT", "/media/masters/photo.jpg")


def decisions(plan: FaultPlan, aws_request: AwsRequest, count: int) -> list[FaultDecision]:
    return [plan.decide(aws_request) for _ in range(count)]


def test_a_lot_is_drawn_by_seed_and_purpose() -> None:
    assert seeded_random(1, "a", 2).random() == seeded_random(1, "a", 2).random()
    assert (
        len(
            {
                seeded_random(*about).random()
                for about in ((1, "a", 2), (2, "a", 2), (1, "b", 2), (1, "a", 3), (1, "a2"))
            }
        )
        == 5
    )


def test_the_same_requests_have_the_same_fate_in_any_order() -> None:
    one, other = (FaultPlan(7, {"s3": 0.3}) for _ in range(2))
    gets, puts = decisions(one, GET, 50), decisions(one, PUT, 50)
    mixed = [(other.decide(GET), other.decide(PUT)) for _ in range(50)]
    assert ([get for get, _ in mixed], [put for _, put in mixed]) == (gets, puts)
    assert decisions(FaultPlan(8, {"s3": 0.3}), GET, 50) != gets


def test_faults_are_as_frequent_as_asked_and_of_every_kind() -> None:
    plan = FaultPlan(7, {"s3": 0.1})
    drawn = [plan.decide(GET._replace(about=f"/uploads/{number}")).fault for number in range(4000)]
    counts = Counter(drawn)
    assert set(counts) == {None, *Fault}
    assert 300 < len(drawn) - counts[None] < 500


@pytest.mark.slow
def test_grudges_outlast_the_retries_of_clients() -> None:
    plan = FaultPlan(7, {"s3": 0.02})
    runs = Counter(
        len(list(run))
        for faulty, run in itertools.groupby(f.fault is not None for f in decisions(plan, GET, 5000))
        if faulty
    )
    assert runs[1] > runs[3] > 0
    assert any(length > 4 for length in runs)
    assert max(EXTRA_FAILURES) >= 4


def test_faults_are_limited_by_what_has_been_done() -> None:
    """Except for those of workers that work beside."""
    acts = [0]
    plan = FaultPlan(7, {"s3": 1.0}, allowed=lambda: 2.5 * acts[0], unlimited=frozenset({"transform"}))
    assert [one.fault for one in decisions(plan, GET, 5)] == [None] * 5
    acts[0] = 2
    assert [one.fault is None for one in decisions(plan, GET, 9)] == [False] * 5 + [True] * 4
    beside = decisions(plan, GET._replace(worker_id="transform-0"), 9)
    assert (None in [one.fault for one in beside], plan.spent) == (False, 5)


def test_in_calm_and_without_a_rate_nothing_fails() -> None:
    plan = FaultPlan(7, {"s3": 1.0})
    assert decisions(plan, GET, 1)[0].fault is not None
    assert decisions(plan, GET._replace(service="sqs"), 20) == [FaultDecision(None, 0.0)] * 20
    plan.suspended = True
    assert decisions(plan, GET, 20) == [FaultDecision(None, 0.0)] * 20
