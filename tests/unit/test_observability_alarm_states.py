"""Alarm states by CloudWatch's documentation, and composites that suppress each other."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.alarm_states import Alarm, State, evaluate
from observability.composites import BadRule, Composite, StateSince, evaluate_composites, has_acted, parse_rule
from observability.metric_math import BadExpression, Series

NOW_S = 1_000_000 * 60


def alarm(**changed: Any) -> Alarm:
    properties = {
        "AlarmName": "darkroom-x",
        "Namespace": "AWS/SQS",
        "MetricName": "ApproximateNumberOfMessagesVisible",
        "Dimensions": [{"Name": "QueueName", "Value": "darkroom-ingest"}],
        "Statistic": "Sum",
        "Period": "60",
        "EvaluationPeriods": "3",
        "ComparisonOperator": "GreaterThanThreshold",
        "Threshold": "0.5",
    }
    return Alarm.read("X", properties | changed)


def drawn(image: str, period_s: int = 60) -> Series:
    """Points by an image as AWS draws them: 0 is within the threshold, X beyond it, - is missing."""
    marks = image.split()
    return {
        NOW_S - (len(marks) - number) * period_s: float(mark == "X") for number, mark in enumerate(marks) if mark != "-"
    }


@pytest.mark.parametrize(
    ("datapoints", "image", "expected"),  # with missing, ignore, breaching, notBreaching
    [
        (3, "0 - X - X", ("OK", "OK", "OK", "OK")),
        (3, "- - - - 0", ("OK", "OK", "OK", "OK")),
        (3, "- - - - -", ("INSUFFICIENT_DATA", "kept", "ALARM", "OK")),
        (3, "0 X X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "- - X - -", ("ALARM", "kept", "ALARM", "OK")),
        (2, "0 - X - X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 0 X 0 X", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "0 - X - -", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - - 0", ("OK", "OK", "ALARM", "OK")),
        (2, "- - - X -", ("ALARM", "kept", "ALARM", "OK")),
    ],
)
def test_missing_data_is_treated_as_documented(datapoints: int, image: str, expected: tuple[str, ...]) -> None:
    """The two tables of "Configuring how CloudWatch alarms treat missing data": three periods, five evaluated."""
    for missing, wanted in zip(("missing", "ignore", "breaching", "notBreaching"), expected, strict=True):
        watched = alarm(DatapointsToAlarm=str(datapoints), TreatMissingData=missing)
        before: State
        for before in ("OK", "ALARM"):
            state = evaluate(watched, {"value": drawn(image)}, NOW_S, before).state
            assert state == (before if wanted == "kept" else wanted), (missing, before)


@pytest.mark.parametrize(
    ("comparison", "at", "over", "under"),
    [
        ("GreaterThanThreshold", "OK", "ALARM", "OK"),
        ("GreaterThanOrEqualToThreshold", "ALARM", "ALARM", "OK"),
        ("LessThanThreshold", "OK", "OK", "ALARM"),
        ("LessThanOrEqualToThreshold", "ALARM", "OK", "ALARM"),
    ],
)
def test_comparisons(comparison: str, at: State, over: State, under: State) -> None:
    watched = alarm(ComparisonOperator=comparison, Threshold=5, EvaluationPeriods=1)
    for value, expected in ((5.0, at), (5.01, over), (4.99, under)):
        assert evaluate(watched, {"value": {NOW_S - 60: value}}, NOW_S).state == expected


def test_windows_slide_by_minutes_and_hold_whole_ones() -> None:
    watched = alarm(Period=3600, EvaluationPeriods=1, Threshold=9)
    assert watched.times(NOW_S + 59) == watched.times(NOW_S)
    assert watched.times(NOW_S + 60)[-1] == NOW_S + 60 - 3600
    just_in, just_out = {NOW_S - 3600: 10.0}, {NOW_S - 3660: 10.0}
    assert evaluate(watched, {"value": just_in}, NOW_S).value == 10
    fresh = {NOW_S - 60: 1.0}
    assert evaluate(watched, {"value": just_out | fresh}, NOW_S).value == 1
    assert evaluate(watched, {"value": {NOW_S: 10.0} | fresh}, NOW_S).value == 1, "the minute that is not over"


@pytest.mark.parametrize(
    ("stat", "value"),
    [("Sum", 9.0), ("SampleCount", 9.0), ("Maximum", 6.0), ("Minimum", 1.0), ("Average", 3.0), ("p99", 6.0)],
)
def test_finer_points_become_one(stat: str, value: float) -> None:
    watched = alarm(Period=300, EvaluationPeriods=1, Statistic=stat)
    points = {NOW_S - 300: 1.0, NOW_S - 200: 2.0, NOW_S - 60: 6.0, NOW_S - 900: 50.0}
    found = evaluate(watched, {"value": {time: points[time] for time in sorted(points)}}, NOW_S)
    assert found.value == value


def test_the_reason_names_the_number_and_the_newest() -> None:
    found = evaluate(alarm(), {"value": drawn("X X X X 0")}, NOW_S)
    assert found.reason == "2 of the last 3 values are over 0.5 (3 make an alarm); the newest is 0"
    assert evaluate(alarm(), {}, NOW_S).reason == "No data in 5 periods of 60 s"


def metric(name: str, period_s: int = 60) -> dict[str, Any]:
    stat = {"Metric": {"Namespace": "N", "MetricName": name}, "Period": period_s, "Stat": "Sum"}
    return {"Id": name, "MetricStat": stat, "ReturnData": False}


def test_expressions_may_use_each_other_in_any_order() -> None:
    watched = Alarm.read(
        "X",
        {
            "AlarmName": "x",
            "Metrics": [
                {"Id": "share", "Expression": "IF(total >= 20, bad / total, 0)"},
                {"Id": "total", "Expression": "FILL(bad, 0) + FILL(good, 0)", "ReturnData": "false"},
                metric("bad"),
                metric("good"),
            ],
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0.1,
            "AlarmActions": ["arn:topic"],
        },
    )
    assert [query.metric for query in watched.queries] == ["bad", "good"]
    assert watched.actions == ("arn:topic",)
    assert evaluate(watched, {"bad": {NOW_S - 60: 2.1}, "good": {NOW_S - 60: 17.9}}, NOW_S).state == "ALARM"
    assert evaluate(watched, {"bad": {NOW_S - 60: 2.0}, "good": {NOW_S - 60: 18.0}}, NOW_S).state == "OK"
    assert evaluate(watched, {}, NOW_S).value == 0


def test_metric_math_that_we_do_not_know_is_no_state() -> None:
    watched = alarm(Metrics=[metric("m"), {"Id": "e", "Expression": "ANOMALY_DETECTION_BAND(m)"}])
    with pytest.raises(BadExpression):
        evaluate(watched, {}, NOW_S)


# --------------------------------------------------------------- composites


def composite(name: str, rule: str, **properties: Any) -> Composite:
    return Composite.read(name, {"AlarmName": name, "AlarmRule": rule} | properties)


STATES: dict[str, State] = {"a": "ALARM", "b": "OK", "c": "INSUFFICIENT_DATA", "my stack-d": "ALARM"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ("ALARM(a)", True),
        ('ALARM("b")', False),
        ('ALARM("my stack-d")', True),
        ('ALARM("arn:aws:cloudwatch:eu-west-1:111122223333:alarm:a")', True),
        ("OK(b) AND INSUFFICIENT_DATA(c)", True),
        ("ALARM(b) OR ALARM(a) AND ALARM(c)", False),
        ("(ALARM(b) OR ALARM(a)) AND NOT ALARM(c)", True),
        ("NOT (ALARM(a) OR ALARM(b))", False),
        ("NOT ALARM(b) AND ALARM(a)", True),
        ("ALARM(unknown) OR INSUFFICIENT_DATA(unknown)", True),
        ("TRUE AND NOT FALSE", True),
    ],
)
def test_rules(rule: str, holds: bool) -> None:
    read, _ = parse_rule(rule)
    assert read(STATES) is holds


@pytest.mark.parametrize(
    "rule", ["", "a", "ALARM()", "ALARM(a", "ALARM(a) ALARM(b)", "ALARM(a) AND", "(ALARM(a)", "NOT", "ALARM(a))"]
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(BadRule):
        parse_rule(rule)


def test_composites_of_composites() -> None:
    group = composite("group", "ALARM(slo) OR ALARM(other)")
    slo = composite("slo", 'ALARM("a") AND NOT ALARM("b")')
    other = composite("other", "ALARM(b)")
    assert evaluate_composites([group, slo, other], STATES) == {"group": "ALARM", "slo": "ALARM", "other": "OK"}
    assert group.children == {"slo", "other"}


HELD_BACK = composite(
    "uploads",
    "ALARM(a)",
    ActionsSuppressor="viewers",
    ActionsSuppressorWaitPeriod=120,
    ActionsSuppressorExtensionPeriod=180,
)


@pytest.mark.parametrize(
    ("suppressor", "since_s", "now_s", "done"),
    [
        ("OK", 0, 1119, False),  # waits whether the suppressor follows
        ("OK", 0, 1120, True),
        ("ALARM", 900, 5000, False),
        ("ALARM", 1100, 5000, False),
        ("ALARM", 1120, 5000, False),
        ("ALARM", 1121, 1500, True),  # it had acted already
        ("OK", 2000, 2179, False),  # it was in alarm until 2000
        ("OK", 2000, 2180, True),
    ],
)
def test_a_suppressor_holds_actions_back(suppressor: State, since_s: float, now_s: float, done: bool) -> None:
    own = StateSince("ALARM", 1000)
    assert has_acted(HELD_BACK, own, StateSince(suppressor, since_s), now_s) is done
    assert not has_acted(HELD_BACK, StateSince("OK", 1000), StateSince(suppressor, since_s), now_s)


@given(st.floats(0, 1e6))
def test_without_a_suppressor_an_alarm_acts_at_once(now_s: float) -> None:
    assert has_acted(composite("viewers", "ALARM(a)"), StateSince("ALARM", now_s), None, now_s)
