"""What the rest of the world is told: EventBridge events of the source ``darkroom``, as in docs/reference/events.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from ...aws.record import HELD, READY, REFUSED, REMOVED, Record
from ...plan.keys import quote_key

STANDINGS = ("", "held", "flagged", "released")
"""What moderation can make of one upload, one after the other: each is told by itself, with an id of its own."""


def build_image_id(key: str, sequencer: str, version_id: str, standing: str = "") -> str:
    """The id of what one event made of one version: the same however often that is done. 32 hexadecimal digits.

    ``version_id`` is part of it because an event that is dealt with again may find a newer upload than the first time.
    ``standing`` is one of :data:`STANDINGS`.
    """
    parts = (key, sequencer, version_id, standing) if standing else (key, sequencer, version_id)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def with_image_id(record: Record) -> Record:
    """``record`` with its id."""
    return replace(record, image_id=build_image_id(record.key, record.sequencer, record.version_id, _standing(record)))


def was_finished(record: Record) -> bool:
    """Whether the event of ``record``, which is claimed, has once been dealt with: it says so with its id."""
    named = (record.key, record.sequencer, record.version_id)
    return record.image_id in {build_image_id(*named, standing) for standing in STANDINGS}


def _standing(record: Record) -> str:
    if record.state == HELD:
        return "flagged" if record.held["flagged"] else "held"
    return "released" if record.state == READY and record.released else ""


def build_announcement(
    record: Record, presets: Mapping[str, str], *, priority: bool = False
) -> tuple[str, dict[str, Any]]:
    """The detail type and detail about ``record``, which is done. ``presets``: paths of what was made, by preset.

    ``priority``: nobody sees the picture before it has been analysed.
    """
    detail_type, further = _TOLD[record.state]
    named = ("key", "version_id", "sequencer")
    detail = {"id": record.image_id} | {name: getattr(record, name) for name in named}
    return detail_type, detail | further(record, presets, priority)


def build_preset_paths(key: str, names: Iterable[str]) -> dict[str, str]:
    """Where viewers find the presets ``names`` of ``key``."""
    return {name: f"/{quote_key(key)}?preset={name}" for name in names}


def _ready(record: Record, presets: Mapping[str, str], priority: bool) -> dict[str, Any]:
    return {
        "sha256": record.sha256,
        "picture": dict(record.facts),
        "provenance": dict(record.provenance),
        "master": {name: record.master[name] for name in _OF_MASTER},
        "same_as": record.same_as,
        "path": f"/{quote_key(record.key)}",
        "presets": dict(presets),
        "priority": priority,
    }


def _held(record: Record, _: Mapping[str, str], __: bool) -> dict[str, Any]:
    held = record.held
    return {
        "sha256": held["sha256"],
        "picture": dict(held["facts"]),
        "master": {name: held["master"][name] for name in _OF_MASTER},
        "flagged": held["flagged"],
        "priority": True,
    }


def _refused(record: Record, _: Mapping[str, str], __: bool) -> dict[str, Any]:
    return {"sha256": record.refusal.get("sha256", "")} | {
        name: record.refusal.get(name, "") for name in ("code", "reason", "trace_id", "quarantined")
    }


def _removed(_: Record, __: Mapping[str, str], ___: bool) -> dict[str, Any]:
    return {}


_OF_MASTER = ("content_type", "size_bytes", "how")

_TOLD: dict[str, tuple[str, Callable[[Record, Mapping[str, str], bool], dict[str, Any]]]] = {
    READY: ("ImageReady", _ready),
    REFUSED: ("ImageRefused", _refused),
    REMOVED: ("ImageRemoved", _removed),
    HELD: ("ImageHeld", _held),
}
