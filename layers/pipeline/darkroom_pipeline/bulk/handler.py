"""Handle the three steps of a bulk job that the state machine invokes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..aws.s3 import S3Bucket
from .job import BulkJob
from .listing import Lister
from .messages import Action, BulkRequest
from .report import Reporter
from .worker import Worker


@dataclass(frozen=True)
class BulkJobHandler:
    """The service. Jobs are stored in ``media``."""

    media: S3Bucket
    lister: Lister
    worker: Worker
    reporter: Reporter

    def handle(self, request: BulkRequest, remaining_s: Callable[[], float]) -> dict[str, object]:
        """Carry out the step of ``request``; return the output of the state. Raises DarkroomError."""
        job = BulkJob(self.media, request.job)
        if request.action is Action.LIST:
            return self.lister.run(job, request)
        if request.action is Action.WORK:
            return self.worker.run(job, request, remaining_s)
        return self.reporter.run(job, request)
