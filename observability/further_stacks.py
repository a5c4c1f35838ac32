"""Alarms of the stacks beside the main one: tables, and the parts of ``stacks/*.yaml`` that ``make alarms`` writes.

They notify the ticket topic of the main stack. A stack's own templates have the alarms on dead letters, beside their
queues.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from darkroom.operations.cost_model import load_prices

from .alarm import HOUR_S, MetricAlarm
from .measures import Formula, Metric, own_dimensions
from .template import metric_properties, operator

BEGIN, END = (
    "  # ---------------------------------------------------------------- alarms, by `make alarms`",
    "  # end of the alarms",
)
PAGE_BEGIN, PAGE_END = (
    "<!-- further stacks, written by `make alarms`, do not edit -->",
    "<!-- end of the further stacks -->",
)

MIN_FAULTS = 3
"""Faults in an hour that are a ticket, if they are more than MAX_SHARE: few events that all fail are, too."""

MAX_SHARE = 0.1

TOPIC = "arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:${StackName}-tickets"


@dataclass(frozen=True, slots=True)
class WatchedFunction:
    """A function by its logical id; it counts ``Faults`` as ``service``, "" if it raises them only."""

    logical_id: str
    service: str = ""


@dataclass(frozen=True, slots=True)
class WatchedQueue:
    """A queue by its logical id, with the age of the oldest message that is a ticket, and what that means."""

    logical_id: str
    age_s: int
    meaning: str


@dataclass(frozen=True, slots=True)
class FurtherStack:
    """``name`` is the file in ``stacks/``, ``work`` what its functions do, ``guide`` a page of docs/guides."""

    name: str
    work: str
    guide: str
    functions: tuple[WatchedFunction, ...]
    queues: tuple[WatchedQueue, ...] = ()


STACKS = (
    FurtherStack("review", "Requests to the review app", "review", (WatchedFunction("ReviewFunction", "review"),)),
    FurtherStack("textures", "Requests for textures", "textures", (WatchedFunction("TexturesFunction", "textures"),)),
    FurtherStack(
        "map-tiles",
        "Requests for map tiles, or jobs on rasters",
        "map-tiles",
        (WatchedFunction("TilesFunction", "tiles"), WatchedFunction("RastersFunction")),
    ),
    FurtherStack(
        "medical",
        "Requests to DICOMweb, or uploads of DICOM files",
        "medical",
        (
            WatchedFunction("MedicalFunction", "medical"),
            WatchedFunction("StatFunction", "medical_ingest"),
            WatchedFunction("RoutineFunction"),
        ),
        (
            WatchedQueue("StatQueue", 300, "A DICOM upload with the priority STAT has waited for five minutes"),
            WatchedQueue("RoutineQueue", HOUR_S, "A DICOM upload has waited for an hour"),
        ),
    ),
    FurtherStack(
        "evidence",
        "Requests for evidence, or copies of uploads",
        "evidence",
        (WatchedFunction("EvidenceFunction", "evidence"), WatchedFunction("CustodyFunction")),
        (WatchedQueue("CustodyQueue", HOUR_S, "An upload has no locked copy after an hour"),),
    ),
    FurtherStack("documents", "Documents", "documents", (WatchedFunction("DocumentsFunction"),)),
)
"""Stacks with functions. ``source`` and ``sources`` have none: their rule sends to the purge queue and its DLQ."""


def stack_alarms(stack: FurtherStack) -> Iterator[MetricAlarm]:
    """Yield the alarms of a stack: on faults, and on old messages."""
    yield _faults_alarm(stack)
    for queue in stack.queues:
        yield MetricAlarm(
            name=f"{queue.logical_id.removesuffix('Queue').lower()}-age",
            description=queue.meaning,
            runbook=stack.guide,
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
            comparison="over",
            threshold=queue.age_s,
            period_s=60,
            periods=3,
            missing="notBreaching",
            action="ticket",
        )


def _faults_alarm(stack: FurtherStack) -> MetricAlarm:
    metrics: list[Metric] = []
    for one in stack.functions:
        name = one.logical_id.removesuffix("Function").lower()
        if one.service:
            metrics.append(Metric(f"faults_{name}", "", "Faults", own_dimensions(one.service), shown=False))
        metrics += [
            Metric(
                f"{metric.lower()}_{name}",
                "",
                metric,
                {"FunctionName": f"{{{one.logical_id}}}"},
                namespace="AWS/Lambda",
                shown=False,
            )
            for metric in ("Errors", "Invocations")
        ]
    bad = " + ".join(f"FILL({one.id}, 0)" for one in metrics if one.metric != "Invocations")
    total = " + ".join(f"FILL({one.id}, 0)" for one in metrics if one.metric == "Invocations")
    return MetricAlarm(
        name="faults",
        description=f"{stack.work} failed {MIN_FAULTS} times in an hour or more often, and more than a tenth of all",
        runbook=stack.guide,
        metrics=tuple(metrics),
        formulas=(
            Formula("bad", "", bad, shown=False),
            Formula("total", "", total, shown=False),
            Formula("failing", "failing", f"IF(bad >= {MIN_FAULTS} AND bad > {MAX_SHARE:g} * total, 1, 0)"),
        ),
        comparison="over",
        threshold=0,
        period_s=HOUR_S,
        missing="notBreaching",
        action="ticket",
    )


def insert_alarms(text: str, stack: FurtherStack) -> str:
    """Return the template ``text`` of ``stack`` with the alarms between the marks replaced. ValueError without them."""
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    prefix = "".join(word.capitalize() for word in stack.name.split("-"))
    blocks = "\n".join("\n".join(_resource(f"{prefix}", alarm, stack)) for alarm in stack_alarms(stack))
    return f"{before}{BEGIN}\n\n{blocks}\n{END}{after}"


def _resource(prefix: str, alarm: MetricAlarm, stack: FurtherStack) -> Iterator[str]:
    yield f"  {prefix}{alarm.logical_id}:"
    yield "    Type: AWS::CloudWatch::Alarm"
    yield "    Properties:"
    yield f"      AlarmName: !Sub ${{AWS::StackName}}-{alarm.name}"
    yield f"      AlarmDescription: {alarm.description}. See docs/guides/{stack.guide}.md."
    yield from (f"      {line}" for line in metric_properties(alarm))
    yield f"      ComparisonOperator: {operator(alarm)}"
    yield f"      Threshold: {alarm.threshold}"
    yield f"      EvaluationPeriods: {alarm.periods}"
    yield f"      TreatMissingData: {alarm.missing}"
    yield f'      AlarmActions: [!Sub "{TOPIC}"]'
    yield "      Tags: [{ Key: darkroom, Value: !Ref StackName }]"
    yield ""


def cost_table(folder: Path) -> str:
    """Return the alarms of each template of STACKS in ``folder``, and what they cost a month, as Markdown."""
    lines = ["| stack | alarms | metrics in them | USD a month |", "| --- | --- | ---: | ---: |"]
    price = load_prices().prices["alarm-metric-months"].usd_per_unit
    for stack in STACKS:
        found = dict(_alarms_of((folder / f"{stack.name}.yaml").read_text(encoding="utf-8")))
        metrics = sum(found.values())
        lines.append(f"| `stacks/{stack.name}.yaml` | {', '.join(found)} | {metrics} | {metrics * price:.2f} |")
    return "\n".join(lines)


def _alarms_of(text: str) -> Iterator[tuple[str, int]]:
    """Yield the name and the number of metrics of each alarm of a template."""
    resources: Mapping[str, Mapping[str, object]] = yaml_parse(text)["Resources"]
    for one in resources.values():
        properties = one.get("Properties")
        if one["Type"] == "AWS::CloudWatch::Alarm" and isinstance(properties, Mapping):
            name = str(properties["AlarmName"]["Fn::Sub"]).partition("-")[2]
            yield name, sum("MetricStat" in entry for entry in properties.get("Metrics", ())) or 1


def insert_page(page: str, folder: Path) -> str:
    """Return ``page`` with the table between the marks replaced. ValueError unless each mark is there once."""
    before, rest = page.split(PAGE_BEGIN)
    _, after = rest.split(PAGE_END)
    return f"{before}{PAGE_BEGIN}\n\n{cost_table(folder)}\n\n{PAGE_END}{after}"
