"""What is there in the end: everything in the buckets, the index and the queues."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .environment import INGEST, INGEST_DEAD, MEDIA, PURGE, PURGE_DEAD, QUARANTINE, TABLE, UPLOADS, Environment
from .queues import Depth, Recorder, depth, is_drained

READS_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class Stored:
    """An object."""

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
    """A dead letter."""

    queue: str
    body: str
    attributes: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """``media`` and ``quarantine`` by key; ``records``: the index's items as plain values, by key.

    ``current``: the version id of each upload that is not deleted. ``sequencers``: of the events of each key, in order.
    """

    media: Mapping[str, Stored]
    quarantine: Mapping[str, Stored]
    records: Mapping[str, Mapping[str, Any]]
    announced: Sequence[PublishedEvent]
    depths: Mapping[str, Depth]
    dead: Sequence[DeadLetter]
    current: Mapping[str, str]
    sequencers: Mapping[str, Sequence[str]]


def gather(world: Environment, recorder: Recorder) -> Snapshot:
    """Look at everything, straight at MiniStack. Dead letters are taken out of their queues."""
    recorder.record()
    return Snapshot(
        media=_objects(world, MEDIA),
        quarantine=_objects(world, QUARANTINE),
        records=_records(world),
        announced=[PublishedEvent(event["detail-type"], event["detail"]) for event in recorder.announcements],
        depths={name: depth(world, name) for name in (INGEST, PURGE)},
        dead=[letter for name in (INGEST_DEAD, PURGE_DEAD) for letter in _letters(world, name)],
        current=_current(world),
        sequencers=_sequencers(recorder.events),
    )


def _objects(world: Environment, bucket: str) -> dict[str, Stored]:
    def read(key: str) -> Stored:
        found = world.s3.get_object(Bucket=bucket, Key=key)
        return Stored(found["ETag"].strip('"'), found["Body"].read(), found["Metadata"])

    pages = world.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [item["Key"] for page in pages for item in page.get("Contents", [])]
    with ThreadPoolExecutor(READS_AT_ONCE) as pool:
        return dict(zip(keys, pool.map(read, keys), strict=True))


def _records(world: Environment) -> dict[str, Mapping[str, Any]]:
    from boto3.dynamodb.types import TypeDeserializer

    read = TypeDeserializer().deserialize
    pages = world.client("dynamodb").get_paginator("scan").paginate(TableName=TABLE)
    items = [{name: read(value) for name, value in item.items()} for page in pages for item in page["Items"]]
    return {item["pk"].removeprefix("image#"): item for item in items}


def _letters(world: Environment, name: str) -> Iterable[DeadLetter]:
    for message in is_drained(world, name):
        attributes = {key: value.get("StringValue", "") for key, value in message.get("MessageAttributes", {}).items()}
        yield DeadLetter(name, message["Body"], attributes)


def _current(world: Environment) -> dict[str, str]:
    pages = world.s3.get_paginator("list_object_versions").paginate(Bucket=UPLOADS)
    versions = [version for page in pages for version in page.get("Versions", [])]
    return {version["Key"]: version["VersionId"] for version in versions if version["IsLatest"]}


def _sequencers(events: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for event in events:
        changed = event["detail"]["object"]
        found.setdefault(changed["key"], []).append(changed["sequencer"])
    return {key: sorted(sequencers) for key, sequencers in found.items()}


def as_text(value: object) -> str:
    """For reports: short, and the same for the same value."""
    text = json.dumps(value, default=str, sort_keys=True)
    return text if len(text) <= 300 else f"{text[:300]} ..."
