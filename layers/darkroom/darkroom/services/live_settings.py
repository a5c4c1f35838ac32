"""Read the settings document from the media bucket, and build what services take from it.

``settings/current.json`` is the document in force; ``settings/history/<number>.json`` are all versions. A document is
the JSON object ``{"number", "previous", "at", "by", "reason", "settings"}``, whose ``settings`` is a table that
:func:`darkroom.settings.parse_settings` validates. Without a document all settings are defaults. Nothing third-party is
imported: transform reads it too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import Unavailable
from ..plan.forced_options import NOTHING_FORCED, ForcedOptions
from ..plan.limits import Limits
from ..plan.redaction import list_redaction_tasks
from ..settings import DEFAULTS, OFF, InvalidSettings, Settings, parse_settings
from .caching import CachePolicy

if TYPE_CHECKING:
    from ..aws.switches import ReadObject
    from ..aws.telemetry import Observer

CURRENT = "settings/current.json"
HISTORY = "settings/history/"

FRESH_S = 60.0
"""Time after which the document is read again."""

RETRY_S = 5.0
"""Time after which a failed read is retried, while the last good document is in force."""

MEMORY_MB = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"
"""Memory of the function (Lambda developer guide, "Defined runtime environment variables")."""
RESERVED_MB = 400
"""For the process (120 MB), the file (at most 100 MB), the output of a bare URL and its encoder (180 MB)."""


def history_key(number: int) -> str:
    """Return the object key of version ``number``. Numbers have a fixed width, so that listings are sorted."""
    return f"{HISTORY}{number:08d}.json"


def parse_document(body: bytes) -> Settings:
    """Parse a stored document; raises InvalidSettings. Keys of a newer version are ignored."""
    import json

    try:
        found = json.loads(body)
    except ValueError:
        found = None
    table = found.get("settings") if isinstance(found, dict) else None
    if not isinstance(table, dict):
        raise InvalidSettings(["the document is not a JSON object with a table named settings"])
    return parse_settings(table, ignore_unknown=True)


def read_settings(read: ReadObject) -> Settings:
    """Read the settings in force. Raises InvalidSettings and Unavailable."""
    body = read(CURRENT)
    return DEFAULTS if body is None else parse_document(body)


def read_applied_s(read: ReadObject) -> float:
    """Return when the document in force was written, Unix time; 0 without a document. Raises Unavailable."""
    import json
    from datetime import datetime

    body = read(CURRENT)
    try:
        return datetime.fromisoformat(json.loads(body)["at"]).timestamp() if body else 0.0
    except (ValueError, TypeError, KeyError) as error:
        raise Unavailable(detail=f"{CURRENT}: {error!r}") from error


@dataclass
class LiveSettings:
    """The settings as cached by one process, read again after ``fresh_s``.

    The last good document stays in force while reads fail, or find an invalid document, or none where there was one.
    Before the first good document such a failure is Unavailable: defaults could show what the document redacts.
    """

    read: ReadObject
    observer: Observer | None = None
    fresh_s: float = FRESH_S
    clock: Callable[[], float] = time.time
    _known: Settings | None = field(default=None, init=False)
    _body: bytes | None = field(default=None, init=False)
    _read_s: float = field(default=float("-inf"), init=False)

    @property
    def is_due(self) -> bool:
        """Whether :meth:`current` will read the document."""
        return not 0 <= self.clock() - self._read_s < self.fresh_s

    @property
    def last_known(self) -> Settings:
        """The last read settings, before that the defaults. For reads that start early, beside :meth:`current`."""
        return DEFAULTS if self._known is None else self._known

    def current(self) -> Settings:
        """Return the settings in force: the same object while the document is the same. Raises Unavailable."""
        if self._known is not None and not self.is_due:
            return self._known
        now_s = self.clock()
        try:
            body = self._reread()
            if self._known is None or body != self._body:
                self._known = DEFAULTS if body is None else parse_document(body)
                self._body = body
        except InvalidSettings as error:
            return self._keep_last_good("settings document invalid", "SettingsInvalid", str(error), now_s)
        except Unavailable as error:
            return self._keep_last_good("settings read failed", "SettingsReadFailed", error.detail, now_s)
        self._read_s = now_s
        return self._known

    def _reread(self) -> bytes | None:
        body = self.read(CURRENT)
        if body is None and self._body is not None:
            raise Unavailable(detail=f"{CURRENT} is missing")
        return body

    def _keep_last_good(self, message: str, metric: str, detail: str, now_s: float) -> Settings:
        if self.observer is not None:
            self.observer.log("ERROR", message, detail=detail)
            self.observer.count(metric)
        if self._known is None:
            raise Unavailable(detail=f"{message}: {detail}")
        self._read_s = now_s - self.fresh_s + min(RETRY_S, self.fresh_s)
        return self._known


class SettingsBound[T]:
    """An object built from the settings in force, and rebuilt when they change."""

    def __init__(self, live: LiveSettings, build: Callable[[Settings], T]) -> None:
        self._live = live
        self._build = build
        self._built: tuple[Settings, T] | None = None

    def __call__(self) -> T:
        """Return the object for the settings in force. Raises Unavailable."""
        settings, built = self._live.current(), self._built
        if built is None or built[0] is not settings:
            built = self._built = settings, self._build(settings)
        return built[1]


def decoder_limit(environment: Mapping[str, str] = os.environ) -> int:
    """Return the memory limit of a decoder in a function with this environment; the default outside of Lambda."""
    memory_mb = int(environment.get(MEMORY_MB, "0"))
    return (memory_mb - RESERVED_MB) * 1024 * 1024 if memory_mb > RESERVED_MB else Limits().max_decoder_bytes


@dataclass(frozen=True, slots=True)
class TaskRules:
    """The tasks of models by key.

    ``usual`` are those of most images, ``by_prefix`` those that replace them below key prefixes, the longest first.
    ``required`` are added for all images, the tasks of a redaction that is ``forced`` for its images, and images below
    ``cutout_prefixes`` are cut out.
    """

    usual: tuple[str, ...]
    by_prefix: tuple[tuple[str, tuple[str, ...]], ...] = ()
    required: tuple[str, ...] = ()
    forced: ForcedOptions = NOTHING_FORCED
    cutout_prefixes: tuple[str, ...] = ()

    def list_all(self) -> tuple[str, ...]:
        """Return the tasks that an image can have, without cutting it out."""
        below = (task for _, tasks in self.by_prefix for task in tasks)
        redacted = (task for _, redact in self.forced.redactions for task in list_redaction_tasks(redact))
        return tuple(dict.fromkeys([*self.usual, *below, *self.required, *redacted]))

    def list_for(self, key: str) -> tuple[str, ...]:
        """Return the tasks of an endpoint for the image ``key``."""
        from ..findings import CUTOUT  # functions without models do not need the module

        tasks = next((tasks for prefix, tasks in self.by_prefix if key.startswith(prefix)), self.usual)
        redacted = list_redaction_tasks(self.forced.find(key).redact)
        cutout = (CUTOUT,) if key.startswith(self.cutout_prefixes) else ()
        return tuple(dict.fromkeys([*tasks, *self.required, *redacted, *cutout]))


def build_task_rules(settings: Settings) -> TaskRules:
    """Return the tasks of the models. Moderation is required where its policy needs it."""
    from ..findings import MODERATION

    required = (MODERATION,) if settings.moderation_policy != OFF else ()
    return TaskRules(
        settings.tasks, settings.tasks_by_prefix, required, settings.always_redact, settings.cutout_prefixes
    )


def build_source_limits(settings: Settings) -> Limits:
    """Return limits of one source. Those of large images apply at ingest only, which admitted their masters."""
    return replace(
        Limits(),
        max_decoder_bytes=decoder_limit(),
        max_bytes=settings.max_source_bytes,
        max_pixels=settings.max_source_pixels,
        max_frames=settings.max_source_frames,
    )


def build_upload_limits(settings: Settings) -> Limits:
    """Return limits of an upload, including large images."""
    return replace(
        build_source_limits(settings),
        max_scene_bytes=settings.max_scene_bytes,
        max_scene_pixels=settings.max_scene_pixels,
    )


def build_cache_policy(settings: Settings, *, refines: bool) -> CachePolicy:
    """Return how long browsers and the CDN cache a derivative; ``refines``: whether some are re-encoded later."""
    return CachePolicy(
        browser_max_age_s=settings.browser_max_age_s,
        cdn_max_age_s=settings.cdn_max_age_s,
        stale_while_revalidate_s=settings.stale_while_revalidate_s,
        immutable_prefixes=settings.immutable_prefixes,
        refines=refines,
    )
