"""The alarms of the template, for a deployment with every option."""

from __future__ import annotations

import functools

from observability.alarm_states import Alarm
from observability.composites import Composite

from .stack import Node, Stack

ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"

EVERYTHING = {
    "Alarms": "all",
    "InferenceMode": "endpoint",
    "EndpointName": "models",
    "MaxCostPerPicture": "0.01",
    "IngestConcurrency": "10",
    "AccessLogDays": "1",
}


@functools.cache
def deployed() -> Stack:
    return Stack(**EVERYTHING)


def alarms() -> dict[str, Alarm]:
    """By their names without that of the stack."""
    read = (Alarm.read(name, properties) for name, properties in deployed().of_type(ALARM).items())
    return {alarm.name.removeprefix("stack-"): alarm for alarm in read}


def composite_properties() -> dict[str, Node]:
    """Of each composite, by its logical id, with references to alarms as their names."""
    stack = deployed()
    names = {
        f"<{logical_id}>": properties["AlarmName"]
        for kind in (ALARM, COMPOSITE)
        for logical_id, properties in stack.of_type(kind).items()
    }

    def named(text: str) -> str:
        for reference, name in names.items():
            text = text.replace(reference, name)
        return text

    return {
        logical_id: {key: named(value) if isinstance(value, str) else value for key, value in properties.items()}
        for logical_id, properties in stack.of_type(COMPOSITE).items()
    }


def composites() -> dict[str, Composite]:
    """By their names without that of the stack."""
    read = (Composite.read(name, properties) for name, properties in composite_properties().items())
    return {composite.name.removeprefix("stack-"): composite for composite in read}
