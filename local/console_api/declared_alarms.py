"""The alarms that the deployed templates declare, as they would be on AWS: here they are not deployed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from observability.alarm_states import Alarm
from observability.composites import Composite

from ..aws import Cloud
from ..cfn_resolver import NESTED, Resolver, deployed_template, nested_template
from ..paths import STACK

METRIC_ALARM, COMPOSITE_ALARM = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
AS_ON_AWS = {"Alarms": "all"}
"""Parameters that are others here: MiniStack does not evaluate metric math, and this package does."""

type Fetch = Callable[[str], Mapping[str, Any]]
"""Returns the template of a nested stack by its TemplateURL."""


@dataclass(frozen=True, slots=True)
class DeclaredAlarm:
    """All alarms of a deployment."""

    alarms: tuple[Alarm, ...] = ()
    composites: tuple[Composite, ...] = ()


def deployed_at(cloud: Cloud) -> str:
    """What changes with each deployment. The template itself takes MiniStack seconds to return."""
    stack = cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return f"{stack['StackStatus']} {stack.get('LastUpdatedTime', stack['CreationTime'])}"


def declared_alarms(cloud: Cloud) -> DeclaredAlarm:
    """Those of the running deployment. Raises NotResolvable for what is not understood here."""
    found = cloud.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    template, resolver = deployed_template(cloud, ids)
    return read_alarms(template, resolver.given | AS_ON_AWS, lambda url: nested_template(cloud, url))


def read_alarms(template: Mapping[str, Any], given: Mapping[str, str], fetch: Fetch) -> DeclaredAlarm:
    """The alarms of a template and of the nested stacks whose resources are alarms.

    ``given`` are its parameters and the physical ids of what is deployed of it.
    """
    resources = template["Resources"]
    values = {name: f"{STACK}-{name}" for name in resources} | dict(given)
    resolver = Resolver(template, values)
    found = _own_alarms(template, resolver)
    for nested in resources.values():
        if nested["Type"] == NESTED and resolver.holds(nested.get("Condition")):
            child = fetch(nested["Properties"]["TemplateURL"])
            if not any(one["Type"] == METRIC_ALARM for one in child["Resources"].values()):
                continue  # its parameters may refer to what exists on AWS alone
            parameters = resolver.resolve(nested["Properties"]["Parameters"])
            more = read_alarms(child, {name: str(value) for name, value in parameters.items()}, fetch)
            found = DeclaredAlarm(found.alarms + more.alarms, found.composites + more.composites)
    return found


def _own_alarms(template: Mapping[str, Any], resolver: Resolver) -> DeclaredAlarm:
    there = {
        name: one
        for name, one in template["Resources"].items()
        if one["Type"] in (METRIC_ALARM, COMPOSITE_ALARM) and resolver.holds(one.get("Condition"))
    }
    names = {name: str(resolver.resolve(one["Properties"]["AlarmName"])) for name, one in there.items()}
    named = Resolver(template, resolver.given | names)
    read = {name: named.resolve(one["Properties"]) for name, one in there.items()}
    return DeclaredAlarm(
        tuple(Alarm.read(name, one) for name, one in read.items() if there[name]["Type"] == METRIC_ALARM),
        tuple(Composite.read(name, one) for name, one in read.items() if there[name]["Type"] == COMPOSITE_ALARM),
    )
