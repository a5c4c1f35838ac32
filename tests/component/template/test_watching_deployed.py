"""Monitoring resources in MiniStack: alarms over one metric, topics, dashboards and composite rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from .stack import PSEUDO, Node
from .test_watching import OF_MODELS
from .watching import ALARM, composite_properties, composites, deployed

KINDS = {"AWS::SNS::Topic", "AWS::SNS::TopicPolicy", "AWS::CloudWatch::Dashboard", "AWS::CloudWatch::Alarm"}
TOPICS = ("PageTopic", "TicketTopic", "ModelTopic")
NAME = "watching"


def _of_topics(node: Any) -> Any:
    """References to topics as CloudFormation's again."""
    if isinstance(node, dict):
        return {key: _of_topics(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_of_topics(value) for value in node]
    return {"Ref": node[1:-1]} if node in {f"<{topic}>" for topic in TOPICS} else node


def reduced() -> Node:
    """The part that MiniStack implements: no alarms over metric math.

    tests/stack/isolated/test_guide.py deploys those.
    """
    resources = {
        name: {"Type": resource["Type"], "Properties": _of_topics(resource["Properties"])}
        for name, resource in deployed().resources.items()
        if resource["Type"] in KINDS and "Metrics" not in resource["Properties"]
    }
    return {"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}


@pytest.fixture(scope="module")
def stack(aws: Callable[[str], Any]) -> Iterator[Node]:
    template, cloudformation, s3 = reduced(), aws("cloudformation"), aws("s3")
    s3.create_bucket(Bucket=NAME)
    s3.put_object(Bucket=NAME, Key="template.json", Body=json.dumps(template))  # more than a TemplateBody may have
    url = f"https://s3.amazonaws.com/{NAME}/template.json"
    cloudformation.create_stack(StackName=NAME, TemplateURL=url)
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    yield template["Resources"]
    cloudformation.delete_stack(StackName=NAME)


@pytest.mark.slow
def test_alarms_over_one_metric_are_deployed_as_written(stack: Node, aws: Callable[[str], Any]) -> None:
    written = {r["Properties"]["AlarmName"]: r["Properties"] for r in stack.values() if "AlarmName" in r["Properties"]}
    pages = aws("cloudwatch").get_paginator("describe_alarms").paginate(AlarmNamePrefix="stack-")
    every = {alarm["AlarmName"]: alarm for page in pages for alarm in page["MetricAlarms"]}
    found = {name: alarm for name, alarm in every.items() if name in written}  # other tests have alarms there too
    assert set(found) == set(written)
    assert len(found) > 10
    for name, alarm in found.items():
        assert alarm["Threshold"] == float(written[name]["Threshold"])
        assert (alarm["Period"], alarm["TreatMissingData"]) == (
            written[name]["Period"],
            written[name]["TreatMissingData"],
        )
        topic = "stack-models" if name.removeprefix("stack-") in OF_MODELS else "stack-tickets"
        actions = alarm["AlarmActions"] or alarm["InsufficientDataActions"]
        assert [action.rpartition(":")[2] for action in actions] == [topic]


@pytest.mark.slow
def test_dashboards_are_deployed(stack: Node, aws: Callable[[str], Any]) -> None:
    cloudwatch = aws("cloudwatch")
    names = {entry["DashboardName"] for entry in cloudwatch.list_dashboards()["DashboardEntries"]}
    prefix = f"stack-{PSEUDO['AWS::Region']}"
    assert {f"{prefix}-executive", f"{prefix}-on-call", f"{prefix}-debug"} <= names
    body = json.loads(cloudwatch.get_dashboard(DashboardName=f"{prefix}-on-call")["DashboardBody"])
    assert body["widgets"][0]["properties"]["title"].startswith("Latency and rate")


@pytest.mark.slow
def test_rules_of_composites_are_taken(aws: Callable[[str], Any]) -> None:
    """They name alarms that are there, and are read as CloudWatch reads them. The parts stand in for metric math."""
    cloudwatch = aws("cloudwatch")
    for part in deployed().of_type(ALARM).values():
        cloudwatch.put_metric_alarm(
            AlarmName=part["AlarmName"],
            Namespace="AWS/SQS",
            MetricName="x",
            Statistic="Sum",
            Period=60,
            EvaluationPeriods=1,
            Threshold=1,
            ComparisonOperator="GreaterThanThreshold",
        )
    for properties in composite_properties().values():
        cloudwatch.put_composite_alarm(AlarmName=properties["AlarmName"], AlarmRule=properties["AlarmRule"])
    cloudwatch.set_alarm_state(AlarmName="stack-api-success-fast", StateValue="ALARM", StateReason="test")
    cloudwatch.set_alarm_state(AlarmName="stack-api-success-short", StateValue="ALARM", StateReason="test")
    found = cloudwatch.describe_alarms(AlarmTypes=["CompositeAlarm"], AlarmNamePrefix="stack-")["CompositeAlarms"]
    states = {alarm["AlarmName"].removeprefix("stack-"): alarm["StateValue"] for alarm in found}
    assert set(states) == set(composites())
    assert {name for name, state in states.items() if state == "ALARM"} == {"uploads"}
