"""Cold starts are counted in the line of the request, and only where a client waited, by both observers."""

from __future__ import annotations

from typing import Any

import pytest

from .observed_process import LAMBDA, OBSERVERS, watch

WORK = """
import darkroom.aws.telemetry as module
from darkroom.errors import Unavailable
from darkroom.services.request_metrics import count_failure, count_latency, count_request

class Context:
    aws_request_id = "8f5"

module.MAX_INIT_MS = {most_ms}
observer = Observer("{function}")
for took_s in (9999, 0):
    observer.begin(Context)
    with observer.message("work"):
        count_request(observer)
        count_latency(observer, "ingest", took_s)
        count_failure(observer, Unavailable())
"""

SPLIT = ("Requests", "Timed", "Slow", "Faults")
COLD = {f"Cold{metric}" for metric in SPLIT}


def work(observer: str, function: str = "ingest", most_ms: int = 60_000, **environment: str) -> list[dict[str, Any]]:
    """The metrics of two invocations without further dimensions, a document each."""
    script = OBSERVERS[observer] + WORK.format(function=function, most_ms=most_ms)
    lines = watch(script, LAMBDA | environment).metrics
    return [line for line in lines if "Requests" in line]


def cold_metrics(line: dict[str, Any]) -> set[str]:
    return {name for name in line if name.startswith("Cold")}


@pytest.mark.slow
@pytest.mark.parametrize("observer", OBSERVERS)
def test_the_first_invocation_counts_as_cold_in_its_own_line(observer: str) -> None:
    first, second = work(observer)
    assert cold_metrics(first) == COLD | {"ColdStartTime"}
    assert all(first[f"Cold{metric}"] == first[metric] == [1.0] for metric in SPLIT)
    assert 0 < first["ColdStartTime"][0] < 60_000
    units = {one["Name"]: one["Unit"] for one in first["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert (units["ColdRequests"], units["ColdStartTime"]) == ("Count", "Milliseconds")
    assert cold_metrics(second) == set(), "a warm request writes no more than without the split"
    assert "Slow" not in second


@pytest.mark.parametrize("observer", OBSERVERS)
def test_a_restored_process_is_cold_for_an_unknown_time(observer: str) -> None:
    first, second = work(observer, AWS_LAMBDA_INITIALIZATION_TYPE="snap-start")
    assert (cold_metrics(first), cold_metrics(second)) == (COLD, set())


@pytest.mark.sample(3)
@pytest.mark.parametrize(
    "options",
    [
        {"AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"},
        {"most_ms": 0},  # any process is older: as one that Lambda started ahead of its first request
        {"function": "sweep"},  # no objective
    ],
    ids=["provisioned", "started ahead", "no objective"],
)
def test_nothing_else_is_cold(options: dict[str, Any]) -> None:
    for observer in OBSERVERS:
        assert [cold_metrics(line) for line in work(observer, **options)] == [set(), set()]
