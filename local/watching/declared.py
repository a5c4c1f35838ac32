"""The alarms that the deployed template declares, as they would be on AWS: here they are not deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from observability.composites import Composite
from observability.states import Alarm

from ..aws import Cloud
from ..place import STACK
from ..resolved import Resolver, deployed_template

METRIC_ALARM, COMPOSITE_ALARM = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
AS_ON_AWS = {"Alarms": "on"}
"""Parameters that are others here, because MiniStack cannot deploy what they bring."""


@dataclass(frozen=True, slots=True)
class Declared:
    """All alarms of a deployment."""

    alarms: tuple[Alarm, ...] = ()
    composites: tuple[Composite, ...] = ()


def deployed_at(cloud: Cloud) -> str:
    """What changes with each deployment. The template itself takes MiniStack seconds to tell."""
    stack = cloud.cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    return f"{stack['StackStatus']} {stack.get('LastUpdatedTime', stack['CreationTime'])}"


def declared_alarms(cloud: Cloud) -> Declared:
    """Those of the running deployment. Raises NotResolvable for what is not understood here."""
    found = cloud.cloudformation.describe_stack_resources(StackName=STACK)["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    template, resolver = deployed_template(cloud, ids)
    return read_alarms(template, resolver.given | AS_ON_AWS)


def read_alarms(template: Mapping[str, Any], given: Mapping[str, str]) -> Declared:
    """The alarms of a template. ``given`` are its parameters and the physical ids of what is deployed of it."""
    resources = template["Resources"]
    values = {name: f"{STACK}-{name}" for name in resources} | dict(given)
    resolver = Resolver(template, values)
    there = {
        name: one
        for name, one in resources.items()
        if one["Type"] in (METRIC_ALARM, COMPOSITE_ALARM) and resolver.holds(one.get("Condition"))
    }
    names = {name: str(resolver.resolve(one["Properties"]["AlarmName"])) for name, one in there.items()}
    resolver = Resolver(template, values | names)
    read = {name: resolver.resolve(one["Properties"]) for name, one in there.items()}
    return Declared(
        tuple(Alarm.read(name, one) for name, one in read.items() if there[name]["Type"] == METRIC_ALARM),
        tuple(Composite.read(name, one) for name, one in read.items() if there[name]["Type"] == COMPOSITE_ALARM),
    )
