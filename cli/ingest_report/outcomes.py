"""Send uploads and follow them, first by the index, then by the content of buckets."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from darkroom.image_keys import DERIVATIVES, HELD_MASTERS
from darkroom.services.caching import SOURCE_ETAG
from darkroom.services.live_settings import LiveSettings
from darkroom.settings import Settings
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import HELD, READY, Record
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.s3_objects import ObjectHead

from ..deployment import QUEUES, Deployment, find_masters

LOOK_EVERY_S = 0.25
LOST = "lost"
"""An upload without an outcome in time, which is never expected."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload: the version of ``key`` with the file ``name``, sent at ``sent_s`` (Unix time)."""

    name: str
    key: str
    version_id: str
    sent_s: float


@dataclass(frozen=True, slots=True)
class UploadOutcome:
    """Outcome of an upload.

    ``derivatives`` are those of the presets, made from its master. ``missing`` are objects that the index names and no
    bucket has.
    """

    sent: Sent
    record: Record | None
    derivatives: tuple[ObjectHead, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """``ready``, ``held`` (waits for moderation), or the code of a refusal."""
        if self.record is None:
            return LOST
        return self.record.refusal.code if self.record.refusal else self.record.state

    @property
    def presets(self) -> int:
        """Number of presets that are rendered."""
        return len(self.derivatives)

    @property
    def took_s(self) -> float:
        """Seconds from the upload to the last write about it, including the queue."""
        if self.record is None:
            return 0.0
        return datetime.fromisoformat(self.record.updated_at).timestamp() - self.sent.sent_s


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages of a queue: visible, in flight, delayed."""

    waiting: int
    worked_on: int
    delayed: int

    @property
    def total(self) -> int:
        """The sum."""
        return self.waiting + self.worked_on + self.delayed


@dataclass(frozen=True)
class Stack:
    """A stack: services, buckets, index and queues. ``queues`` are URLs by their names in ``QUEUES``."""

    s3: Any
    dynamodb: Any
    sqs: Any
    uploads: str
    media: str
    quarantine: str
    index_table: str
    queues: Mapping[str, str]
    masters_uri: str

    @classmethod
    def of(cls, deployment: Deployment) -> Stack:
        """Return a deployed stack."""
        return cls(
            deployment.client("s3"),
            deployment.client("dynamodb"),
            deployment.client("sqs"),
            deployment.output("UploadsBucketName"),
            deployment.output("MediaBucketName"),
            deployment.output("QuarantineBucketName"),
            deployment.output("IndexTableName"),
            queue_urls(deployment),
            deployment.output("MastersUri"),
        )

    def bucket(self, name: str) -> S3Bucket:
        """Return the bucket ``uploads``, ``media`` or ``quarantine``."""
        buckets = {"uploads": self.uploads, "media": self.media, "quarantine": self.quarantine}
        return S3Bucket(self.s3, buckets[name])

    @property
    def index(self) -> Index:
        """The index."""
        return Index(self.dynamodb, self.index_table)

    @cached_property
    def settings(self) -> Settings:
        """The settings in force at the first call."""
        return LiveSettings(self.bucket("media").read).current()

    def send(self, files: Mapping[str, Path], prefix: str) -> Iterator[Sent]:
        """Upload each file with its SHA-256, under its name in ``files`` after ``prefix``."""
        for name, path in files.items():
            sent_s = time.time()
            with path.open("rb") as body:
                answer = self.s3.put_object(
                    Bucket=self.uploads, Key=prefix + name, Body=body, ChecksumAlgorithm="SHA256"
                )
            yield Sent(name, prefix + name, answer["VersionId"], sent_s)

    def follow(self, sent: Sequence[Sent], timeout_s: float) -> Iterator[UploadOutcome]:
        """Yield the outcome of each upload when it is known; after ``timeout_s`` the others as lost."""
        waiting, deadline_s = {one.key: one for one in sent}, time.monotonic() + timeout_s
        while waiting and time.monotonic() < deadline_s:
            known = self.index.get_many(list(waiting))
            for key, record in known.items():
                if record.done and record.version_id == waiting[key].version_id:
                    yield self._verified(waiting.pop(key), record)
            time.sleep(LOOK_EVERY_S if waiting else 0)
        yield from (UploadOutcome(one, None) for one in waiting.values())

    def _verified(self, sent: Sent, record: Record) -> UploadOutcome:
        if record.state == READY:
            return self._ready(sent, record)
        if record.state == HELD:
            waits = self.bucket("media").head(HELD_MASTERS.name(sent.key)) is not None
            return UploadOutcome(sent, record, missing=() if waits else ("the held master",))
        place = record.refusal.quarantined  # "" if the upload was deleted before it could be copied
        copy = self.bucket("quarantine").head(place) if place else None
        is_quarantined = copy is not None and copy.metadata["code"] == record.refusal.code
        return UploadOutcome(sent, record, missing=() if is_quarantined else ("the copy in quarantine",))

    def _ready(self, sent: Sent, record: Record) -> UploadOutcome:
        media, etag = self.bucket("media"), record.master.etag
        masters, names = find_masters(self.s3, self.masters_uri, self.media)
        master = masters.head(names.name(sent.key))
        heads = [media.head(DERIVATIVES + name) for name in record.derivatives]
        made = tuple(head for head in heads if head is not None and head.metadata[SOURCE_ETAG] == etag.strip('"'))
        lacking = len(self.settings.presets.at_ingest) - len(made)
        missing = [] if master is not None and master.etag == etag else ["the master"]
        if lacking:
            missing.append(f"{lacking} preset{'' if lacking == 1 else 's'}")
        return UploadOutcome(sent, record, made, tuple(missing))

    def dead_letters(self) -> int:
        """Return the number of messages in ingest's dead-letter queue."""
        return queue_depth(self.sqs, self.queues["ingest_dead_letters"]).total


def queue_depth(sqs: Any, url: str) -> Depth:
    """Count a queue's messages."""
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return Depth(
        waiting=int(answer["ApproximateNumberOfMessages"]),
        worked_on=int(answer["ApproximateNumberOfMessagesNotVisible"]),
        delayed=int(answer["ApproximateNumberOfMessagesDelayed"]),
    )


def queue_urls(deployment: Deployment) -> dict[str, str]:
    """Return the URLs of the stack's queues by their names in ``QUEUES``."""
    return {name: deployment.outputs[output] for name, output in QUEUES.items() if output in deployment.outputs}


def list_files(paths: Sequence[Path], key: str | None = None) -> dict[str, Path]:
    """List files by name: those of a folder by their path below it, others by ``key`` or their own name.

    Raises ValueError if two have the same name.
    """
    found: dict[str, Path] = {}
    for path in paths:
        below = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for one in below:
            name = one.relative_to(path).as_posix() if path.is_dir() else key or one.name
            if name in found:
                raise ValueError(f"{found[name]} and {one} have the same name {name}")
            found[name] = one
    return found


def complaints(outcomes: Iterable[UploadOutcome], expected: Mapping[str, str] | None) -> dict[str, str]:
    """Return problems by file name. ``expected`` is ``ready`` or a code for every file, None for all ready."""
    outcomes, wrong = list(outcomes), {}
    for outcome in outcomes:
        if outcome.record is None:
            wrong[outcome.sent.name] = "no outcome in time"
        elif outcome.missing:
            wrong[outcome.sent.name] = f"missing: {', '.join(outcome.missing)}"
        elif expected is None and outcome.record.refusal:
            wrong[outcome.sent.name] = f"refused: {outcome.outcome}"
        elif expected is not None and outcome.outcome != expected.get(outcome.sent.name):
            wrong[outcome.sent.name] = f"expected is {expected.get(outcome.sent.name, 'no such file')}"
    absent = set(expected or ()) - {outcome.sent.name for outcome in outcomes}
    return wrong | dict.fromkeys(sorted(absent), "expected, but not uploaded")
