"""Alarms, dashboards, the web ACL and the budget are created in MiniStack by the requests that CloudFormation makes.

Their documented limits, which MiniStack does not check, are checked here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from .creating import properties_of, request_of
from .stack import Stack

DAY_S, WEEK_S, HOUR_S = 86_400, 604_800, 3_600
EVERYTHING = {
    "Alarms": "all",
    "InferenceMode": "lambda",
    "AccessLogDays": "30",
    "PageEmail": "page@example.com",
    "TicketEmail": "ticket@example.com",
    "MonthlyBudgetUsd": "50",
    "WafRateLimit": "2000",
}

type Aws = Callable[[str], Any]
type Node = dict[str, Any]


@pytest.fixture(scope="module")
def stack() -> Stack:
    """A deployment with all of it."""
    return Stack(**EVERYTHING)


@pytest.fixture(scope="module")
def alarms(aws: Aws, stack: Stack) -> dict[str, Node]:
    """Metric alarms as CloudWatch describes them, by name."""
    client = aws("cloudwatch")
    for properties in properties_of(stack, "AWS::CloudWatch::Alarm").values():
        client.put_metric_alarm(**request_of(client, "PutMetricAlarm", properties))
    pages = client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    return {one["AlarmName"]: one for page in pages for one in page["MetricAlarms"]}


@pytest.mark.slow
def test_metric_alarms_are_created(stack: Stack, alarms: dict[str, Node]) -> None:
    names = {one["AlarmName"] for one in properties_of(stack, "AWS::CloudWatch::Alarm").values()}
    assert len(names) > 30
    assert names <= set(alarms)


@pytest.mark.slow
def test_metric_alarms_are_within_cloudwatchs_limits(alarms: dict[str, Node]) -> None:
    """CloudWatch API reference, "PutMetricAlarm" and "MetricDataQuery"; user guide, "CloudWatch service quotas"."""
    for name, alarm in alarms.items():
        metrics = alarm.get("Metrics", [])
        periods = [one["MetricStat"]["Period"] if "MetricStat" in one else one.get("Period") for one in metrics]
        period_s = max([*filter(None, periods), alarm.get("Period") or 0])
        assert period_s in (10, 20, 30) or (period_s and period_s % 60 == 0), name
        assert period_s * alarm["EvaluationPeriods"] <= (WEEK_S if period_s >= HOUR_S else DAY_S), name
        assert alarm.get("DatapointsToAlarm", 1) <= alarm["EvaluationPeriods"], name
        assert sum("MetricStat" in one for one in metrics) <= 10, name
        assert sum("Expression" in one for one in metrics) <= 10, name
        if metrics:
            identities = [one["Id"] for one in metrics]
            assert len(set(identities)) == len(identities), name
            assert all(re.fullmatch("[a-z][a-zA-Z0-9_]*", one) for one in identities), name
            assert sum(one.get("ReturnData", True) for one in metrics) == 1, name
            used = {word for one in metrics for word in re.findall(r"[a-z]\w*", one.get("Expression", ""))}
            returned = {one["Id"] for one in metrics if one.get("ReturnData", True)}
            assert set(identities) - returned <= used, name
        assert len(alarm["AlarmName"]) <= 255, name
        assert len(alarm.get("AlarmDescription", "")) <= 1024, name
        assert max(len(alarm.get(kind, [])) for kind in ("AlarmActions", "OKActions", "InsufficientDataActions")) <= 5


@pytest.mark.slow
def test_composite_alarms_are_created_of_alarms_that_exist(aws: Aws, stack: Stack, alarms: dict[str, Node]) -> None:
    """CloudWatch API reference, "PutCompositeAlarm": a rule has up to 10,240 characters and 100 alarms below it."""
    client = aws("cloudwatch")
    properties = properties_of(stack, "AWS::CloudWatch::CompositeAlarm")
    named = properties | properties_of(stack, "AWS::CloudWatch::Alarm")
    by_reference = {f"stack-{logical_id}-1A2B3C4D5E6F": one["AlarmName"] for logical_id, one in named.items()}
    assert properties
    for one in properties.values():
        children = re.findall(r"(?:ALARM|OK|INSUFFICIENT_DATA)\(\"?([^\")]+)\"?\)", one["AlarmRule"])
        assert children, one
        assert set(children) <= {*by_reference, *by_reference.values()}, one
        assert len(children) <= 100, one["AlarmName"]
        assert len(one["AlarmRule"]) <= 10_240, one["AlarmName"]
        rule = re.sub("|".join(by_reference), lambda found: by_reference[found[0]], one["AlarmRule"])
        client.put_composite_alarm(**request_of(client, "PutCompositeAlarm", one | {"AlarmRule": rule}))
    found = client.describe_alarms(AlarmTypes=["CompositeAlarm"], MaxRecords=100)["CompositeAlarms"]
    assert {one["AlarmName"] for one in properties.values()} <= {one["AlarmName"] for one in found}


WIDGETS = {
    "metric": ({"region"}, {"metrics", "annotations"}),
    "log": ({"region", "query"}, set()),
    "text": ({"markdown"}, set()),
    "alarm": ({"alarms"}, set()),
    "explorer": ({"metrics", "labels", "widgetOptions"}, set()),
    "custom": ({"endpoint"}, set()),
}
"""Properties that each kind of widget must have, and of which it must have one (CloudWatch API reference, "Dashboard
Body Structure and Syntax")."""

VIEWS = {"timeSeries", "singleValue", "gauge", "bar", "pie", "table"}
GRID_WIDTH, MOST_HEIGHT = 24, 1000
MOST_WIDGETS, MOST_METRICS_OF_WIDGET, MOST_METRICS = 500, 500, 2_500
"""Widgets of a dashboard, metrics of a widget and of a dashboard (CloudWatch user guide, "CloudWatch quotas")."""

STATISTIC = re.compile(
    r"SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|wm|tc|ts)\d{1,2}(\.\d+)?|p100|(TM|WM|TC|TS|PR)\(.*\)"
)


def check_widget(widget: Node) -> int:
    """Check a widget; how many metrics it has."""
    required, either = WIDGETS[widget["type"]]
    properties = widget["properties"]
    assert required <= set(properties), widget
    assert not either or either & set(properties), widget
    assert 1 <= widget.get("width", 6) <= GRID_WIDTH, widget
    assert 1 <= widget.get("height", 6) <= MOST_HEIGHT, widget
    assert 0 <= widget.get("x", 0) <= GRID_WIDTH - widget.get("width", 6), widget
    assert properties.get("view", "timeSeries") in VIEWS, widget
    if widget["type"] != "metric":
        return 0
    rows = properties.get("metrics", [])
    identities = [row[-1].get("id") for row in rows if isinstance(row[-1], dict) and row[-1].get("id")]
    assert len(set(identities)) == len(identities), widget
    for row in rows:
        *names, options = row if isinstance(row[-1], dict) else [*row, {}]
        assert "expression" in options or (len(names) >= 2 and len(names) % 2 == 0), row
        assert all(isinstance(name, str) and name for name in names), row
        assert "stat" not in options or STATISTIC.fullmatch(options["stat"]), row
        assert options.get("yAxis", "left") in ("left", "right"), row
        words = set(re.findall(r"\b[a-z]\w*\b", re.sub(r"'[^']*'|\"[^\"]*\"", "", options.get("expression", ""))))
        assert words <= set(identities) | {"stat", "period"}, row
    assert len(rows) <= MOST_METRICS_OF_WIDGET
    return len(rows)


def overlapping(widgets: list[Node]) -> list[tuple[str, str]]:
    """Pairs of widgets that are at the same place."""
    places: dict[tuple[int, int], str] = {}
    found = set()
    for widget in widgets:
        title = str(widget["properties"].get("title", widget["type"]))
        for x in range(widget["x"], widget["x"] + widget["width"]):
            others = {places.setdefault((x, widget["y"] + row), title) for row in range(widget["height"])}
            found |= {(other, title) for other in others - {title}}
    return sorted(found)


def test_dashboards_are_created_and_have_the_documented_structure(aws: Aws, stack: Stack) -> None:
    client = aws("cloudwatch")
    dashboards = properties_of(stack, "AWS::CloudWatch::Dashboard").values()
    assert len(dashboards) >= 3
    for dashboard in dashboards:
        body = json.loads(dashboard["DashboardBody"])
        assert set(body) <= {"widgets", "start", "end", "periodOverride", "variables"}
        assert 0 < len(body["widgets"]) <= MOST_WIDGETS
        assert sum(map(check_widget, body["widgets"])) <= MOST_METRICS
        assert overlapping([one for one in body["widgets"] if "x" in one]) == []
        assert re.fullmatch("[A-Za-z0-9_-]{1,255}", dashboard["DashboardName"])
        answer = client.put_dashboard(**request_of(client, "PutDashboard", dashboard))
        assert answer.get("DashboardValidationMessages", []) == []
        assert client.get_dashboard(DashboardName=dashboard["DashboardName"])["DashboardBody"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "metric", "properties": {"metrics": [["AWS/Lambda", "Errors"]]}},
        {"type": "metric", "properties": {"region": "r"}},
        {"type": "metric", "properties": {"region": "r", "metrics": [["AWS/Lambda", "Errors", "FunctionName"]]}},
        {"type": "metric", "properties": {"region": "r", "metrics": [["A", "B", {"stat": "median"}]]}},
        {"type": "metric", "properties": {"region": "r", "metrics": [[{"expression": "a / b", "id": "c"}]]}},
        {"type": "metric", "properties": {"region": "r", "view": "map", "metrics": [["A", "B"]]}},
        {"type": "log", "properties": {"region": "r"}},
        {"type": "text", "x": 20, "width": 6, "properties": {"markdown": "x"}},
    ],
)
def test_a_widget_that_cloudwatch_refuses_is_found(wrong: Node) -> None:
    with pytest.raises(AssertionError):
        check_widget(wrong)


def test_the_web_acl_is_created(aws: Aws, stack: Stack) -> None:
    client = aws("wafv2")
    [properties] = properties_of(stack, "AWS::WAFv2::WebACL").values()
    named = {"Name": "stack-web-acl"} | properties  # CloudFormation generates a name if there is none
    created = client.create_web_acl(**request_of(client, "CreateWebACL", named))["Summary"]
    found = client.get_web_acl(Name=created["Name"], Scope="CLOUDFRONT", Id=created["Id"])["WebACL"]
    assert [rule["Name"] for rule in found["Rules"]] == [rule["Name"] for rule in properties["Rules"]]


def test_the_budget_is_created(aws: Aws, stack: Stack) -> None:
    client = aws("budgets")
    [properties] = properties_of(stack, "AWS::Budgets::Budget").values()
    client.create_budget(**request_of(client, "CreateBudget", {"AccountId": "000000000000"} | properties))
    name = properties["Budget"]["BudgetName"]
    found = client.describe_budget(AccountId="000000000000", BudgetName=name)["Budget"]
    assert (found["BudgetLimit"]["Unit"], float(found["BudgetLimit"]["Amount"])) == ("USD", 50.0)
    notifications = client.describe_notifications_for_budget(AccountId="000000000000", BudgetName=name)
    assert len(notifications["Notifications"]) == len(properties["NotificationsWithSubscribers"])
