"""The three steps of a run, one by one, as the state machine asks for them."""

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
    """The service. Runs are kept in ``media``."""

    media: S3Bucket
    lister: Lister
    worker: Worker
    reporter: Reporter

    def handle(self, request: BulkRequest, remaining_s: Callable[[], float]) -> dict[str, object]:
        """Do what is asked; what the state machine is told. Raises DarkroomError."""
        run = BulkJob(self.media, request.job)
        if request.action is Action.LIST:
            return self.lister.run(run, request)
        if request.action is Action.WORK:
            return self.worker.run(run, request, remaining_s)
        return self.reporter.run(run, request)
