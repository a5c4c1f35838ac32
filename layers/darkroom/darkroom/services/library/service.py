"""The three steps of a run, one by one, as the state machine asks for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ...aws.s3 import S3Bucket
from .listing import Lister
from .reporting import Reporter
from .requests import Action, Request
from .runs import Run
from .working import Worker


@dataclass(frozen=True)
class Library:
    """The service. Runs are kept in ``media``."""

    media: S3Bucket
    lister: Lister
    worker: Worker
    reporter: Reporter

    def handle(self, request: Request, remaining_s: Callable[[], float]) -> dict[str, object]:
        """Do what is asked; what the state machine is told. Raises DarkroomError."""
        run = Run(self.media, request.run)
        if request.action is Action.LIST:
            return self.lister.run(run, request)
        if request.action is Action.WORK:
            return self.worker.run(run, request, remaining_s)
        return self.reporter.run(run, request)
