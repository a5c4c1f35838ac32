"""Events of the monitor, and isolation of failing checks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from darkroom.errors import BadOption, Unavailable
from darkroom_pipeline.operations.checks import Monitor
from darkroom_pipeline.operations.messages import HOURLY, NAMES, SCHEDULED, DeploymentEvent, RunChecks, parse_request
from local.events import read_events
from tests.component.services.emf_metrics import counted, of

from .environment import MonitorEnvironment


def test_a_schedule_runs_every_cheap_check() -> None:
    assert parse_request(read_events("monitor")["scheduled.json"]) == RunChecks(list(SCHEDULED))
    assert parse_request(read_events("monitor")["hourly.json"]) == RunChecks([*SCHEDULED, *HOURLY])
    assert parse_request({}) == RunChecks(list(SCHEDULED))
    assert parse_request(read_events("monitor")["quality.json"]) == RunChecks(["quality"])
    assert parse_request({"watch": ["drift", "cdn", "drift"]}) == RunChecks(["drift", "cdn"])


@pytest.mark.parametrize("watch", [["gossip"], "cdn", [["cdn"]], [1], {}])
def test_an_unknown_check_is_refused(watch: object) -> None:
    with pytest.raises(BadOption, match=", ".join(NAMES)):
        parse_request({"watch": watch})


def test_news_of_a_deployment_is_read() -> None:
    assert parse_request(read_events("monitor")["deployment.json"]) == DeploymentEvent(
        "darkroom-ServerlessDeploymentApplication", "darkroom-TransformFunctionDeploymentGroup", "d-EXAMPLE1", "SUCCESS"
    )


@dataclass
class FixedCheck:
    """A check with a fixed result or exception."""

    found: Mapping[str, object] | Exception

    def run(self, now_s: float) -> Mapping[str, object]:
        if isinstance(self.found, Exception):
            raise self.found
        return {**self.found, "now_s": now_s}


def test_a_failed_check_stops_no_other(stack: MonitorEnvironment, capsys: pytest.CaptureFixture[str]) -> None:
    watches = {
        "experiments": FixedCheck({"a": 1}),
        "rollout": FixedCheck(Unavailable(detail="x")),
        "drift": FixedCheck(ValueError("y")),
    }
    observer = stack.observer
    monitor = Monitor({**watches, "remedy": FixedCheck({"b": 2})}, stack.audit, observer, clock=lambda: 5.0)
    assert monitor.handle(RunChecks(SCHEDULED)) == {
        "drift": {"failed": "defect"},
        "rollout": {"failed": "unavailable"},
        "experiments": {"a": 1, "now_s": 5.0},
        "remedy": {"b": 2, "now_s": 5.0},
    }
    observer.flush()
    output = capsys.readouterr().out
    figures = counted(output)
    assert (of(figures, "Requests"), of(figures, "Faults")) == ({}, {"": 2})
    assert of(figures, "Errors") == {"unavailable": 1, "defect": 1}
    assert of(figures, "CheckFaults") == {"rollout": 1, "drift": 1}
    failed = [line for line in map(json.loads, output.splitlines()) if line.get("message") == "monitor check failed"]
    assert [(line["check"], line["code"]) for line in failed] == [("drift", "defect"), ("rollout", "unavailable")]


def test_a_deployment_of_code_is_written_down(stack: MonitorEnvironment) -> None:
    monitor = Monitor({}, stack.audit, stack.observer)
    monitor.handle(parse_request(read_events("monitor")["deployment.json"]))
    [entry] = stack.written
    assert (entry["kind"], entry["subject"], entry["by"]) == (
        "release",
        "darkroom-ServerlessDeploymentApplication",
        "codedeploy",
    )
    assert entry["facts"] == {
        "deployment_id": "d-EXAMPLE1",
        "state": "SUCCESS",
        "group": "darkroom-TransformFunctionDeploymentGroup",
    }
