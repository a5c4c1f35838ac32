"""Generate and publish the entries of CloudFront's KeyValueStore from the settings in force."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from botocore.exceptions import ClientError

from darkroom.plan.edge_settings import MAX_UPDATES, SETTINGS_KEY, build_edge_entries, find_stale_keys
from darkroom.plan.redaction import FIRST_GENERATION
from darkroom.plan.variants import AccessMode
from darkroom.settings import Settings

type Update = tuple[Mapping[str, str], Sequence[str]]
"""Entries to put, and keys to delete."""


GENERATION_ENTRY = "findings"
"""The key under which functions/edge/handler.js reads the active generation of findings."""


class StoreConflict(Exception):
    """The store was written to at the same time. Nothing was changed by this call; it may be repeated."""


class KeyValueStore(Protocol):
    """A store with atomic updates."""

    def read(self) -> Mapping[str, str]:
        """Return all entries."""

    def update(self, puts: Mapping[str, str], deletes: Sequence[str]) -> None:
        """Put and delete at most MAX_UPDATES entries at once. Raises StoreConflict."""


def active_generation(held: Mapping[str, str]) -> str:
    """Return the generation of findings that a store with the entries ``held`` makes the active one."""
    return held.get(GENERATION_ENTRY, FIRST_GENERATION)


def entries_of(settings: Settings, stopped: Mapping[str, Sequence[str]] = MappingProxyType({})) -> Mapping[str, str]:
    """Return the entries for ``settings``. ``stopped`` are variants by experiment.

    Raises ValueError if an entry is too large for the store.
    """
    return build_edge_entries(
        AccessMode(settings.access_mode),
        settings.always_redact.text,
        settings.presets,
        settings.metadata,
        {one.name: one.format_entry(stopped.get(one.name, ())) for one in settings.experiments},
    )


def differences(held: Mapping[str, str], entries: Mapping[str, str]) -> Update:
    """Return the update that makes a store with ``held`` contain exactly ``entries``."""
    puts = {key: value for key, value in entries.items() if held.get(key) != value}
    return puts, find_stale_keys(held, entries)


def updates(held: Mapping[str, str], entries: Mapping[str, str]) -> Iterator[Update]:
    """Yield the update in calls of at most MAX_UPDATES: ``settings`` after all other entries, deletions last."""
    puts, deletes = differences(held, entries)
    if len(puts) + len(deletes) <= MAX_UPDATES:
        if puts or deletes:
            yield puts, deletes
        return
    first = [(key, value) for key, value in puts.items() if key != SETTINGS_KEY]
    for batch in itertools.batched(first, MAX_UPDATES, strict=False):
        yield dict(batch), ()
    if SETTINGS_KEY in puts:
        yield {SETTINGS_KEY: puts[SETTINGS_KEY]}, ()
    for keys in itertools.batched(deletes, MAX_UPDATES, strict=False):
        yield {}, keys


def publish(store: KeyValueStore, entries: Mapping[str, str]) -> int:
    """Write ``entries`` to ``store``. Return how many changed. Can be interrupted and repeated."""
    changed = 0
    for puts, deletes in updates(store.read(), entries):
        store.update(puts, deletes)
        changed += len(puts) + len(deletes)
    return changed


@dataclass(frozen=True)
class AwsStore:
    """The store ``arn`` by boto3's client ``cloudfront-keyvaluestore``, which signs with SigV4A (AWS's CRT library)."""

    client: Any
    arn: str

    def read(self) -> Mapping[str, str]:
        """See the protocol."""
        pages = self.client.get_paginator("list_keys").paginate(KvsARN=self.arn)
        return {item["Key"]: item["Value"] for page in pages for item in page.get("Items", ())}

    def update(self, puts: Mapping[str, str], deletes: Sequence[str]) -> None:
        """See the protocol."""
        etag = self.client.describe_key_value_store(KvsARN=self.arn)["ETag"]
        try:
            self.client.update_keys(
                KvsARN=self.arn,
                IfMatch=etag,
                Puts=[{"Key": key, "Value": value} for key, value in puts.items()],
                Deletes=[{"Key": key} for key in deletes],
            )
        except ClientError as error:
            if error.response["Error"]["Code"] == "ConflictException":
                raise StoreConflict(self.arn) from error
            raise
