"""The state machine of a stack: its executions by job name, and their progress."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom_pipeline.bulk.messages import JobSpec, spec_document

RUNNING = "RUNNING"
STEPS_OF_A_RUN = 1000
"""Newest executions that are searched for those of one job."""


@dataclass(frozen=True, slots=True)
class Figures:
    """Counts of a Map Run's batches by state, and its start (Unix time)."""

    total: int = 0
    succeeded: int = 0
    failed: int = 0
    running: int = 0
    started_s: float = 0.0

    @property
    def over(self) -> int:
        """Number of batches that have ended."""
        return self.succeeded + self.failed


@dataclass(frozen=True, slots=True)
class Execution:
    """An execution of a job. ``output`` is the summary of its report, empty while it runs and if it failed."""

    arn: str
    status: str
    output: Mapping[str, Any]
    cause: str = ""

    @property
    def runs(self) -> bool:
        """Whether it is in progress."""
        return self.status == RUNNING


@dataclass(frozen=True)
class Machine:
    """The state machine. ``client`` is of Step Functions."""

    client: Any
    arn: str

    def start(self, run: str, order: JobSpec, *, concurrency: int, tolerated: float, batch: int) -> str:
        """Start an execution of ``run``. Return its ARN."""
        options = {"run": run, "order": spec_document(order), "concurrency": concurrency}
        options |= {"tolerated": tolerated, "batch": batch}
        name = f"{run}-{time.time_ns() // 1_000_000}"
        return str(
            self.client.start_execution(stateMachineArn=self.arn, name=name, input=json.dumps(options))["executionArn"]
        )

    def latest(self, run: str) -> str | None:
        """Return the ARN of the newest execution of ``run``, None if the newest of all contain none."""
        named = re.compile(rf"{re.escape(run)}-\d+")
        pages = self.client.get_paginator("list_executions").paginate(
            stateMachineArn=self.arn, PaginationConfig={"MaxItems": STEPS_OF_A_RUN}
        )
        found = [one for page in pages for one in page["executions"] if named.fullmatch(one["name"])]
        return max(found, key=lambda one: one["name"].rpartition("-")[2])["executionArn"] if found else None

    def read_input(self, arn: str) -> dict[str, Any]:
        """Return an execution's input."""
        return dict(json.loads(self.client.describe_execution(executionArn=arn)["input"]))

    def execution(self, arn: str) -> Execution:
        """Return an execution's state."""
        found = self.client.describe_execution(executionArn=arn)
        output = json.loads(found.get("output") or "{}")
        return Execution(arn, found["status"], output, _message(found.get("cause") or ""))

    def stop(self, arn: str, cause: str) -> None:
        """Stop an execution with its child executions. A function that runs at this moment still ends."""
        self.client.stop_execution(executionArn=arn, error="Stopped", cause=cause)

    def figures(self, arn: str) -> Figures:
        """Return the progress of its Map Run; all zero before it starts."""
        runs = self.client.list_map_runs(executionArn=arn)["mapRuns"]
        if not runs:
            return Figures()
        run = self.client.describe_map_run(mapRunArn=runs[0]["mapRunArn"])
        counts = run["itemCounts"]
        failed = sum(counts[name] for name in ("failed", "timedOut", "aborted"))
        return Figures(counts["total"], counts["succeeded"], failed, counts["running"], run["startDate"].timestamp())


def _message(cause: str) -> str:
    """Return the message of an execution's cause: Lambda's error document, or text of Step Functions."""
    try:
        document = json.loads(cause)
    except ValueError:
        return cause
    return str(document.get("errorMessage", cause)) if isinstance(document, dict) else cause
