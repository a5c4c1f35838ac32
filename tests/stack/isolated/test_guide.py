"""The deployment guide's commands as they are printed, with the template's defaults, in a clean checkout."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from local import venvs
from local.aws import Cloud, tool_environment
from local.ministack import MiniStack
from local.place import ROOT, Place, Ports
from local.ports import free_ports
from local.progress import Progress
from local.resolved import stack_resources

METRIC_ALARM, COMPOSITE_ALARM = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
DASHBOARD, SUBSCRIPTION = "AWS::CloudWatch::Dashboard", "AWS::CloudFront::MonitoringSubscription"
STACK = "darkroom"


@dataclass(frozen=True)
class Guide:
    """A checkout with the tracked files only, and an engine without stacks."""

    checkout: Path
    cloud: Cloud

    def sam(self, *arguments: str) -> None:
        """Run the SAM CLI as a reader does, who says yes."""
        python = venvs.python_of("sam")
        environment = tool_environment(self.cloud.endpoint_url)
        environment["PATH"] = f"{python.parent}:{environment['PATH']}"
        done = subprocess.run(
            [python.parent / "sam", *arguments],
            cwd=self.checkout,
            env=environment,
            input="y\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]

    def made(self, kind: str) -> set[str]:
        """Physical ids of the resources of a kind in the stack and its nested stacks."""
        every = stack_resources(self.cloud, STACK)
        return {one["PhysicalResourceId"] for one in every if one["ResourceType"] == kind}

    def alarms(self, kind: str) -> dict[str, dict[str, Any]]:
        """Alarms that CloudWatch has, by name."""
        pages = self.cloud.metrics.get_paginator("describe_alarms").paginate(AlarmTypes=[kind])
        return {one["AlarmName"]: one for page in pages for one in page[f"{kind}s"]}

    def check(self) -> None:
        """Compare what CloudWatch has with what CloudFormation says it made."""
        assert set(self.alarms("MetricAlarm")) == self.made(METRIC_ALARM)
        assert set(self.alarms("CompositeAlarm")) == self.made(COMPOSITE_ALARM)
        dashboards = self.cloud.metrics.list_dashboards()["DashboardEntries"]
        assert {one["DashboardName"] for one in dashboards} == self.made(DASHBOARD)


@pytest.fixture(scope="module")
def guide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guide]:
    asyncio.run(venvs.ensure(Progress()))
    checkout = tmp_path_factory.mktemp("checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name)
    cdn, aws = free_ports(2)
    ports = Ports(cdn=cdn, aws=aws)
    ministack = MiniStack(Place(tmp_path_factory.mktemp("guide")), ports)
    asyncio.run(ministack.start())
    yield Guide(checkout, Cloud(ports.aws_url))
    asyncio.run(ministack.stop())


def test_the_defaults_and_all_alarms_are_deployed_and_deleted(guide: Guide) -> None:
    guide.sam("build")
    guide.sam("deploy")
    guide.check()
    essential = guide.alarms("MetricAlarm")
    assert essential
    assert any("Metrics" in one for one in essential.values())

    guide.sam("deploy", "--parameter-overrides", "Alarms=all")
    guide.check()
    assert set(essential) < set(guide.alarms("MetricAlarm"))
    [distribution] = guide.made(SUBSCRIPTION)
    subscription = guide.cloud.cloudfront.get_monitoring_subscription(DistributionId=distribution)
    config = subscription["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"]
    assert config == {"RealtimeMetricsSubscriptionStatus": "Enabled"}

    guide.sam("deploy", "--parameter-overrides", "Alarms=essential")
    guide.check()
    assert set(essential) == set(guide.alarms("MetricAlarm"))

    guide.cloud.cloudformation.delete_stack(StackName=STACK)
    waiter = guide.cloud.cloudformation.get_waiter("stack_delete_complete")
    waiter.wait(StackName=STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    assert guide.alarms("MetricAlarm") == guide.alarms("CompositeAlarm") == {}
