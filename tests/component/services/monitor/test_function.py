"""The monitor function: every event of events/ in each kind of deployment, with all checks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from bench.cost.idle import METRICS_PUBLISHED, METRICS_READ
from darkroom.errors import BadOption, Unavailable
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics
from darkroom_pipeline.operations.messages import HOURLY, SCHEDULED
from local.events import read_events
from tests.component.aws.endpoints import GROUP, Models, running
from tests.component.aws.sagemaker import found
from tests.component.services.emf_metrics import counted, of
from tests.component.services.functions import Function, load
from tests.component.template.stack import OPTIONAL_PARTS
from tests.component.template.stack import Stack as Template
from tests.unit.synthetic_samples import samples

from .environment import MonitorEnvironment


@pytest.fixture
def models(tmp_path: Path, stack: MonitorEnvironment) -> Iterator[Models]:
    with running(tmp_path, f"endpoint-{stack.number}", main=lambda task, _: found(task)) as models:
        models.variants(main=1.0)
        yield models


@pytest.fixture
def environment(stack: MonitorEnvironment, models: Models, aws_environment: dict[str, str]) -> dict[str, str]:
    """As the template gives it."""
    names = stack.env.names
    functions = ",".join(f"{one.name}={one.lambda_name}:{one.memory_mb}" for one in stack.functions.values())
    return {
        **models.environment,
        **aws_environment,
        "AWS_LAMBDA_FUNCTION_NAME": stack.functions["monitor"].lambda_name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "MONTHLY_AMOUNTS": "secret-months=1,alarm-metric-months=80",
        "MEDIA_BUCKET": names["media"],
        "UPLOADS_BUCKET": names["uploads"],
        "AUDIT_BUCKET": names["audit"],
        "INDEX_TABLE": names["index"],
        "INGEST_QUEUE_URL": names["changes"],
        "INGEST_DLQ_URL": names["dead"],
        "PURGE_QUEUE_URL": "",
        "PURGE_DLQ_URL": "",
        "EVENT_BUS": names["bus"],
        "STACK_NAME": "darkroom",
        "DISTRIBUTION_ID": f"E{stack.number}",
        "FUNCTIONS": functions,
        "INFERENCE_MODE": "endpoint",
        "ENDPOINT_NAME": models.endpoint,
        "ENDPOINT_INSTANCE_TYPE": "ml.g4dn.xlarge",
        "MODEL_GROUP": GROUP,
        "ARCH": "arm64",
        "POWERTOOLS_METRICS_NAMESPACE": stack.namespace,
    }


def monitor(environment: dict[str, str], **more: str) -> Function:
    return load("monitor", environment | more, {"baseline_samples": 200})


def test_the_first_run_of_an_hour_reads_metrics(stack: MonitorEnvironment, environment: dict[str, str]) -> None:
    answer: dict[str, Any] = monitor(environment).invoke(read_events("monitor")["hourly.json"])
    assert tuple(answer) == tuple(name for name in (*SCHEDULED, *HOURLY) if name != "experiments")
    assert [name for name, found in answer.items() if "failed" in found] == []
    assert answer["cost"]["usd_per_hour"]["endpoint"] == pytest.approx(0.7364)


def test_a_schedule_runs_every_check(stack: MonitorEnvironment, environment: dict[str, str]) -> None:
    stack.sampled(samples(1, 200))
    answer: dict[str, Any] = monitor(environment).invoke(read_events("monitor")["scheduled.json"])
    assert tuple(answer) == tuple(name for name in SCHEDULED if name != "experiments"), "the settings have none"
    assert [name for name, found in answer.items() if "failed" in found] == []
    assert answer["drift"] == {"samples": 200, "wanted": 200}
    assert answer["rollout"] == {"variants": ["main"]}
    assert set(answer["remedy"]) == {"redrive", "load-shedding", "fallback"}


@pytest.mark.parametrize(
    ("mode", "watches"),
    [
        ("off", {"remedy"}),
        ("lambda", {"drift", "remedy"}),
        ("endpoint", {"drift", "rollout", "remedy"}),
    ],
)
def test_a_deployment_has_the_checks_that_apply(environment: dict[str, str], mode: str, watches: set[str]) -> None:
    assert set(monitor(environment, INFERENCE_MODE=mode).invoke({})) == watches


@pytest.mark.slow
@pytest.mark.parametrize("name", ["remedy", "drift", "rollout", "quality", "quality-due", "baseline"])
def test_an_operator_runs_one_check(stack: MonitorEnvironment, environment: dict[str, str], name: str) -> None:
    stack.sampled(samples(1, 200))
    answer = monitor(environment).invoke(read_events("monitor")[f"{name}.json"])
    assert set(answer) == {name}
    assert "failed" not in answer[name]


def test_an_invalid_settings_document_is_counted_with_each_run(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    function = load("monitor", environment, {"access_mode": "closed"})
    for _ in range(2):
        with pytest.raises(Unavailable):
            function.invoke({})
    output = capsys.readouterr().out
    assert of(counted(output), "SettingsInvalid") == {"": 2}
    assert of(counted(output), "MonitorTime") == {}, "times of scheduled functions are in traces"
    [line, _] = [line for line in output.splitlines() if '"SettingsInvalid"' in line]
    assert '"service":"monitor"' in line.replace(" ", "")
    assert '"function":"monitor"' in line.replace(" ", "")


def test_an_invalid_check_is_refused(environment: dict[str, str]) -> None:
    with pytest.raises(BadOption):
        monitor(environment).invoke(read_events("monitor")["no-such-watch.json"])


@pytest.mark.slow
def test_a_deployment_of_code_is_noted(stack: MonitorEnvironment, environment: dict[str, str]) -> None:
    monitor(environment).invoke(read_events("monitor")["deployment.json"])
    assert [entry["kind"] for entry in stack.written] == ["release"]


@pytest.mark.slow
def test_what_an_idle_deployment_publishes_and_reads_is_as_the_page_about_costs_has_it(
    environment: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    """By default there is no inference, and nothing to do."""
    default = Template(**dict.fromkeys(OPTIONAL_PARTS, "off"))
    functions = re.sub("[<>]", "", default.variables("MonitorFunction")["FUNCTIONS"])
    queues = {
        f"{name}_{kind}_URL": environment[f"INGEST_{kind}_URL"]
        for name in ("INGEST", "PURGE")
        for kind in ("QUEUE", "DLQ")
    }
    read = CloudWatchMetrics.get_points
    with mock.patch.object(CloudWatchMetrics, "get_points", autospec=True, side_effect=read) as reading:
        idle = monitor(environment, **queues, INFERENCE_MODE="off", FUNCTIONS=functions)
        idle.invoke({})
        assert reading.call_args_list == [], "every five minutes"
        idle.invoke(read_events("monitor")["hourly.json"])
    assert sum(len(call.args[1]) for call in reading.call_args_list) == METRICS_READ
    assert len(counted(capsys.readouterr().out)) == METRICS_PUBLISHED["monitor"]
