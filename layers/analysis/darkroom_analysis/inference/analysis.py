"""Analyse the current master of a key, store the findings and publish them. Idempotent: a killed attempt is repeated.

A request is dropped if the findings are complete, copied if the same bytes were analysed, and analysed otherwise.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from darkroom.aws.telemetry import Observer
from darkroom.errors import DarkroomError, NoFonts, ObjectChanged
from darkroom.findings import CLIENT, ENDPOINT, FAILED, FALLBACK, MODERATION, RANKS, Finding, Findings, rank
from darkroom.plan.limits import Limits
from darkroom.services.deadline import INGEST, Deadline
from darkroom.services.live_settings import TaskRules
from darkroom.services.request_metrics import count_latency
from darkroom_pipeline.aws.eventbridge import EventBus
from darkroom_pipeline.aws.findings_store import FindingsRecord
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import build_image_id
from darkroom_pipeline.aws.sagemaker import UNREADABLE, InferenceResult
from darkroom_pipeline.aws.sqs import Queue
from darkroom_pipeline.services.analysis_requests import AnalysisRequest, RequestKind, backoff_s
from darkroom_pipeline.services.ingest.events import build_verdict_message
from darkroom_pipeline.services.masters import CurrentMaster

from .duplicates import DuplicateFindings
from .endpoint_client import IN_PROCESS
from .findings_writer import FindingsWriter, Superseded, WrittenFindings
from .merge import build_analysed_event, model_versions
from .predictions import Detector, Distance, EndpointModels, Explain, Prediction, SampleRecorder
from .views import MAX_VIEWS, UNSAMPLED, Views, choose_views, combine, find_flagged

SUPERSEDED_DELAY_S = 5
"""Delay before a key is analysed again whose master was replaced: time for the other worker to finish."""


class AnalysisOutcome(StrEnum):
    """Outcome of a request.

    ``FALLBACK``: the endpoint did not respond; the request is queued again. ``COPIED``: findings of the same bytes were
    reused. ``DROPPED``: nothing to do, or another master is current.
    """

    ANALYSED = "analysed"
    COPIED = "copied"
    FALLBACK = "fallback"
    REMOVED = "removed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """``blocks_on_moderation``: ingest holds uploads until the verdict of moderation.

    ``max_views``: images of one source that moderation analyses at most.
    """

    generation: str
    tasks: TaskRules
    limits: Limits
    blocks_on_moderation: bool = False
    max_views: int = MAX_VIEWS


class _Analysis[C](NamedTuple):
    """``found`` in all views of a source; ``prediction`` for the first view, which is sampled."""

    prediction: Prediction[C]
    found: dict[str, Finding]


@dataclass(frozen=True)
class AnalysisService[C]:
    """``models`` is None without an endpoint; the ``detector`` is used instead. ``distance`` compares findings."""

    settings: AnalysisSettings
    writer: FindingsWriter
    duplicates: DuplicateFindings
    index: Index
    models: EndpointModels[C] | None
    detector: Detector
    queue: Queue
    verdicts: Queue
    bus: EventBus
    samples: SampleRecorder[C]
    distance: Distance
    observer: Observer
    clock: Callable[[], float] = time.time

    def handle(self, request: AnalysisRequest) -> AnalysisOutcome:
        """Process ``request``. After any exception it is to be processed again."""
        try:
            outcome = self._handle(request)
        except Superseded:
            self._requeue(request)
            outcome = AnalysisOutcome.DROPPED
        self.observer.count("Handled", outcome=outcome)
        return outcome

    def record_failure(self, request: AnalysisRequest, *, publish: bool) -> None:
        """Store that the analysis of a master failed, for the tasks without findings; ``publish``: announce it, too.

        Raises what storing raises, Superseded included.
        """
        master = self.writer.masters.find_current(request.key)
        if master is None or request.kind is RequestKind.REMOVED:
            return
        if request.sequencer and request.sequencer < master.sequencer:
            return
        if self._is_done(self.writer.store.read_record(request.key), master):
            return
        failed = self._make_error_findings(master, FAILED)
        if publish:
            self._publish(request, master, failed)
        else:
            self._store(master, failed)

    def _handle(self, request: AnalysisRequest) -> AnalysisOutcome:
        master = self.writer.masters.find_current(request.key)
        if master is None:
            return self._remove(request)
        if request.kind is RequestKind.REMOVED or (request.sequencer and request.sequencer < master.sequencer):
            return AnalysisOutcome.DROPPED
        record = self.writer.store.read_record(request.key)
        if request.again:
            return self._analyse(request, master, record)
        if self._is_done(record, master) and self.writer.is_published(master, self.settings.generation):
            if request.kind is RequestKind.HELD and master.is_held:
                self._send_verdict(master.key, record.findings)
            return AnalysisOutcome.DROPPED
        tasks = self._list_tasks(master.key)
        if copied := self.duplicates.find(master, self.settings.generation, tasks, self._best_source):
            self._publish(request, master, self._make_findings(master, copied))
            return AnalysisOutcome.COPIED
        return self._analyse(request, master, record)

    def _is_done(
        self, record: FindingsRecord, master: CurrentMaster, tasks: Sequence[str] | None = None, source: str = ""
    ) -> bool:
        """Whether ``tasks`` (default: all available) have findings of ``source`` (default: the best) or better."""
        if not record.announced or not record.matches(self.settings.generation, master.etag) or record.findings is None:
            return False
        required = RANKS[source or self._best_source]
        found = record.findings.found
        wanted = self._list_tasks(master.key) if tasks is None else tasks
        return all(rank(found.get(task)) >= required for task in wanted)

    @property
    def _best_source(self) -> str:
        return ENDPOINT if self.models is not None else FALLBACK

    def _list_tasks(self, key: str) -> Sequence[str]:
        return self.settings.tasks.list_for(key) if self.models is not None else self._list_small_tasks(key)

    def _list_small_tasks(self, key: str) -> Sequence[str]:
        """Return the tasks of the image ``key`` for which the detector has a model."""
        wanted = self.settings.tasks.list_for(key)
        return [task for task in self.detector.tasks if task in wanted]

    def _analyse(self, request: AnalysisRequest, master: CurrentMaster, record: FindingsRecord) -> AnalysisOutcome:
        views = self._prepare_views(master)
        if views is None:
            self._publish(request, master, self._make_error_findings(master, UNREADABLE))
            return AnalysisOutcome.ANALYSED
        analysis = self._run_models(master, views)
        if analysis is not None:
            self._store_analysis(request, master, views, analysis)
            return AnalysisOutcome.ANALYSED
        if request.again or not self._is_done(record, master, self._list_small_tasks(master.key), FALLBACK):
            analysis = self._run_in_process("fallback", master.key, views)
            self.observer.count("Fallback")
            self._store_analysis(request, master, views, analysis)
        self.queue.send(request.next_attempt().message, delay_s=backoff_s(request.attempt + 1))
        return AnalysisOutcome.FALLBACK

    def _prepare_views(self, master: CurrentMaster) -> Views | None:
        """Return the images that models analyse; None if the master cannot be decoded.

        Raises Superseded, Unavailable.
        """
        with self.observer.step("prepare"):
            try:
                with master.open_source() as source:
                    limits, most = self.settings.limits, self.settings.max_views
                    choose = partial(choose_views, source, limits, self._list_tasks(master.key), most=most)
                    views = Deadline(INGEST).run(choose)
            except ObjectChanged as error:
                raise Superseded from error
            except DarkroomError as error:
                # The function has no room for the fonts beside its models: the text of an SVG is not seen.
                if (error.status >= 500 or error.retryable) and not isinstance(error, NoFonts):
                    raise
                self.observer.log("WARNING", "master unreadable", key=master.key, code=error.code, detail=error.detail)
                return None
        if more := len(views.first) + len(views.further) - 1:
            self.observer.count("FurtherViews", more)
        if gap := views.gaps.get(MODERATION):
            self.observer.log("WARNING", "moderation incomplete", key=master.key, gap=gap)
        return views

    def _store_analysis(
        self, request: AnalysisRequest, master: CurrentMaster, views: Views, analysis: _Analysis[C]
    ) -> None:
        """Publish the findings, and record a sample of the first view."""
        result = analysis.prediction.result
        self.observer.count("ImagesAnalysed", variant=result.variant)
        self.observer.annotate("variant", result.variant)
        self.observer.annotate("model_version", model_versions(result.found))
        facts = self._publish(request, master, self._make_findings(master, analysis.found))
        self.samples.record(master, facts, views.first[0], analysis.prediction)

    def _run_models(self, master: CurrentMaster, views: Views) -> _Analysis[C] | None:
        """Return the findings of the endpoint, or without one of the detector; None if it does not respond."""
        if self.models is None:
            return self._run_in_process("invoke", master.key, views)
        image_id, tasks = _image_id(master), self.settings.tasks.list_for(master.key)
        prediction = self.models.predict(views.first[0], tasks, image_id)
        if prediction is None:
            return None
        further = list(views.by_tasks(tasks))
        others = self.models.predict_views(further, image_id, needed=len(views.first) - 1)
        if others is None:
            return None
        gaps = views.gaps if len(others) == len(further) else {MODERATION: UNSAMPLED, **views.gaps}
        explain = partial(self.models.explain, image_id=image_id, variant=prediction.result.variant)
        return _Analysis(prediction, self._combine(views, [prediction.result.found, *others], gaps, explain))

    def _run_in_process(self, step: str, key: str, views: Views) -> _Analysis[C]:
        """Return the findings of the detector; its time counts as ``step``."""
        tasks = self._list_small_tasks(key)
        with self.observer.step(step):
            found = self.detector.detect(views.first[0], tasks)
            others = [self.detector.detect(jpeg, wanted) for jpeg, wanted in views.by_tasks(tasks)]
        prediction = Prediction[C](InferenceResult(found, IN_PROCESS, {}, self.observer.timings_ms[step]))
        return _Analysis(prediction, self._combine(views, [found, *others], views.gaps, self.detector.explain))

    def _combine(
        self, views: Views, found: Sequence[Mapping[str, Finding]], gaps: Mapping[str, str], explain: Explain
    ) -> dict[str, Finding]:
        """Combine what was found in each view, and explain the first one that moderation flagged."""
        combined = combine(found[0], found[1:], gaps)
        number = find_flagged(found)
        if number is not None:
            with self.observer.step("explain"):
                explanation = explain(views.all[number])
            if explanation is not None:
                explanation = replace(explanation, view=number)
                combined[MODERATION] = replace(combined[MODERATION], explanation=explanation)
        return combined

    def _make_error_findings(self, master: CurrentMaster, error: str) -> Findings:
        tasks = self._list_tasks(master.key)
        return self._make_findings(
            master, {task: Finding(task, "", "", self._best_source, error=error) for task in tasks}
        )

    def _make_findings(self, master: CurrentMaster, found: dict[str, Finding]) -> Findings:
        wanted = self.settings.tasks.list_for(master.key) if self.models is not None else ()
        pending = tuple(task for task in wanted if task not in found)
        now = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
        return Findings(self.settings.generation, master.etag, found, pending, now)

    def _publish(self, request: AnalysisRequest, master: CurrentMaster, findings: Findings) -> Mapping[str, Any]:
        """Write ``findings``, send the verdict and the event, then mark the record as announced.

        Returns the facts of the index.
        """
        written, facts = self._store(master, findings)
        self._count_disagreement(written)
        record = written.record
        with self.observer.step("announce"):
            self._send_verdict(master.key, written.findings)
            self.bus.publish(*build_analysed_event(master.key, record.image_id, written.findings))
            self.writer.store.write_record(master.key, replace(record, announced=True))
        if request.sequencer and not written.findings.pending:  # a repeated analysis has no latency
            waited_s = max(0.0, self.clock() - master.modified_s)
            self.observer.count("UploadToAnalysed", waited_s * 1000, "Milliseconds")
            count_latency(self.observer, "infer", waited_s)
        return facts

    def _store(self, master: CurrentMaster, findings: Findings) -> tuple[WrittenFindings, Mapping[str, Any]]:
        """Write ``findings``; return them as written, and the facts of the index."""
        with self.observer.step("store"):
            facts = self._facts(master)
            perceptual_hash = str(facts.get("perceptual_hash", ""))
            tasks = self.settings.tasks.list_for(master.key)
            return self.writer.write(master, _image_id(master), findings, perceptual_hash, tasks), facts

    def _facts(self, master: CurrentMaster) -> Mapping[str, Any]:
        record = self.index.get(master.key)
        if record is None:
            return {}
        return record.held.facts if master.is_held else record.facts

    def _send_verdict(self, key: str, findings: Findings | None) -> None:
        """Send a message to ingest if it waits for the verdict, and there is one or will be none."""
        if self.settings.blocks_on_moderation and findings is not None and MODERATION in findings.found:
            self.verdicts.send(build_verdict_message(key))

    def _count_disagreement(self, written: WrittenFindings) -> None:
        """Publish the distance of client-supplied findings from those of the models."""
        for task, theirs in (written.before.found if written.before is not None else {}).items():
            ours = written.findings.found.get(task)
            if theirs.origin != CLIENT or ours is None or ours.origin == CLIENT:
                continue
            distance = self.distance(theirs, ours)
            if distance is not None:
                self.observer.count("ClientDisagreement", distance, "None", task=task)

    def _remove(self, request: AnalysisRequest) -> AnalysisOutcome:
        """Delete everything about a key without a master. Raises Unavailable if it gets one meanwhile."""
        key = request.key
        with self.observer.step("remove"):
            self.writer.delete(key)
            self.samples.delete(key)
        if self.writer.masters.find_current(key) is not None:  # its vector may just have been deleted with the old one
            self._requeue(request)
        return AnalysisOutcome.REMOVED

    def _requeue(self, request: AnalysisRequest) -> None:
        self.queue.send(request.restart().message, delay_s=SUPERSEDED_DELAY_S)


def _image_id(master: CurrentMaster) -> str:
    return build_image_id(master.key, master.sequencer, master.version_id)
