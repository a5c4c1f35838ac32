"""CloudFormation support for metric math alarms, composite alarms and CloudFront's additional metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

COMPOSITE, SUBSCRIPTION = "AWS::CloudWatch::CompositeAlarm", "AWS::CloudFront::MonitoringSubscription"

MAX_METRICS, MAX_EXPRESSIONS = 10, 10
"""Maximum metrics and expressions of an alarm (CloudWatch API reference, "MetricDataQuery")."""

SINGLE_METRIC_PARAMETERS = (
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
    """Return the reason why CloudWatch rejects the parameters of a metric math alarm, "" if they are valid.

    Rules: CloudWatch API reference, "PutMetricAlarm", "MetricDataQuery" and "MetricStat".
    """
    return next(_find_errors(alarm), "")


def _find_errors(alarm: Mapping[str, Any]) -> Iterator[str]:
    if given := [name for name in SINGLE_METRIC_PARAMETERS if alarm.get(name) not in (None, "", [])]:
        yield f"Metrics excludes {', '.join(given)}"
    queries: Sequence[Mapping[str, Any]] = alarm["Metrics"]
    identifiers = [str(query.get("Id", "")) for query in queries]
    for one in identifiers:
        if not _IDENTIFIER.fullmatch(one):
            yield f"Id {one!r} must start with a lower-case letter and contain letters, digits and underscores"
    if len(set(identifiers)) < len(identifiers):
        yield f"Ids are not unique: {', '.join(identifiers)}"
    yield from filter(None, (_find_query_error(query, set(identifiers)) for query in queries))
    retrieved = sum(1 for query in queries if query.get("MetricStat"))
    if retrieved > MAX_METRICS or len(queries) - retrieved > MAX_EXPRESSIONS:
        yield f"Metrics has more than {MAX_METRICS} metrics or {MAX_EXPRESSIONS} expressions"
    if (returned := sum(1 for query in queries if _is_true(query.get("ReturnData", True)))) != 1:
        yield f"ReturnData must be true for exactly one query, not for {returned}"


def _find_query_error(query: Mapping[str, Any], known: set[str]) -> str:
    name, expression = query["Id"], query.get("Expression")
    stat: Mapping[str, Any] = query.get("MetricStat") or {}
    if bool(expression) == bool(stat):
        return f"{name}: exactly one of Expression and MetricStat is required"
    if expression:
        is_insights = str(expression).lstrip().upper().startswith("SELECT ")
        used = set() if is_insights else set(_NAME.findall(_TEXT.sub("", str(expression))))
        unknown = sorted(used - (known - {name}))
        return f"{name}: the expression refers to {', '.join(unknown)}, missing in Metrics" if unknown else ""
    if missing := [part for part in ("Metric", "Period", "Stat") if not stat.get(part)]:
        return f"{name}: MetricStat has no {', '.join(missing)}"
    if not stat["Metric"].get("MetricName"):
        return f"{name}: Metric has no MetricName"
    period_s = int(stat["Period"])
    if period_s not in _SHORT_PERIODS_S and (period_s <= 0 or period_s % _PERIOD_UNIT_S):
        return f"{name}: a period of {period_s} s is not 1, 5, 10, 20, 30 or a multiple of {_PERIOD_UNIT_S}"
    return ""


def _is_true(value: Any) -> bool:
    """Return a boolean, which templates may contain as text."""
    return str(value).lower() == "true"


def create_as_cloudwatch_does(cloudwatch: Any, cloudfront: Any, provisioners: Any) -> None:
    """Add missing features to CloudWatch and CloudFormation of MiniStack 1.5.33.

    - Metric math alarms, by PutMetricAlarm and by templates. They can be created, described, updated and deleted. They
      are not evaluated: their state is INSUFFICIENT_DATA until SetAlarmState.
    - AWS::CloudWatch::CompositeAlarm and AWS::CloudFront::MonitoringSubscription in templates.
    """
    _put_metric_math(cloudwatch)
    _record_metric_math(provisioners)
    provisioners._RESOURCE_HANDLERS[COMPOSITE] = _composites(cloudwatch, provisioners)
    provisioners._STACK_TAG_PROPERTY[COMPOSITE] = ("Tags", "list")
    provisioners._RESOURCE_HANDLERS[SUBSCRIPTION] = _subscriptions(cloudfront)


def _set_metrics(alarm: dict[str, Any], metrics: Sequence[Mapping[str, Any]]) -> None:
    """Replace the single metric of a stored alarm by ``metrics``."""
    for name in SINGLE_METRIC_PARAMETERS:
        alarm.pop(name, None)
    alarm["Metrics"] = [_convert_types(query) for query in metrics]


def _convert_types(query: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a query to the types of the API: templates may contain numbers and booleans as text."""
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
        if error := find_error(document):
            return refuse(error)
        answer = own(params, document, is_cbor, is_json)
        if answer[0] == 200:
            _set_metrics(cloudwatch._alarms[document["AlarmName"]], metrics)
        return answer

    cloudwatch._put_metric_alarm = put


def _record_metric_math(provisioners: Any) -> None:
    own = provisioners._cw_metric_alarm_record

    def record(name: str, properties: dict[str, Any]) -> Any:
        metrics = properties.get("Metrics")
        if not metrics:
            return own(name, properties)
        if error := find_error(properties):
            raise ValueError(error)
        # MiniStack requires a metric; it is removed again below.
        alarm = own(name, {**properties, "Metrics": None, "MetricName": "-", "Namespace": "-"})
        _set_metrics(alarm, metrics)
        return alarm

    provisioners._cw_metric_alarm_record = record


def _composites(cloudwatch: Any, provisioners: Any) -> dict[str, Any]:
    """Return handlers of composite alarms. Ref is the alarm's name."""

    def check(answer: Any) -> None:
        status, _, body = answer
        if status != 200:
            raise ValueError(json.loads(body)["message"])

    def create(logical_id: str, properties: dict[str, Any], stack: str) -> tuple[str, dict[str, str]]:
        name = properties.get("AlarmName") or provisioners._physical_name(stack, logical_id, max_len=255)
        enabled = _is_true(properties.get("ActionsEnabled", True))
        request = {**properties, "AlarmName": name, "ActionsEnabled": enabled}
        tags = request.pop("Tags", [])
        check(cloudwatch._put_composite_alarm({}, request, False, True))
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
        check(cloudwatch._delete_alarms({}, {"AlarmNames": [physical_id]}, False, True))

    return {"create": create, "update": update, "update_with_logical_id": True, "delete": delete}


def _subscriptions(cloudfront: Any) -> dict[str, Callable[..., Any]]:
    """Return handlers of a distribution's additional metrics. Ref is the distribution's id."""

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
