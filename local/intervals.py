"""Intervals that differ between the local stack and AWS."""

from __future__ import annotations

import json

from darkroom_pipeline.operations.messages import SCHEDULED

from .aws import Cloud
from .cfn_resolver import list_resources

MONITOR_SCHEDULE = "rate(1 minute)"
MONITOR_INPUT = json.dumps({"watch": [*SCHEDULED, "cdn", "cost"]})
"""The monitor's schedule on the local stack, where metrics should appear within a minute, not five or sixty."""

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
            rule = resource.physical_id
            cloud.events.put_rule(Name=rule, ScheduleExpression=MONITOR_SCHEDULE, State="ENABLED")
            targets = cloud.events.list_targets_by_rule(Rule=rule)["Targets"]
            cloud.events.put_targets(Rule=rule, Targets=[{**one, "Input": MONITOR_INPUT} for one in targets])
