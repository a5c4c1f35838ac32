"""Find uploads whose event was lost, because the index has no record of them, and queue them again."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from darkroom.aws.telemetry import Observer
from darkroom.image_keys import ObjectNames

from ..aws.index import Index
from ..aws.record import CLAIMED, HELD, Record
from ..aws.s3 import ListedObject, S3Bucket
from ..aws.sqs import Queue
from ..services.ingest.events import build_repair_message, build_verdict_message

CURSOR = "sweep#cursor"
"""Item of the index with the last key that an incomplete sweep checked."""

SOURCE = "darkroom.sweep"
"""The ``source`` of an event in place of one of S3 that was lost."""

LOWEST_SEQUENCER = "0"
"""A sequencer lower than any of S3's."""

SEQUENCER = "sequencer"
"""User metadata of a master: the sequencer of its event. Defined here to avoid an import of ingest with imaging."""

MIN_AGE_S = 900
"""Age below which an upload may still be in the queue."""

MAX_BACKLOG = 100
"""Waiting messages from which uploads may be in the queue for longer. Fewer are processed within a minute."""

LEASE_GRACE_S = 3_600
"""Time after the end of a lease until its upload counts as stuck: SQS delivers its message again sooner."""

MAX_REVIEW_WAIT_S = 3_600
"""Age from which an upload that is held, and not flagged, has waited too long: its verdict, or the request for one, may
be lost. Ingest then reads the verdict, and requests it again."""

MAX_RETRY_AGE_S = 86_400
"""Age from which a claimed upload is left to an operator: after retries for a day, its message is in the DLQ."""

MAX_AGE_S = 3 * 86_400
"""Age up to which uploads are checked. Seventy sweeps have checked an older one, and each check costs a read."""

MIN_REMAINING_S = 10.0
"""Remaining time below which no page is started: reading a thousand records takes about a second."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """The result. ``skipped``: the queue is too long. Not ``complete``: the next sweep continues from here."""

    checked: int = 0
    queued: int = 0
    complete: bool = False
    skipped: bool = False


@dataclass(frozen=True)
class Sweep:
    """The sweep of ``uploads``. ``queue`` is ingest's. Masters are in ``source`` by ``source_names``."""

    uploads: S3Bucket
    source: S3Bucket
    source_names: ObjectNames
    index: Index
    queue: Queue
    observer: Observer
    clock: Callable[[], float] = time.time

    def run(self, remaining_s: Callable[[], float], *, everything: bool = False) -> SweepReport:
        """Continue the last sweep until the end of the bucket or of the time. Raises Unavailable.

        ``everything``: check uploads of any age, for an index that was lost.
        """
        swept = self._run(remaining_s, math.inf if everything else MAX_AGE_S)
        self.observer.log("INFO", "sweep finished", **asdict(swept))
        if swept.queued:
            self.observer.count("UploadsRequeued", swept.queued)
        return swept

    def _run(self, remaining_s: Callable[[], float], watched_s: float) -> SweepReport:
        waiting = self.queue.count_waiting()
        if waiting >= MAX_BACKLOG:
            self.observer.log("WARNING", "sweep skipped: the queue is too long", waiting=waiting)
            return SweepReport(skipped=True)
        checked = queued = 0
        for page in self.uploads.list_pages(start_after=self.index.get_text(CURSOR)):
            if remaining_s() < MIN_REMAINING_S:
                return SweepReport(checked, queued)
            queued += self.queue.send_many(self._find_lost(page, watched_s))
            checked += len(page)
            self.index.put_text(CURSOR, page[-1].key)
        self.index.put_text(CURSOR, "")
        return SweepReport(checked, queued, complete=True)

    def _find_lost(self, page: Sequence[ListedObject], watched_s: float) -> list[dict[str, object]]:
        """Build a message for each upload of ``page`` that no attempt is working on."""
        now_s = self.clock()
        old = [one for one in page if MIN_AGE_S < now_s - one.modified_s < watched_s and not _is_folder(one)]
        known = self.index.get_many([one.key for one in old])
        return [message for one in old if (message := self._build_message(one, known, now_s)) is not None]

    def _build_message(
        self, upload: ListedObject, known: Mapping[str, Record], now_s: float
    ) -> dict[str, object] | None:
        record = known.get(upload.key)
        if record is None:
            return build_created_event(self.uploads.bucket, upload, self._read_sequencer(upload.key))
        if record.state == HELD and not record.held.flagged and now_s - upload.modified_s > MAX_REVIEW_WAIT_S:
            self.observer.count("UploadsWithoutVerdict")
            return build_verdict_message(upload.key)
        if record.state != CLAIMED or now_s - record.lease_until_s < LEASE_GRACE_S:
            return None
        if now_s - upload.modified_s > MAX_RETRY_AGE_S:
            self.observer.count("UploadsStuck")
            return None
        return build_repair_message(upload.key)

    def _read_sequencer(self, key: str) -> str:
        """Return the sequencer of the master, if the index lost its record: an older event would be dropped."""
        master = self.source.head(self.source_names.name(key))
        return master.metadata.get(SEQUENCER, LOWEST_SEQUENCER) if master is not None else LOWEST_SEQUENCER


def build_created_event(bucket: str, upload: ListedObject, sequencer: str = LOWEST_SEQUENCER) -> dict[str, object]:
    """Build the event that S3 should have sent. With the lowest sequencer, any real event is newer."""
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": "Object Created",
        "source": SOURCE,
        "time": datetime.fromtimestamp(upload.modified_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "resources": [f"arn:aws:s3:::{bucket}"],
        "detail": {
            "version": "0",
            "bucket": {"name": bucket},
            "object": {
                "key": upload.key,
                "size": upload.size_bytes,
                "etag": upload.etag.strip('"'),
                "sequencer": sequencer,
            },
            "reason": "Sweep",
        },
    }


def _is_folder(upload: ListedObject) -> bool:
    """Whether it is a folder of the S3 console, which ingest ignores."""
    return upload.key.endswith("/") and not upload.size_bytes
