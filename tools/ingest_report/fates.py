"""Sending uploads and following them: by the index, and then by what really lies in the buckets."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from darkroom.aws.index import Index
from darkroom.aws.record import HELD, READY, Record
from darkroom.aws.s3 import S3Bucket
from darkroom.aws.switches import reader
from darkroom.services.caching import SOURCE_ETAG
from darkroom.services.live_settings import LiveSettings
from darkroom.services.s3_keys import HELD_MASTERS, MASTERS
from darkroom.services.serve.transform import DERIVATIVES
from local.aws import Cloud

LOOK_EVERY_S = 0.25
LOST = "lost"
"""What is expected of no upload: nothing was heard of it in time."""


@dataclass(frozen=True, slots=True)
class Sent:
    """An upload: the version of ``key`` that S3 made of the file ``name``, at ``sent_s`` (Unix time)."""

    name: str
    key: str
    version_id: str
    sent_s: float


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of an upload. ``missing``: what the index speaks of and no bucket has."""

    sent: Sent
    record: Record | None
    presets: int = 0
    missing: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """``ready``, ``held`` (it waits for moderation), or the code of a refusal."""
        if self.record is None:
            return LOST
        return str(self.record.refusal["code"]) if self.record.refusal else self.record.state

    @property
    def took_s(self) -> float:
        """Seconds from sending the upload to the last write about it, waiting in the queue included."""
        if self.record is None:
            return 0.0
        return datetime.fromisoformat(self.record.updated_at).timestamp() - self.sent.sent_s


@dataclass(frozen=True, slots=True)
class Depth:
    """The messages of a queue: those that wait, that somebody works on, and that shall not be seen yet."""

    waiting: int
    worked_on: int
    delayed: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.waiting + self.worked_on + self.delayed


@dataclass(frozen=True)
class Stack:
    """The running stack by its facts (``stack.json``)."""

    cloud: Cloud
    facts: Mapping[str, Any]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> Stack:
        """The stack that ``facts`` are about."""
        return cls(Cloud(facts["aws_endpoint_url"]), facts)

    @property
    def index(self) -> Index:
        """Its index."""
        return Index(self.cloud.dynamodb, self.facts["index_table"])

    @cached_property
    def at_ingest(self) -> tuple[str, ...]:
        """The presets that are rendered at ingest, by the settings in force when this is first read."""
        return LiveSettings(reader(self.vault("media"))).current().presets.at_ingest

    def vault(self, name: str) -> S3Bucket:
        """Its bucket ``uploads``, ``media`` or ``quarantine``."""
        return S3Bucket(self.cloud.s3, self.facts[f"{name}_bucket"])

    def send(self, folder: Path, prefix: str) -> list[Sent]:
        """Upload every file below ``folder`` with its SHA-256, under its path there behind ``prefix``."""
        sent = []
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            name, sent_s = path.relative_to(folder).as_posix(), time.time()
            with path.open("rb") as body:
                answer = self.cloud.s3.put_object(
                    Bucket=self.facts["uploads_bucket"], Key=prefix + name, Body=body, ChecksumAlgorithm="SHA256"
                )
            sent.append(Sent(name, prefix + name, answer["VersionId"], sent_s))
        return sent

    def follow(self, sent: Sequence[Sent], timeout_s: float) -> Iterator[Fate]:
        """The fate of each upload as it is known; after ``timeout_s`` that of the others, which are lost."""
        waiting, deadline_s = {one.key: one for one in sent}, time.monotonic() + timeout_s
        while waiting and time.monotonic() < deadline_s:
            known = self.index.get_many(list(waiting))
            for key, record in known.items():
                if record.done and record.version_id == waiting[key].version_id:
                    yield self._verified(waiting.pop(key), record)
            time.sleep(LOOK_EVERY_S if waiting else 0)
        yield from (Fate(one, None) for one in waiting.values())

    def _verified(self, sent: Sent, record: Record) -> Fate:
        if record.state == READY:
            return self._ready(sent, record)
        if record.state == HELD:
            waits = self.vault("media").head(HELD_MASTERS.name(sent.key)) is not None
            return Fate(sent, record, missing=() if waits else ("the held master",))
        place = str(record.refusal["quarantined"])  # "" if the upload was deleted before it could be copied
        copy = self.vault("quarantine").head(place) if place else None
        kept = copy is not None and copy.metadata["code"] == record.refusal["code"]
        return Fate(sent, record, missing=() if kept else ("the copy in quarantine",))

    def _ready(self, sent: Sent, record: Record) -> Fate:
        media, etag = self.vault("media"), record.master["etag"]
        master = media.head(MASTERS.name(sent.key))
        heads = [media.head(DERIVATIVES + name) for name in record.derivatives]
        presets = sum(head is not None and head.metadata[SOURCE_ETAG] == etag.strip('"') for head in heads)
        lacking = len(self.at_ingest) - presets
        missing = [] if master is not None and master.etag == etag else ["the master"]
        if lacking:
            missing.append(f"{lacking} presets")
        return Fate(sent, record, presets, tuple(missing))

    def depths(self) -> dict[str, Depth]:
        """How full each queue is, by its name among the facts."""
        return {name: self._depth(url) for name, url in self.facts["queues"].items()}

    def idle(self, queue: str, within_s: float) -> bool:
        """Whether ``queue`` is empty, now or ``within_s`` from now."""
        deadline_s = time.monotonic() + within_s
        while self._depth(self.facts["queues"][queue]).total:
            if time.monotonic() > deadline_s:
                return False
            time.sleep(LOOK_EVERY_S)
        return True

    def _depth(self, url: str) -> Depth:
        answer = self.cloud.queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return Depth(
            waiting=int(answer["ApproximateNumberOfMessages"]),
            worked_on=int(answer["ApproximateNumberOfMessagesNotVisible"]),
            delayed=int(answer["ApproximateNumberOfMessagesDelayed"]),
        )
