"""Evaluation of the template's alarms: declarations, states, pages and history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from local.console_api.alarm_history import MAX_ENTRIES, AlarmHistory
from local.console_api.alarms import Alarms
from local.console_api.declared_alarms import DeclaredAlarms, read_alarms
from local.console_api.logs import parse_events, parse_trace_id
from local.console_api.read_metrics import MetricQuery, Series
from local.console_api.untrusted_content import detect_image_type

NOW_S = 1_790_000_040.0


def alarm(name: str, metric: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Condition": "HasAlarms",
        "Properties": {
            "AlarmName": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
            "AlarmDescription": {"Fn::Sub": f"{name} is bad. Users notice: gaps. Runbook: ${{Runbooks}}/{name}.md"},
            "Namespace": "N",
            "MetricName": metric,
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "TransformFunction"}}],
            "Period": 60,
            "Statistic": "Sum",
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 5,
            "TreatMissingData": "notBreaching",
            **more,
        },
    }


def composite(name: str, rule: str, **more: Any) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::CompositeAlarm",
        "Condition": "HasAlarms",
        "Properties": {
            "AlarmName": {"Fn::Sub": f"${{AWS::StackName}}-{name}"},
            "AlarmRule": {"Fn::Sub": rule},
            "AlarmActions": [{"Ref": "PageTopic"}],
            **more,
        },
    }


CHILD: dict[str, Any] = {
    "Parameters": {name: {"Type": "String"} for name in ("TransformFunction", "PageTopic", "TicketTopic", "Runbooks")},
    "Conditions": {"HasAlarms": {"Fn::Equals": [1, 1]}, "Never": {"Fn::Equals": [1, 2]}},
    "Resources": {
        "RendersAlarm": alarm("renders", "Errors"),
        "UploadsAlarm": alarm("uploads", "Faults", AlarmActions=[{"Ref": "TicketTopic"}]),
        "SilentAlarm": alarm(
            "silent", "Looks", TreatMissingData="breaching", EvaluationPeriods=3, ComparisonOperator="LessThanThreshold"
        ),
        "ViewersAlarm": composite(
            "viewers",
            'ALARM("${RendersAlarm}") OR ALARM("${GrowthAlarm}")',
            AlarmDescription={
                "Fn::Sub": "Viewers. Runbook: ${Runbooks}/renders.md for renders, ${Runbooks}/g.md for growth"
            },
        ),
        "GrowthAlarm": alarm("growth", "Grown"),
        "UpAlarm": composite(
            "up",
            'ALARM("${UploadsAlarm}")',
            ActionsSuppressor={"Fn::GetAtt": ["ViewersAlarm", "Arn"]},
            ActionsSuppressorWaitPeriod=120,
            ActionsSuppressorExtensionPeriod=180,
        ),
        "ErasureAlarm": alarm("erasure", "ErasuresFailed", AlarmActions=[{"Ref": "PageTopic"}]),
        "GpuAlarm": alarm("gpu", "GPUUtilization") | {"Condition": "Never"},
    },
}
URL = "https://s3.amazonaws.com/packages/alarms.template"
TEMPLATE: dict[str, Any] = {
    "Parameters": {},
    "Conditions": {"HasAlarms": {"Fn::Equals": [{"Ref": "Alarms"}, "all"]}},
    "Resources": {
        "TransformFunction": {"Type": "AWS::Lambda::Function"},
        "PageTopic": {"Type": "AWS::SNS::Topic", "Condition": "HasAlarms"},
        "TicketTopic": {"Type": "AWS::SNS::Topic", "Condition": "HasAlarms"},
        "Nested": {
            "Type": "AWS::CloudFormation::Stack",
            "Condition": "HasAlarms",
            "Properties": {"TemplateURL": URL, "Parameters": {name: {"Ref": name} for name in CHILD["Parameters"]}},
        },
        "Other": {
            "Type": "AWS::CloudFormation::Stack",
            "Properties": {"TemplateURL": "", "Parameters": {"Unknown": {"Fn::GetAtt": ["Endpoint", "Name"]}}},
        },
    },
}
GIVEN = {"Alarms": "all", "Runbooks": "docs/guides/runbooks", "TransformFunction": "stack-Transform-1"}


def fetch(url: str) -> dict[str, Any]:
    return CHILD if url == URL else {"Resources": {"Queue": {"Type": "AWS::SQS::Queue"}}}


class Known:
    """Metrics set by a test, by name."""

    def __init__(self) -> None:
        self.now: dict[str, float] = {}

    def read_minutes(self, asked: Mapping[MetricQuery, float], now_s: float) -> dict[MetricQuery, Series]:
        at = int(now_s // 60) * 60 - 60
        return {one: {at: self.now[one.metric]} if one.metric in self.now else {} for one in asked}


@pytest.fixture
def known() -> Known:
    return Known()


@pytest.fixture
def history(tmp_path: Path) -> AlarmHistory:
    return AlarmHistory(tmp_path / "state" / "alarms.jsonl")


@pytest.fixture
def alarms(known: Known, history: AlarmHistory) -> Alarms:
    made = Alarms(known, history, lambda: read_alarms(TEMPLATE, GIVEN, fetch))  # type: ignore[arg-type]
    made.load_declared()
    return made


def state_of(alarms: Alarms, name: str) -> dict[str, Any]:
    [found] = [one for one in alarms.describe() if one["name"] == f"darkroom-{name}"]
    return found


def test_alarms_are_read_with_resolved_values() -> None:
    found = read_alarms(TEMPLATE, GIVEN, fetch)
    assert [one.name for one in found.alarms] == [
        "darkroom-renders",
        "darkroom-uploads",
        "darkroom-silent",
        "darkroom-growth",
        "darkroom-erasure",
    ]
    [query] = found.alarms[0].queries
    assert query.dimensions == {"FunctionName": "stack-Transform-1"}
    assert found.composites[1].suppressor == "darkroom-viewers"
    assert found.composites[0].children == {"darkroom-renders", "darkroom-growth"}


def test_conditions_exclude_alarms() -> None:
    assert read_alarms(TEMPLATE, GIVEN | {"Alarms": "off"}, fetch) == DeclaredAlarms()


def test_an_alarm_pages_once_and_recovers(alarms: Alarms, known: Known, history: AlarmHistory) -> None:
    for minute, errors in enumerate((0.0, 9.0, 9.0, 9.0, 0.0)):
        known.now["Errors"] = errors
        alarms.evaluate_all(NOW_S + minute * 60)
    changes = [(one["name"], one["from"], one["to"]) for one in history.changes() if "renders" in one["name"]]
    assert changes == [
        ("darkroom-renders", "INSUFFICIENT_DATA", "OK"),
        ("darkroom-renders", "OK", "ALARM"),
        ("darkroom-renders", "ALARM", "OK"),
    ]
    [page] = history.pages()
    assert (page["name"], page["at_s"], page["reason"]) == (
        "darkroom-viewers",
        NOW_S + 60,
        "In alarm: darkroom-renders",
    )


def test_a_metric_alarm_may_page_by_itself(alarms: Alarms, known: Known, history: AlarmHistory) -> None:
    for minute, failed in enumerate((9.0, 9.0, 0.0, 9.0)):
        known.now["ErasuresFailed"] = failed
        alarms.evaluate_all(NOW_S + minute * 60)
    assert [(one["name"], one["at_s"]) for one in history.pages()] == [
        ("darkroom-erasure", NOW_S),
        ("darkroom-erasure", NOW_S + 180),
    ]


def test_the_description_of_an_alarm(alarms: Alarms, known: Known) -> None:
    known.now["Errors"] = 9.0
    alarms.evaluate_all(NOW_S)
    known.now["Errors"] = 8.0
    alarms.evaluate_all(NOW_S + 60)
    assert state_of(alarms, "renders") == {
        "name": "darkroom-renders",
        "title": "renders is bad.",
        "noticed": "gaps.",
        "state": "ALARM",
        "since_s": NOW_S,
        "value": 8.0,
        "threshold": 5.0,
        "reason": "1 of the last 1 values are over 5 (1 make an alarm); the newest is 8",
        "runbooks": ["docs/guides/runbooks/renders.md"],
        "group": "viewers",
        "part_of": "darkroom-viewers",
        "pages": False,
        "composite": False,
        "suppressed": False,
    }
    above = state_of(alarms, "viewers")
    assert (above["title"], above["noticed"]) == ("Viewers.", "")
    assert (above["pages"], above["composite"], above["group"], above["suppressed"]) == (True, True, "viewers", False)
    assert above["part_of"] == ""


def test_a_page_links_to_the_runbooks_of_its_alarms_that_are_active(alarms: Alarms, known: Known) -> None:
    alarms.evaluate_all(NOW_S)
    both = ["docs/guides/runbooks/renders.md", "docs/guides/runbooks/g.md"]
    assert state_of(alarms, "viewers")["runbooks"] == both
    known.now["Grown"] = 9.0
    alarms.evaluate_all(NOW_S + 60)
    assert state_of(alarms, "viewers")["runbooks"] == ["docs/guides/runbooks/growth.md"]


def test_one_fault_pages_once_though_two_groups_are_in_alarm(
    alarms: Alarms, known: Known, history: AlarmHistory
) -> None:
    known.now = {"Errors": 9.0, "Faults": 9.0}
    for minute in range(5):
        alarms.evaluate_all(NOW_S + minute * 60)
    assert [one["name"] for one in history.pages()] == ["darkroom-viewers"]
    assert state_of(alarms, "up")["suppressed"]
    known.now["Errors"] = 0.0
    for minute in range(5, 8):
        alarms.evaluate_all(NOW_S + minute * 60)
        assert [one["name"] for one in history.pages()] == ["darkroom-viewers"], "the extension lasts"
    alarms.evaluate_all(NOW_S + 8 * 60)
    assert [one["name"] for one in history.pages()] == ["darkroom-viewers", "darkroom-up"]
    assert not state_of(alarms, "up")["suppressed"]


def test_missing_data_sets_an_alarm_after_a_whole_window(alarms: Alarms) -> None:
    for minute in range(3):
        alarms.evaluate_all(NOW_S + minute * 60)
        assert state_of(alarms, "silent")["state"] == "INSUFFICIENT_DATA"
    alarms.evaluate_all(NOW_S + 180)
    assert state_of(alarms, "silent")["state"] == "ALARM"


def test_a_restart_restores_states_and_does_not_page_again(
    alarms: Alarms, known: Known, history: AlarmHistory, tmp_path: Path
) -> None:
    known.now["Errors"] = 9.0
    alarms.evaluate_all(NOW_S)
    again = AlarmHistory(tmp_path / "state" / "alarms.jsonl")
    assert again.changes() == history.changes()
    later = Alarms(known, again, lambda: read_alarms(TEMPLATE, GIVEN, fetch))  # type: ignore[arg-type]
    later.load_declared()
    later.evaluate_all(NOW_S + 60)
    assert state_of(later, "viewers")["since_s"] == NOW_S
    assert again.changes() == history.changes()
    assert len(again.pages()) == 1


def test_history_is_bounded_and_ignores_a_partial_line(tmp_path: Path) -> None:
    path = tmp_path / "alarms.jsonl"
    history = AlarmHistory(path)
    for number in range(MAX_ENTRIES + 5):
        history.add_page(at_s=number, name="n", reason="")
    with path.open("a") as file:
        file.write('{"at_s": 1')
    again = AlarmHistory(path)
    assert len(again.pages()) == MAX_ENTRIES
    assert [json.loads(line)["at_s"] for line in path.read_text().splitlines()[:2]] == [5, 6]


@pytest.mark.parametrize(
    ("header", "trace"),
    [("Root=1-a;Parent=b;Sampled=1", "1-a"), ("Parent=b;Root=1-a", "1-a"), ("1-a", "1-a"), ("", "")],
)
def test_the_trace_of_a_line(header: str, trace: str) -> None:
    assert parse_trace_id(header) == trace


def test_only_structured_lines_are_returned() -> None:
    line = {
        "level": "ERROR",
        "message": "m",
        "code": "damaged",
        "xray_trace_id": "Root=1-a",
        "status": 422,
        "service": "s",
    }
    messages = ["START", json.dumps(line), "[1]", '{"level": "INFO"}', '{"_aws": {}}', "2026 {not json}"]
    events = [{"timestamp": 1500, "message": message} for message in messages]
    assert list(parse_events(events, "transform")) == [
        {
            "at_s": 1.5,
            "function": "transform",
            "level": "ERROR",
            "message": "m",
            "code": "damaged",
            "trace_id": "1-a",
            "fields": {"status": 422},
        }
    ]


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"RIFF....WEBPVP8 ", "image/webp"),
        (b"RIFF....WAVE", ""),
        (b"....ftypavif", "image/avif"),
        (b"....ftypheic", ""),
        (b"<svg onload=", ""),
        (b"<html>", ""),
        (b"", ""),
    ],
)
def test_only_images_that_browsers_display_are_detected(head: bytes, kind: str) -> None:
    assert detect_image_type(head) == kind
