"""Publish the entries of CloudFront's key-value store for the settings in force, in a deployment and by a command."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

from ..plan.edge_settings import MAX_UPDATES, SETTINGS_KEY, build_edge_entries, find_stale_keys
from ..plan.redaction import FIRST_GENERATION
from ..plan.variants import AccessMode
from ..settings import Settings

type Update = tuple[Mapping[str, str], Sequence[str]]
"""Entries to put, and keys to delete."""


GENERATION_ENTRY = "findings"
"""The key under which functions/edge/handler.js reads the active generation of findings."""


class KeyValueStore(Protocol):
    """A store with atomic updates. Raises Unavailable."""

    def read(self) -> Mapping[str, str]:
        """Return all entries."""

    def update(self, puts: Mapping[str, str], deletes: Sequence[str]) -> None:
        """Put and delete at most MAX_UPDATES entries at once."""


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


def publish_settings(
    store: KeyValueStore, settings: Settings, read_stopped: Callable[[], Mapping[str, Sequence[str]]]
) -> int:
    """Write the entries for ``settings``, without the variants that ``read_stopped`` returns by experiment.

    Return how many changed. Can be interrupted and repeated. Raises ValueError if an entry is too large for the store,
    and errors of the store.
    """
    changed, published = 0, None
    # The monitor stores a decision before it writes the entry. Another pass restores an entry that this one overwrote.
    while (stopped := read_stopped()) != published:
        changed += publish(store, entries_of(settings, stopped))
        published = stopped
    return changed
