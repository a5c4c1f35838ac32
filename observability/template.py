"""Write the nested stack of alarms and dashboards, ``stacks/alarms.yaml``, from the tables.

It is written as text with CloudFormation's short forms, which a YAML library would not keep, so that a change of a
table is a readable diff.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping

from .alarm import NOTICED, RUNBOOK, Action, CompositeAlarm, MetricAlarm, logical_id
from .alarms import ALARMS, COMPOSITES, ESSENTIAL, EVERY
from .boards.on_call import ON_CALL
from .burn_rate import RELEASED, release_alarms
from .dashboards import DASHBOARDS
from .measures import NAMESPACE, Metric, tokens_of
from .widgets import BODY_VARIABLES, body

HEADING = "# Written by `make alarms` from observability/. Do not edit."

PARAMETERS = {
    "StackName": "Name of the root stack, which begins the names of alarms and dashboards.",
    "Alarms": "essential or all; template.yaml says what each has.",
    "PageTopic": "ARN of the topic for pages.",
    "TicketTopic": "ARN of the topic for tickets.",
    "ModelEmail": "E-mail address for alarms about models; empty is none.",
    "RunbookUrl": "Address of the runbooks, without the last slash.",
    "InferenceMode": "As in template.yaml.",
    "Refine": "As in template.yaml.",
    "UrgentUploads": "As in template.yaml.",
    "MaxCostPerPicture": "As in template.yaml.",
    "EndpointName": "Name of the SageMaker endpoint; none where there is none.",
    "IngestConcurrency": "Uploads that are processed at the same time.",
    "InferConcurrency": "Messages of the infer queue that are processed at the same time.",
    "InferPriorityConcurrency": "Messages of the infer-priority queue that are processed at the same time.",
}
"""Parameters of the nested stack, beside one with the name of each function."""

CONDITIONS = {
    "HasAnalysis": '!Not [!Equals [!Ref InferenceMode, "off"]]',
    "HasEndpoint": "!Equals [!Ref InferenceMode, endpoint]",
    "HasRefine": '!Equals [!Ref Refine, "on"]',
    "HasUrgent": '!Equals [!Ref UrgentUploads, "on"]',
    "HasPopular": "!Not [!Equals [!Ref PopularFunction, none]]",
    "HasSimilar": "!Not [!Equals [!Ref SimilarFunction, none]]",
    "HasCostLimit": '!Not [!Equals [!Ref MaxCostPerPicture, "0"]]',
}
"""Conditions of alarms."""

HAS_ALL = "HasAll"
"""The condition of resources that ``Alarms=essential`` lacks."""

WAIT_S, EXTENSION_S = 120, 180
"""Wait and extension periods of suppressed alarms."""

_OPERATORS = {"over": "GreaterThanThreshold", "under": "LessThanThreshold"}
_TOPICS: Mapping[Action, str] = {"page": "PageTopic", "ticket": "TicketTopic", "model": "ModelTopic"}

MODEL_TOPIC = """\
  ModelTopic:
    Type: AWS::SNS::Topic
    Condition: HasAnalysis
    Properties:
      TopicName: !Sub ${StackName}-models
      DisplayName: !Sub Darkroom (${StackName}) models
      Tags: [{ Key: darkroom, Value: !Ref StackName }]

  ModelSubscription:
    Type: AWS::SNS::Subscription
    Condition: HasModelEmail
    Properties: { TopicArn: !Ref ModelTopic, Protocol: email, Endpoint: !Ref ModelEmail }

  ModelTopicPolicy:
    Type: AWS::SNS::TopicPolicy
    Condition: HasAnalysis
    Properties:
      Topics: [!Ref ModelTopic]
      PolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Sid: AlarmsTell
            Effect: Allow
            Principal: { Service: cloudwatch.amazonaws.com }
            Action: sns:Publish
            Resource: !Ref ModelTopic
            Condition: { StringEquals: { aws:SourceAccount: !Ref "AWS::AccountId" } }

"""
"""The topic of alarms about models, which other people own than the rest of the deployment."""

TAGS = "    Tags: [{ Key: darkroom, Value: !Ref StackName }]"
"""Cost allocation tag."""


def template() -> str:
    """Return the text of the nested template."""
    lines = [
        HEADING,
        'AWSTemplateFormatVersion: "2010-09-09"',
        "Description: Alarms and dashboards of Darkroom, a part of template.yaml.",
        "",
        "Parameters:",
        *(line for name, text in {**PARAMETERS, **_functions()}.items() for line in _parameter(name, text)),
        "",
        "Conditions:",
        *(f"  {name}: {rule}" for name, rule in CONDITIONS.items()),
        f"  {HAS_ALL}: !Equals [!Ref Alarms, all]",
        '  HasModelEmail: !And [!Condition HasAnalysis, !Not [!Equals [!Ref ModelEmail, ""]]]',
        *(
            f"  {both}: !And [!Condition {HAS_ALL}, !Condition {name}]"
            for name in CONDITIONS
            if (both := _all_and(name)) in {_condition(one) for one in EVERY}
        ),
        "",
        "Resources:",
    ]
    released = dict.fromkeys(name for function in RELEASED for name in release_alarms(function))
    outputs = ["Outputs:", *(line for name in released for line in _output(name))]
    return "\n".join(lines) + "\n" + resources() + "\n".join(outputs) + "\n"


def resources() -> str:
    """Return all resources, indented."""
    blocks = [_metric_alarm(alarm) for alarm in ALARMS]
    blocks += [_composite(alarm) for alarm in COMPOSITES]
    blocks += [_dashboard(board.name, body(board), is_essential=board is ON_CALL) for board in DASHBOARDS]
    return MODEL_TOPIC + "".join(f"{_indented(block, 2)}\n" for block in blocks)


def _functions() -> dict[str, str]:
    """Return a parameter for each function with a metric in an alarm or panel."""
    measures = [metric for alarm in ALARMS for metric in alarm.metrics]
    shown = [measure for board in DASHBOARDS for panel in board.panels for measure in panel.series]
    tokens = {token for measure in (*measures, *shown) for token in tokens_of(measure) if token.endswith("Function")}
    return dict.fromkeys(sorted(tokens), "Name of the function; none where there is none.")


def _parameter(name: str, description: str) -> Iterator[str]:
    yield f"  {name}:"
    yield f"    Description: {description}"
    yield "    Type: String"


def output_name(alarm: str) -> str:
    """Return the output with the name of an alarm that rolls back deployments."""
    return f"{logical_id(alarm)}Name"


def _output(name: str) -> Iterator[str]:
    [alarm] = [one for one in ALARMS if one.name == name]
    yield f"  {output_name(name)}:"
    if condition := _condition(alarm):
        yield f"    Condition: {condition}"
    yield f"    Value: !Ref {alarm.logical_id}"


def _condition(alarm: MetricAlarm | CompositeAlarm) -> str:
    """Return the condition of an alarm, "" for none."""
    return alarm.condition if alarm.name in ESSENTIAL else _all_and(alarm.condition)


def _all_and(condition: str) -> str:
    return HAS_ALL + condition.removeprefix("Has")


def _indented(lines: Iterable[str], by: int) -> str:
    return "".join(f"{' ' * by}{line}\n" if line else "\n" for line in lines)


def yaml_value(text: str) -> str:
    """Return a text with tokens as YAML in flow style."""
    if text == "{endpoint}":
        return "!Ref EndpointName"
    if match := re.fullmatch(r"\{(\w+Function)\}", text):
        return f"!Ref {match[1]}"
    if match := re.fullmatch(r"\{(\w+Queue\.QueueName)\}", text):
        return f"!GetAtt {match[1]}"
    filled = text.replace(NAMESPACE, "Darkroom/${StackName}").replace("{stack}", "${StackName}")
    return f'!Sub "{filled}"' if filled != text else text


# ------------------------------------------------------------------- alarms


def _metric_alarm(alarm: MetricAlarm) -> Iterator[str]:
    yield f"{alarm.logical_id}:"
    yield "  Type: AWS::CloudWatch::Alarm"
    if condition := _condition(alarm):
        yield f"  Condition: {condition}"
    yield "  Properties:"
    yield from _name_properties(alarm)
    yield from _indented(metric_properties(alarm), 4).splitlines()
    yield f"    ComparisonOperator: {operator(alarm)}"
    yield f"    Threshold: {_threshold(alarm.threshold)}"
    yield f"    EvaluationPeriods: {alarm.periods}"
    yield f"    DatapointsToAlarm: {alarm.datapoints or alarm.periods}"
    yield f"    TreatMissingData: {alarm.missing}"
    yield from _actions(alarm.action, "InsufficientDataActions" if alarm.acts_without_data else "AlarmActions")


def operator(alarm: MetricAlarm) -> str:
    """Return CloudWatch's name of an alarm's comparison."""
    return _OPERATORS[alarm.comparison]


def _threshold(value: float | str) -> str:
    return f"!Ref {value.strip('{}')}" if isinstance(value, str) else str(value)


def _name_properties(alarm: MetricAlarm | CompositeAlarm) -> Iterator[str]:
    yield f"    AlarmName: !Sub ${{StackName}}-{alarm.name}"
    yield "    AlarmDescription: !Sub >-"
    noticed = f" {NOTICED}{alarm.noticed}." if alarm.noticed else ""
    yield f"      {alarm.description}.{noticed} {RUNBOOK}{', '.join(_runbooks(alarm))}"


def _runbooks(alarm: MetricAlarm | CompositeAlarm) -> list[str]:
    """Return the address of the runbook, or one for each child: the notification names those that are in alarm."""
    children = alarm.runbooks if isinstance(alarm, CompositeAlarm) else ()
    several = [f"${{RunbookUrl}}/{runbook}.md for {child}" for child, runbook in children]
    return several or [f"${{RunbookUrl}}/{alarm.runbook}.md"]


def _actions(action: Action, kind: str = "AlarmActions") -> Iterator[str]:
    if action:
        yield f"    {kind}: [!Ref {_TOPICS[action]}]"
    yield TAGS


def metric_properties(alarm: MetricAlarm) -> Iterator[str]:
    """Yield the properties of an alarm with its metrics, not indented."""
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
    if condition := _condition(alarm):
        yield f"  Condition: {condition}"
    yield "  Properties:"
    yield from _name_properties(alarm)
    yield "    AlarmRule: !Sub >-"
    yield from (f"      {line}" for line in _rule(alarm.any_of_all))
    if alarm.suppressor:
        yield f"    ActionsSuppressor: !Ref {logical_id(alarm.suppressor)}"
        yield f"    ActionsSuppressorWaitPeriod: {WAIT_S}"
        yield f"    ActionsSuppressorExtensionPeriod: {EXTENSION_S}"
    yield from _actions(alarm.action)


def _rule(alternatives: tuple[tuple[str, ...], ...]) -> Iterator[str]:
    for number, names in enumerate(alternatives):
        wanted = " AND ".join(f'ALARM("${{{logical_id(name)}}}")' for name in names)
        yield f"{'OR ' if number else ''}{f'({wanted})' if len(names) > 1 else wanted}"


# --------------------------------------------------------------- dashboards


def _dashboard(name: str, widgets: list[dict[str, object]], *, is_essential: bool) -> Iterator[str]:
    """Yield a dashboard. Their names are global to an account, so they include the region."""
    yield f"{''.join(word.capitalize() for word in name.split('-'))}Dashboard:"
    yield "  Type: AWS::CloudWatch::Dashboard"
    if not is_essential:
        yield f"  Condition: {HAS_ALL}"
    yield "  Properties:"
    yield f"    DashboardName: !Sub ${{StackName}}-${{AWS::Region}}-{name}"
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
    """Return a widget on one line, and each of its metrics on a line of its own."""
    properties = dict(widget["properties"])  # type: ignore[call-overload]
    metrics = properties.pop("metrics", None)
    text = json.dumps({**widget, "properties": properties})
    if metrics is None:
        return text
    lines = ",\n    ".join(json.dumps(metric) for metric in metrics)
    return f'{text[:-2]}, "metrics": [\n    {lines}] }} }}'
