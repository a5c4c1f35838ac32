"""The four steps of processing a large image, as the state machine requests them. Each may be repeated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from darkroom.aws.telemetry import Observer
from darkroom.errors import BadRun, DarkroomError, ObjectChanged, SceneRefused, SourceMissing, Unavailable
from darkroom.imaging.formats.probe import Header
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.services.master_reader import TIFF

from ...aws.multipart_copy import CopiedRange, MultipartAssembler, Part
from ...aws.s3 import S3Bucket
from ...aws.sqs import Queue
from ...imaging.pyramid.assemble import FILE_HEAD, Assembly, Slice, assemble, iter_strips
from ...imaging.pyramid.plan import PyramidPlan, inspect_large_image, plan_pyramid
from ...imaging.pyramid.strips import build_top_levels, cut_strip
from ..ingest.events import build_large_image_message
from ..range_source import LARGE_BLOCK_BYTES, open_ranges
from .parts import PartStore, StoredStrip

ALL_STRIPS = -1
"""Number that stands for all strips, for a source that can only be read from its top."""


class StepAction(StrEnum):
    """``PLAN`` the strips, ``CUT`` one, ``ASSEMBLE`` all, ``REPORT`` the result to ingest."""

    PLAN = "plan"
    CUT = "cut"
    ASSEMBLE = "bind"
    REPORT = "tell"  # terms: allow


@dataclass(frozen=True, slots=True)
class StepRequest:
    """A step on the large image ``image_id`` of that version of ``key``. ``strip`` is for CUT.

    ``fault``, for REPORT, is the error that stopped the execution, "" if there is none.
    """

    action: StepAction
    image_id: str
    key: str
    version_id: str
    strip: int = ALL_STRIPS
    fault: str = ""


def read_request(event: Mapping[str, Any]) -> StepRequest:
    """Parse the request in ``event``; raises BadRun."""
    try:
        image_id, key, version_id = (event[name] for name in ("scene", "key", "version_id"))
        action, strip = StepAction(event["action"]), event.get("strip", ALL_STRIPS)
        fault = (event.get("stopped") or {}).get("Error", "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRun("The event is not a step of a large image", detail=repr(error)) from error
    if not all(isinstance(one, str) for one in (image_id, key, version_id, fault)) or not image_id:
        raise BadRun("The scene, the key, the version and the error must be strings", field="scene")
    if isinstance(strip, bool) or not isinstance(strip, int) or strip < ALL_STRIPS:
        raise BadRun("The strip must be a whole number", field="strip")
    return StepRequest(action, image_id, key, version_id, strip, fault)


READS_AT_ONCE = 16
"""Strips that are read at the same time."""


@dataclass(frozen=True)
class LargeImageSteps:
    """The steps. Sources are in ``uploads``, ``assembler`` is that of the bucket ``media``; ``queue`` is ingest's.

    ``at_once``: strips of one image that are cut at the same time.
    """

    uploads: S3Bucket
    media: S3Bucket
    assembler: MultipartAssembler
    queue: Queue
    limits: Limits
    at_once: int
    observer: Observer

    def handle(self, request: StepRequest) -> dict[str, object]:
        """Carry out one step; return the input of the next.

        Raises SceneRefused for an upload that must be refused, or a DarkroomError to be retried.
        """
        steps = {
            StepAction.PLAN: self._plan,
            StepAction.CUT: self._cut,
            StepAction.ASSEMBLE: self._assemble,
            StepAction.REPORT: self._report,
        }
        parts = PartStore(self.media, request.image_id)
        with self.observer.step(request.action), self._refusing(parts):
            return steps[request.action](parts, request)

    @contextmanager
    def _refusing(self, parts: PartStore) -> Iterator[None]:
        try:
            yield
        except DarkroomError as error:
            if error.status >= 500 or error.retryable:
                raise
            self.observer.log("WARNING", "upload refused", scene=parts.image_id, code=error.code, detail=error.detail)
            parts.put_refusal(error)
            raise SceneRefused(error.message, detail=error.detail) from error

    def _plan(self, parts: PartStore, request: StepRequest) -> dict[str, object]:
        plan = parts.get_plan()
        if plan is None:
            source, header = self._open_source(request)
            plan = parts.put_plan(plan_pyramid(source, header, self.limits))
        strips = [*range(plan.layout.strips)] if plan.by_region else [ALL_STRIPS]
        self.observer.log(
            "INFO", "large image planned", scene=request.image_id, strips=len(strips), **plan.to_document()
        )
        named = {"scene": request.image_id, "key": request.key, "version_id": request.version_id}
        return {**named, "strips": strips, "concurrency": self.at_once}

    def _cut(self, parts: PartStore, request: StepRequest) -> dict[str, object]:
        if request.strip != ALL_STRIPS and parts.has_strip(request.strip):
            return {"strip": request.strip}
        plan = _require_plan(parts)
        source, header = self._open_source(request)
        if request.strip == ALL_STRIPS:
            for number, strip in enumerate(iter_strips(source, header, plan, self.limits)):
                parts.put_strip(number, strip)
                del strip
        else:
            parts.put_strip(request.strip, cut_strip(source, header, plan, request.strip, self.limits))
        self.observer.log("INFO", "strip cut", scene=request.image_id, strip=request.strip)
        self.observer.count("StripsCut", plan.layout.strips if request.strip == ALL_STRIPS else 1)
        return {"strip": request.strip}

    def _assemble(self, parts: PartStore, _: StepRequest) -> dict[str, object]:
        plan = _require_plan(parts)
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            strips = [*pool.map(parts.get_strip, range(plan.layout.strips))]
        top = build_top_levels(plan, [strip.next_level for strip in strips])
        assembly = assemble(plan, [strip.tiles for strip in strips], top, self.limits)
        pieces = [self._build_part(parts, assembly, strips, run) for run in assembly.plan_parts()]
        self.assembler.assemble(parts.master, pieces, content_type=TIFF)
        self.observer.count("LargeImagesAssembled")
        size = plan.layout.size
        self.observer.count("LargeImagePixels", size.width * size.height)
        return {"bytes": assembly.size_bytes}

    def _build_part(
        self, parts: PartStore, assembly: Assembly, strips: Sequence[StoredStrip], run: Sequence[Slice]
    ) -> Part:
        """Build one part of the object: a slice of a strip is copied inside S3, small slices are read and joined."""
        if len(run) == 1 and run[0].part != FILE_HEAD:
            number, start, end = run[0]
            strip = strips[number]
            return CopiedRange(parts.body(number), strip.etag, strip.tiles.size_bytes, start, end)
        return b"".join(self._read_slice(parts, assembly, strips, one) for one in run)

    def _read_slice(self, parts: PartStore, assembly: Assembly, strips: Sequence[StoredStrip], one: Slice) -> bytes:
        if one.part == FILE_HEAD:
            return assembly.head[one.start : one.end]
        try:
            return self.media.read_range(parts.body(one.part), one.start, one.end, etag=strips[one.part].etag)
        except ObjectChanged as error:
            raise Unavailable(detail=error.detail) from error

    def _report(self, parts: PartStore, request: StepRequest) -> dict[str, object]:
        code, reason = parts.get_refusal()
        fault = "" if code else request.fault
        self.queue.send(
            build_large_image_message(request.key, request.image_id, request.version_id, code, reason, fault)
        )
        return {"code": code, "fault": fault}

    def _open_source(self, request: StepRequest) -> tuple[Source, Header]:
        """Open the upload and inspect its header; raises SourceMissing if it was replaced."""
        head = self.uploads.head(request.key)
        if head is None or head.version_id != request.version_id:
            raise SourceMissing("The upload no longer exists")
        source = open_ranges(self.uploads, head, LARGE_BLOCK_BYTES)
        return source, inspect_large_image(source, self.limits)


def _require_plan(parts: PartStore) -> PyramidPlan:
    plan = parts.get_plan()
    if plan is None:
        raise Unavailable(detail=f"the plan of {parts.image_id} is missing")
    return plan
