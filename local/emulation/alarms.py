"""Alarms over metric math, and composite alarms and CloudFront's additional metrics as CloudFormation's resources."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

COMPOSITE, SUBSCRIPTION = "AWS::CloudWatch::CompositeAlarm", "AWS::CloudFront::MonitoringSubscription"

MOST_RETRIEVED, MOST_EXPRESSIONS = 10, 10
"""Metrics and expressions of an alarm (CloudWatch API reference, "MetricDataQuery")."""

OF_ONE_METRIC = (
    "Namespace",
    "MetricName",
    "Dimensions",
    "Period",
    "Unit",
    "Statistic",
    "ExtendedStatistic",
)
"""Parameters that exclude ``Metrics`` (CloudWatch API reference, "PutMetricAlarm")."""

_IDENTIFIER = re.compile(r"[a-z][A-Za-z0-9_]{0,254}")
_TEXT = re.compile(r"'[^']*'|\"[^\"]*\"")
_NAME = re.compile(r"(?<![\w.])[a-z]\w*")  # names of functions and operators are upper-case
_SHORT_PERIODS_S, _PERIOD_UNIT_S = (1, 5, 10, 20, 30), 60


def find_error(alarm: Mapping[str, Any]) -> str:
    """Why CloudWatch refuses these parameters of an alarm over metric math; empty if it does not.

    The rules are those of the CloudWatch API reference, "PutMetricAlarm", "MetricDataQuery" and "MetricStat".
    """
    return next(_complaints(alarm), "")


def _complaints(alarm: Mapping[str, Any]) -> Iterator[str]:
    if given := [name for name in OF_ONE_METRIC if alarm.get(name) not in (None, "", [])]:
        yield f"Metrics cannot be given together with {', '.join(given)}"
    queries: Sequence[Mapping[str, Any]] = alarm["Metrics"]
    identifiers = [str(query.get("Id", "")) for query in queries]
    for one in identifiers:
        if not _IDENTIFIER.fullmatch(one):
            yield f"Id {one!r} is not a lower-case letter and letters, digits and underscores after it"
    if len(set(identifiers)) < len(identifiers):
        yield f"Ids are not unique: {', '.join(identifiers)}"
    yield from filter(None, (_complaint_about_query(query, set(identifiers)) for query in queries))
    retrieved = sum(1 for query in queries if query.get("MetricStat"))
    if retrieved > MOST_RETRIEVED or len(queries) - retrieved > MOST_EXPRESSIONS:
        yield f"Metrics has more than {MOST_RETRIEVED} metrics or {MOST_EXPRESSIONS} expressions"
    if (returned := sum(1 for query in queries if _is_true(query.get("ReturnData", True)))) != 1:
        yield f"ReturnData has to be true once, and is {returned} times"


def _complaint_about_query(query: Mapping[str, Any], known: set[str]) -> str:
    name, expression = query["Id"], query.get("Expression")
    stat: Mapping[str, Any] = query.get("MetricStat") or {}
    if bool(expression) == bool(stat):
        return f"{name}: either Expression or MetricStat is required, and not both"
    if expression:
        is_insights = str(expression).lstrip().upper().startswith("SELECT ")
        used = set() if is_insights else set(_NAME.findall(_TEXT.sub("", str(expression))))
        unknown = sorted(used - (known - {name}))
        return f"{name}: the expression refers to {', '.join(unknown)}, which Metrics has not" if unknown else ""
    if missing := [part for part in ("Metric", "Period", "Stat") if not stat.get(part)]:
        return f"{name}: MetricStat has no {', '.join(missing)}"
    if not stat["Metric"].get("MetricName"):
        return f"{name}: Metric has no MetricName"
    period_s = int(stat["Period"])
    if period_s not in _SHORT_PERIODS_S and (period_s <= 0 or period_s % _PERIOD_UNIT_S):
        return f"{name}: a period of {period_s} s is not 1, 5, 10, 20, 30 or a multiple of {_PERIOD_UNIT_S}"
    return ""


def _is_true(value: Any) -> bool:
    """A boolean, which templates may write as text."""
    return str(value).lower() == "true"


def create_as_cloudwatch_does(cloudwatch: Any, cloudfront: Any, provisioners: Any) -> None:
    """Add to MiniStack 1.5.33 what its CloudWatch and CloudFormation have not.

    - Alarms over metric math, by PutMetricAlarm and by templates. They are created, described, updated and deleted;
      they are not evaluated, and stay in INSUFFICIENT_DATA until SetAlarmState.
    - AWS::CloudWatch::CompositeAlarm and AWS::CloudFront::MonitoringSubscription, whose API it has.
    """
    _put_metric_math(cloudwatch)
    _record_metric_math(provisioners)
    provisioners._RESOURCE_HANDLERS[COMPOSITE] = _composites(cloudwatch, provisioners)
    provisioners._STACK_TAG_PROPERTY[COMPOSITE] = ("Tags", "list")
    provisioners._RESOURCE_HANDLERS[SUBSCRIPTION] = _subscriptions(cloudfront)


def _over_metric_math(alarm: dict[str, Any], metrics: Sequence[Mapping[str, Any]]) -> None:
    """Replace the single metric of a stored alarm."""
    for name in OF_ONE_METRIC:
        alarm.pop(name, None)
    alarm["Metrics"] = [_typed(query) for query in metrics]


def _typed(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query with the types of the API: templates may have numbers and booleans as text."""
    typed = {**query, "ReturnData": _is_true(query.get("ReturnData", True))}
    if stat := query.get("MetricStat"):
        typed["MetricStat"] = {**stat, "Period": int(stat["Period"])}
    if query.get("Period"):
        typed["Period"] = int(query["Period"])
    return typed


def _put_metric_math(cloudwatch: Any) -> None:
    own = cloudwatch._put_metric_alarm

    def put(params: Any, document: Any, is_cbor: bool, is_json: bool = False) -> Any:
        def refuse(why: str) -> Any:
            return cloudwatch._error("ValidationError", why, 400, use_json=is_json, use_cbor=is_cbor)

        if not (is_cbor or is_json):
            if any(name.startswith("Metrics.member.") for name in params):
                return refuse("This emulator reads Metrics from requests in JSON and CBOR only")
            return own(params, document, is_cbor, is_json)
        metrics = document.get("Metrics")
        if not metrics:
            return own(params, document, is_cbor, is_json)
        if complaint := find_error(document):
            return refuse(complaint)
        answer = own(params, document, is_cbor, is_json)
        if answer[0] == 200:
            _over_metric_math(cloudwatch._alarms[document["AlarmName"]], metrics)
        return answer

    cloudwatch._put_metric_alarm = put


def _record_metric_math(provisioners: Any) -> None:
    own = provisioners._cw_metric_alarm_record

    def record(name: str, properties: dict[str, Any]) -> Any:
        metrics = properties.get("Metrics")
        if not metrics:
            return own(name, properties)
        if complaint := find_error(properties):
            raise ValueError(complaint)
        # It requires a metric, which is taken away again.
        alarm = own(name, {**properties, "Metrics": None, "MetricName": "-", "Namespace": "-"})
        _over_metric_math(alarm, metrics)
        return alarm

    provisioners._cw_metric_alarm_record = record


def _composites(cloudwatch: Any, provisioners: Any) -> dict[str, Any]:
    """Handlers of composite alarms. Ref is the alarm's name."""

    def checked(answer: Any) -> None:
        status, _, body = answer
        if status != 200:
            raise ValueError(json.loads(body)["message"])

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        name = properties.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=255)
        enabled = _is_true(properties.get("ActionsEnabled", True))
        request = {**properties, "AlarmName": name, "ActionsEnabled": enabled}
        tags = request.pop("Tags", [])
        checked(cloudwatch._put_composite_alarm({}, request, False, True))
        cloudwatch.cloudformation_set_metric_alarm_tags(name, tags)  # by the ARN, which has the same form
        return name, {"Arn": cloudwatch._composite_alarms[name]["AlarmArn"]}

    def update(physical_id: str, old: Any, new: dict[str, Any], stack: str, logical_id: str) -> Any:
        is_there = physical_id in cloudwatch._composite_alarms
        name = new.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=255)
        replaced = provisioners._rename_replacement(
            physical_id, old, new, stack, logical_id, name, physical_id if is_there else None, create, delete
        )
        return replaced or create(logical_id, {**new, "AlarmName": name}, stack)

    def delete(physical_id: str, _properties: Any) -> None:
        checked(cloudwatch._delete_alarms({}, {"AlarmNames": [physical_id]}, False, True))

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _subscriptions(cloudfront: Any) -> dict[str, Callable[..., Any]]:
    """Handlers of a distribution's additional metrics. Ref is the distribution's id."""

    def create(_logical_id: str, properties: dict[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
        distribution = cloudfront._distributions.get(properties["DistributionId"])
        if not distribution:
            raise ValueError("The specified distribution does not exist.")
        status = properties["MonitoringSubscription"]["RealtimeMetricsSubscriptionConfig"][
            "RealtimeMetricsSubscriptionStatus"
        ]
        if status not in cloudfront._MONITORING_SUB_STATUSES:
            raise ValueError("RealtimeMetricsSubscriptionStatus must be Enabled or Disabled.")
        distribution["MonitoringSubscription"] = {"RealtimeMetricsSubscriptionStatus": status}
        return properties["DistributionId"], {}

    def update(physical_id: str, _old: Any, new: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        created = create("", new, stack)
        if created[0] != physical_id:
            delete(physical_id, {})
        return created

    def delete(physical_id: str, _properties: Any) -> None:
        if distribution := cloudfront._distributions.get(physical_id):
            distribution["MonitoringSubscription"] = None

    return {"create": create, "update": update, "delete": delete}
