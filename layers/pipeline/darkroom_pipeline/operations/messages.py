"""Events of the monitor function: checks to run, or the state of a deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from darkroom.errors import BadOption

SCHEDULED = ("drift", "rollout", "experiments", "remedy")
"""Checks of every scheduled run."""

HOURLY = ("cdn", "cost", "quality-due")
"""Further checks of the first run of an hour: reading metrics costs. ``quality-due`` evaluates the variants
not evaluated for a day."""

ON_REQUEST = ("quality", "baseline")
"""Checks that run only if they are named: ``quality`` evaluates every variant on the golden set, ``baseline`` replaces
the baseline of drift."""

NAMES = (*SCHEDULED, *HOURLY, *ON_REQUEST)


SCHEDULE_MINUTES = 5
"""Minutes between two runs of the schedule."""


@dataclass(frozen=True, slots=True)
class RunChecks:
    """Run the checks ``names``, in this order."""

    names: Sequence[str]


@dataclass(frozen=True, slots=True)
class DeploymentEvent:
    """The deployment ``deployment_id`` of ``group`` in CodeDeploy has reached ``state``."""

    application: str
    group: str
    deployment_id: str
    state: str


def parse_request(event: Mapping[str, Any]) -> RunChecks | DeploymentEvent:
    """Parse ``event``; a schedule's own event names no checks. Raises BadOption for an unknown check."""
    if event.get("source") == "aws.codedeploy":
        detail = event.get("detail", {})
        named = ("application", "deploymentGroup", "deploymentId", "state")
        return DeploymentEvent(*(str(detail.get(name, "")) for name in named))
    names = event.get("watch", _list_scheduled(str(event.get("time", ""))))
    if not isinstance(names, list) or not all(name in NAMES for name in names):
        raise BadOption(f"watch is a list of {', '.join(NAMES)}", option="watch", detail=repr(names)[:200])
    return RunChecks(list(dict.fromkeys(names)))


def _list_scheduled(time: str) -> list[str]:
    """Return the checks of a run that names none. ``time`` is that of its schedule, "" without one."""
    is_first = bool(time) and datetime.fromisoformat(time).minute < SCHEDULE_MINUTES
    return [*SCHEDULED, *(HOURLY if is_first else ())]
