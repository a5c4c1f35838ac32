"""What a laptop does at another pace than AWS."""

from __future__ import annotations

from .aws import Cloud
from .resolved import resources

MONITORED = "rate(1 minute)"
"""The monitor's schedule here: nobody waits five minutes for a figure on a laptop."""

REFINED_AFTER_S = 900
"""SQS's longest delay: derivatives are encoded once more when the machine has less to do."""


def adjust(cloud: Cloud) -> None:
    """Change the deployed monitor's schedule and the delay of re-encoding. A deployment does not change them back."""
    for resource in resources(cloud):
        if resource.logical_id == "RefineQueue":
            cloud.queues.set_queue_attributes(
                QueueUrl=resource.physical_id, Attributes={"DelaySeconds": str(REFINED_AFTER_S)}
            )
        if resource.logical_id == "MonitorFunctionRegularly":
            cloud.events.put_rule(Name=resource.physical_id, ScheduleExpression=MONITORED, State="ENABLED")
