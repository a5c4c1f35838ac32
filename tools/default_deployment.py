"""Count what a deployment of ``template.yaml`` with default parameters has, and what each option adds.

``python -m tools.default_deployment`` prints resources (as CloudFormation creates them, after SAM's transform and with
those of the nested stack of alarms), functions, layers, and US dollars a month without a request. ``NAME=VALUE``
changes a parameter.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from samtranslator.translator.transform import transform  # type: ignore[import-untyped]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "layers" / "darkroom"))

from bench.cost.idle import monthly_amounts
from cli.template_values import Resolver
from darkroom.operations.cost_model import load_prices, sum_amounts

ROOT = Path(__file__).resolve().parent.parent
TEMPLATE, ALARMS = ROOT / "template.yaml", "AlarmsStack"

OPTIONS: tuple[Mapping[str, str], ...] = (
    {"Refine": "on"},
    {"Alarms": "off"},
    {"Alarms": "all"},
    {"Dialects": "on"},
    {"UrgentUploads": "on"},
    {"LargeImages": "on"},
    {"BulkJobs": "on"},
    {"SimilarityStore": "table"},
    {"InferenceMode": "lambda"},
    {"AccessLogDays": "1"},
)
"""Parameters that create or remove resources, each beside the defaults."""

_UPLOADED = {"CodeUri": "s3://bucket/key", "ContentUri": "s3://bucket/key", "DefinitionUri": "s3://bucket/key"}


@dataclass(frozen=True, slots=True)
class Deployment:
    """Types of the resources by logical id, with those of the alarms' stack as ``AlarmsStack.…``."""

    types: Mapping[str, str]
    parameters: Mapping[str, str]

    def list_ids(self, kind: str) -> list[str]:
        """Return the logical ids of the resources of a type."""
        return [name for name, one in self.types.items() if one == kind]

    @property
    def functions(self) -> list[str]:
        """Logical ids of the Lambda functions."""
        return self.list_ids("AWS::Lambda::Function")

    @property
    def layers(self) -> list[str]:
        """Logical ids of the layers, without the digest that SAM appends."""
        return [name[:-10] for name in self.list_ids("AWS::Lambda::LayerVersion")]

    @property
    def idle_usd(self) -> float:
        """US dollars a month without a request, with the resources of :mod:`bench.cost.idle`."""
        amounts = monthly_amounts()[self.parameters["Alarms"]]
        return sum(load_prices().cost(sum_amounts(*amounts.values())).values())


def describe_deployment(**parameters: str) -> Deployment:
    """Return the deployment with these parameters, else the defaults."""
    return Deployment(dict(_find_types(TEMPLATE, parameters)), _defaults(_expanded(TEMPLATE)) | parameters)


def _find_types(path: Path, parameters: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    document = _expanded(path)
    values = _defaults(document) | {name: value for name, value in parameters.items() if name in document["Parameters"]}
    resolver = Resolver(document, values, "darkroom", "us-east-1", is_planned=True)
    for name, resource in document["Resources"].items():
        if not resolver.holds(resource.get("Condition")):
            continue
        yield name, str(resource["Type"])
        if name == ALARMS:
            nested = resolver.resolve(resource["Properties"]["Parameters"])
            yield from ((f"{ALARMS}.{one}", kind) for one, kind in _find_types(ROOT / "stacks" / "alarms.yaml", nested))


def _defaults(document: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(declared.get("Default", "")) for name, declared in document["Parameters"].items()}


@cache
def _expanded(path: Path) -> dict[str, Any]:
    """Return the template after SAM's transform, without conditions."""
    document = yaml_parse(path.read_text(encoding="utf-8"))
    if "Transform" not in document:
        return dict(document)
    for resource in document["Resources"].values():
        properties = resource.get("Properties", {})
        properties |= {name: value for name, value in _UPLOADED.items() if name in properties}
        if resource["Type"] == "AWS::Serverless::Application":
            properties["Location"] = "https://s3.amazonaws.com/bucket/key"
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")  # the transform asks for its partition
    with contextlib.redirect_stderr(io.StringIO()):
        return dict(transform(document, _defaults(document), _NoManagedPolicies()))


class _NoManagedPolicies:
    """No role of the template names a managed policy of AWS by its short name."""

    def load(self) -> dict[str, str]:
        return {}


def list_differences(default: Deployment) -> Iterator[tuple[str, int, int, float]]:
    """Yield each option with the resources, functions and US dollars a month that it adds to ``default``."""
    for option in OPTIONS:
        other = describe_deployment(**option)
        added = len(other.types) - len(default.types), len(other.functions) - len(default.functions)
        name = ", ".join(f"{one}={value}" for one, value in option.items())
        yield name, *added, other.idle_usd - default.idle_usd


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command. Return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.default_deployment", description="What a deployment has.")
    parser.add_argument("parameters", nargs="*", metavar="NAME=VALUE", help="instead of the default")
    given = dict(one.partition("=")[::2] for one in parser.parse_args(arguments).parameters)
    found = describe_deployment(**given)
    sys.stdout.write(
        f"resources  {len(found.types)}\nfunctions  {len(found.functions)}: {', '.join(found.functions)}\n"
        f"layers     {len(found.layers)}: {', '.join(found.layers)}\nidle       {found.idle_usd:.2f} USD a month\n"
    )
    if not given:
        sys.stdout.writelines(
            f"{name:20} {resources:+4} resources {functions:+3} functions {usd:+6.2f} USD a month\n"
            for name, resources, functions, usd in list_differences(found)
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
