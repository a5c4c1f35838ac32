"""The planned deployment: stack, region and the values of all parameters, as `sam deploy` merges them."""

from __future__ import annotations

import shlex
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped]

DEFAULT_STACK = "darkroom"


@dataclass(frozen=True, slots=True)
class Plan:
    """One deployment. ``resources`` counts the template's resources by type, regardless of conditions."""

    stack: str
    region: str
    parameters: Mapping[str, str]
    resources: Mapping[str, int]

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


def read_template(path: Path) -> dict[str, Any]:
    """Read the template, with intrinsic functions in their long form."""
    document: dict[str, Any] = yaml_parse(path.read_text(encoding="utf-8"))
    return document


def build_plan(
    template: Mapping[str, Any], stack: str, region: str, existing: Mapping[str, str], overrides: Mapping[str, str]
) -> Plan:
    """Merge parameters: ``overrides``, then values of the ``existing`` stack, then the template's defaults.

    Raises ValueError for an override that the template does not have.
    """
    declared = template["Parameters"]
    if unknown := sorted(set(overrides) - set(declared)):
        raise ValueError(f"the template has no parameter {', '.join(unknown)}")
    defaults = {name: str(one.get("Default", "")) for name, one in declared.items()}
    current = {name: value for name, value in existing.items() if name in declared}
    kinds = Counter(str(one["Type"]) for one in template["Resources"].values())
    return Plan(stack, region, defaults | current | dict(overrides), kinds)
