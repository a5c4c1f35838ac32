"""Render a derivative from its master and store it, if neither has changed meanwhile.

Background calls are requests to S3 that run beside each other, some before the request is known to be allowed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from threading import Thread
from typing import TYPE_CHECKING, Any

from ...aws.s3_fast import FastBucket, StoredObject
from ...aws.telemetry import bound_fields
from ...errors import (
    BadOption,
    DamagedSource,
    FindingsPending,
    ObjectChanged,
    OverLimits,
    TypeNotAllowed,
    Unavailable,
)
from ...image_keys import ObjectNames
from ...plan.forced_options import ForcedOptions, is_unmarked
from ...plan.limits import Limits
from ...plan.model import MODEL_UPSCALE, DefaultQuality, Plan
from ...plan.option_plugins import find_file_plugin
from ...plan.presets import Presets
from ...plan.redaction import needs_findings
from ...plan.variants import AUTO, is_preset, is_refined
from ..caching import (
    MASTER_RIGHTS,
    MASTER_SHA256,
    SOURCE_ETAG,
    CachePolicy,
    derivative_headers,
    derivative_metadata,
    etag_matches,
    provisional_headers,
    source_version,
)
from ..deadline import CpuLimit, Deadline
from ..master_reader import MasterReader, choose_mezzanine
from ..request_metrics import count_store_failure, record_render, record_store_hit
from ..sidecars import Sidecar
from .answers import MAX_BODY_BYTES, Answer, Derivative, NotModified, Provisional, Rendered, Stored

if TYPE_CHECKING:
    from ...aws.telemetry import Observer
    from ...findings import Findings
    from ...imaging.formats.image_format import Header
    from ...imaging.render.output import RenderedImage
    from ...imaging.source import Source
    from .converter import Converter
    from .store_policy import StorePolicy


class BackgroundCall[T]:
    """``call`` running in a thread of its own; :meth:`result` waits for it.

    A bare thread rather than an executor: ``concurrent.futures`` costs a cold start 10 ms of imports.
    """

    def __init__(self, call: Callable[[], T]) -> None:
        self._call = call
        self._value: T | None = None
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._call()
        except BaseException as error:  # raised again by result()
            self._error = error

    def result(self) -> T:
        """Return the value of the call, or raise what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._value  # type: ignore[return-value]


class Prefetch:
    """Calls in progress by name, each of which is taken at most once.

    When the settings have to be read, the objects that the request needs are read at the same time. Otherwise the first
    response of a process would take one more round trip to S3.
    """

    def __init__(self) -> None:
        self._started: dict[str, BackgroundCall[Any]] = {}

    def start(self, name: str, call: Callable[[], Any]) -> None:
        """Start ``call`` in the background."""
        self._started[name] = BackgroundCall(call)

    def take[T](self, name: str, call: Callable[[], T]) -> BackgroundCall[T]:
        """Return the call started as ``name``, else start ``call``. A name stands for one call only."""
        started = self._started.pop(name, None)
        return BackgroundCall(call) if started is None else started

    def clear(self) -> None:
        """Drop the calls that were not taken: the next request may need newer results."""
        self._started.clear()


type Defer = Callable[[Callable[[], None]], bool]
"""Runs a call after the response; returns False if it has to run before."""


def store_before_response(_: Callable[[], None]) -> bool:
    """Defer nothing: where no code can run after the response."""
    return False


OBJECTS_READ = 3
"""Objects that every render asks S3 for: master, derivative, refusal markers."""

_STORED_HEADERS = ("Content-Type", "Cache-Control", "Content-Disposition")
_SOURCE_CHANGED = "The source changed while its derivative was rendered"


@dataclass(frozen=True, slots=True)
class RenderJob:
    """The derivative ``name`` to render from ``master``; it replaces the object ``replaces`` ("": there is none).

    ``mezzanines``: those of the master that may be read instead, by their longer sides.
    ``findings``: those of ``sidecar`` that count. If others are awaited, the image ``is_provisional`` and not stored.
    """

    plan: Plan
    name: str
    master: StoredObject
    replaces: str
    watermarks: Mapping[str, BackgroundCall[bytes]]
    sidecar: Sidecar | None
    fetch_ms: float
    if_none_match: str
    mezzanines: Mapping[int, BackgroundCall[StoredObject | None]]
    findings: Findings | None
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Renderer:
    """Renders derivatives; the fields are those of :class:`darkroom.services.serve.transform.Transform`."""

    source: FastBucket
    media: FastBucket
    source_names: ObjectNames
    master_reader: MasterReader
    stores: bool | str
    always: ForcedOptions
    presets: Callable[[], Presets]
    default_quality: DefaultQuality
    limits: Limits
    cpu_limit: CpuLimit
    caching: CachePolicy
    observer: Observer
    defer: Defer
    converter: Converter | None = None
    store_policy: StorePolicy | None = None

    def render(self, job: RenderJob) -> Answer:
        """Render, and store if the deployment does. Raises ObjectChanged if another request stored first."""
        plan, started = job.plan, time.perf_counter()
        image = self._render_smallest(job)
        render_ms = (time.perf_counter() - started) * 1000
        timings_ms = {"fetch": job.fetch_ms, **image.timings_ms}
        record_render(self.observer, plan, image, job.master.size_bytes)
        too_large = len(image.body) > MAX_BODY_BYTES
        if is_unmarked(plan):
            if too_large:
                raise BadOption(f"wm: without its watermark an image has at most {MAX_BODY_BYTES} bytes", option="wm")
            return self._answer_unstored(job, image, timings_ms)
        if job.is_provisional:
            return _answer_provisional(plan, image, timings_ms)
        refines = self.caching.refines
        upscaled = refines and plan.upscale == MODEL_UPSCALE  # later, from what is stored now
        if not (upscaled or job.replaces or too_large or self._is_stored(job, image, render_ms)):
            return self._answer_unstored(job, image, timings_ms)
        unrefined = upscaled or (refines and is_refined(plan, self.presets, self.always))
        headers = derivative_headers(plan, image.content_type, self.caching, unrefined=unrefined)
        if not too_large and self._stores_later(job, image.body, headers):
            etag = md5_etag(image.body)
        else:
            started = time.perf_counter()
            with self.observer.step("store"):
                etag = self._store(job, image.body, headers)
            if not etag:
                raise Unavailable(_SOURCE_CHANGED, detail=job.name)
            timings_ms["store"] = (time.perf_counter() - started) * 1000
        derivative = Derivative(etag, headers)
        if etag_matches(job.if_none_match, etag):
            return NotModified(derivative)
        return Stored(derivative, None, timings_ms) if too_large else Rendered(derivative, image.body, timings_ms)

    def _is_stored(self, job: RenderJob, image: RenderedImage, render_ms: float) -> bool:
        """Return whether the deployment stores a derivative like this; of one that depends on findings ``auto`` stores
        each, so that they are compared with it."""
        if isinstance(self.stores, bool):
            return self.stores
        if is_preset(job.plan, self.presets, self.always):
            return True
        if self.stores != AUTO or self.store_policy is None:
            return False
        if self._hides_or_follows(job):
            return True
        from .store_policy import Rendering

        gets = OBJECTS_READ + len(job.mezzanines) + len(job.watermarks)
        version, size_bytes = job.master.etag, len(image.body)
        return self.store_policy.chooses(
            Rendering(job.name, version, size_bytes, job.fetch_ms + render_ms, job.fetch_ms, gets)
        )

    def answer_stored(self, found: StoredObject, plan: Plan, if_none_match: str) -> Answer:
        """Answer with a derivative from the store."""
        headers = {name: found.attributes[name] for name in _STORED_HEADERS if name in found.attributes}
        derivative = Derivative(found.etag, headers)
        record_store_hit(self.observer, plan, headers)
        if etag_matches(if_none_match, found.etag):
            return NotModified(derivative)
        return Stored(derivative, found.read() if found.size_bytes <= MAX_BODY_BYTES else None)

    def answer_stored_meanwhile(self, name: str, plan: Plan, if_none_match: str) -> Answer:
        """Answer with what another request, or ingest, has stored since this one looked. Raises Unavailable."""
        found = self.media.open(name)
        if found is None or is_stale(plan, found, self.source.open(self.source_names.name(plan.key))):
            raise Unavailable(_SOURCE_CHANGED, detail=name)
        return self.answer_stored(found, plan, if_none_match)

    def _render_smallest(self, job: RenderJob) -> RenderedImage:
        """Render from a mezzanine if one has every pixel; from the master, too, if the mezzanine cannot be read."""
        from ...imaging.source import Source

        plan, master = job.plan, job.master
        opened = ((side_px, call.result()) for side_px, call in job.mezzanines.items())
        mezzanine = choose_mezzanine(plan, master, job.findings, opened, self.limits)
        name = self.source_names.name(plan.key)
        if mezzanine is not None:
            master.close()
            found = mezzanine.stored
            try:
                source = Source.from_stream(found.chunks, found.size_bytes)
                return self._run_pipeline(job, source, mezzanine.header)
            except (DamagedSource, OverLimits, TypeNotAllowed, Unavailable) as error:
                self.observer.log("WARNING", "mezzanine not readable", key=plan.key, detail=error.detail)
                reopened = self.master_reader.open(self.source, name)
                if reopened is None or reopened.etag != master.etag:
                    raise Unavailable(_SOURCE_CHANGED, detail=job.name) from error
                master = reopened
        with self.master_reader.source(self.source, name, master) as source:
            return self._run_pipeline(job, source)

    def _run_pipeline(self, job: RenderJob, source: Source, master: Header | None = None) -> RenderedImage:
        """Render from ``source``, which is a mezzanine of an image with the header ``master`` if that is given."""
        from ...imaging.render.pipeline import render

        plan = self.converter.choose_pixels(job.plan) if self.converter else job.plan
        if is_unmarked(plan):
            plan = replace(plan, watermark=None)
        files = {name: found.result() for name, found in job.watermarks.items()}
        first, second = (files[mark.name] if mark else None for mark in (plan.watermark, plan.second_watermark))
        started_s = time.time()
        checked_sha256 = job.master.attributes.get(MASTER_SHA256, "")  # missing from objects of other writers
        image = Deadline(self.cpu_limit).run(
            partial(
                render,
                plan,
                source,
                limits=self.limits,
                watermark=first,
                second_watermark=second,
                overlays=files,
                findings=job.findings,
                default_quality=self.default_quality,
                checked_sha256=checked_sha256 if master is None else "",
                master=master,
                rights=job.master.attributes.get(MASTER_RIGHTS, ""),
            )
        )
        if self.converter:
            image = self.converter.convert(job.plan, image)
        self.observer.record_stages(image.timings_ms, started_s=started_s)
        return image

    def _answer_unstored(self, job: RenderJob, image: RenderedImage, timings_ms: Mapping[str, float]) -> Answer:
        """Answer with an image that only the CDN caches, with the entity tag that it would have in the store."""
        name = self.source_names.name(job.plan.key)
        if job.sidecar and inputs_changed(self.source, name, job.master.etag, self.media, job.sidecar):
            raise Unavailable(_SOURCE_CHANGED, detail=job.name)
        etag = md5_etag(image.body)
        derivative = Derivative(etag, derivative_headers(job.plan, image.content_type, self.caching))
        if etag_matches(job.if_none_match, etag):
            return NotModified(derivative)
        return Rendered(derivative, image.body, timings_ms)

    def _store(self, job: RenderJob, body: bytes, headers: Mapping[str, str]) -> str:
        """Store the derivative and return its entity tag; "" if its inputs have changed: then it is deleted again.

        Raises ObjectChanged, Unavailable.

        The inputs are checked beside the PUT, which saves each miss a round trip: the purge's second pass deletes the
        derivative of a master that is overwritten between the two. A redacted derivative must not depend on that, so
        its inputs are checked after the PUT.
        """
        name = self.source_names.name(job.plan.key)
        check = partial(inputs_changed, self.source, name, job.master.etag, self.media, job.sidecar)
        beside = None if job.sidecar else BackgroundCall(check)
        version = _version(job.plan, job.master)
        etag = self._put(job.name, body, {**headers, **derivative_metadata(version, "quick")}, job.replaces)
        if beside.result() if beside else check():
            delete_if_unchanged(self.media, job.name, etag)
            return ""
        return etag

    def _stores_later(self, job: RenderJob, body: bytes, headers: Mapping[str, str]) -> bool:
        """Store the derivative after the response, if that is possible and its inputs need no check before it.

        A derivative that hides something, or depends on findings, must not be sent if they have changed.
        """
        if self._hides_or_follows(job):
            return False
        correlation_id = str(bound_fields().get("correlation_id", ""))
        return self.defer(partial(self._store_late, job, body, headers, correlation_id))

    def _hides_or_follows(self, job: RenderJob) -> bool:
        """Return whether the derivative hides something, or depends on findings."""
        return bool(job.sidecar or needs_findings(job.plan) or self.always.find(job.plan.key).redact)

    def _store_late(self, job: RenderJob, body: bytes, headers: Mapping[str, str], correlation_id: str) -> None:
        """Store the derivative of a response that has been sent. A failure is logged: the next miss renders again."""
        with self.observer.message("store", correlation_id=correlation_id, object=job.name):
            try:
                if not self._store(job, body, headers):
                    self.observer.log("INFO", "derivative of a changed source deleted")
            except ObjectChanged:
                return  # another request has stored it
            except Exception as error:
                count_store_failure(self.observer, error)

    def _put(self, name: str, body: bytes, attributes: Mapping[str, str], replaces: str) -> str:
        """Replace the object ``replaces``, or create one if a purge has deleted it. Raises ObjectChanged."""
        try:
            return self.media.put(name, body, attributes, replaces)
        except ObjectChanged:
            if not replaces or self.media.etag(name) is not None:
                raise
            return self.media.put(name, body, attributes, "")


def md5_etag(body: bytes) -> str:
    """Return the entity tag that S3 gives ``body``: the MD5 of one PUT with SSE-S3.

    "Object" in the Amazon S3 API reference. With SSE-KMS it is not the MD5. ``hashlib``, which may use the same module,
    takes a cold start 3 ms.
    """
    try:
        from _md5 import md5  # type: ignore[import-not-found]
    except ImportError:
        from hashlib import md5
    return f'"{md5(body, usedforsecurity=False).hexdigest()}"'


def load_renderer() -> None:
    """Load libvips and the pipeline: a cold start does it while S3 responds."""
    from ...imaging.render import pipeline  # noqa: F401


def is_stale(plan: Plan, found: StoredObject, master: StoredObject | None) -> bool:
    """Whether ``found``, the derivative of ``plan``, was made from another master: a purge has not deleted it yet."""
    version = found.attributes.get(SOURCE_ETAG, "")
    return master is not None and version not in ("", _version(plan, master))


def _version(plan: Plan, master: StoredObject) -> str:
    return source_version(plan, master.etag, master.attributes.get(MASTER_RIGHTS, ""))


def read_watermark(media: FastBucket, name: str, presets: Presets) -> bytes:
    """Read the file of the watermark ``name``, or an object of a plug-in; raises BadOption if there is none."""
    plugin = find_file_plugin(name)
    key = name if plugin else presets.watermarks.get(name)
    found = media.open(key) if key else None
    if found is None:
        option = plugin.option if plugin else "wm"
        raise BadOption(f"{option}: there is no image {name!r}", option=option, detail=f"object {key}")
    return found.read()


def trusted_findings(key: str, master_etag: str, sidecar: Sidecar | None, always: ForcedOptions) -> Findings | None:
    """Return the findings about the master; client-supplied ones do not count where the deployment redacts."""
    return sidecar.get_findings(master_etag, ours=bool(always.find(key).redact)) if sidecar else None


def inputs_changed(
    source: FastBucket, master_name: str, master_etag: str, media: FastBucket, sidecar: Sidecar | None
) -> bool:
    """Whether the master or its sidecar has changed since it was read; raises Unavailable."""
    found = BackgroundCall(lambda: sidecar.has_changed(media)) if sidecar else None
    changed = source.etag(master_name) != master_etag
    return (found.result() if found else False) or changed


def delete_if_unchanged(media: FastBucket, name: str, etag: str) -> None:
    """Delete the object ``name`` if it still has this entity tag; raises Unavailable."""
    if media.etag(name) == etag:
        media.delete(name)


def _answer_provisional(plan: Plan, image: RenderedImage, timings_ms: Mapping[str, float]) -> Provisional:
    """Answer with an image rendered before its findings are known. It is not stored."""
    if len(image.body) > MAX_BODY_BYTES:
        raise FindingsPending(detail="too large to be answered without being stored")
    return Provisional(provisional_headers(plan, image.content_type), image.body, timings_ms)
