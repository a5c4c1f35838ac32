"""The four steps of a scene, one by one, as the state machine asks for them. Any may be done again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ...aws.multipart_copy import CopiedRange, MultipartAssembler, Part
from ...aws.s3 import S3Bucket
from ...aws.sqs import Queue
from ...aws.telemetry import Observer
from ...errors import BadRun, DarkroomError, ObjectChanged, SceneRefused, SourceMissing, Unavailable
from ...imaging.formats.probe import Header
from ...imaging.pyramid.assemble import FILE_HEAD, Assembly, Slice, assemble, iter_strips
from ...imaging.pyramid.plan import inspect_large_image, plan_pyramid
from ...imaging.pyramid.strips import build_top_levels, cut_strip
from ...imaging.source import Source
from ...plan.limits import Limits
from ..ingest.events import build_large_image_message
from ..master_reader import TIFF
from ..range_source import LARGE_BLOCK_BYTES, open_ranges
from .parts import PartStore, StoredStrip

ALL_STRIPS = -1
"""The strip that stands for all, where the source can only be read from its top."""


class StepAction(StrEnum):
    """``PLAN`` how it is cut, ``CUT`` a strip, ``BIND`` the strips, ``TELL`` ingest what became of it."""

    PLAN = "plan"
    CUT = "cut"
    ASSEMBLE = "bind"
    REPORT = "tell"


@dataclass(frozen=True, slots=True)
class StepRequest:
    """``scene`` is the id of the scene, ``key`` and ``version_id`` are those of the upload. ``strip`` is for CUT.

    ``fault``, for TELL, is what stopped the work, "" if nothing did.
    """

    action: StepAction
    scene: str
    key: str
    version_id: str
    strip: int = ALL_STRIPS
    fault: str = ""


def read_request(event: Mapping[str, Any]) -> StepRequest:
    """The request in ``event``; raises BadRun for what is none."""
    try:
        names = {name: event[name] for name in ("scene", "key", "version_id")}
        action, strip = StepAction(event["action"]), event.get("strip", ALL_STRIPS)
        fault = (event.get("stopped") or {}).get("Error", "")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadRun("This asks for nothing that can be done with a scene", detail=repr(error)) from error
    if not all(isinstance(one, str) for one in (*names.values(), fault)) or not names["scene"]:
        raise BadRun("A scene, a key, a version and a fault are texts", field="scene")
    if isinstance(strip, bool) or not isinstance(strip, int) or strip < ALL_STRIPS:
        raise BadRun("A strip is a number", field="strip")
    return StepRequest(action, strip=strip, fault=fault, **names)


READS_AT_ONCE = 16
"""Notes and shares of strips that are read at the same time."""


@dataclass(frozen=True)
class LargeImageSteps:
    """The service. ``uploads`` has the sources, ``assembler`` is of the bucket ``media``; ``queue`` is ingest's.

    ``at_once``: how many strips of a scene are worked on at a time.
    """

    uploads: S3Bucket
    media: S3Bucket
    assembler: MultipartAssembler
    queue: Queue
    limits: Limits
    at_once: int
    observer: Observer

    def handle(self, request: StepRequest) -> dict[str, object]:
        """Do what is asked; what the state machine goes on with.

        Raises SceneRefused for an upload that is not to be taken in, or a DarkroomError to be tried again.
        """
        steps = {
            StepAction.PLAN: self._plan,
            StepAction.CUT: self._cut,
            StepAction.ASSEMBLE: self._assemble,
            StepAction.REPORT: self._report,
        }
        parts = PartStore(self.media, request.scene)
        with self.observer.step(request.action), self._refusing(parts):
            return steps[request.action](parts, request)

    @contextmanager
    def _refusing(self, parts: PartStore) -> Iterator[None]:
        try:
            yield
        except DarkroomError as error:
            if error.status >= 500 or error.retryable:
                raise
            self.observer.log("WARNING", "refused", scene=parts.scene, code=error.code, detail=error.detail)
            parts.put_refusal(error)
            raise SceneRefused(error.message, detail=error.detail) from error

    def _plan(self, parts: PartStore, request: StepRequest) -> dict[str, object]:
        scene = parts.get_plan()
        if scene is None:
            source, header = self._opened(request)
            scene = parts.put_plan(plan_pyramid(source, header, self.limits))
        strips = [*range(scene.layout.strips)] if scene.by_region else [ALL_STRIPS]
        self.observer.log("INFO", "planned", scene=request.scene, strips=len(strips), **scene.to_document())
        named = {"scene": request.scene, "key": request.key, "version_id": request.version_id}
        return {**named, "strips": strips, "concurrency": self.at_once}

    def _cut(self, parts: PartStore, request: StepRequest) -> dict[str, object]:
        if request.strip != ALL_STRIPS and parts.has_strip(request.strip):
            return {"strip": request.strip}
        scene = parts.get_plan()
        if scene is None:
            raise Unavailable(detail=f"the plan of {request.scene} is not there")
        source, header = self._opened(request)
        if request.strip == ALL_STRIPS:
            for number, made in enumerate(iter_strips(source, header, scene, self.limits)):
                parts.put_strip(number, made)
                del made
        else:
            parts.put_strip(request.strip, cut_strip(source, header, scene, request.strip, self.limits))
        self.observer.log("INFO", "cut", scene=request.scene, strip=request.strip)
        self.observer.count("StripsCut", scene.layout.strips if request.strip == ALL_STRIPS else 1)
        return {"strip": request.strip}

    def _assemble(self, parts: PartStore, request: StepRequest) -> dict[str, object]:
        scene = parts.get_plan()
        if scene is None:
            raise Unavailable(detail=f"the plan of {request.scene} is not there")
        with ThreadPoolExecutor(READS_AT_ONCE) as pool:
            strips = [*pool.map(parts.get_strip, range(scene.layout.strips))]
        top = build_top_levels(scene, [strip.share for strip in strips])
        binding = assemble(scene, [strip.facts for strip in strips], top, self.limits)
        pieces = [self._piece(parts, binding, strips, run) for run in binding.plan_parts()]
        self.assembler.assemble(parts.master, pieces, content_type=TIFF)
        self.observer.count("ScenesBound")
        self.observer.count("ScenePixels", scene.layout.size.width * scene.layout.size.height)
        return {"bytes": binding.size_bytes}

    def _piece(self, parts: PartStore, binding: Assembly, strips: Sequence[StoredStrip], run: Sequence[Slice]) -> Part:
        """One slice of a strip is copied where it lies; what is small is read, and sent together."""
        if len(run) == 1 and run[0].part != FILE_HEAD:
            number, start, end = run[0]
            return CopiedRange(parts.body(number), strips[number].etag, strips[number].facts.size_bytes, start, end)
        return b"".join(self._bytes(parts, binding, strips, one) for one in run)

    def _bytes(self, parts: PartStore, binding: Assembly, strips: Sequence[StoredStrip], one: Slice) -> bytes:
        if one.part == FILE_HEAD:
            return binding.head[one.start : one.end]
        try:
            return self.media.read_range(parts.body(one.part), one.start, one.end, etag=strips[one.part].etag)
        except ObjectChanged as error:
            raise Unavailable(detail=error.detail) from error

    def _report(self, parts: PartStore, request: StepRequest) -> dict[str, object]:
        code, reason = parts.get_refusal()
        fault = "" if code else request.fault
        self.queue.send(build_large_image_message(request.key, request.scene, request.version_id, code, reason, fault))
        return {"code": code, "fault": fault}

    def _opened(self, request: StepRequest) -> tuple[Source, Header]:
        """The upload, as long as nobody has put another in its place: what becomes of that one is asked for then."""
        kept = self.uploads.head(request.key)
        if kept is None or kept.version_id != request.version_id:
            raise SourceMissing("The upload has gone")
        source = open_ranges(self.uploads, kept, LARGE_BLOCK_BYTES)
        return source, inspect_large_image(source, self.limits)
