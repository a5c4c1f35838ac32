"""What the monitor is invoked with: which watches are to look, or news of a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import BadOption

SCHEDULED = ("cdn", "cost", "drift", "rollout", "remedy")
"""What looks at every run."""

ON_REQUEST = ("quality", "quality-due", "baseline")
"""What runs only where it is named: ``quality`` asks every variant about the whole golden set, ``quality-due`` those
that have not been judged for a day (a schedule asks for it hourly), ``baseline`` starts drift anew."""

NAMES = (*SCHEDULED, *ON_REQUEST)


@dataclass(frozen=True, slots=True)
class RunChecks:
    """The watches ``names`` are to look, in this order."""

    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class DeploymentEvent:
    """CodeDeploy says that the deployment ``deployment_id`` of ``group`` has come to ``state``."""

    application: str
    group: str
    deployment_id: str
    state: str


def parse_request(event: Mapping[str, Any]) -> RunChecks | DeploymentEvent:
    """What ``event`` asks for; a schedule's own event names no watch. Raises BadOption for an unknown one."""
    if event.get("source") == "aws.codedeploy":
        detail = event.get("detail", {})
        named = ("application", "deploymentGroup", "deploymentId", "state")
        return DeploymentEvent(*(str(detail.get(name, "")) for name in named))
    names = event.get("watch", list(SCHEDULED))
    if not isinstance(names, list) or not all(name in NAMES for name in names):
        raise BadOption(f"watch is a list of {', '.join(NAMES)}", option="watch", detail=repr(names)[:200])
    return RunChecks(list(dict.fromkeys(names)))
