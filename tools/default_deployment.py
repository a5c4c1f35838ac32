"""Count what a deployment of ``template.yaml`` with default parameters has, and what each option adds.

``python -m tools.default_deployment`` prints resources (as CloudFormation creates them, after SAM's transform and with
those of the nested stack of alarms), functions, layers, and US dollars a month without a request. ``NAME=VALUE``
changes a parameter; ``--write`` writes the table of README.md.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.parser.parser import Parser  # type: ignore[import-untyped]
from samtranslator.translator.translator import Translator  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

from bench.cost.idle import LOG_BYTES, MEMORY_MB, METRICS_PUBLISHED, METRICS_READ, QUEUES, RECEIVES, RUN_MS
from cli.template_values import Resolver
from darkroom_pipeline.operations.cost_model import HOURS_A_MONTH, Amounts, function_amounts, load_prices
from observability.alarm_cost import CDN_METRICS
from tools.generated_blocks import ROOT, table

TEMPLATE, ALARMS = ROOT / "template.yaml", "AlarmsStack"
ALARMS_TEMPLATE, README = ROOT / "stacks" / "alarms.yaml", ROOT / "README.md"
BEGIN, END = "<!-- options, by `make alarms`, do not edit -->", "<!-- end of the options -->"
ALARM = "AWS::CloudWatch::Alarm"
PRICED = (ALARM, "AWS::Events::Rule")
"""Types whose properties have a price. None of these is an intrinsic function."""

FUNCTIONS = 8
"""Functions of a default deployment, for which METRICS_READ is counted."""

OPTIONS: Mapping[tuple[str, str], str] = {
    ("Refine", "on"): "smaller derivatives, made in the background",
    ("UrgentUploads", "on"): "a queue for urgent uploads",
    ("LargeImages", "on"): "tiled pyramids of large images",
    ("ContentCredentials", "on"): "signed records of origin (C2PA)",
    ("BulkJobs", "on"): "`./darkroom library`",
    ("SimilarityStore", "table"): "similar and tagged images",
    ("InferenceMode", "lambda"): "image analysis",
    ("Dialects", "on"): "URLs of other services",
    ("AccessLogDays", "1"): "",
    ("Alarms", "all"): "all tickets and dashboards",
    ("Alarms", "off"): "",
}
"""Parameters that create or remove resources, each beside the defaults, and what those in README.md are for."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """Resolved resources by logical id, with those of the alarms' stack as ``AlarmsStack.…``."""

    resources: Mapping[str, Mapping[str, Any]]

    @property
    def types(self) -> Mapping[str, str]:
        """Types of the resources by logical id."""
        return {name: str(resource["Type"]) for name, resource in self.resources.items()}

    def list_ids(self, kind: str) -> list[str]:
        """Return the logical ids of the resources of a type."""
        return [name for name, one in self.types.items() if one == kind]

    def list_properties(self, kind: str) -> list[Mapping[str, Any]]:
        """Return the properties of the resources of a type."""
        return [self.resources[name].get("Properties", {}) for name in self.list_ids(kind)]

    @property
    def functions(self) -> list[str]:
        """Logical ids of the Lambda functions."""
        return self.list_ids("AWS::Lambda::Function")

    @property
    def layers(self) -> list[str]:
        """Logical ids of the layers, without the digest that SAM appends."""
        return [name[:-10] for name in self.list_ids("AWS::Lambda::LayerVersion")]

    @property
    def idle_lines(self) -> dict[str, float]:
        """US dollars a month without a request, by line. An endpoint's instances are not included."""
        prices = load_prices()
        return {line: sum(prices.cost(amounts).values()) for line, amounts in _list_amounts(self)}

    @property
    def idle_usd(self) -> float:
        """US dollars a month without a request."""
        return sum(self.idle_lines.values())


FREE_DASHBOARDS = 3
"""Of an account."""

READS_A_FUNCTION = 2
"""Metrics of a function that the monitor reads every hour."""


def _list_amounts(found: Deployment) -> Iterator[tuple[str, Amounts]]:
    """Yield each line of the idle bill with its amounts."""
    metrics = [
        max(sum("MetricStat" in one for one in alarm.get("Metrics", ())), 1) for alarm in found.list_properties(ALARM)
    ]
    yield f"{len(metrics)} alarms on {sum(metrics)} metrics", {"alarm-metric-months": sum(metrics)}
    composites = len(found.list_ids("AWS::CloudWatch::CompositeAlarm"))
    yield f"{composites} composite alarms", {"composite-alarm-months": composites}
    boards = len(found.list_ids("AWS::CloudWatch::Dashboard"))
    yield f"{boards} dashboards", {"dashboard-months": max(boards - FREE_DASHBOARDS, 0)}
    cdn = CDN_METRICS * len(found.list_ids("AWS::CloudFront::MonitoringSubscription"))
    yield "CloudFront's additional metrics", {"cdn-metric-months": cdn}
    sources = len(found.list_ids("AWS::Lambda::EventSourceMapping"))
    yield f"polling of {sources} queues", {"sqs-requests": sources * RECEIVES}
    yield "custom metrics", {"custom-metric-months": sum(METRICS_PUBLISHED.values())}
    read = METRICS_READ + READS_A_FUNCTION * (len(found.functions) - FUNCTIONS) + sources - QUEUES
    yield "GetMetricData", {"metrics-requested": read * HOURS_A_MONTH}
    runs = sum(_count_runs(str(rule["ScheduleExpression"])) for rule in _list_schedules(found))
    yield f"{runs:.0f} scheduled runs", function_amounts(MEMORY_MB, RUN_MS * runs, runs)
    yield "their logs and traces", {"log-gb": LOG_BYTES * runs / 1e9, "traces": runs}
    secrets = len(found.list_ids("AWS::SecretsManager::Secret"))
    yield f"{secrets} secrets", {"secret-months": secrets}


def _list_schedules(found: Deployment) -> Iterator[Mapping[str, Any]]:
    return (rule for rule in found.list_properties("AWS::Events::Rule") if "ScheduleExpression" in rule)


def _count_runs(schedule: str) -> float:
    """Return the runs a month of ``rate(5 minutes)``. Raises ValueError for other expressions."""
    rate = re.fullmatch(r"rate\((\d+) (minute|hour|day)s?\)", schedule)
    if rate is None:
        raise ValueError(f"{schedule}: not a rate")
    return HOURS_A_MONTH / int(rate[1]) * {"minute": 60, "hour": 1, "day": 1 / 24}[rate[2]]


def describe_deployment(**parameters: str) -> Deployment:
    """Return the deployment with these parameters, else the defaults."""
    return Deployment(dict(_find_resources(TEMPLATE, parameters)))


def _find_resources(path: Path, parameters: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    document = _expanded(path)
    values = _defaults(document) | {name: value for name, value in parameters.items() if name in document["Parameters"]}
    resolver = Resolver(document, values, "darkroom", "us-east-1", is_planned=True)
    for name, resource in document["Resources"].items():
        if not resolver.holds(resource.get("Condition")):
            continue
        priced = {"Type": resource["Type"]}
        if resource["Type"] in PRICED:
            priced["Properties"] = resource.get("Properties", {})
        yield name, priced
        if name == ALARMS:
            nested = resolver.resolve(resource["Properties"]["Parameters"])
            yield from ((f"{ALARMS}.{one}", found) for one, found in _find_resources(ALARMS_TEMPLATE, nested))


def _defaults(document: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(declared.get("Default", "")) for name, declared in document["Parameters"].items()}


@cache
def _expanded(path: Path) -> dict[str, Any]:
    return expand_template(path, _defaults(yaml_parse(path.read_text(encoding="utf-8"))))


def expand_template(path: Path, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the template after SAM's transform, with code that is somewhere in S3."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the transform asks for its partition
    document = yaml_parse(path.read_text(encoding="utf-8"))
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        for name in ("CodeUri", "ContentUri", "DefinitionUri"):
            if name in properties or (name, resource["Type"]) == ("CodeUri", "AWS::Serverless::Function"):
                properties[name] = "s3://bucket/key"
        if resource["Type"] == "AWS::Serverless::Application":
            properties["Location"] = "https://s3.amazonaws.com/bucket/key"
    with contextlib.redirect_stderr(io.StringIO()):
        return dict(Translator({}, Parser()).translate(document, dict(parameters)))


def list_differences(default: Deployment) -> Iterator[tuple[str, str, int, int, float]]:
    """Yield each option, what it is for, and the resources, functions and US dollars a month that it adds."""
    for (name, value), meaning in OPTIONS.items():
        other = describe_deployment(**{name: value})
        added = len(other.types) - len(default.types), len(other.functions) - len(default.functions)
        yield f"{name}={value}", meaning, *added, other.idle_usd - default.idle_usd


def describe_options() -> str:
    """Return the table of README.md: what each option adds to a default deployment."""
    default = describe_deployment()
    off = describe_deployment(Alarms="off")
    rows = [
        (f"`{name}`", meaning, f"+{resources}", f"+{functions}", f"{usd:.2f}")
        for name, meaning, resources, functions, usd in list_differences(default)
        if meaning
    ]
    totals = f"{len(default.types)} resources with its alarms and {len(default.functions)} functions"
    idle = f"{default.idle_usd:.2f} USD a month without a request, {off.idle_usd:.2f} with `Alarms=off`"
    heads = ("option", "adds", "resources", "functions", "idle, USD a month")
    return f"A default deployment has {totals}. It costs {idle}.{table(heads, *rows).rstrip()}\n"


def insert_options(page: str) -> str:
    """Return ``page`` with the text between the marks replaced. ValueError unless each mark is there once."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{describe_options()}{END}{after}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.default_deployment", description="What a deployment has.")
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="instead of the default")
    parser.add_argument("--write", action="store_true", help="write the table of README.md")
    read = parser.parse_args(arguments)
    if read.write:
        README.write_text(insert_options(README.read_text(encoding="utf-8")), encoding="utf-8")
        return 0
    given = dict(one.partition("=")[::2] for one in read.parameters)
    found = describe_deployment(**given)
    sys.stdout.write(
        f"resources  {len(found.types)}\nfunctions  {len(found.functions)}: {', '.join(found.functions)}\n"
        f"layers     {len(found.layers)}: {', '.join(found.layers)}\nidle       {found.idle_usd:.2f} USD a month\n"
    )
    sys.stdout.writelines(f"{usd:16.2f} {line}\n" for line, usd in found.idle_lines.items() if usd)
    if not given:
        sys.stdout.writelines(
            f"{name:21} {resources:+4} resources {functions:+3} functions {usd:+6.2f} USD a month\n"
            for name, _, resources, functions, usd in list_differences(found)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
