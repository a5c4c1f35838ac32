"""Uploads whose event got lost are found by looking for uploads that the index does not know, and queued again."""

from __future__ import annotations

import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from ..aws.index import Index
from ..aws.record import CLAIMED, HELD, Record
from ..aws.s3 import ListedObject, S3Bucket
from ..aws.sqs import Queue
from ..aws.telemetry import Observer
from .ingest.events import build_repair_message, build_verdict_message
from .s3_keys import ObjectNames

CURSOR = "sweep#cursor"
"""The note in the index of the last key that a sweep which ran out of time looked at."""

SOURCE = "darkroom.sweep"
"""The ``source`` of an event that stands for one of S3 that got lost."""

LOWEST_SEQUENCER = "0"
"""A sequencer lower than any of S3's."""

SEQUENCER = "sequencer"
"""User metadata of a master: of the event that it was made for. Ingest has it too, with all of the imaging layer."""

MIN_AGE_S = 900
"""Age below which an upload may well still be on its way through the queue."""

MAX_BACKLOG = 100
"""Messages waiting from which uploads may be on their way for longer than that. Fewer are gone in a minute."""

LEASE_GRACE_S = 3_600
"""How long a lease has been over before its upload counts as left lying: SQS gives its message out again sooner."""

MAX_REVIEW_WAIT_S = 3_600
"""Age from which an upload that is held, and not flagged, has waited too long: its verdict, or the request for one, may
have got lost. Ingest looks for the verdict then, and asks for one again."""

MAX_RETRY_AGE_S = 86_400
"""Age from which a claimed upload is left to a person: it has been tried for a day, and lies with the dead letters."""

MAX_AGE_S = 3 * 86_400
"""Age up to which uploads are looked after. Seventy sweeps have seen an older one, and each look costs a read."""

MIN_REMAINING_S = 10.0
"""Time left below which no further page is begun: looking up a thousand keys takes about a second."""


@dataclass(frozen=True, slots=True)
class SweepReport:
    """What a sweep did. ``left_out``: a long queue comes first. Not ``complete``: the next sweep goes on from here."""

    checked: int = 0
    queued: int = 0
    complete: bool = False
    skipped: bool = False


@dataclass(frozen=True)
class Sweep:
    """``queue`` is that of the changes of ``uploads``. Masters are in ``source`` by ``source_names``."""

    uploads: S3Bucket
    source: S3Bucket
    source_names: ObjectNames
    index: Index
    queue: Queue
    observer: Observer
    clock: Callable[[], float] = time.time

    def run(self, remaining_s: Callable[[], float], *, everything: bool = False) -> SweepReport:
        """Go on where the last sweep stopped, until the end of the bucket or of the time. Raises Unavailable.

        ``everything``: uploads of any age, which is for an index that was lost.
        """
        swept = self._run(remaining_s, math.inf if everything else MAX_AGE_S)
        self.observer.log("INFO", "swept", **asdict(swept))
        self.observer.count("UploadsQueuedAgain", swept.queued)
        return swept

    def _run(self, remaining_s: Callable[[], float], watched_s: float) -> SweepReport:
        waiting = self.queue.count_waiting()
        if waiting >= MAX_BACKLOG:
            self.observer.log("WARNING", "no sweep while a long queue is worked off", waiting=waiting)
            return SweepReport(skipped=True)
        looked_at = queued = 0
        for page in self.uploads.list_pages(start_after=self.index.get_text(CURSOR)):
            if remaining_s() < MIN_REMAINING_S:
                return SweepReport(looked_at, queued)
            queued += self.queue.send_many(self._lost(page, watched_s))
            looked_at += len(page)
            self.index.put_text(CURSOR, page[-1].key)
        self.index.put_text(CURSOR, "")
        return SweepReport(looked_at, queued, complete=True)

    def _lost(self, page: Sequence[ListedObject], watched_s: float) -> list[dict[str, object]]:
        """A message for each upload of ``page`` that nobody is dealing with."""
        now_s = self.clock()
        grown = [one for one in page if MIN_AGE_S < now_s - one.modified_s < watched_s and not _is_folder(one)]
        known = self.index.get_many([one.key for one in grown])
        return [message for one in grown if (message := self._message(one, known, now_s)) is not None]

    def _message(self, upload: ListedObject, known: Mapping[str, Record], now_s: float) -> dict[str, object] | None:
        record = known.get(upload.key)
        if record is None:
            return build_created_event(self.uploads.bucket, upload, self._sequencer(upload.key))
        if record.state == HELD and not record.held.flagged and now_s - upload.modified_s > MAX_REVIEW_WAIT_S:
            self.observer.count("UploadsUnjudged")
            return build_verdict_message(upload.key)
        if record.state != CLAIMED or now_s - record.lease_until_s < LEASE_GRACE_S:
            return None
        if now_s - upload.modified_s > MAX_RETRY_AGE_S:
            self.observer.count("UploadsLeftLying")
            return None
        return build_repair_message(upload.key)

    def _sequencer(self, key: str) -> str:
        """That of the master, if the index has lost what it knew of it: an older event would be dropped."""
        master = self.source.head(self.source_names.name(key))
        return master.metadata.get(SEQUENCER, LOWEST_SEQUENCER) if master is not None else LOWEST_SEQUENCER


def build_created_event(bucket: str, upload: ListedObject, sequencer: str = LOWEST_SEQUENCER) -> dict[str, object]:
    """The event that S3 should have sent. The lowest sequencer makes every true event newer."""
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
    """Whether it is only what S3's console makes for a folder, which ingest does not follow."""
    return upload.key.endswith("/") and not upload.size_bytes
