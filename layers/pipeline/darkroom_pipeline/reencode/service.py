"""Re-encode flow (docs/explanation/architecture.md): render a derivative again with slow effort and replace it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import ClassVar

from darkroom.aws.s3_fast import FastBucket, StoredObject
from darkroom.aws.telemetry import Observer
from darkroom.errors import BadUpload, DarkroomError, ModelUnavailable, ObjectChanged
from darkroom.findings import UPSCALE
from darkroom.image_keys import DERIVATIVES, MASTERS, ObjectNames, mezzanine_name
from darkroom.plan.canonical import parse_path
from darkroom.plan.forced_options import NOTHING_FORCED, ForcedOptions
from darkroom.plan.limits import Limits
from darkroom.plan.model import DATA_FORMATS, DEFAULT_QUALITY, MODEL_UPSCALE, DefaultQuality, Plan
from darkroom.plan.option_plugins import list_plugin_files
from darkroom.plan.presets import Presets, load_default_presets
from darkroom.plan.variants import is_refined, list_mezzanines
from darkroom.services.caching import (
    MASTER_RIGHTS,
    PACE,
    SOURCE_ETAG,
    UPLOAD_SHA256,
    CachePolicy,
    derivative_headers,
    derivative_metadata,
    describe_mezzanine,
    source_version,
)
from darkroom.services.deadline import REFINE, Deadline
from darkroom.services.master_reader import MasterReader
from darkroom.services.serve.rendering import delete_if_unchanged, inputs_changed, read_watermark, trusted_findings
from darkroom.services.sidecars import Sidecar, read_sidecar

from ..aws.sagemaker import Endpoint
from ..aws.sqs import Queue
from ..imaging.render_many import render_mezzanines
from ..services.manifests import (
    MANIFEST_TYPE,
    SIGNED,
    DerivativeSigner,
    SignedFile,
    count_added_bytes,
    read_parent,
)
from ..services.queue_consumer import QueueConsumer, SqsMessage
from .search import ReencodeResult, reencode
from .upscale import Upscaler

_UNKNOWN_TYPE = "application/octet-stream"
"""Of a master whose origin names none (RFC 9110, 8.3)."""


@dataclass(frozen=True, slots=True)
class ReencodeMessage:
    """The derivative ``name``, an object key.

    ``hits`` counts its requests at the CDN in the scanned period, 0 for one that was just stored.
    """

    name: str
    hits: int = 0

    @property
    def plan(self) -> Plan | None:
        """The derivative's plan; None for data, and for a mezzanine or the marker of a refused source."""
        try:
            plan = parse_path("/" + self.name.removeprefix(DERIVATIVES))
        except DarkroomError:
            return None
        return None if plan.format in DATA_FORMATS else plan


def reencode_message(name: str, hits: int) -> dict[str, object]:
    """Return the message to re-encode the derivative ``name``, an object key, which had ``hits`` requests."""
    return {"refine": name, "hits": hits}


def parse_message(body: str) -> ReencodeMessage:
    """Parse a message; raises BadUpload for another one."""
    try:
        document = json.loads(body)
        if "refine" in document:
            message = ReencodeMessage(document["refine"], document.get("hits", 0))
        else:
            message = ReencodeMessage(document["detail"]["object"]["key"])
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise BadUpload("The message names no derivative", field="body", detail=repr(error)) from error
    if not isinstance(message.name, str) or not message.name.startswith(DERIVATIVES) or type(message.hits) is not int:
        raise BadUpload("The message names no derivative", field="key", detail=body[:500])
    return message


class ReencodeOutcome(StrEnum):
    """``REFINED``: replaced by a smaller one. ``UPSCALED``: by one that a model enlarged. ``KEPT``: not smaller, which
    is recorded. All others: not changed.

    ``THOROUGH``: re-encoded before. ``NO_IMAGE``: data, or a marker. ``SIGNED``: outside the finite set and not
    popular. ``GONE``: the derivative is deleted. ``STALE``: its master has changed. ``OVERTAKEN``: one of the two
    changed meanwhile. ``REFUSED``: its source is refused now. ``NO_MODEL``: the endpoint did not answer, so that the
    resampled image stays, for a short time in the CDN.
    """

    REFINED = "refined"
    UPSCALED = "upscaled"
    KEPT = "kept"
    THOROUGH = "thorough"
    NO_IMAGE = "no-picture"
    SIGNED = "signed"
    GONE = "gone"
    STALE = "stale"
    OVERTAKEN = "overtaken"
    REFUSED = "refused"
    NO_MODEL = "no-model"


@dataclass(frozen=True, slots=True)
class _Job:
    """``stored``, the derivative ``name`` of ``plan``, and its master."""

    plan: Plan
    name: str
    stored: StoredObject
    master: StoredObject
    sidecar: Sidecar | None


@dataclass(frozen=True)
class Reencoder:
    """The service. ``source`` holds the masters by ``source_names``; ``always`` is what the deployment redacts.

    ``mezzanines``: masters may have mezzanines. ``signer`` signs derivatives, if they are signed. ``endpoint`` enlarges
    images of keys with ``upscale_prefixes``; None without one.
    """

    source: FastBucket
    media: FastBucket
    observer: Observer
    source_names: ObjectNames = MASTERS
    always: ForcedOptions = NOTHING_FORCED
    presets: Callable[[], Presets] = load_default_presets
    default_quality: DefaultQuality = DEFAULT_QUALITY
    limits: Limits = field(default_factory=Limits)
    caching: CachePolicy = field(default_factory=CachePolicy)
    mezzanines: bool = False
    signer: DerivativeSigner | None = None
    endpoint: Endpoint | None = None
    upscale_prefixes: tuple[str, ...] = ()
    _master_reader: MasterReader = field(default_factory=MasterReader, init=False, repr=False)

    def handle(self, message: ReencodeMessage, *, is_last: bool = False) -> ReencodeOutcome:
        """Re-encode the derivative of ``message``, if that is due. Raises DarkroomError where a retry may help.

        Idempotent: a second call finds nothing to do. ``is_last``: there is no retry, so that an endpoint that does not
        answer is no error.
        """
        job = self._find_job(message)
        try:
            outcome = job if isinstance(job, ReencodeOutcome) else self._reencode(job)
        except ModelUnavailable as error:
            self.observer.count("UpscaleFailures")
            self.observer.log("WARNING", "upscaling failed", name=message.name, last=is_last, detail=error.detail)
            if not is_last:
                raise
            outcome = ReencodeOutcome.NO_MODEL
        if outcome not in (ReencodeOutcome.REFINED, ReencodeOutcome.UPSCALED):
            self.observer.count("RefineSkipped", reason=outcome.value)
        return outcome

    def _find_job(self, message: ReencodeMessage) -> _Job | ReencodeOutcome:
        """Return the job, or why there is none; the cheapest checks come first."""
        plan = message.plan
        if plan is None:
            return ReencodeOutcome.NO_IMAGE
        if not (message.hits or self._may_upscale(plan) or is_refined(plan, self.presets, self.always)):
            return ReencodeOutcome.SIGNED
        stored = self.media.open(message.name)
        if stored is None:
            return ReencodeOutcome.GONE
        if stored.attributes.get(PACE) == "thorough":
            return ReencodeOutcome.THOROUGH
        with self.observer.step("fetch"):
            master = self._master_reader.open(self.source, self.source_names.name(plan.key))
            if master is None or stored.attributes.get(SOURCE_ETAG) != _version(plan, master):
                return ReencodeOutcome.STALE
            sidecar = read_sidecar(self.media, plan.findings, plan.key) if plan.findings else None
        return _Job(plan, message.name, stored, master, sidecar)

    def _may_upscale(self, plan: Plan) -> bool:
        """Return whether a model may enlarge the image of ``plan``: a signature or a preset has requested it."""
        return plan.upscale == MODEL_UPSCALE and plan.key.startswith(self.upscale_prefixes)

    def _open_upscaler(self, job: _Job) -> Upscaler | None:
        endpoint = self.endpoint
        if not self._may_upscale(job.plan):
            return None
        if endpoint is None:
            self.observer.count("UpscaleFailures")
            self.observer.log("WARNING", "upscaling without endpoint", key=job.plan.key)
            return None

        image_id, trace = job.master.etag.strip('"'), self.observer.trace_id()  # not known to the thread of a render

        def enlarge(png: bytes) -> bytes | None:
            return endpoint.invoke(png, [UPSCALE], image_id, trace=trace).found[UPSCALE].raster or None

        return Upscaler(enlarge)

    def _reencode(self, job: _Job) -> ReencodeOutcome:
        body, upscaler = job.stored.read(), self._open_upscaler(job)
        try:
            with self.observer.step("render"):
                better = self._encode(job, body, upscaler)
        except DarkroomError as error:
            if error.is_fault or error.retryable:
                raise
            self.observer.log("WARNING", "re-encode refused", key=job.plan.key, code=error.code, detail=error.detail)
            return ReencodeOutcome.REFUSED
        content_type = better.image.content_type if better else job.stored.attributes["Content-Type"]
        with self.observer.step("store"):
            file = self._sign(job, body, content_type, better)
            if not self._replace(job, file, content_type):
                return ReencodeOutcome.OVERTAKEN
            self._restore_mezzanines(job)
        if upscaler is not None and upscaler.result is not None:
            if upscaler.spent_ms:
                self.observer.record_stages({"upscale": upscaler.spent_ms}, started_s=upscaler.started_s)
            self.observer.count("UpscaleResults", result=upscaler.result.value)
            self.observer.log("INFO", "upscaling decided", name=job.name, result=upscaler.result.value)
        if better is None:
            return ReencodeOutcome.KEPT
        if better.is_upscaled:
            return ReencodeOutcome.UPSCALED
        self._log_savings(job, len(body), len(file.body), better)
        return ReencodeOutcome.REFINED

    def _encode(self, job: _Job, body: bytes, upscaler: Upscaler | None) -> ReencodeResult | None:
        marks = (job.plan.watermark, job.plan.second_watermark)
        first, second = (read_watermark(self.media, mark.name, self.presets()) if mark else None for mark in marks)
        overlays = {name: read_watermark(self.media, name, self.presets()) for name in list_plugin_files(job.plan)}
        with self._master_reader.source(self.source, self.source_names.name(job.plan.key), job.master) as source:
            return Deadline(REFINE).run(
                partial(
                    reencode,
                    job.plan,
                    source,
                    body,
                    limits=self.limits,
                    default_quality=self.default_quality,
                    watermark=first,
                    second_watermark=second,
                    overlays=overlays,
                    findings=trusted_findings(job.plan.key, job.master.etag, job.sidecar, self.always),
                    rights=job.master.attributes.get(MASTER_RIGHTS, ""),
                    added_bytes=count_added_bytes(job.stored.attributes),
                    upscaler=upscaler,
                )
            )

    def _sign(self, job: _Job, body: bytes, content_type: str, better: ReencodeResult | None) -> SignedFile:
        """Sign the better image, or the stored ``body`` unless it is signed. Raises Unavailable without a valid key."""
        if better is None and SIGNED in job.stored.attributes:
            return SignedFile(body, job.stored.attributes[SIGNED])
        body = better.image.body if better else body
        if self.signer is None:
            return SignedFile(body)
        sha256 = job.master.attributes.get(UPLOAD_SHA256, "")
        master_type = job.master.attributes.get("Content-Type", _UNKNOWN_TYPE)
        parent = read_parent(self.media.read, job.plan.key, sha256, master_type)
        is_upscaled = better is not None and better.is_upscaled
        return self.signer(job.plan, body, content_type, parent, is_upscaled=is_upscaled)

    def _replace(self, job: _Job, file: SignedFile, content_type: str) -> bool:
        """Replace exactly the derivative that was read; return whether its master is still current.

        A derivative that stays the same is written again too, with its effort, so that it is not tried again, and with
        the usual CDN age.
        """
        headers = derivative_headers(job.plan, content_type, self.caching)
        attributes = {**headers, **derivative_metadata(_version(job.plan, job.master), "thorough")}
        if file.manifest_name:
            self.media.put(file.manifest_name, file.manifest, attributes | {"Content-Type": MANIFEST_TYPE})
        try:
            etag = self.media.put(job.name, file.body, attributes | file.metadata, job.stored.etag)
        except ObjectChanged:
            return False
        master_name = self.source_names.name(job.plan.key)
        if not inputs_changed(self.source, master_name, job.master.etag, self.media, job.sidecar):
            return True
        delete_if_unchanged(self.media, job.name, etag)
        return False

    def _restore_mezzanines(self, job: _Job) -> None:
        """Store the mezzanines of the master again if the one for the job's plan has expired.

        Its images are still requested. A failure is logged: without a mezzanine, they are rendered from the master.
        """
        key, sides_px = job.plan.key, list_mezzanines(job.plan)
        if not (self.mezzanines and sides_px) or self.always.find(key).redact:
            return
        try:
            if self.media.etag(mezzanine_name(key, sides_px[0])) is not None:
                return
            name = self.source_names.name(key)
            master = self._master_reader.open(self.source, name)
            if master is None or master.etag != job.master.etag:
                return
            with self._master_reader.source(self.source, name, master) as source:
                made = Deadline(REFINE).run(partial(render_mezzanines, source, self.limits))
            for of, image in made:
                headers, metadata = describe_mezzanine(of, master.etag)
                self.media.put(mezzanine_name(key, of.side_px), image.body, headers | metadata)
        except DarkroomError as error:
            self.observer.log("WARNING", "mezzanines not restored", key=key, code=error.code, detail=error.detail)

    def _log_savings(self, job: _Job, before_bytes: int, after_bytes: int, better: ReencodeResult) -> None:
        saved = before_bytes - after_bytes
        kind = better.image.content_type.rpartition("/")[2]
        self.observer.count("Refined")
        self.observer.count("Refined", format=kind)
        self.observer.count("BytesSaved", saved, "Bytes")
        self.observer.annotate("format", kind)
        scores = {"before": better.stored_score, "after": better.score}
        self.observer.log(
            "INFO",
            "derivative re-encoded",
            key=job.plan.key,
            name=job.name,
            bytes={"before": before_bytes, "after": after_bytes},
            score={name: round(score, 2) for name, score in scores.items() if score is not None},
        )


def _version(plan: Plan, master: StoredObject) -> str:
    return source_version(plan, master.etag, master.attributes.get(MASTER_RIGHTS, ""))


@dataclass(frozen=True)
class ReencodeConsumer(QueueConsumer):
    """Consumes the queue. ``spare_s``: five encodes of ten seconds each, and their scores."""

    work: ClassVar[str] = "refine"
    min_remaining_s: ClassVar[float] = 60.0

    reencoder: Reencoder
    queue: Queue

    def handle(self, message: SqsMessage) -> None:
        """Re-encode the derivative of ``message``; raises BadUpload, or what the service raises."""
        parsed = parse_message(message.body)
        self.observer.add_metadata("key", parsed.name)
        outcome = self.reencoder.handle(parsed, is_last=message.receives >= self.max_receives)
        self.log_handled(message, outcome, name=parsed.name, hits=parsed.hits)

    def hide(self, message: SqsMessage, seconds: float) -> None:
        """Delay the retry of ``message``."""
        self.queue.set_visibility_timeout(message.receipt_handle, seconds)
