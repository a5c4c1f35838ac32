"""Transform with the settings in force: where they have to be read, that is no further round trip for the request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import DarkroomError
from ..plan.presets import Presets
from ..settings import DEFAULTS, Settings
from .ahead import Ahead
from .aside import Aside
from .live_settings import LiveSettings
from .transform import Transform, load_renderer

type Build = Callable[[Settings, Ahead], Transform]
type Begin = Callable[[Transform, Callable[[], Presets]], None]
"""Begins the reads of a request by a transform whose settings are outdated or the defaults; the second argument waits
for the presets in force. May raise DarkroomErrors: the request is refused later, by the settings in force."""


class LiveTransform:
    """``build`` makes the service of settings. It is made again when they change."""

    def __init__(self, live: LiveSettings, build: Build) -> None:
        self._live = live
        self._build = build
        self._ahead = Ahead()
        self._built: tuple[Settings, Transform] | None = None

    @contextmanager
    def serving(self, begin: Begin) -> Iterator[Transform]:
        """The service for one request. Raises Unavailable if there are no settings to serve it by."""
        if self._live.is_due:
            settings = Aside(self._live.current)
            self._begin_reads(begin, lambda: settings.result().presets)
            load_renderer()
            in_force = settings.result()
        else:
            in_force = self._live.current()
        if self._built is None or self._built[0] is not in_force:
            self._built = in_force, self._build(in_force, self._ahead)
        try:
            yield self._built[1]
        finally:
            self._ahead.clear()

    def _begin_reads(self, begin: Begin, presets: Callable[[], Presets]) -> None:
        known = self._built[1] if self._built else self._build(DEFAULTS, self._ahead)
        try:
            begin(known, presets)
        except DarkroomError:
            return
