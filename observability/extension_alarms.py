"""Alarms of the stacks of extensions: the parts of ``extensions/*/stack.yaml`` that ``make alarms`` writes.

They notify the ticket topic of the main stack. A stack's own templates have the alarms on dead letters, beside their
queues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from darkroom_pipeline.operations.cost_model import load_prices
from extensions import Extension, list_extensions

from .alarm import HOUR_S, MetricAlarm
from .marked_parts import insert_between
from .measures import Formula, Metric, add_up, lambda_metric, own_metric
from .template import metric_properties, operator

BEGIN, END = (
    "  # ---------------------------------------------------------------- alarms, by `make alarms`",
    "  # end of the alarms",
)
PAGE_BEGIN, PAGE_END = (
    "<!-- extensions, written by `make alarms`, do not edit -->",
    "<!-- end of the extensions -->",
)

MIN_FAULTS = 3
"""Faults in an hour that are a ticket, if they are more than MAX_SHARE: few events that all fail are, too."""

MAX_SHARE = 0.1

TOPIC = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${StackName}-tickets"


def stack_alarms(stack: Extension) -> Iterator[MetricAlarm]:
    """Yield the alarms of a stack: on faults, and on old messages."""
    yield _faults_alarm(stack)
    for queue in stack.queues:
        yield MetricAlarm(
            name=f"{queue.logical_id.removesuffix('Queue').lower()}-age",
            description=queue.meaning,
            runbook=stack.name,
            metrics=(
                Metric(
                    "value",
                    "",
                    "ApproximateAgeOfOldestMessage",
                    {"QueueName": f"{{{queue.logical_id}.QueueName}}"},
                    stat="Maximum",
                    namespace="AWS/SQS",
                ),
            ),
            threshold=queue.age_s,
            period_s=60,
            periods=3,
        )


def _faults_alarm(stack: Extension) -> MetricAlarm:
    metrics: list[Metric] = []
    for one in stack.functions:
        name = one.logical_id.removesuffix("Function").lower()
        if one.service:
            metrics.append(own_metric(f"faults_{name}", one.service, "Faults"))
        metrics += [
            lambda_metric(f"{metric.lower()}_{name}", one.logical_id, metric) for metric in ("Errors", "Invocations")
        ]
    bad = add_up(one for one in metrics if one.metric != "Invocations")
    total = add_up(one for one in metrics if one.metric == "Invocations")
    return MetricAlarm(
        name="faults",
        description=f"{stack.work} failed {MIN_FAULTS} times in an hour or more often, and more than a tenth of all",
        runbook=stack.name,
        metrics=tuple(metrics),
        formulas=(
            Formula("bad", "", bad, shown=False),
            Formula("total", "", total, shown=False),
            Formula("failing", "failing", f"IF(bad >= {MIN_FAULTS} AND bad > {MAX_SHARE:g} * total, 1, 0)"),
        ),
        threshold=0,
        period_s=HOUR_S,
    )


def insert_alarms(text: str, stack: Extension) -> str:
    """Return the template ``text`` of ``stack`` with the alarms between the marks replaced. ValueError without them."""
    prefix = "".join(word.capitalize() for word in stack.name.split("_"))
    blocks = "\n".join("\n".join(_resource(prefix, alarm, stack)) for alarm in stack_alarms(stack))
    return insert_between(text, BEGIN, END, blocks)


def _resource(prefix: str, alarm: MetricAlarm, stack: Extension) -> Iterator[str]:
    yield f"  {prefix}{alarm.logical_id}:"
    yield "    Type: AWS::CloudWatch::Alarm"
    yield "    Properties:"
    yield f"      AlarmName: !Sub ${{AWS::StackName}}-{alarm.name}"
    yield f"      AlarmDescription: {alarm.description}. See {stack.guide}."
    yield from (f"      {line}" for line in metric_properties(alarm))
    yield f"      ComparisonOperator: {operator(alarm)}"
    yield f"      Threshold: {alarm.threshold}"
    yield f"      EvaluationPeriods: {alarm.periods}"
    yield f"      TreatMissingData: {alarm.missing}"
    yield f'      AlarmActions: [!Sub "{TOPIC}"]'
    yield "      Tags: [{ Key: darkroom, Value: !Ref StackName }]"
    yield ""


def cost_table() -> str:
    """Return the alarms of each extension's template, and what they cost a month, as Markdown."""
    lines = ["| stack | alarms | metrics in them | USD a month |", "| --- | --- | ---: | ---: |"]
    price = load_prices().prices["alarm-metric-months"].usd_per_unit
    for extension in list_extensions():
        found = dict(_alarms_of(extension.template.read_text(encoding="utf-8")))
        metrics = sum(found.values())
        lines.append(f"| {extension.title} | {', '.join(found)} | {metrics} | {metrics * price:.2f} |")
    return "\n".join(lines)


def _alarms_of(text: str) -> Iterator[tuple[str, int]]:
    """Yield the name and the number of metrics of each alarm of a template."""
    resources: Mapping[str, Mapping[str, object]] = yaml_parse(text)["Resources"]
    for one in resources.values():
        properties = one.get("Properties")
        if one["Type"] == "AWS::CloudWatch::Alarm" and isinstance(properties, Mapping):
            name = str(properties["AlarmName"]["Fn::Sub"]).partition("-")[2]
            yield name, sum("MetricStat" in entry for entry in properties.get("Metrics", ())) or 1


def insert_page(page: str) -> str:
    """Return ``page`` with the table between the marks replaced. ValueError unless each mark is there once."""
    return insert_between(page, PAGE_BEGIN, PAGE_END, cost_table() + "\n")
