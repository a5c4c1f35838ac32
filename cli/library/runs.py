"""Start, resume and follow bulk jobs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from botocore.exceptions import ClientError

from darkroom.errors import BadRun
from darkroom.services.live_settings import LiveSettings
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.bulk.job import BulkJob
from darkroom_pipeline.bulk.listing import JobKeys
from darkroom_pipeline.bulk.messages import BATCH_SIZE, TOLERATED_PERCENT, JobSpec, parse_spec
from darkroom_pipeline.operations.cost_model import load_prices

from ..deployment import Deployment
from .estimate import Capacity, Estimate, estimate
from .machine import Execution, Figures, Machine

LOOK_EVERY_S = 2.0


class NoRun(LookupError):
    """No job has this name."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A job that has ended, and the summary of its report, empty without one."""

    execution: Execution
    summary: Mapping[str, Any]

    @property
    def is_good(self) -> bool:
        """Whether it ended successfully without failed keys."""
        return self.execution.status == "SUCCEEDED" and succeeded(self.summary)


@dataclass(frozen=True)
class Library:
    """The bulk jobs of a stack."""

    machine: Machine
    deployment: Deployment

    @classmethod
    def of(cls, deployment: Deployment) -> Library:
        """Return those of a deployed stack."""
        return cls(Machine(deployment.client("stepfunctions"), deployment.output("LibraryMachineArn")), deployment)

    def run(self, name: str) -> BulkJob:
        """Return the stored state of a job."""
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
        """Start a job by ``given``. Return its name and the execution's ARN. Raises BadRun."""
        order = parse_spec({key: value for key, value in given.items() if value})
        run = self.run(name or f"{given['operation']}-{datetime.now(UTC):%Y%m%d-%H%M%S}")
        if run.read_document(run.spec_key) is not None:
            raise BadRun(f"There is a run {run.name} already: resume it, or take another name", field="run")
        if order.source:
            self._require_bucket(order.source)
        return run.name, self.machine.start(run.name, order, concurrency=concurrency, tolerated=tolerated, batch=batch)

    def estimate(self, given: Mapping[str, Any], concurrency: int = 0) -> tuple[JobSpec, Estimate]:
        """Count the keys of a job by ``given``, and estimate it. Nothing is started or written. Raises BadRun.

        The keys are read with the credentials of the caller.
        """
        spec = parse_spec({key: value for key, value in given.items() if value})
        if spec.source:
            self._require_bucket(spec.source)
        media, deployment = self.deployment.bucket("MediaBucketName"), self.deployment
        s3 = deployment.client("s3")
        settings = LiveSettings(media.read).current()
        source, names = deployment.masters()
        uploads = deployment.bucket("UploadsBucketName")
        skipped: list[str] = []
        keys = JobKeys(uploads, source, names, lambda bucket: S3Bucket(s3, bucket), skipped.append)
        most = settings.library_concurrency
        capacity = Capacity(
            min(concurrency or most, most), self._number("IngestConcurrency"), self._number("EndpointConcurrency")
        )
        found = estimate(
            spec,
            keys.list_keys(spec),
            load_prices(),
            capacity,
            presets=len(settings.presets.at_ingest),
            architecture=deployment.parameters.get("Arch", "arm64"),
        )
        return spec, replace(found, skipped=len(skipped))

    def _number(self, parameter: str) -> int:
        return int(self.deployment.parameters.get(parameter, "1") or "1")

    def stop(self, name: str, by: str = "") -> Mapping[str, Any]:
        """Stop a job, write its report, and return the summary. Raises NoRun, and BadRun if it is not running.

        Batches that are being processed still end. Their results are in a later report.
        """
        arn = self.machine.latest(name)
        if arn is None:
            raise NoRun(f"There is no run {name}.")
        if not self.machine.execution(arn).runs:
            raise BadRun(f"The run {name} has ended", field="run")
        self.machine.stop(arn, f"stopped by {by}")
        run = self.run(name)
        if run.read_batches() is None:
            raise NoRun(f"The run {name} is stopped. It had not listed its keys, so that there is no report.")
        order = self.machine.read_input(arn)["order"]
        event = {"action": "report", "run": name, "order": order, "stopped": {"Error": f"Stopped by {by}"}}
        self.deployment.invoke(self.deployment.functions["LibraryFunction"], event)
        return self.summary(name)

    def _require_bucket(self, name: str) -> None:
        """Raise BadRun if there is no bucket of this name, or if the stack may not read it.

        One that only the function can read is accepted.
        """
        try:
            self.deployment.client("s3").head_bucket(Bucket=name)
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == HTTPStatus.NOT_FOUND:
                raise BadRun(f"There is no bucket {name}", field="source") from error
        allowed = self.deployment.parameters.get("LibraryBucket", name)
        if name != allowed:
            reads = f"reads {allowed}" if allowed else "reads no other bucket"
            raise BadRun(f"The stack {reads}: deploy it with LibraryBucket={name}", field="source")

    def resume(self, name: str, concurrency: int = 0) -> str:
        """Resume a job: unfinished and failed keys. Return the execution's ARN.

        Raises NoRun, and BadRun if the job is running.
        """
        run = self.run(name)
        order = run.read_document(run.spec_key)
        arn = self.machine.latest(name)
        if order is None:
            raise NoRun(f"There is no run {name}.")
        if arn is not None and self.machine.execution(arn).runs:
            raise BadRun(f"The run {name} is going on", field="run")
        options = self.machine.read_input(arn) if arn is not None else {}
        return self.machine.start(
            name,
            parse_spec(order),
            concurrency=concurrency or int(options.get("concurrency", 0)),
            tolerated=float(options.get("tolerated", TOLERATED_PERCENT)),
            batch=BATCH_SIZE,
        )

    def follow(self, name: str, show: Callable[[Figures], object]) -> Ended:
        """Wait for the end of a job, and call ``show`` with its progress. Raises NoRun."""
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
        """Return the summary of a job's report. Raises NoRun if there is none."""
        run = self.run(name)
        figures = run.read_document(run.report_key)
        if figures is None:
            raise NoRun(f"There is no report of a run {name}.")
        return figures

    def report_url(self, name: str) -> str:
        """Return the URL of the report."""
        run = self.run(name)
        return f"s3://{run.media.bucket}/{run.report_key}"


def succeeded(summary: Mapping[str, Any]) -> bool:
    """Return whether a job ended without failed keys."""
    return bool(summary) and not summary["stopped"] and not summary["outcomes"].get("failed", 0)


def describe(summary: Mapping[str, Any]) -> Iterator[str]:
    """Format the lines of a summary."""
    counts = ", ".join(f"{number:,} {outcome}" for outcome, number in sorted(summary["outcomes"].items()))
    yield f"{summary['keys']:,} keys: {counts or 'none'}; {summary['unaccounted']:,} of them not tried"
    yield from (f"  {number:,} × {reason}" for reason, number in sorted(summary["reasons"].items()))
    if summary["stopped"]:
        yield f"stopped before its end: {summary['stopped']}"
    yield f"each key: {summary['lines']}"
