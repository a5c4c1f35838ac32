"""Telemetry of the functions: logs, metrics and traces, as far as that needs nothing third-party."""

from __future__ import annotations

from .observer import LightObserver, Observer, log

__all__ = ["LightObserver", "Observer", "log"]
