"""What the templates of a deployment will create, for the values of its parameters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cli.template_values import Resolver, read_template
from extensions import list_extensions

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"

NESTED = "AWS::Serverless::Application"
FUNCTION = "AWS::Serverless::Function"


@dataclass(frozen=True, slots=True)
class Planned:
    """A resource that a deployment creates. References to resources are logical ids in angle brackets."""

    template: str
    logical_id: str
    kind: str
    properties: Mapping[str, Any]


@cache
def further_templates() -> tuple[str, ...]:
    """Return names of the stacks that are deployed beside that of template.yaml, not within it."""
    within = {
        Path(one["Properties"]["Location"]).stem
        for one in read_template(TEMPLATE)["Resources"].values()
        if one["Type"] == NESTED
    }
    beside = (one.stem for one in (ROOT / "stacks").glob("*.yaml") if one.stem not in within)
    return tuple(sorted([*beside, *(one.flag for one in list_extensions())]))


def name_template(path: Path) -> str:
    """Return the path of a template in the repository."""
    return str(path.resolve().relative_to(ROOT))


def fill_defaults(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return the value of each parameter of a template: the given one, else its default, else an empty text."""
    declared = template.get("Parameters", {})
    return {name: given.get(name, str(one.get("Default", ""))) for name, one in declared.items()}


def list_planned(path: Path, given: Mapping[str, str], stack: str, region: str) -> Iterator[Planned]:
    """Yield the resources of a template and of its nested ones whose conditions hold."""
    template = read_template(path)
    yield from plan_resources(template, path, fill_defaults(template, given), stack, region)


def plan_resources(
    template: Mapping[str, Any], path: Path, values: Mapping[str, str], stack: str, region: str
) -> Iterator[Planned]:
    """Yield the resources of a document, which is that of ``path``, and of its nested templates."""
    resolver = Resolver(template, values, stack, region, is_planned=True)
    for logical_id, one in template["Resources"].items():
        if not resolver.holds(one.get("Condition")):
            continue
        properties = resolver.resolve(one.get("Properties", {}))
        yield Planned(name_template(path), logical_id, str(one["Type"]), properties)
        if one["Type"] == NESTED:
            passed = {name: _as_text(value) for name, value in properties.get("Parameters", {}).items()}
            yield from list_planned(path.parent / properties["Location"], passed, f"<{logical_id}>", region)


def _as_text(value: Any) -> str:
    """Return a parameter of a nested stack as CloudFormation passes it."""
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
