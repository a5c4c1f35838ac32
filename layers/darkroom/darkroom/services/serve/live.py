"""Transform with the settings in force: where they have to be read, that is no further round trip for the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...errors import DarkroomError
from ...plan.presets import Presets
from ...settings import DEFAULTS, Settings
from ..live_settings import LiveSettings
from .background import BackgroundCall
from .prefetch import Prefetch
from .transform import Transform, load_renderer

type Build = Callable[[Settings, Prefetch], Transform]
type StartReads = Callable[[Transform, Callable[[], Presets]], None]
"""Begins the reads of a request by a transform whose settings are outdated or the defaults; the second argument waits
for the presets in force. May raise DarkroomErrors: the request is refused later, by the settings in force."""


class LiveTransform:
    """``build`` makes the service of settings. It is made again when they change."""

    def __init__(self, live: LiveSettings, build: Build) -> None:
        self._live = live
        self._build = build
        self._prefetch = Prefetch()
        self._built: tuple[Settings, Transform] | None = None

    @contextmanager
    def open(self, start_reads: StartReads) -> Iterator[Transform]:
        """The service for one request. Raises Unavailable if there are no settings to serve it by."""
        if self._live.is_due:
            settings = BackgroundCall(self._live.current)
            self._start_reads(start_reads, lambda: settings.result().presets)
            load_renderer()
            in_force = settings.result()
        else:
            in_force = self._live.current()
        if self._built is None or self._built[0] is not in_force:
            self._built = in_force, self._build(in_force, self._prefetch)
        try:
            yield self._built[1]
        finally:
            self._prefetch.clear()

    def _start_reads(self, begin: StartReads, presets: Callable[[], Presets]) -> None:
        known = self._built[1] if self._built else self._build(DEFAULTS, self._prefetch)
        try:
            begin(known, presets)
        except DarkroomError:
            return
