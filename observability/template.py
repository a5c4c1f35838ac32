"""The alarms and dashboards as resources of template.yaml: its text between two marks is written from the tables.

Written as text, since the template is read by people, and a YAML library would not keep its short forms.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from .alarm import Action, CompositeAlarm, MetricAlarm, logical_id
from .alarms import ALARMS, COMPOSITES
from .measures import NAMESPACE, Metric
from .panels import DASHBOARDS
from .widgets import BODY_VARIABLES, body

BEGIN = "  # ---- written by `make alarms` from observability/"
END = "  # ---- end of what `make alarms` writes"

WAIT_S, EXTENSION_S = 120, 180
"""How long an alarm waits for the one that suppresses it, and goes on waiting when that one is over."""

_OPERATORS = {"over": "GreaterThanThreshold", "under": "LessThanThreshold"}
_TOPICS: Mapping[Action, str] = {"page": "PageTopic", "ticket": "TicketTopic"}

ENDPOINT = "!If [NamesEndpoint, !Ref EndpointName, !If [MakesEndpoint, !GetAtt Endpoint.EndpointName, none]]"

TAGS = '    Tags: [{ Key: darkroom, Value: !Ref "AWS::StackName" }]'
"""What costs are told apart by."""


class NoPlace(ValueError):
    """The template has not the two marks, once each."""


def written(template: str) -> str:
    """The template with the text between the marks as the tables have it now. NoPlace if the marks are not there."""
    if template.count(BEGIN) != 1 or template.count(END) != 1:
        raise NoPlace(f"template.yaml needs the lines {BEGIN.strip()!r} and {END.strip()!r}")
    before, rest = template.split(BEGIN)
    _, after = rest.split(END)
    return before + BEGIN + "\n\n" + resources() + END + after


def resources() -> str:
    """All resources, indented as they stand in the template."""
    blocks = [_metric_alarm(alarm) for alarm in ALARMS]
    blocks += [_composite(alarm) for alarm in COMPOSITES]
    blocks += [_dashboard(dashboard.name, body(dashboard)) for dashboard in DASHBOARDS]
    return "".join(f"{_indented(block, 2)}\n" for block in blocks)


def _indented(lines: Iterable[str], by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" if line else "\n" for line in lines)


def yaml_value(text: str) -> str:
    """A text with tokens as YAML that stands in flow style."""
    if text == "{endpoint}":
        return ENDPOINT
    if match := re.fullmatch(r"\{(\w+Function)\}", text):
        return f"!Ref {match[1]}"
    filled = text.replace(NAMESPACE, "Darkroom/${AWS::StackName}").replace("{stack}", "${AWS::StackName}")
    return f'!Sub "{filled}"' if filled != text else text


# ------------------------------------------------------------------- alarms


def _metric_alarm(alarm: MetricAlarm) -> Iterator[str]:
    yield f"{alarm.logical_id}:"
    yield "  Type: AWS::CloudWatch::Alarm"
    yield f"  Condition: {alarm.condition}"
    yield "  Properties:"
    yield from _named(alarm)
    yield from _indented(_watched(alarm), 4).splitlines()
    yield f"    ComparisonOperator: {_OPERATORS[alarm.comparison]}"
    yield f"    Threshold: {alarm.threshold}"
    yield f"    EvaluationPeriods: {alarm.periods}"
    yield f"    DatapointsToAlarm: {alarm.datapoints or alarm.periods}"
    yield f"    TreatMissingData: {alarm.missing}"
    yield from _told(alarm.action)


def _named(alarm: MetricAlarm | CompositeAlarm) -> Iterator[str]:
    yield f"    AlarmName: !Sub ${{AWS::StackName}}-{alarm.name}"
    yield "    AlarmDescription: !Sub >-"
    yield f"      {alarm.meaning}. Runbook: ${{RunbookUrl}}/{alarm.runbook}.md"


def _told(action: Action) -> Iterator[str]:
    if action:
        yield f"    AlarmActions: [!Ref {_TOPICS[action]}]"
    yield TAGS


def _watched(alarm: MetricAlarm) -> Iterator[str]:
    if not alarm.formulas:
        [metric] = alarm.metrics
        yield f"Namespace: {yaml_value(metric.namespace)}"
        yield f"MetricName: {metric.metric}"
        yield f"Dimensions: {_dimensions(metric)}"
        yield f"Statistic: {metric.stat}"
        yield f"Period: {alarm.period_s}"
        return
    yield "Metrics:"
    for formula in reversed(alarm.formulas):
        yield f'  - {{ Id: {formula.id}, Expression: "{formula.expression}", ReturnData: {_bool(formula.shown)} }}'
    for metric in alarm.metrics:
        yield f"  - Id: {metric.id}"
        yield "    ReturnData: false"
        yield "    MetricStat:"
        yield f"      Metric: {_metric(metric)}"
        yield f"      Period: {alarm.period_s}"
        yield f"      Stat: {metric.stat}"


def _metric(metric: Metric) -> str:
    namespace = yaml_value(metric.namespace)
    return f"{{ Namespace: {namespace}, MetricName: {metric.metric}, Dimensions: {_dimensions(metric)} }}"


def _dimensions(metric: Metric) -> str:
    named = (f"{{ Name: {name}, Value: {yaml_value(value)} }}" for name, value in metric.dimensions.items())
    return f"[{', '.join(named)}]"


def _bool(value: bool) -> str:
    return str(value).lower()


def _composite(alarm: CompositeAlarm) -> Iterator[str]:
    yield f"{alarm.logical_id}:"
    yield "  Type: AWS::CloudWatch::CompositeAlarm"
    yield f"  Condition: {alarm.condition}"
    yield "  Properties:"
    yield from _named(alarm)
    yield "    AlarmRule: !Sub >-"
    alternatives = [" AND ".join(f'ALARM("${{{logical_id(name)}}}")' for name in all_) for all_ in alarm.any_of_all]
    for number, alternative in enumerate(alternatives):
        wanted = f"({alternative})" if " AND " in alternative else alternative
        yield f"      {'OR ' if number else ''}{wanted}"
    if alarm.suppressor:
        yield f"    ActionsSuppressor: !Ref {logical_id(alarm.suppressor)}"
        yield f"    ActionsSuppressorWaitPeriod: {WAIT_S}"
        yield f"    ActionsSuppressorExtensionPeriod: {EXTENSION_S}"
    yield from _told(alarm.action)


# --------------------------------------------------------------- dashboards


def _dashboard(name: str, widgets: list[dict[str, object]]) -> Iterator[str]:
    yield f"{''.join(word.capitalize() for word in name.split('-'))}Dashboard:"
    yield "  Type: AWS::CloudWatch::Dashboard"
    yield "  Condition: HasAlarms"
    yield "  Properties:"
    yield f"    DashboardName: !Sub ${{AWS::StackName}}-{name}"
    yield "    DashboardBody: !Sub"
    yield "      - |-"
    text = '{ "widgets": [\n' + ",\n".join(_json(widget) for widget in widgets) + "\n] }"
    yield from (f"        {line}" for line in text.splitlines())
    used = [(variable, value) for variable, value in BODY_VARIABLES.items() if f"${{{variable}}}" in text]
    for number, (variable, value) in enumerate(used):
        yield f"      {'  ' if number else '- '}{variable}: {value}"
    if not used:
        yield "      - {}"
    yield TAGS


def _json(widget: dict[str, object]) -> str:
    """A widget on a line, but each of its metrics on one of its own."""
    properties = dict(widget["properties"])  # type: ignore[call-overload]
    metrics = properties.pop("metrics", None)
    text = json.dumps({**widget, "properties": properties})
    if metrics is None:
        return text
    lines = ",\n    ".join(json.dumps(metric) for metric in metrics)
    return f'{text[:-2]}, "metrics": [\n    {lines}] }} }}'
