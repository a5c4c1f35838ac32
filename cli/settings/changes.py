"""Put settings in force: first the document, then the edge's entries."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from darkroom.errors import Unavailable
from darkroom.settings import InvalidSettings, parse_settings
from darkroom_pipeline.services.edge_publication import differences

from .files import to_toml
from .removals import list_removals
from .stacks import Target
from .store import Version, was_in_force
from .validation import validate


class EdgeBehind(Exception):
    """The document is written, the edge is not up to date. The message names the cause and the remedy."""


@dataclass(frozen=True, slots=True)
class Applied:
    """What was put in force. ``difference`` is a unified diff, empty if the version had these settings already.

    ``removed`` are lines about what was in force before and is not now.
    """

    version: Version
    is_new: bool
    difference: str
    removed: Sequence[str]
    edge_changes: int


@dataclass(frozen=True, slots=True)
class Checked:
    """Comparison of document and edge. ``missing`` are sentences about what the stack lacks for the settings."""

    version: int
    missing: Sequence[str]
    stale: Sequence[str]
    repaired: int = 0

    @property
    def is_consistent(self) -> bool:
        """Whether they agree, after a requested repair."""
        return not self.stale or bool(self.repaired)


def put_in_force(
    target: Target,
    table: Mapping[str, Any],
    *,
    by: str,
    reason: str = "",
    replaces: Version | None = None,
    approve: Callable[[Sequence[str]], None] | None = None,
) -> Applied:
    """Write ``table`` as the next version unless it is the current one, then the edge's entries.

    ``approve`` is called before anything is written if ``table`` removes something, and raises to prevent it.
    Functions are more permissive than the edge for a minute at most. An interrupted call is completed by repeating it,
    or by :func:`check`. Raises InvalidSettings, ObjectChanged and EdgeBehind, and errors of reading the edge before
    anything is written.
    """
    settings = validate(table)
    target.build_entries(settings)  # raises before anything is written
    if missing := target.missing(settings):
        raise InvalidSettings(missing)
    target.edge.read()  # before anything is written: credentials and libraries are available
    current = replaces or target.documents.replaced()
    is_new = current.settings is None or table != current.settings
    difference = describe_difference(current.table, table, f"version {current.number}", "new") if is_new else ""
    removed = list_removals(current.table, table) if is_new else []
    if removed and approve:
        approve(removed)
    if is_new:
        current = target.documents.write(table, replaces=current, by=by, reason=reason)
    try:
        changed = target.publish(settings)
    except Unavailable as error:
        raise EdgeBehind(
            f"Version {current.number} is written, but the edge is not up to date ({error!r}): run "
            "`darkroom settings check --repair` for the same stack."
        ) from error
    return Applied(current, is_new, difference, removed, changed)


def check(target: Target, *, repair: bool = False) -> Checked:
    """Compare the edge's entries with the settings in force, and write what differs with ``repair``."""
    current = target.documents.current()
    settings = parse_settings(current.table)
    entries = target.build_entries(settings)
    puts, deletes = differences(target.edge.read(), entries)
    stale = [*puts, *(f"{key} (obsolete)" for key in deletes)]
    repaired = target.publish(settings) if repair and stale else 0
    return Checked(current.number, target.missing(settings), stale, repaired)


def read_version(target: Target, number: int) -> Version:
    """Read a version of the history. Raises LookupError."""
    version = target.documents.version(number)
    if version is None:
        raise LookupError(f"There is no version {number} of the settings.")
    return version


def read_history(target: Target) -> Iterator[tuple[Version, bool, bool]]:
    """Yield each version, whether it is in force, and whether it ever was. None is if the document is broken."""
    versions = {version.number: version for version in target.documents.history()}
    try:
        current = target.documents.current()
    except InvalidSettings:
        yield from ((version, False, True) for version in versions.values())
        return
    in_force = was_in_force(versions, current)
    for number, version in versions.items():
        yield version, number == current.number, number in in_force


def describe_difference(old: Mapping[str, Any], new: Mapping[str, Any], old_name: str, new_name: str) -> str:
    """Compare two settings tables, as a unified diff of TOML."""
    before, after = to_toml(old).splitlines(keepends=True), to_toml(new).splitlines(keepends=True)
    return "".join(unified_diff(before, after, old_name, new_name, n=1))
