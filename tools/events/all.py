"""Collect the events of all functions."""

from __future__ import annotations

from collections.abc import Callable

from . import (
    Event,
    forget,
    infer,
    ingest,
    library,
    monitor,
    popular,
    purge,
    refine,
    scene,
    similar,
    sweep,
    transform,
    upload,
)

EVENTS: dict[str, Callable[[], dict[str, Event]]] = {
    "forget": forget.events,
    "infer": infer.events,
    "ingest": ingest.events,
    "library": library.events,
    "monitor": monitor.events,
    "popular": popular.events,
    "purge": purge.events,
    "refine": refine.events,
    "scene": scene.events,
    "similar": similar.events,
    "sweep": sweep.events,
    "transform": transform.events,
    "upload": upload.events,
}
"""Events by file name, by the function's folder."""
