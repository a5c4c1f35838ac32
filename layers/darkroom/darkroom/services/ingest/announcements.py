"""EventBridge events about uploads, with the source ``darkroom`` (docs/reference/events.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Any

from ...aws.record import HELD, READY, REFUSED, REMOVED, MasterRef, Record
from ...plan.keys import quote_key

REVIEW_STEPS = ("", "held", "flagged", "released")
"""Steps of moderation of one upload, in order: each has an event and an id of its own."""


def build_image_id(key: str, sequencer: str, version_id: str, step: str = "") -> str:
    """Build the id of the result of one event for one version, the same at each repeat. 32 hexadecimal digits.

    ``version_id`` is part of it because an event that is repeated may find a newer upload than the first time. ``step``
    is one of :data:`REVIEW_STEPS`.
    """
    parts = (key, sequencer, version_id, step) if step else (key, sequencer, version_id)
    return sha256("\n".join(parts).encode()).hexdigest()[:32]


def with_image_id(record: Record) -> Record:
    """Return ``record`` with its id."""
    image_id = build_image_id(record.key, record.sequencer, record.version_id, _get_review_step(record))
    return replace(record, image_id=image_id)


def was_finished(record: Record) -> bool:
    """Whether the event of ``record``, which is claimed, was completed once: then it has its id."""
    named = (record.key, record.sequencer, record.version_id)
    return record.image_id in {build_image_id(*named, step) for step in REVIEW_STEPS}


def _get_review_step(record: Record) -> str:
    if record.state == HELD:
        return "flagged" if record.held.flagged else "held"
    return "released" if record.state == READY and record.released else ""


def build_announcement(
    record: Record, presets: Mapping[str, str], *, priority: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return detail type and detail of the event of ``record``, which is done.

    ``presets``: paths of presets by name. ``priority``: the image is not served before it is analysed.
    """
    detail_type, build_further = _EVENTS[record.state]
    detail = {
        "id": record.image_id,
        "key": record.key,
        "version_id": record.version_id,
        "sequencer": record.sequencer,
    }
    return detail_type, detail | build_further(record, presets, priority)


def build_preset_paths(key: str, names: Iterable[str]) -> dict[str, str]:
    """Return the URL paths of the presets ``names`` of ``key``."""
    return {name: f"/{quote_key(key)}?preset={name}" for name in names}


def _ready(record: Record, presets: Mapping[str, str], priority: bool) -> dict[str, Any]:
    return {
        "sha256": record.sha256,
        "picture": dict(record.facts),
        "provenance": dict(record.provenance),
        "master": _describe(record.master),
        "same_as": record.same_as,
        "path": f"/{quote_key(record.key)}",
        "presets": dict(presets),
        "priority": priority,
    }


def _held(record: Record, _: Mapping[str, str], __: bool) -> dict[str, Any]:
    held = record.held
    return {
        "sha256": held.sha256,
        "picture": dict(held.facts),
        "master": _describe(held.master),
        "flagged": held.flagged,
        "priority": True,
    }


def _refused(record: Record, _: Mapping[str, str], __: bool) -> dict[str, Any]:
    refusal = record.refusal
    return {
        "sha256": refusal.sha256,
        "code": refusal.code,
        "reason": refusal.reason,
        "trace_id": refusal.trace_id,
        "quarantined": refusal.quarantined,
    }


def _removed(_: Record, __: Mapping[str, str], ___: bool) -> dict[str, Any]:
    return {}


def _describe(master: MasterRef) -> dict[str, Any]:
    return {"content_type": master.content_type, "size_bytes": master.size_bytes, "how": master.how}


_EVENTS: dict[str, tuple[str, Callable[[Record, Mapping[str, str], bool], dict[str, Any]]]] = {
    READY: ("ImageReady", _ready),
    REFUSED: ("ImageRefused", _refused),
    REMOVED: ("ImageRemoved", _removed),
    HELD: ("ImageHeld", _held),
}
