"""Events of the monitor function: a schedule, an operator's request, and CodeDeploy's state changes."""

from __future__ import annotations

from . import Event
from .sqs import ACCOUNT, REGION


def events() -> dict[str, Event]:
    """Return each event by file name."""
    return {
        "scheduled.json": _scheduled("12:05"),
        "hourly.json": _scheduled("12:00"),
        "remedy.json": {"watch": ["remedy"]},
        "drift.json": {"watch": ["drift"]},
        "rollout.json": {"watch": ["rollout"]},
        "quality.json": {"watch": ["quality"]},
        "quality-due.json": {"watch": ["quality-due"]},
        "baseline.json": {"watch": ["baseline"]},
        "no-such-watch.json": {"watch": ["gossip"]},
        "deployment.json": _event(
            "CodeDeploy Deployment State-change Notification",
            "aws.codedeploy",
            f"arn:aws:codedeploy:{REGION}:{ACCOUNT}:application:darkroom-ServerlessDeploymentApplication",
            {
                "region": REGION,
                "deploymentId": "d-EXAMPLE1",
                "instanceGroupId": "9fd2fbef-2157-40d8-91e7-6845af69e2d2",
                "deploymentGroup": "darkroom-TransformFunctionDeploymentGroup",
                "state": "SUCCESS",
                "application": "darkroom-ServerlessDeploymentApplication",
            },
        ),
    }


def _scheduled(at: str) -> Event:
    rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/monitor"
    return _event("Scheduled Event", "aws.events", rule, {}) | {"time": f"2026-11-25T{at}:00Z"}


def _event(detail_type: str, source: str, resource: str, detail: Event) -> Event:
    return {
        "version": "0",
        "id": "0a5f3f6e-6cbe-4b0c-8d3b-9a1de1f29b77",
        "detail-type": detail_type,
        "source": source,
        "account": ACCOUNT,
        "time": "2026-11-25T12:00:00Z",
        "region": REGION,
        "resources": [resource],
        "detail": detail,
    }
