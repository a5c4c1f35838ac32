"""Objectives compared with the events of some days: shares, budgets, and cold starts apart."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cli.objectives import DAY_S, ObjectiveReport, Share, format_reports
from darkroom.slo import SLOS
from tests import commands
from tests.commands import Commands

FUNCTIONS = ("TransformFunction", "IngestFunction", "UploadFunction", "SimilarFunction")
SUCCESS, LATENCY = SLOS[:2]


@pytest.fixture
def command(aws_environment: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Commands:
    """The command about a stack without inference."""
    return commands.local(aws_environment, tmp_path, capsys, {}, functions=FUNCTIONS)


@pytest.fixture
def put(aws: Callable[[str], Any], command: Commands, tmp_path: Path) -> Callable[..., None]:
    """Publish a metric as functions (by ``service``) or as Lambda do, some days ago."""
    name = json.loads((tmp_path / "stack.json").read_text())["stack_name"]
    resources = aws("cloudformation").list_stack_resources(StackName=name)["StackResourceSummaries"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in resources}

    def publish(metric: str, value: float, service: str = "", *, of: str = "", days_ago: int = 0) -> None:
        named = {"FunctionName": ids[of]} if of else {"service": service, "function": service}
        aws("cloudwatch").put_metric_data(
            Namespace="AWS/Lambda" if of else f"Darkroom/{name}",
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [{"Name": one, "Value": text} for one, text in named.items()],
                    "Timestamp": time.time() - days_ago * DAY_S,
                    "Value": value,
                }
            ],
        )

    return publish


def test_a_share_of_nothing_is_unknown() -> None:
    nothing = ObjectiveReport(SUCCESS, Share(0, 0), Share(0, 0), Share(0, 0))
    assert (nothing.every.good_percent, nothing.spent_percent) == (None, None)
    assert list(format_reports([nothing]))[1].split() == ["viewers-success", "99.9%", "0", "–", "–", "0", "–", "–"]


def test_a_budget_is_the_share_that_the_objective_allows() -> None:
    half = ObjectiveReport(SUCCESS, Share(5, 10_000), Share(4, 40), Share(1, 9960))
    assert half.spent_percent == pytest.approx(50)
    assert list(format_reports([half])) == [
        "objective         target    events     good   budget    cold  in cold  in warm",
        "viewers-success    99.9%    10,000   99.95%      50%      40   90.00%   99.99%",
    ]


@pytest.mark.slow
def test_each_objective_is_compared_with_its_events(command: Commands, put: Callable[..., None]) -> None:
    put("Requests", 1000, "transform")
    put("Requests", 9000, "transform", days_ago=3)
    put("Requests", 5000, "transform", days_ago=40)
    put("Faults", 2, "transform")
    put("ColdRequests", 100, "transform")
    put("ColdFaults", 2, "transform")
    put("Errors", 3, of="TransformFunction")
    put("Throttles", 1, of="TransformFunction")
    put("Timed", 200, "transform")
    put("Slow", 8, "transform")
    put("ColdTimed", 20, "transform")
    put("ColdSlow", 7, "transform")
    done = command.run("objectives", "--days", "30", "--json")
    assert done.code == 0, done.err
    found = {one["name"]: one for one in done.document["objectives"]}
    assert set(found) == {one.name for one in SLOS if not one.needs_inference}
    crashes = 3 + 1  # They publish no metric of the function's own, so they are neither cold nor warm
    assert found["viewers-success"] == {
        "name": "viewers-success",
        "owner": "service owner",
        "target": pytest.approx(99.9),
        "events": 10_000 + crashes,
        "good": pytest.approx(100 * (1 - 6 / 10_004)),
        "budget_spent": pytest.approx(100 * 6 / 10.004),
        "cold": {"events": 100, "good": pytest.approx(98)},
        "warm": {"events": 9900, "good": pytest.approx(100)},
    }
    late = found["viewers-latency"]
    assert (late["events"], late["good"], late["cold"]["good"]) == (200, pytest.approx(96), pytest.approx(65))
    assert late["warm"] == {"events": 180, "good": pytest.approx(100 * (1 - 1 / 180))}
    assert found["uploads-success"]["good"] is None


@pytest.mark.slow
def test_a_missed_objective_is_named_with_its_owner(command: Commands, put: Callable[..., None]) -> None:
    put("Timed", 100, "ingest")
    put("Slow", 6, "ingest")
    done = command.run("objectives")
    assert done.code == 1
    assert "uploads-latency is missed: service owner" in done.err
    assert done.lines[0].split()[:2] == ["objective", "target"]
