"""Publish the entries of CloudFront's key-value store for the settings in force, in a deployment and by a command."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Protocol

from darkroom.errors import Unavailable
from darkroom.plan.redaction import FIRST_GENERATION
from darkroom.plan.variants import AccessMode
from darkroom.services.live_settings import CURRENT, read_settings
from darkroom.settings import InvalidSettings, Settings

from ..plan.edge_settings import MAX_UPDATES, SETTINGS_KEY, PrivateImages, build_edge_entries, find_stale_keys

if TYPE_CHECKING:
    from darkroom.aws.switches import ReadObject
    from darkroom.aws.telemetry import Observer

RETRY_S = 3.0
"""Time between two attempts of a deployment: the permissions of a role that was just created are not everywhere yet."""

_REMEDY = f"{CURRENT} is not valid. Put another version in force (`darkroom settings rollback`), and deploy again"

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


type ReadKeys = Callable[[], Sequence[str]]
"""Reads the signing keys that are valid. Raises Unavailable."""


def entries_of(
    settings: Settings,
    stopped: Mapping[str, Sequence[str]] = MappingProxyType({}),
    read_keys: ReadKeys = tuple,
) -> Mapping[str, str]:
    """Return the entries for ``settings``. ``stopped`` are variants by experiment. Keys are read for private images.

    Raises ValueError if an entry is too large for the store, or the edge cannot use the keys, and Unavailable.
    """
    prefixes = settings.private_prefixes
    return build_edge_entries(
        AccessMode(settings.access_mode),
        settings.forced.text,
        settings.presets,
        settings.metadata,
        {one.name: one.format_entry(stopped.get(one.name, ())) for one in settings.experiments},
        settings.store_derivatives,
        PrivateImages(prefixes, tuple(read_keys()) if prefixes else ()),
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
    store: KeyValueStore,
    settings: Settings,
    read_stopped: Callable[[], Mapping[str, Sequence[str]]],
    read_keys: ReadKeys,
) -> int:
    """Write the entries for ``settings``, without the variants that ``read_stopped`` returns by experiment.

    Return how many changed. Can be interrupted and repeated. Raises as :func:`entries_of`, and errors of the store.
    """
    changed, published = 0, None
    # The monitor stores a decision before it writes the entry. Another pass restores an entry that this one overwrote.
    while (stopped := read_stopped()) != published:
        changed += publish(store, entries_of(settings, stopped, read_keys))
        published = stopped
    return changed


@dataclass(frozen=True)
class EdgePublication:
    """Publishes the settings document that ``read`` returns. ``read_stopped`` returns variants by experiment."""

    store: KeyValueStore
    read: ReadObject
    read_stopped: Callable[[Settings], Mapping[str, Sequence[str]]]
    read_keys: ReadKeys
    observer: Observer

    def run(self, remaining_s: Callable[[], float], is_rolling_back: Callable[[], bool]) -> None:
        """Publish, again while a service is unavailable and time remains.

        A rollback with an invalid document leaves the entries: it would fail for a reason that is not the release's.
        Raises InvalidSettings, ValueError as :func:`entries_of`, Unavailable.
        """
        while True:
            try:
                self.observer.log("INFO", "edge entries published", changed=self._publish())
            except InvalidSettings as error:
                if not is_rolling_back():
                    raise InvalidSettings([_REMEDY, *error.problems]) from error
                self.observer.log("ERROR", "settings document invalid", detail=str(error))
            except Unavailable:
                if remaining_s() < RETRY_S:
                    raise
                time.sleep(RETRY_S)
                continue
            return

    def _publish(self) -> int:
        """Return how many entries changed. A document that is replaced meanwhile is published in the end."""
        changed, published = 0, None
        while (settings := read_settings(self.read)) != published:
            changed += publish_settings(self.store, settings, partial(self.read_stopped, settings), self.read_keys)
            published = settings
        return changed
