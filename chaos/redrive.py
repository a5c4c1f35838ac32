"""The monitor's redrive of dead letters, with its own code, and a record of the messages that were given up."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from darkroom.aws.telemetry import LightObserver
from darkroom_pipeline.aws.audit import AuditLog
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.operations.cloudwatch import CloudWatchMetrics
from darkroom_pipeline.operations.dead_letter_queue import DeadLetterQueue, DlqMessage
from darkroom_pipeline.operations.functions import Function
from darkroom_pipeline.operations.remedies import RedriveRemedy, RedriveTarget

from .environment import AUDIT, INGEST, INGEST_DEAD, PURGE, PURGE_DEAD, Environment

_QUEUES = {INGEST: INGEST_DEAD, PURGE: PURGE_DEAD}


@dataclass
class Redrive:
    """Redrives as the monitor does when the functions meet their objective again: here, when the queues are empty.

    ``given_up`` lists each message that was in a dead-letter queue, before it was redriven for the first time.
    """

    environment: Environment
    given_up: list[DlqMessage] = field(default_factory=list)

    def run(self) -> int:
        """Redrive; return the number of messages."""
        targets = [
            RedriveTarget(
                Function(name, name, 1769),
                DeadLetterQueue(self.environment.queues, self.environment.queue_url(dead), wait_s=0),
                self.environment.queue_url(name),
            )
            for name, dead in _QUEUES.items()
        ]
        for target in targets:
            self._record(target.dead_letters)
        audit = AuditLog(S3Bucket(self.environment.s3, AUDIT))
        metrics = CloudWatchMetrics(self.environment.metrics)
        remedy = RedriveRemedy(targets, metrics, "Darkroom", audit, LightObserver("monitor"))
        return sum(int(str(count)) for count in remedy.run(time.time()).values())

    def _record(self, queue: DeadLetterQueue) -> None:
        messages: Sequence[DlqMessage] = list(queue.read_all())
        known = {message.message_id for message in self.given_up}
        self.given_up += [message for message in messages if message.message_id not in known]
        queue.make_visible(message.receipt_handle for message in messages)
