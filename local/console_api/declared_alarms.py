"""Alarms that the deployed templates declare. The local stack does not deploy them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cli.template_values import Resolver
from observability.alarm_states import Alarm
from observability.composites import Composite

from ..aws import Cloud
from ..cfn_resolver import NESTED, read_nested_template, read_template
from ..paths import REGION, STACK

METRIC_ALARM, COMPOSITE_ALARM = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
AS_ON_AWS = {"Alarms": "all"}
"""Parameters that differ locally: MiniStack does not evaluate metric math, this package does."""

type Fetch = Callable[[str], Mapping[str, Any]]
"""Returns the template of a nested stack by its TemplateURL."""


@dataclass(frozen=True, slots=True)
class DeclaredAlarms:
    """All alarms of a deployment."""

    alarms: tuple[Alarm, ...] = ()
    composites: tuple[Composite, ...] = ()


def read_deployment(cloud: Cloud) -> str:
    """Return a value that changes with each deployment. Reading the template itself takes seconds in MiniStack."""
    stack = cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return f"{stack['StackStatus']} {stack.get('LastUpdatedTime', stack['CreationTime'])}"


def read_declared_alarms(cloud: Cloud) -> DeclaredAlarms:
    """Read the alarms of the running deployment. Raises NotResolvable for unsupported intrinsic functions."""
    found = cloud.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    template, resolver = read_template(cloud, ids)
    return read_alarms(template, resolver.given | AS_ON_AWS, lambda url: read_nested_template(cloud, url))


def read_alarms(template: Mapping[str, Any], given: Mapping[str, str], fetch: Fetch) -> DeclaredAlarms:
    """Read the alarms of a template and of nested stacks that contain alarms.

    ``given`` are the template's parameters and the physical ids of its deployed resources.
    """
    resources = template["Resources"]
    values = {name: f"{STACK}-{name}" for name in resources} | dict(given)
    resolver = Resolver(template, values, STACK, REGION)
    found = _own_alarms(template, resolver)
    for nested in resources.values():
        if nested["Type"] == NESTED and resolver.holds(nested.get("Condition")):
            child = fetch(nested["Properties"]["TemplateURL"])
            if not any(one["Type"] == METRIC_ALARM for one in child["Resources"].values()):
                continue  # its parameters may refer to resources that exist on AWS only
            parameters = resolver.resolve(nested["Properties"]["Parameters"])
            more = read_alarms(child, {name: str(value) for name, value in parameters.items()}, fetch)
            found = DeclaredAlarms(found.alarms + more.alarms, found.composites + more.composites)
    return found


def _own_alarms(template: Mapping[str, Any], resolver: Resolver) -> DeclaredAlarms:
    declared = {
        name: one
        for name, one in template["Resources"].items()
        if one["Type"] in (METRIC_ALARM, COMPOSITE_ALARM) and resolver.holds(one.get("Condition"))
    }
    names = {name: str(resolver.resolve(one["Properties"]["AlarmName"])) for name, one in declared.items()}
    named = Resolver(template, resolver.given | names, STACK, REGION)
    read = {name: named.resolve(one["Properties"]) for name, one in declared.items()}
    return DeclaredAlarms(
        tuple(Alarm.read(name, one) for name, one in read.items() if declared[name]["Type"] == METRIC_ALARM),
        tuple(Composite.read(name, one) for name, one in read.items() if declared[name]["Type"] == COMPOSITE_ALARM),
    )
