"""What the rest of the world is told: EventBridge events of the source ``darkroom``, as in docs/events.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any

from ...aws.record import READY, REFUSED, REMOVED, Record
from ...plan.keys import quote_key


def image_id(key: str, sequencer: str, version_id: str) -> str:
    """The id of what one event made of one version: the same however often that is done. 32 hexadecimal digits.

    ``version_id`` is part of it because an event that is dealt with again may find a newer upload than the first time.
    """
    return sha256(f"{key}\n{sequencer}\n{version_id}".encode()).hexdigest()[:32]


def announcement(record: Record, presets: Mapping[str, str]) -> tuple[str, dict[str, Any]]:
    """The detail type and detail about ``record``, which is done. ``presets``: paths of what was made, by preset."""
    detail_type, further = _TOLD[record.state]
    named = ("key", "version_id", "sequencer")
    detail = {"id": record.image_id} | {name: getattr(record, name) for name in named}
    return detail_type, detail | further(record, presets)


def preset_paths(key: str, names: Iterable[str]) -> dict[str, str]:
    """Where viewers find the presets ``names`` of ``key``."""
    return {name: f"/{quote_key(key)}?preset={name}" for name in names}


def _ready(record: Record, presets: Mapping[str, str]) -> dict[str, Any]:
    return {
        "sha256": record.sha256,
        "picture": dict(record.facts),
        "provenance": dict(record.provenance),
        "master": {name: record.master[name] for name in ("content_type", "size_bytes", "how")},
        "same_as": record.same_as,
        "path": f"/{quote_key(record.key)}",
        "presets": dict(presets),
    }


def _refused(record: Record, _: Mapping[str, str]) -> dict[str, Any]:
    return {"sha256": record.refusal.get("sha256", "")} | {
        name: record.refusal.get(name, "") for name in ("code", "reason", "trace_id", "quarantined")
    }


def _removed(_: Record, __: Mapping[str, str]) -> dict[str, Any]:
    return {}


_TOLD: dict[str, tuple[str, Callable[[Record, Mapping[str, str]], dict[str, Any]]]] = {
    READY: ("ImageReady", _ready),
    REFUSED: ("ImageRefused", _refused),
    REMOVED: ("ImageRemoved", _removed),
}
