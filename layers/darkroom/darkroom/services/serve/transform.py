"""Transform flow (docs/explanation/architecture.md): render a missing derivative from its master, store it and return
it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Protocol
from zlib import crc32

from ...aws.s3_fast import FastBucket, StoredObject
from ...aws.telemetry import LightObserver
from ...errors import (
    BadOption,
    BadSignature,
    DarkroomError,
    FindingsPending,
    NoInference,
    ObjectChanged,
    PresetsOnly,
    SourceMissing,
    Unavailable,
    Unsigned,
)
from ...plan.canonical import derivative_name, parse_path
from ...plan.limits import Limits
from ...plan.model import Plan
from ...plan.negotiation import list_variants
from ...plan.policy import UNSIGNED_SET, AccessMode, is_preset, is_refined, needs_signature
from ...plan.presets import Presets, load_default_presets
from ...plan.redaction import NO_FORCED_REDACTION, AlwaysRedact, apply_forced_redaction, needs_findings, uses_faces
from ...plan.signing import verify
from ..caching import (
    MASTER_SHA256,
    SOURCE_ETAG,
    CachePolicy,
    derivative_headers,
    derivative_metadata,
    provisional_headers,
)
from ..deadline import REQUEST, CpuLimit, Deadline
from ..master_reader import MasterReader
from ..render_inputs import delete_if_unchanged, inputs_changed, read_watermark, trusted_findings
from ..request_log import record_render, record_store_hit
from ..s3_keys import MASTERS, ObjectNames
from ..sidecars import Sidecar, read_sidecar
from .answers import (
    MAX_BODY_BYTES,
    Answer,
    Derivative,
    Failed,
    NotModified,
    Provisional,
    Rendered,
    Stored,
    etag_matches,
)
from .background import BackgroundCall
from .negative_cache import CACHED_ERRORS, RefusalMarker, find_refusal, marker_key, read_marker, write_marker
from .prefetch import Prefetch

if TYPE_CHECKING:
    from ...aws.telemetry.protocol import Observer
    from ...findings import Findings
    from ...imaging.rendered_image import RenderedImage

DERIVATIVES = "derivatives/"

_SOURCE_CHANGED = "The source changed while its picture was made"


class KeySource(Protocol):
    """Where the signing keys come from."""

    def get(self, *, refresh: bool = False) -> Sequence[str]:
        """The keys that are valid now; ``refresh`` asks for fresher ones if they are not fresh."""


@dataclass(frozen=True, slots=True)
class TransformRequest:
    """What the edge asks for: a canonical ``path``, and the canonical request that it was negotiated from."""

    path: str
    request_path: str = ""
    signature: str = ""
    expires: str = ""
    if_none_match: str = ""


@dataclass(frozen=True, slots=True)
class _Job:
    """A derivative that has to be made: of ``master``, over what has the entity tag ``replaces`` ("": over nothing)."""

    plan: Plan
    name: str
    master: StoredObject
    replaces: str
    watermarks: Mapping[str, BackgroundCall[bytes]]
    sidecar: Sidecar | None
    fetch_ms: float
    if_none_match: str


@dataclass(frozen=True)
class Transform:
    """The service, with its adapters. ``source`` holds the masters by ``source_names``.

    ``stores``: whether what is rendered is kept in the store; else only what is too large for an answer is.
    ``inference``: whether anything looks at pictures here. ``always`` is what the deployment hides in some of them; the
    edge has forced it into the paths, and one without is refused.
    """

    source: FastBucket
    media: FastBucket
    keys: KeySource
    source_names: ObjectNames = MASTERS
    stores: bool = True
    mode: AccessMode = AccessMode.GUARDED
    inference: bool = False
    always: AlwaysRedact = NO_FORCED_REDACTION
    presets: Callable[[], Presets] = load_default_presets
    limits: Limits = field(default_factory=Limits)
    cpu_limit: CpuLimit = REQUEST
    caching: CachePolicy = field(default_factory=CachePolicy)
    clock: Callable[[], float] = time.time
    observer: Observer = field(default_factory=lambda: LightObserver("transform"))
    is_load_shedding: Callable[[], bool] = lambda: False
    """Whether only named presets are rendered at this time."""
    scenes: MasterReader = field(default_factory=MasterReader, repr=False)
    prefetched: Prefetch = field(default_factory=Prefetch, repr=False)

    def answer(self, request: TransformRequest) -> Answer:
        """Find or make the derivative. Never raises a DarkroomError: it is the answer."""
        try:
            with self.observer.step("parse"):
                plan = parse_path(request.path)
                self._authorise(plan, request)
        except DarkroomError as error:
            return Failed(error)
        return self.serve(plan, request.if_none_match)

    def serve(self, plan: Plan, if_none_match: str = "", master: StoredObject | None = None) -> Answer:
        """Find or make the variant ``plan``, which may be made; ``master`` if it is open. Raises as ``answer``."""
        self.observer.add_metadata("key", plan.key)
        try:
            self._check_redaction(plan)
            return self._find_or_render(plan, if_none_match, master)
        except DarkroomError as error:
            return Failed(error)

    def prefetch(self, plan: Plan, presets: Callable[[], Presets]) -> None:
        """Begin the reads that a request for ``plan`` needs; ``presets`` waits for those in force."""
        self.prefetch_master(plan.key)
        self.prefetched.start(*self._stored_read(plan))
        self.prefetched.start(*self._marker_read(plan))
        self.prefetched.start("switch", self.is_load_shedding)
        if plan.findings:
            self.prefetched.start(*self._sidecar_read(plan))
        for mark in {plan.watermark, plan.second_watermark} - {None}:
            assert mark is not None
            self.prefetched.start(*self._watermark_read(mark.name, presets))

    def prefetch_master(self, key: str) -> None:
        """Begin to read the master of ``key``."""
        self.prefetched.start(*self._master_read(key))

    def open_master(self, key: str) -> StoredObject | None:
        """The master of ``key``, opened; None if there is none. Raises Unavailable."""
        return self.prefetched.take(*self._master_read(key)).result()

    def _master_read(self, key: str) -> tuple[str, Callable[[], StoredObject | None]]:
        return f"master {key}", lambda: self.scenes.open(self.source, self.source_names.name(key))

    def _stored_read(self, plan: Plan) -> tuple[str, Callable[[], StoredObject | None]]:
        name = DERIVATIVES + derivative_name(plan)
        return f"stored {name}", lambda: self.media.open(name)

    def _marker_read(self, plan: Plan) -> tuple[str, Callable[[], RefusalMarker]]:
        name = marker_key(DERIVATIVES, plan.key)
        return f"marker {name}", lambda: read_marker(self.media, name)

    def _sidecar_read(self, plan: Plan) -> tuple[str, Callable[[], Sidecar]]:
        return (
            f"findings {plan.findings} {plan.key}",
            lambda: read_sidecar(self.media, plan.findings, plan.key),
        )

    def _watermark_read(self, name: str, presets: Callable[[], Presets]) -> tuple[str, Callable[[], bytes]]:
        return f"watermark {name}", lambda: read_watermark(self.media, name, presets())

    def _authorise(self, plan: Plan, request: TransformRequest) -> None:
        if not needs_signature(plan, self.mode, self.presets, self.always):
            return
        if not request.signature:
            raise Unsigned(UNSIGNED_SET if self.mode is AccessMode.GUARDED else "")
        signed = request.request_path or request.path
        if replace(plan, findings="") not in list_variants(parse_path(signed), always=self.always):
            raise BadSignature("The signature is for another picture")
        expires_s = _unix_time(request.expires)
        try:
            verify(signed, request.signature, expires_s, self.keys.get(), self.clock())
        except BadSignature:
            verify(signed, request.signature, expires_s, self.keys.get(refresh=True), self.clock())

    def _check_redaction(self, plan: Plan) -> None:
        """Refuse what the edge does not ask for: a picture that shows what is always hidden, or by no findings."""
        if not needs_findings(plan) and apply_forced_redaction(plan, self.always) == plan:
            return
        if not self.inference:
            raise NoInference
        if not plan.findings or apply_forced_redaction(plan, self.always) != plan:
            raise BadOption("The path is not a canonical path", detail="without its redaction, or without findings")

    def _take_watermarks(self, plan: Plan) -> Mapping[str, BackgroundCall[bytes]]:
        """The files of the plan's watermarks, by name, each read once."""
        names = {mark.name for mark in (plan.watermark, plan.second_watermark) if mark}
        return {name: self.prefetched.take(*self._watermark_read(name, self.presets)) for name in names}

    def _find_or_render(self, plan: Plan, if_none_match: str, given: StoredObject | None) -> Answer:
        name = DERIVATIVES + derivative_name(plan)
        marker_name = marker_key(DERIVATIVES, plan.key)
        started = time.perf_counter()
        with self.observer.step("fetch"):
            opened = None if given else self.prefetched.take(*self._master_read(plan.key))
            stored = self.prefetched.take(*self._stored_read(plan))
            marker = self.prefetched.take(*self._marker_read(plan))
            watermarks = self._take_watermarks(plan)
            sidecar = self.prefetched.take(*self._sidecar_read(plan)) if plan.findings else None
            spared = self.prefetched.take("switch", self.is_load_shedding)
            load_renderer()
            master = opened.result() if opened else given
        fetch_ms = (time.perf_counter() - started) * 1000
        found = stored.result()
        if found is not None and not _is_stale(found, master):
            return self._answer_stored(found, plan, if_none_match)
        if master is None:
            raise SourceMissing
        refusals = marker.result()
        if (refusal := find_refusal(refusals, name.removeprefix(DERIVATIVES), master.etag, self.limits)) is not None:
            raise refusal
        if spared.result() and not is_preset(plan, self.presets, self.always):
            raise PresetsOnly
        there = found.etag if found is not None else ""
        known = sidecar.result() if sidecar else None
        try:
            return self._render_and_store(_Job(plan, name, master, there, watermarks, known, fetch_ms, if_none_match))
        except ObjectChanged:
            return self._answer_stored_meanwhile(name, plan, if_none_match)
        except CACHED_ERRORS as error:
            variant = name.removeprefix(DERIVATIVES)
            write_marker(self.media, marker_name, refusals, variant, error, master.etag, self.limits)
            raise

    def _render_and_store(self, job: _Job) -> Answer:
        plan = job.plan
        findings = trusted_findings(plan.key, job.master.etag, job.sidecar, self.always)
        picture = self._render(job, findings)
        timings_ms = {"fetch": job.fetch_ms, **picture.timings_ms}
        record_render(self.observer, plan, picture, job.master.size_bytes)
        if uses_faces(plan) and _awaits_faces(findings):
            return _provisional(plan, picture, timings_ms)
        if not (self.stores or job.replaces or len(picture.body) > MAX_BODY_BYTES):
            return self._answer_unstored(job, picture, timings_ms)
        unrefined = self.caching.refines and is_refined(plan, self.presets, self.always)
        headers = derivative_headers(plan, picture.content_type, self.caching, unrefined=unrefined)
        started = time.perf_counter()
        with self.observer.step("store"):
            etag = self._store_if_current(job, picture.body, headers)
        timings_ms["store"] = (time.perf_counter() - started) * 1000
        derivative = Derivative(etag, headers)
        if etag_matches(job.if_none_match, etag):
            return NotModified(derivative)
        if len(picture.body) > MAX_BODY_BYTES:
            return Stored(derivative, None, timings_ms)
        return Rendered(derivative, picture.body, timings_ms)

    def _answer_unstored(self, job: _Job, picture: RenderedImage, timings_ms: Mapping[str, float]) -> Answer:
        """An answer that the CDN alone keeps. Its entity tag is of the picture: there is no PUT that gave it one."""
        name = self.source_names.name(job.plan.key)
        if job.sidecar and inputs_changed(self.source, name, job.master.etag, self.media, job.sidecar):
            raise Unavailable(_SOURCE_CHANGED, detail=job.name)
        tag = f'"{crc32(picture.body):08x}-{len(picture.body):x}"'
        derivative = Derivative(tag, derivative_headers(job.plan, picture.content_type, self.caching))
        if etag_matches(job.if_none_match, tag):
            return NotModified(derivative)
        return Rendered(derivative, picture.body, timings_ms)

    def _render(self, job: _Job, findings: Findings | None) -> RenderedImage:
        from ...imaging.render.pipeline import render

        marks = {name: found.result() for name, found in job.watermarks.items()}
        first, second = (marks[mark.name] if mark else None for mark in (job.plan.watermark, job.plan.second_watermark))
        started_s = time.time()
        checked = job.master.attributes.get(MASTER_SHA256, "")  # none of an object that was put there by hand
        with self.scenes.source(self.source, self.source_names.name(job.plan.key), job.master) as source:
            picture = Deadline(self.cpu_limit).run(
                partial(
                    render,
                    job.plan,
                    source,
                    limits=self.limits,
                    watermark=first,
                    second_watermark=second,
                    findings=findings,
                    checked_sha256=checked,
                )
            )
        self.observer.record_stages(picture.timings_ms, started_s=started_s)
        return picture

    def _store_if_current(self, job: _Job, body: bytes, headers: Mapping[str, str]) -> str:
        """Store the derivative, unless its master has changed since; its entity tag. Raises Changed, Unavailable.

        The master is looked at beside the PUT, which saves each miss a round trip. One that is overwritten between the
        two is what the purge's second pass is for. What hides something is not trusted to that: it is looked at after.
        """
        name = self.source_names.name(job.plan.key)
        look = partial(inputs_changed, self.source, name, job.master.etag, self.media, job.sidecar)
        beside = None if job.sidecar else BackgroundCall(look)
        etag = self._put(job.name, body, {**headers, **derivative_metadata(job.master.etag, "quick")}, job.replaces)
        if beside.result() if beside else look():
            delete_if_unchanged(self.media, job.name, etag)
            raise Unavailable(_SOURCE_CHANGED, detail=job.name)
        return etag

    def _put(self, name: str, body: bytes, attributes: Mapping[str, str], replaces: str) -> str:
        """Put over what was seen, or over nothing where a purge has taken that away meanwhile. Raises Changed."""
        try:
            return self.media.put(name, body, attributes, replaces)
        except ObjectChanged:
            if not replaces or self.media.etag(name) is not None:
                raise
            return self.media.put(name, body, attributes, "")

    def _answer_stored_meanwhile(self, name: str, plan: Plan, if_none_match: str) -> Answer:
        """What another request, or ingest, has stored since this one looked."""
        found = self.media.open(name)
        if found is None or _is_stale(found, self.source.open(self.source_names.name(plan.key))):
            raise Unavailable(_SOURCE_CHANGED, detail=name)
        return self._answer_stored(found, plan, if_none_match)

    def _answer_stored(self, found: StoredObject, plan: Plan, if_none_match: str) -> Answer:
        """A derivative that another request stored meanwhile."""
        kept = ("Content-Type", "Cache-Control", "Content-Disposition")
        derivative = Derivative(found.etag, {name: found.attributes[name] for name in kept if name in found.attributes})
        record_store_hit(self.observer, plan, derivative.headers)
        if etag_matches(if_none_match, found.etag):
            return NotModified(derivative)
        return Stored(derivative, found.read() if found.size_bytes <= MAX_BODY_BYTES else None)


def _awaits_faces(findings: Findings | None) -> bool:
    return findings is None or ("faces" not in findings.found and findings.is_awaited("faces"))


def _provisional(plan: Plan, picture: RenderedImage, timings_ms: Mapping[str, float]) -> Provisional:
    """What stands in for a picture made by faces that are not known yet. It goes into no store."""
    if len(picture.body) > MAX_BODY_BYTES:
        raise FindingsPending(detail="too large to be answered without being stored")
    return Provisional(provisional_headers(plan, picture.content_type), picture.body, timings_ms)


def load_renderer() -> None:
    """Load libvips and the pipeline: a cold start does it while S3 answers."""
    from ...imaging.render import pipeline  # noqa: F401


def _is_stale(found: StoredObject, master: StoredObject | None) -> bool:
    """Whether ``found`` says that it was made from another master: a purge has not come to it yet."""
    made_of = found.attributes.get(SOURCE_ETAG, "")
    return master is not None and made_of not in ("", master.etag.strip('"'))


def _unix_time(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 10:
        raise BadSignature
    return int(text)
