"""The planned deployment: stack, region and the values of all parameters, as `sam deploy` merges them."""

from __future__ import annotations

import shlex
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from cli.template_values import read_template
from extensions import find_template

from .templates import TEMPLATE, Planned, fill_defaults, further_templates, list_planned, plan_resources

DEFAULT_STACK = "darkroom"


@dataclass(frozen=True, slots=True)
class Plan:
    """One deployment of template.yaml, and of further stacks beside it.

    ``resources`` counts what it creates by type; ``planned`` are the resources of template.yaml and its nested stacks,
    ``further`` those of each further stack by the name of its template.
    """

    stack: str
    region: str
    parameters: Mapping[str, str]
    resources: Mapping[str, int]
    planned: tuple[Planned, ...] = ()
    further: Mapping[str, tuple[Planned, ...]] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """Return a parameter as a number; 0 if the template does not have it."""
        return int(self.parameters.get(name, "0") or "0")

    def text(self, name: str) -> str:
        """Return a parameter, empty if the template does not have it."""
        return self.parameters.get(name, "")


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of an environment of samconfig.toml; missing ones are empty."""

    stack: str
    region: str
    overrides: Mapping[str, str]


def read_settings(path: Path, environment: str) -> Settings:
    """Read an environment of samconfig.toml. Raises KeyError if it does not exist."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))[environment]
    shared = found.get("global", {}).get("parameters", {})
    deploy = shared | found.get("deploy", {}).get("parameters", {})
    return Settings(
        str(deploy.get("stack_name", "")),
        str(deploy.get("region", "")),
        parse_overrides(deploy.get("parameter_overrides", "")),
    )


def parse_overrides(overrides: str | Sequence[str]) -> dict[str, str]:
    """Parse ``Name=Value`` arguments, in one string (quoted as for a shell) or a list. Raises ValueError for others."""
    assignments = shlex.split(overrides) if isinstance(overrides, str) else overrides
    parsed = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not (name and equals):
            raise ValueError(f"{assignment!r} is not Name=Value")
        parsed[name] = value
    return parsed


def build_plan(
    template: Mapping[str, Any], stack: str, region: str, existing: Mapping[str, str], overrides: Mapping[str, str]
) -> Plan:
    """Merge parameters: ``overrides``, then values of the ``existing`` stack, then the template's defaults.

    Raises ValueError for an override that the template does not have.
    """
    parameters = _merge(template, existing, overrides)
    planned = tuple(plan_resources(template, TEMPLATE, parameters, stack, region))
    return Plan(stack, region, parameters, Counter(one.kind for one in planned), planned)


def add_further(plan: Plan, name: str, existing: Mapping[str, str], overrides: Mapping[str, str]) -> Plan:
    """Add the further stack ``name`` to a plan; as :func:`build_plan`, also for a template that is not there.

    The retention of its logs is that of the first stack, as `./darkroom parameters <name>` passes it.
    """
    if name not in further_templates():
        raise ValueError(f"there is no further stack {name}; choose one of {', '.join(further_templates())}")
    path = find_template(name)
    template = read_template(path)
    passed = {"LogDays": log_days} if (log_days := read_log_days(plan)) and "LogDays" in template["Parameters"] else {}
    parameters = _merge(template, dict(existing) | passed, overrides)
    planned = tuple(list_planned(path, parameters, f"{plan.stack}-{name}", plan.region))
    counted = Counter(plan.resources) + Counter(one.kind for one in planned)
    return replace(plan, resources=counted, further={**plan.further, name: planned})


def read_log_days(plan: Plan) -> str:
    """Return the retention of logs in days, the fourth number of RetentionDays; empty if there is none."""
    return plan.text("RetentionDays").split(",")[3].strip() if plan.text("RetentionDays").count(",") >= 3 else ""


def _merge(template: Mapping[str, Any], existing: Mapping[str, str], overrides: Mapping[str, str]) -> dict[str, str]:
    if unknown := sorted(set(overrides) - set(template.get("Parameters", {}))):
        raise ValueError(f"the template has no parameter {', '.join(unknown)}")
    return fill_defaults(template, dict(existing) | dict(overrides))
