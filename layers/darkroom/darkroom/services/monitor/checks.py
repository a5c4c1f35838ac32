"""The watches, one after the other. One that fails does not keep the others from looking."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from ...aws.audit import RELEASE, AuditLog
from ...aws.telemetry import Observer
from ..queue_consumer import describe_error
from ..request_metrics import count_failure, count_request
from .messages import DeploymentEvent, RunChecks


class MonitorCheck(Protocol):
    """Something that is looked at."""

    def run(self, now_s: float) -> Mapping[str, object]:
        """Look, tell and do what follows; what was found, in JSON values, for the log and whoever invoked it."""


@dataclass(frozen=True)
class Monitor:
    """The service; ``watches`` are by name. Those that this deployment has no use for are missing."""

    checks: Mapping[str, MonitorCheck]
    audit: AuditLog
    observer: Observer
    clock: Callable[[], float] = time.time

    def handle(self, request: RunChecks | DeploymentEvent) -> dict[str, object]:
        """Do as asked; what was found by each watch. A watch that failed is told of, and raises nothing."""
        if isinstance(request, DeploymentEvent):
            return self._record_deployment(request)
        return {name: self._run(name) for name in request.names if name in self.checks}

    def _run(self, name: str) -> Mapping[str, object]:
        try:
            with self.observer.step(name):
                found = self.checks[name].run(self.clock())
        except Exception as error:  # whatever it is, the next watch is to look
            code, cause = describe_error(error)
            self.observer.log("ERROR", "a watch failed", watch=name, code=code, cause=cause)
            count_failure(self.observer, error)
            return {"failed": code}
        finally:
            count_request(self.observer)
        self.observer.log("INFO", "looked", watch=name, found=found)
        return found

    def _record_deployment(self, deployment: DeploymentEvent) -> dict[str, object]:
        """Write down how a deployment of code goes."""
        facts = {"deployment_id": deployment.deployment_id, "state": deployment.state, "group": deployment.group}
        with self.observer.step("deployment"):
            entry = self.audit.write(RELEASE, deployment.application, "codedeploy", **facts)
        count_request(self.observer)
        return {"entry": entry}
