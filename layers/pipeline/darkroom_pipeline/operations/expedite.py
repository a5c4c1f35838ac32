"""Copy the events of urgent uploads to ingest's priority queue.

Events of S3 contain no metadata, so a rule cannot distinguish urgent uploads. The event itself stays in the ingest
queue: without the copy the upload is ingested later, and whichever of both comes second has nothing to do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from darkroom.aws.telemetry import Observer

from ..aws.s3 import S3Bucket
from ..aws.s3_objects import PRIORITY, URGENT
from ..aws.sqs import Queue


@dataclass(frozen=True)
class Expediter:
    """Reads the metadata of ``uploads``; ``queue`` is ingest's priority queue."""

    uploads: S3Bucket
    queue: Queue
    observer: Observer

    def expedite(self, event: Mapping[str, Any]) -> bool:
        """Send ``event``, an Object Created of S3, if its upload is urgent; return whether. Raises Unavailable."""
        key = event["detail"]["object"]["key"]
        head = self.uploads.head(key)
        if head is None or head.metadata.get(PRIORITY) != URGENT:
            return False
        self.queue.send(event)
        self.observer.count("Expedited")
        self.observer.log("INFO", "upload expedited", key=key)
        return True
