"""Write records, and publish their events (docs/reference/events.md).

A record is written before its event is published.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from darkroom.image_keys import quote_key

from ...aws.record import HELD, READY, REFUSED, REMOVED, LargeImageRef, MasterRef, Record, with_image_id
from .context import IngestContext


def finish(context: IngestContext, record: Record, *, silent: bool = False) -> None:
    """Write ``record``, then publish its event. A worker that is killed in between leaves the event to the next one.

    ``silent``: the event is not published.
    """
    now = datetime.fromtimestamp(context.claims.clock(), UTC)
    record = replace(
        with_image_id(record),
        large_image=LargeImageRef(),
        lease_until_s=0,
        announced=silent,
        updated_at=now.isoformat(timespec="milliseconds"),
    )
    with context.observer.step("index"):
        context.claims.settle(record)
    announce(context, record)


def announce(context: IngestContext, record: Record) -> None:
    """Publish the event of ``record`` unless that is done."""
    if record.announced:
        return
    with context.observer.step("announce"):
        publish_event(context, record)
        context.claims.mark_announced(record)


def publish_event(context: IngestContext, record: Record) -> None:
    """Publish the event of ``record``, which has its id."""
    priority = record.urgent or bool(context.always.for_key(record.key))
    paths = build_preset_paths(record.key, context.presets.at_ingest)
    explanation = context.moderation.get_explanation(record) if record.state == HELD else {}
    detail_type, detail = build_announcement(record, paths, priority=priority)
    context.bus.publish(detail_type, detail | ({"explanation": explanation} if explanation else {}))


def build_announcement(
    record: Record, presets: Mapping[str, str], *, priority: bool = False
) -> tuple[str, dict[str, Any]]:
    """Return detail type and detail of the event of ``record``, which is done.

    ``presets``: paths of presets by name. ``priority``: the image is analysed before others, because it is urgent or
    not served before.
    """
    detail_type, build_further = _EVENTS[record.state]
    detail = {"id": record.image_id, "key": record.key, "version_id": record.version_id, "sequencer": record.sequencer}
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


def _describe(master: MasterRef) -> dict[str, Any]:
    return {"content_type": master.content_type, "size_bytes": master.size_bytes, "how": master.how}


_EVENTS: dict[str, tuple[str, Callable[[Record, Mapping[str, str], bool], dict[str, Any]]]] = {
    READY: ("ImageReady", _ready),
    REFUSED: ("ImageRefused", lambda record, *_: asdict(record.refusal)),
    REMOVED: ("ImageRemoved", lambda *_: {}),
    HELD: ("ImageHeld", _held),
}
