"""Read the final state: all objects, index records and queues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .environment import INGEST, INGEST_DEAD, MEDIA, PURGE, PURGE_DEAD, QUARANTINE, TABLE, UPLOADS, Environment
from .queues import Recorder, count_messages, drain

READS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored object."""

    etag: str
    body: bytes
    metadata: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class PublishedEvent:
    """An event of the source ``darkroom``."""

    detail_type: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message of a dead-letter queue."""

    queue: str
    body: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Final state. ``media`` and ``quarantine`` are by key; ``records`` are index items as plain values by key.

    ``current`` is the version id of each upload that is not deleted, ``sequencers`` those of each key's events, in
    order.
    """

    media: Mapping[str, Stored]
    quarantine: Mapping[str, Stored]
    records: Mapping[str, Mapping[str, Any]]
    announced: Sequence[PublishedEvent]
    depths: Mapping[str, int]
    dead: Sequence[DeadLetter]
    current: Mapping[str, str]
    sequencers: Mapping[str, Sequence[str]]


def gather(environment: Environment, recorder: Recorder) -> Snapshot:
    """Read the final state directly from MiniStack. Dead-letter queues are drained."""
    recorder.record()
    return Snapshot(
        media=_objects(environment, MEDIA),
        quarantine=_objects(environment, QUARANTINE),
        records=_records(environment),
        announced=[PublishedEvent(event["detail-type"], event["detail"]) for event in recorder.announcements],
        depths={name: count_messages(environment, name) for name in (INGEST, PURGE)},
        dead=[letter for name in (INGEST_DEAD, PURGE_DEAD) for letter in _letters(environment, name)],
        current=_current(environment),
        sequencers=_sequencers(recorder.events),
    )


def _objects(environment: Environment, bucket: str) -> dict[str, Stored]:
    def read(key: str) -> Stored:
        found = environment.s3.get_object(Bucket=bucket, Key=key)
        return Stored(found["ETag"].strip('"'), found["Body"].read(), found["Metadata"])

    pages = environment.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        return dict(zip(keys, pool.map(read, keys), strict=True))


def _records(environment: Environment) -> dict[str, Mapping[str, Any]]:
    from boto3.dynamodb.types import TypeDeserializer

    read = TypeDeserializer().deserialize
    pages = environment.dynamodb.get_paginator("scan").paginate(TableName=TABLE)
    items = [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]
    return {item["pk"].removeprefix("image#"): item for item in items}


def _letters(environment: Environment, name: str) -> Iterable[DeadLetter]:
    for message in drain(environment, name):
        attributes = {key: value.get("StringValue", "") for key, value in message.get("MessageAttributes", {}).items()}
        yield DeadLetter(name, message["Body"], attributes)


def _current(environment: Environment) -> dict[str, str]:
    pages = environment.s3.get_paginator("list_object_versions").paginate(Bucket=UPLOADS)
    versions = [version for page in pages for version in page.get("Versions", [])]
    return {version["Key"]: version["VersionId"] for version in versions if version["IsLatest"]}


def _sequencers(events: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in events:
        changed = event["detail"]["object"]
        found.setdefault(changed["key"], []).append(changed["sequencer"])
    return {key: sorted(sequencers) for key, sequencers in found.items()}


def as_text(value: object) -> str:
    """Format a value for reports: short, and equal for equal values."""
    text = json.dumps(value, default=str, sort_keys=True)
    return text if len(text) <= 300 else f"{text[:300]} ..."
