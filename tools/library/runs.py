"""Starting, resuming and following runs over libraries."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from darkroom.bulk.job import BulkJob
from darkroom.bulk.messages import BATCH_SIZE, TOLERATED_PERCENT, parse_spec
from darkroom.errors import BadRun

from ..deployment import Deployment
from .machine import Execution, Figures, Machine

LOOK_EVERY_S = 2.0


class NoRun(LookupError):
    """There is no run of this name."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that is over, and the summary of its report, empty if it has none."""

    execution: Execution
    summary: Mapping[str, Any]

    @property
    def is_good(self) -> bool:
        """Whether it went through, and no key has failed."""
        return self.execution.status == "SUCCEEDED" and succeeded(self.summary)


@dataclass(frozen=True)
class Library:
    """The runs of a stack."""

    machine: Machine
    deployment: Deployment

    @classmethod
    def of(cls, deployment: Deployment) -> Library:
        """Those of a deployed stack."""
        return cls(Machine(deployment.client("stepfunctions"), deployment.output("LibraryMachineArn")), deployment)

    def run(self, name: str) -> BulkJob:
        """What is stored of a run."""
        return BulkJob(self.deployment.bucket("MediaBucketName"), name)

    def start(
        self,
        given: Mapping[str, Any],
        *,
        name: str = "",
        concurrency: int = 0,
        tolerated: float = TOLERATED_PERCENT,
        batch: int = BATCH_SIZE,
    ) -> tuple[str, str]:
        """Start a run as ``given`` says; its name and the execution's ARN. Raises BadRun."""
        order = parse_spec({key: value for key, value in given.items() if value})
        run = self.run(name or f"{given['operation']}-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        if run.read_document(run.spec_key) is not None:
            raise BadRun(f"There is a run {run.name} already: resume it, or take another name", field="run")
        return run.name, self.machine.start(run.name, order, concurrency=concurrency, tolerated=tolerated, batch=batch)

    def resume(self, name: str, concurrency: int = 0) -> str:
        """Continue a run: keys that are not done, and keys that failed; the ARN of the execution.

        Raises NoRun, and BadRun if the run is going on.
        """
        run = self.run(name)
        order = run.read_document(run.spec_key)
        arn = self.machine.latest(name)
        if order is None:
            raise NoRun(f"There is no run {name}.")
        if arn is not None and self.machine.execution(arn).runs:
            raise BadRun(f"The run {name} is going on", field="run")
        asked = self.machine.asked(arn) if arn is not None else {}
        return self.machine.start(
            name,
            parse_spec(order),
            concurrency=concurrency or int(asked.get("concurrency", 0)),
            tolerated=float(asked.get("tolerated", TOLERATED_PERCENT)),
            batch=BATCH_SIZE,
        )

    def follow(self, name: str, show: Callable[[Figures], object]) -> Ended:
        """Wait for the end of a run; ``show`` is called with its figures meanwhile. Raises NoRun."""
        arn = self.machine.latest(name)
        if arn is None:
            raise NoRun(f"There is no run {name}.")
        while (found := self.machine.execution(arn)).runs:
            show(self.machine.figures(arn))
            time.sleep(LOOK_EVERY_S)
        show(self.machine.figures(arn))
        run = self.run(name)
        return Ended(found, run.read_document(run.report_key) or {})

    def summary(self, name: str) -> Mapping[str, Any]:
        """The summary of a run's report. Raises NoRun if there is none."""
        run = self.run(name)
        figures = run.read_document(run.report_key)
        if figures is None:
            raise NoRun(f"There is no report of a run {name}.")
        return figures

    def report_url(self, name: str) -> str:
        """Where the report is."""
        run = self.run(name)
        return f"s3://{run.media.bucket}/{run.report_key}"


def succeeded(summary: Mapping[str, Any]) -> bool:
    """Whether a run went to its end, and no key has failed."""
    return bool(summary) and not summary["stopped"] and not summary["outcomes"].get("failed", 0)


def describe(summary: Mapping[str, Any]) -> Iterator[str]:
    """The lines of a summary."""
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(summary["outcomes"].items()))
    yield f"{summary['keys']:,} keys: {counts or 'none'}; {summary['unaccounted']:,} of them not tried"
    yield from (f"  {number:,} × {reason}" for reason, number in sorted(summary["reasons"].items()))
    if summary["stopped"]:
        yield f"stopped before its end: {summary['stopped']}"
    yield f"each key: {summary['lines']}"
