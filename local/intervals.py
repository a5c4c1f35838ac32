"""Intervals that differ between the local stack and AWS."""

from __future__ import annotations

from .aws import Cloud
from .cfn_resolver import list_resources

MONITOR_SCHEDULE = "rate(1 minute)"
"""The monitor's schedule on the local stack, where metrics should appear within a minute instead of five."""

REENCODE_DELAY_S = 900
"""The longest delay of SQS: derivatives are encoded again when the machine is likely to be idle."""


def adjust(cloud: Cloud) -> None:
    """Change the deployed monitor's schedule and the delay of re-encoding. A deployment does not change them back."""
    for resource in list_resources(cloud):
        if resource.logical_id == "RefineQueue":
            cloud.queues.set_queue_attributes(
                QueueUrl=resource.physical_id, Attributes={"DelaySeconds": str(REENCODE_DELAY_S)}
            )
        if resource.logical_id == "MonitorFunctionRegularly":
            cloud.events.put_rule(Name=resource.physical_id, ScheduleExpression=MONITOR_SCHEDULE, State="ENABLED")
