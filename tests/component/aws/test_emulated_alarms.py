"""Alarms over metric math and composite alarms in MiniStack, by the API and by templates."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import pytest
from botocore.exceptions import ClientError

from tests.waiting import wait_until

type Node = dict[str, Any]


def retrieved(name: str, period_s: Any = 60) -> Node:
    """A query of one metric that does not return data to the alarm."""
    metric = {"Namespace": "N", "MetricName": name, "Dimensions": [{"Name": "d", "Value": "v"}]}
    return {"Id": name, "MetricStat": {"Metric": metric, "Period": period_s, "Stat": "Sum"}, "ReturnData": False}


SHARE = {"Id": "share", "Expression": "IF(total >= 1e1, bad / FILL(total, 0), 0)", "ReturnData": True}
ALARM = {
    "Metrics": [retrieved("bad"), retrieved("total"), SHARE],
    "EvaluationPeriods": 2,
    "Threshold": 0.5,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}


@pytest.fixture
def cloudwatch(aws: Callable[[str], Any]) -> Any:
    return aws("cloudwatch")


@pytest.fixture
def name(cloudwatch: Any) -> Iterator[str]:
    made = f"math-{uuid4().hex[:8]}"
    yield made
    cloudwatch.delete_alarms(AlarmNames=[made])


def described(cloudwatch: Any, name: str) -> Node:
    [found] = cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return dict(found)


def test_an_alarm_over_metric_math_is_described_as_it_was_put(cloudwatch: Any, name: str) -> None:
    cloudwatch.put_metric_alarm(AlarmName=name, **ALARM)
    found = described(cloudwatch, name)
    assert {key: found[key] for key in ALARM} == ALARM
    assert found["StateValue"] == "INSUFFICIENT_DATA"
    assert not {"MetricName", "Namespace", "Period", "Statistic", "Dimensions"} & set(found)

    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    cloudwatch.put_metric_alarm(AlarmName=name, **ALARM | {"Threshold": 0.7})
    found = described(cloudwatch, name)
    assert (found["Threshold"], found["StateValue"]) == (0.7, "ALARM")  # an update keeps the state


def test_an_alarm_over_one_metric_is_put_as_before(cloudwatch: Any, name: str) -> None:
    one = {"Namespace": "N", "MetricName": "bad", "Statistic": "Sum", "Period": 60}
    cloudwatch.put_metric_alarm(AlarmName=name, **{k: v for k, v in ALARM.items() if k != "Metrics"} | one)
    found = described(cloudwatch, name)
    assert {key: found[key] for key in one} == one
    assert "Metrics" not in found


REFUSED = {
    "two results": ([SHARE, SHARE | {"Id": "again"}, *ALARM["Metrics"][:2]], "ReturnData"),  # type: ignore[index]
    "no result": ([retrieved("bad")], "ReturnData"),
    "an upper-case id": ([SHARE | {"Id": "Share"}], "lower-case"),
    "an id twice": ([retrieved("bad"), retrieved("bad"), retrieved("total"), SHARE], "unique"),
    "an unknown id": ([retrieved("bad"), SHARE], "total"),
    "an expression of itself": ([{"Id": "share", "Expression": "share + 1"}], "refers to share"),
    "nothing to do": ([{"Id": "share"}], "exactly one of Expression and MetricStat"),
    "both": ([retrieved("bad") | {"Expression": "1"}], "exactly one of Expression and MetricStat"),
    "a period of 45 s": ([retrieved("bad", 45) | {"ReturnData": True}], "period of 45"),
    "eleven metrics": ([retrieved(f"m{n}") for n in range(11)] + [{"Id": "e", "Expression": "m1"}], "more than 10"),
}


@pytest.mark.parametrize(("metrics", "why"), REFUSED.values(), ids=REFUSED)
def test_panels_that_cloudwatch_refuses_are_refused(cloudwatch: Any, metrics: list[Node], why: str) -> None:
    with pytest.raises(ClientError, match=why):
        cloudwatch.put_metric_alarm(AlarmName="refused", **ALARM | {"Metrics": metrics})
    assert cloudwatch.describe_alarms(AlarmNames=["refused"])["MetricAlarms"] == []


@pytest.mark.parametrize(
    "one",
    [
        {"Namespace": "N"},
        {"MetricName": "bad"},
        {"Period": 60},
        {"Statistic": "Sum"},
        {"ExtendedStatistic": "p99"},
        {"Dimensions": [{"Name": "d", "Value": "v"}]},
    ],
    ids=lambda one: next(iter(one)),
)
def test_metric_math_and_one_metric_exclude_each_other(cloudwatch: Any, one: Node) -> None:
    with pytest.raises(ClientError, match=f"excludes {next(iter(one))}"):
        cloudwatch.put_metric_alarm(AlarmName="refused", **ALARM | one)


def template(threshold: float, *, metrics: Any = None, rule: str = "ALARM(${Part})") -> Node:
    """A composite alarm of an alarm over metric math, with numbers and booleans as text, as templates may have them."""
    math = [retrieved("bad", "300"), SHARE | {"Expression": "bad / 2", "ReturnData": "true"}]
    part = ALARM | {
        "Metrics": metrics or math,
        "Threshold": threshold,
        "AlarmName": {"Fn::Sub": "${AWS::StackName}-part"},
    }
    whole = {"AlarmName": {"Fn::Sub": "${AWS::StackName}-whole"}, "AlarmRule": {"Fn::Sub": rule}}
    return {
        "Resources": {
            "Part": {"Type": "AWS::CloudWatch::Alarm", "Properties": part},
            "Whole": {
                "Type": "AWS::CloudWatch::CompositeAlarm",
                "Properties": whole | {"Tags": [{"Key": "k", "Value": "v"}]},
            },
        },
        "Outputs": {"Whole": {"Value": {"Ref": "Whole"}}, "Arn": {"Value": {"Fn::GetAtt": ["Whole", "Arn"]}}},
    }


def test_templates_create_update_and_delete_them(aws: Callable[[str], Any], cloudwatch: Any) -> None:
    cloudformation, stack = aws("cloudformation"), f"alarms-{uuid4().hex[:8]}"

    def status() -> str:
        found = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        return str(found["StackStatus"])

    def deploy(action: str, body: Node) -> str:
        getattr(cloudformation, action)(StackName=stack, TemplateBody=json.dumps(body))
        wait_until(lambda: "IN_PROGRESS" not in status(), "the deployment goes on")
        return status()

    def alarms() -> Node:
        found = cloudwatch.describe_alarms(AlarmNamePrefix=stack, AlarmTypes=["MetricAlarm", "CompositeAlarm"])
        return {
            one["AlarmName"].removeprefix(f"{stack}-"): one for k in found if k.endswith("Alarms") for one in found[k]
        }

    assert deploy("create_stack", template(1)) == "CREATE_COMPLETE"
    outputs = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["Outputs"]
    assert {one["OutputKey"]: one["OutputValue"] for one in outputs}["Whole"] == f"{stack}-whole"
    found = alarms()
    assert [query.get("ReturnData") for query in found["part"]["Metrics"]] == [False, True]
    assert found["part"]["Metrics"][0]["MetricStat"]["Period"] == 300
    assert found["whole"]["AlarmRule"] == f"ALARM({stack}-part)"
    tags = cloudwatch.list_tags_for_resource(ResourceARN=found["whole"]["AlarmArn"])["Tags"]
    assert {"Key": "k", "Value": "v"} in tags

    assert deploy("update_stack", template(2, rule="NOT ALARM(${Part})")) == "UPDATE_COMPLETE"
    found = alarms()
    assert (found["part"]["Threshold"], found["whole"]["AlarmRule"]) == (2.0, f"NOT ALARM({stack}-part)")

    wrong = template(3, metrics=[retrieved("bad")])
    assert deploy("update_stack", wrong) == "UPDATE_ROLLBACK_COMPLETE"
    assert alarms()["part"]["Threshold"] == 2.0

    cloudformation.delete_stack(StackName=stack)
    wait_until(lambda: not alarms(), "the stack's alarms are there")
