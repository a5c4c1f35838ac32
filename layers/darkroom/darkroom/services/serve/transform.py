"""Transform flow (docs/explanation/architecture.md): authorise a request, find its derivative or render it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING

from ...aws.s3_fast import FastBucket, StoredObject
from ...aws.telemetry import LightObserver
from ...errors import (
    BadOption,
    BadSignature,
    DarkroomError,
    NoInference,
    ObjectChanged,
    PresetsOnly,
    SourceMissing,
    Unsigned,
)
from ...image_keys import DERIVATIVES, MASTERS, ObjectNames, mezzanine_name
from ...plan.canonical import derivative_name, parse_path
from ...plan.forced_options import NOTHING_FORCED, ForcedOptions
from ...plan.limits import Limits
from ...plan.model import DEFAULT_QUALITY, MODEL_UPSCALE, NO_WATERMARK, DefaultQuality, Plan
from ...plan.option_plugins import NO_TEXTS, get_plugin_texts, list_plugin_files
from ...plan.presets import Presets, load_default_presets
from ...plan.redaction import get_followed_tasks, needs_findings
from ...plan.variants import (
    NEEDS_EXPIRY,
    UNSIGNED_SET,
    AccessMode,
    choose_access_mode,
    is_preset,
    list_mezzanines,
    list_variants,
    needs_signature,
)
from ...settings import DEFAULTS, Settings
from ...signing import KeySource, try_keys, verify
from ..caching import CachePolicy
from ..deadline import REQUEST, CpuLimit
from ..live_settings import LiveSettings
from ..master_reader import MasterReader, open_mezzanine
from ..sidecars import Sidecar, read_sidecar
from .answers import Answer, Failed, TransformRequest
from .negative_cache import CACHED_ERRORS, RefusalMarker, find_refusal, marker_key, read_marker, write_marker
from .rendering import (
    BackgroundCall,
    Defer,
    Prefetch,
    Renderer,
    RenderJob,
    is_stale,
    load_renderer,
    read_watermark,
    store_before_response,
    trusted_findings,
)

if TYPE_CHECKING:
    from ...aws.telemetry import Observer
    from ...findings import Findings
    from .converter import Converter
    from .store_policy import StorePolicy

_OTHER_VARIANT = "The signature is for another variant"

type Read[T] = tuple[str, Callable[[], T]]
"""A read that may be prefetched: its name and the call."""


@dataclass(frozen=True)
class Transform:
    """The service, with its adapters. ``source`` holds the masters by ``source_names``.

    ``stores``: whether derivatives are stored; ``presets``, or ``auto``: those, and others by ``store_policy``. What is
    too large for a response is stored in any case.
    ``mezzanines``: whether masters may have mezzanines.
    ``private_prefixes``: of keys whose images need a signature in every mode; ``edge_verifies``: whether the edge
    verifies it before the CDN responds from its cache.
    ``fallback_images``: keys of images that replace failed ones, by key prefix, the longest first.
    ``inference``: whether the deployment analyses images; ``cutout_prefixes``: of keys whose images are cut out;
    ``upscale_prefixes``: of keys whose images a model may enlarge.
    ``always``: what it forces; the edge has forced it into the paths, and a path without it is refused.
    ``is_load_shedding``: whether only named presets are rendered now.
    ``converter``: encodes formats that the core does not have.
    ``render``: renders what is not stored.
    """

    source: FastBucket
    media: FastBucket
    keys: KeySource[Sequence[str]]
    source_names: ObjectNames = MASTERS
    stores: bool | str = True
    mezzanines: bool = True
    mode: AccessMode = AccessMode.GUARDED
    private_prefixes: tuple[str, ...] = ()
    edge_verifies: bool = False
    fallback_images: Sequence[tuple[str, str]] = ()
    inference: bool = False
    cutout_prefixes: tuple[str, ...] = ()
    upscale_prefixes: tuple[str, ...] = ()
    always: ForcedOptions = NOTHING_FORCED
    presets: Callable[[], Presets] = load_default_presets
    default_quality: DefaultQuality = DEFAULT_QUALITY
    limits: Limits = field(default_factory=Limits)
    cpu_limit: CpuLimit = REQUEST
    caching: CachePolicy = field(default_factory=CachePolicy)
    clock: Callable[[], float] = time.time
    observer: Observer = field(default_factory=lambda: LightObserver("transform"))
    is_load_shedding: Callable[[], bool] = lambda: False
    master_reader: MasterReader = field(default_factory=MasterReader, repr=False)
    prefetched: Prefetch = field(default_factory=Prefetch, repr=False)
    defer: Defer = store_before_response
    converter: Converter | None = None
    store_policy: StorePolicy | None = None
    render: Callable[[Renderer, RenderJob], Answer] = Renderer.render

    def answer(self, request: TransformRequest) -> Answer:
        """Authorise, then find or render the derivative. DarkroomErrors are returned as Failed."""
        try:
            with self.observer.step("parse"):
                plan = parse_path(request.path)
                self._authorise(plan, request)
        except DarkroomError as error:
            return Failed(error)
        return self.serve_or_replace(plan, request.if_none_match)

    def is_private(self, key: str) -> bool:
        """Return whether images of ``key`` need a signature at every request."""
        return key.startswith(self.private_prefixes)

    def get_access_mode(self, key: str) -> AccessMode:
        """Return which requests for images of ``key`` need a signature."""
        return choose_access_mode(key, self.mode, self.private_prefixes)

    def check_expiry(self, key: str, expires_s: int | None) -> None:
        """Raise Unsigned for a link to a private image without an expiry."""
        if expires_s is None and self.is_private(key):
            raise Unsigned(NEEDS_EXPIRY)

    def serve_or_replace(self, plan: Plan, if_none_match: str = "") -> Answer:
        """Serve the variant ``plan``, or the fallback image of its key if that fails and there is one."""
        answer = self.serve(plan, if_none_match)
        if not self.fallback_images or not isinstance(answer, Failed):
            return answer
        from .fallback import replace_failed

        return replace_failed(answer, plan, self.fallback_images, self._find_fallback, self.observer)

    def _find_fallback(self, plan: Plan) -> Answer:
        """Find or render a fallback image. It is always stored: missing keys, which are endless, share one render."""
        storing = replace(self, stores=True)
        storing._check_allowed(plan)
        return storing._find_or_render(plan, "", None)

    def serve(self, plan: Plan, if_none_match: str = "", master: StoredObject | None = None) -> Answer:
        """Find or render the variant ``plan`` of an authorised request, from ``master`` if it is open already."""
        self.observer.add_metadata("key", plan.key)
        try:
            self._check_allowed(plan)
            return self._find_or_render(plan, if_none_match, master)
        except DarkroomError as error:
            return Failed(error)

    def prefetch(self, plan: Plan, presets: Callable[[], Presets]) -> None:
        """Start the reads that a request for ``plan`` needs; ``presets`` waits for those in force."""
        self.prefetch_master(plan.key)
        start = self.prefetched.start
        start(*self._derivative_read(plan))
        start(*self._marker_read(plan))
        start("switch", self.is_load_shedding)
        if plan.findings:
            start(*self._sidecar_read(plan))
        for side_px in self._list_mezzanines(plan):
            start(*self._mezzanine_read(plan.key, side_px))
        for name in _watermark_names(plan):
            start(*self._watermark_read(name, presets))

    def prefetch_master(self, key: str) -> None:
        """Start to read the master of ``key``."""
        self.prefetched.start(*self._master_read(key))

    def open_master(self, key: str) -> StoredObject | None:
        """Open the master of ``key``; None if there is none. Raises Unavailable."""
        return self.prefetched.take(*self._master_read(key)).result()

    def _master_read(self, key: str) -> Read[StoredObject | None]:
        return f"master {key}", lambda: self.master_reader.open(self.source, self.source_names.name(key))

    def _derivative_read(self, plan: Plan) -> Read[StoredObject | None]:
        name = DERIVATIVES + derivative_name(plan)
        return f"stored {name}", lambda: self.media.open(name)

    def _list_mezzanines(self, plan: Plan) -> tuple[int, ...]:
        return list_mezzanines(plan) if self.mezzanines else ()

    def _mezzanine_read(self, key: str, side_px: int) -> Read[StoredObject | None]:
        name = mezzanine_name(key, side_px)
        return f"mezzanine {name}", lambda: open_mezzanine(self.media, name)

    def _marker_read(self, plan: Plan) -> Read[RefusalMarker]:
        name = marker_key(DERIVATIVES, plan.key)
        return f"marker {name}", lambda: read_marker(self.media, name)

    def _sidecar_read(self, plan: Plan) -> Read[Sidecar]:
        return f"findings {plan.findings} {plan.key}", lambda: read_sidecar(self.media, plan.findings, plan.key)

    def _watermark_read(self, name: str, presets: Callable[[], Presets]) -> Read[bytes]:
        return f"watermark {name}", lambda: read_watermark(self.media, name, presets())

    def _authorise(self, plan: Plan, request: TransformRequest) -> None:
        mode = self.get_access_mode(plan.key)
        if not needs_signature(plan, mode, self.presets, self.always):
            return
        if not request.signature:
            raise Unsigned(UNSIGNED_SET if mode is not AccessMode.SIGNED else "")
        signed = request.request_path or request.path
        if replace(plan, findings="", rights=False) not in list_variants(parse_path(signed), always=self.always):
            raise BadSignature(_OTHER_VARIANT)
        expires_s, now_s = _parse_unix_time(request.expires), self.clock()
        self.check_expiry(plan.key, expires_s)
        check = partial(verify, signed, request.signature, expires_s, now_s=now_s, url=request.url)
        if try_keys(self.keys, check, BadSignature):
            _check_literal(request.url, signed, expires_s, self.presets())

    def _check_allowed(self, plan: Plan) -> None:
        """Refuse options that are not allowed for the key, and a path that the edge never requests: without a forced
        redaction, or without findings."""
        if plan.upscale == MODEL_UPSCALE and not plan.key.startswith(self.upscale_prefixes):
            raise BadOption("up: images with this prefix are not enlarged by a model", option="up")
        forced = self.always.apply(plan)
        if not needs_findings(plan) and forced == plan:
            return
        if forced.watermark != plan.watermark:
            raise BadOption("The path is not a canonical path", detail="without its watermark")
        if not self.inference:
            raise NoInference
        if plan.cutout and not plan.key.startswith(self.cutout_prefixes):
            raise BadOption("cutout: images with this prefix are not cut out", option="cutout")
        if not plan.findings or forced != plan:
            raise BadOption("The path is not a canonical path", detail="without its redaction, or without findings")

    def _find_or_render(self, plan: Plan, if_none_match: str, given: StoredObject | None) -> Answer:
        name = derivative_name(plan)
        marker_name = marker_key(DERIVATIVES, plan.key)
        take = self.prefetched.take
        started = time.perf_counter()
        with self.observer.step("fetch"):
            opened = None if given else take(*self._master_read(plan.key))
            stored = take(*self._derivative_read(plan))
            marker = take(*self._marker_read(plan))
            mezzanines = {
                side_px: take(*self._mezzanine_read(plan.key, side_px)) for side_px in self._list_mezzanines(plan)
            }
            watermarks = self._take_watermarks(plan)
            sidecar = take(*self._sidecar_read(plan)) if plan.findings else None
            shedding = take("switch", self.is_load_shedding)
            load_renderer()
            master = opened.result() if opened else given
        fetch_ms = (time.perf_counter() - started) * 1000
        found = stored.result()
        if found is not None and not is_stale(plan, found, master):
            return self._renderer.answer_stored(found, plan, if_none_match)
        if master is None:
            raise SourceMissing
        refusals = marker.result()
        if (refusal := find_refusal(refusals, name, master.etag, self.limits)) is not None:
            raise refusal
        if shedding.result() and not is_preset(plan, self.presets, self.always):
            raise PresetsOnly
        replaces = found.etag if found is not None else ""
        read = sidecar.result() if sidecar else None
        findings = trusted_findings(plan.key, master.etag, read, self.always)
        job = RenderJob(
            plan,
            DERIVATIVES + name,
            master,
            replaces,
            watermarks,
            read,
            fetch_ms,
            if_none_match,
            mezzanines,
            findings,
            is_provisional(plan, findings),
        )
        try:
            return self.render(self._renderer, job)
        except ObjectChanged:
            return self._renderer.answer_stored_meanwhile(job.name, plan, if_none_match)
        except CACHED_ERRORS as error:
            write_marker(self.media, marker_name, refusals, name, error, master.etag, self.limits)
            raise

    def _take_watermarks(self, plan: Plan) -> Mapping[str, BackgroundCall[bytes]]:
        """Read the files of the plan's watermarks, each once."""
        return {
            name: self.prefetched.take(*self._watermark_read(name, self.presets)) for name in _watermark_names(plan)
        }

    @cached_property
    def _renderer(self) -> Renderer:
        return Renderer(
            self.source,
            self.media,
            self.source_names,
            self.master_reader,
            self.stores,
            self.always,
            self.presets,
            self.default_quality,
            self.limits,
            self.cpu_limit,
            self.caching,
            self.observer,
            self.defer,
            self.converter,
            self.store_policy,
        )


def is_provisional(plan: Plan, findings: Findings | None) -> bool:
    """Whether ``plan`` follows a task that may still get a finding: it is rendered without that, and not stored."""
    return any(findings is None or findings.is_awaited(task) for task in get_followed_tasks(plan))


def _watermark_names(plan: Plan) -> set[str]:
    """Return the names of the plan's watermarks, and the objects of which plug-ins make it."""
    names = {mark.name for mark in (plan.watermark, plan.second_watermark) if mark} - {NO_WATERMARK}
    return names if get_plugin_texts(plan) == NO_TEXTS else names | {*list_plugin_files(plan)}


def _check_literal(url: str, request_path: str, expires_s: int | None, presets: Presets) -> None:
    """Raise BadSignature if the signed ``url`` is another request than the one that the edge made of it."""
    from ...plan.native_url import parse_url

    try:
        found = parse_url(url, presets)
    except DarkroomError as error:
        raise BadSignature(_OTHER_VARIANT, detail=error.message) from error
    if (found.path, found.expires_s) != (request_path, expires_s):
        raise BadSignature(_OTHER_VARIANT, detail=found.path)


def _parse_unix_time(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 10:
        raise BadSignature
    return int(text)


type Build = Callable[[Settings, Prefetch], Transform]
type StartReads = Callable[[Transform, Callable[[], Presets]], None]
"""Starts the reads of a request by a transform whose settings are outdated or the defaults; the second argument waits
for the presets in force. May raise DarkroomError: the request is refused later, by the settings in force."""


class LiveTransform:
    """Transform with the settings in force: where they have to be read, that is no further round trip for the request.

    ``build`` makes the service from settings. It is rebuilt when they change.
    """

    def __init__(self, live: LiveSettings, build: Build) -> None:
        self._live = live
        self._build = build
        self._prefetch = Prefetch()
        self._built: tuple[Settings, Transform] | None = None

    @contextmanager
    def open(self, start_reads: StartReads) -> Iterator[Transform]:
        """Yield the service for one request. Raises Unavailable if there are no settings to serve it by."""
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

    def _start_reads(self, start_reads: StartReads, presets: Callable[[], Presets]) -> None:
        transform = self._built[1] if self._built else self._build(DEFAULTS, self._prefetch)
        try:
            start_reads(transform, presets)
        except DarkroomError:
            return
