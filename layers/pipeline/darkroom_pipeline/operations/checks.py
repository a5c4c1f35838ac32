"""Run checks one after the other. A failed check does not stop the others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from darkroom.aws.telemetry import Observer
from darkroom.services.request_metrics import count_failure

from ..aws.audit import RELEASE, AuditLog
from ..services.queue_consumer import describe_error
from .messages import DeploymentEvent, RunChecks


class MonitorCheck(Protocol):
    """A check."""

    def run(self, now_s: float) -> Mapping[str, object]:
        """Check, publish and act; return the findings as JSON values for the log and the response."""


@dataclass(frozen=True)
class Monitor:
    """The service. ``checks`` are by name; those that do not apply to the deployment are missing."""

    checks: Mapping[str, MonitorCheck]
    audit: AuditLog
    observer: Observer
    clock: Callable[[], float] = time.time

    def handle(self, request: RunChecks | DeploymentEvent) -> dict[str, object]:
        """Run the requested checks; return their findings. A failed check is logged and counted, and raises nothing."""
        if isinstance(request, DeploymentEvent):
            return self._record_deployment(request)
        return {name: self._run(name) for name in request.names if name in self.checks}

    def _run(self, name: str) -> Mapping[str, object]:
        try:
            with self.observer.step(name):
                found = self.checks[name].run(self.clock())
        except Exception as error:  # the next check runs after any failure
            code, cause = describe_error(error)
            self.observer.log("ERROR", "monitor check failed", check=name, code=code, cause=cause)
            count_failure(self.observer, error)
            self.observer.count("CheckFaults", check=name)
            return {"failed": code}
        self.observer.log("INFO", "monitor check finished", check=name, found=found)
        return found

    def _record_deployment(self, deployment: DeploymentEvent) -> dict[str, object]:
        """Write the state of a code deployment to the audit log."""
        facts = {"deployment_id": deployment.deployment_id, "state": deployment.state, "group": deployment.group}
        with self.observer.step("deployment"):
            entry = self.audit.write(RELEASE, deployment.application, "codedeploy", **facts)
        return {"entry": entry}
