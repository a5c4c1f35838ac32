"""From a request to findings that are kept and told. Killed at any step, it is done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from ...aws.eventbridge import EventBus
from ...aws.findings_store import FindingsRecord
from ...aws.index import Index
from ...aws.sagemaker import UNREADABLE, InferenceResult
from ...aws.sqs import Queue
from ...aws.telemetry import Observer
from ...errors import DarkroomError, ObjectChanged, Unavailable
from ...findings import CLIENT, ENDPOINT, FALLBACK, Finding, Findings
from ...mlops.agreement import disagreement
from ...mlops.sampler import SampleRecorder
from ...mlops.shadow import ShadowClient, ShadowResult
from ...plan.limits import Limits
from ..deadline import INGEST, Deadline
from ..ingest.announcements import build_image_id
from ..ingest.events import build_verdict_message
from ..request_metrics import count_latency
from .analysed_event import build_analysed_event, model_versions, moderation_verdict
from .duplicates import DuplicateFindings
from .endpoint_client import IN_PROCESS, Detector
from .findings_writer import FindingsWriter, Superseded, WrittenFindings
from .masters import CurrentMaster
from .merge import RANKS, rank
from .messages import AnalysisRequest, RequestKind, backoff_s
from .views import MAX_VIEWS, UNSAMPLED, Views, choose_views, combine

SUPERSEDED_DELAY_S = 5
"""Before a key is looked at again whose master changed under us: time for the other worker to end what it is doing."""


class AnalysisOutcome(StrEnum):
    """What became of a request.

    ``FALLBACK``: the endpoint did not answer, and is asked again later. ``COPIED``: the same bytes had been looked at.
    ``DROPPED``: nothing was to be done, or another master is the present one.
    """

    ANALYSED = "analysed"
    COPIED = "copied"
    FALLBACK = "fallback"
    REMOVED = "removed"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """How findings are made here. ``block``: ingest waits for the verdict of moderation.

    ``max_views``: images of one source that moderation analyses at most.
    """

    generation: str
    tasks: Sequence[str]
    limits: Limits
    blocks_on_moderation: bool = False
    max_views: int = MAX_VIEWS


class Analysis(NamedTuple):
    """``found`` in all views of a source; ``tried`` is about the first alone, which samples and canaries go by."""

    tried: ShadowResult
    found: dict[str, Finding]


@dataclass(frozen=True)
class AnalysisService:
    """The service, with its adapters. ``caller`` None: there is no endpoint, and what ``finder`` finds is all."""

    settings: AnalysisSettings
    writer: FindingsWriter
    duplicates: DuplicateFindings
    index: Index
    models: ShadowClient | None
    detector: Detector
    queue: Queue
    verdicts: Queue
    bus: EventBus
    samples: SampleRecorder
    observer: Observer
    clock: Callable[[], float] = time.time

    def handle(self, request: AnalysisRequest) -> AnalysisOutcome:
        """Deal with ``request``. Whatever this raises, it is to be handled again."""
        try:
            outcome = self._handle(request)
        except Superseded:
            self._requeue(request)
            outcome = AnalysisOutcome.DROPPED
        self.observer.count("Handled", outcome=outcome)
        return outcome

    def _handle(self, request: AnalysisRequest) -> AnalysisOutcome:
        present = self.writer.masters.find_current(request.key)
        if present is None:
            return self._remove(request)
        if request.kind is RequestKind.REMOVED or (request.sequencer and request.sequencer < present.sequencer):
            return AnalysisOutcome.DROPPED
        noted = self.writer.store.read_record(request.key)
        if request.again:
            return self._analyse(request, present, noted)
        if self._is_done(noted, present) and self.writer.is_published(present, self.settings.generation):
            if request.kind is RequestKind.HELD and present.is_held:
                self._send_verdict(present.key, noted.findings)
            return AnalysisOutcome.DROPPED
        if copied := self.duplicates.find(present, self.settings.generation, self._available_tasks, self._best_source):
            self._publish(request, present, self._make_findings(present, copied))
            return AnalysisOutcome.COPIED
        return self._analyse(request, present, noted)

    def _is_done(
        self, noted: FindingsRecord, present: CurrentMaster, tasks: Sequence[str] | None = None, by: str = ""
    ) -> bool:
        """Whether nobody could add anything: ``tasks`` (all that can be done) have been found by ``by``, or better."""
        if not noted.announced or not noted.matches(self.settings.generation, present.etag) or noted.findings is None:
            return False
        wanted = RANKS[by or self._best_source]
        every = self._available_tasks if tasks is None else tasks
        return all(rank(noted.findings.found.get(task)) >= wanted for task in every)

    @property
    def _best_source(self) -> str:
        return ENDPOINT if self.models is not None else FALLBACK

    @property
    def _available_tasks(self) -> Sequence[str]:
        return self.settings.tasks if self.models is not None else self.detector.tasks

    def _analyse(self, request: AnalysisRequest, present: CurrentMaster, noted: FindingsRecord) -> AnalysisOutcome:
        views = self._prepare_views(present)
        if views is None:
            unreadable = {
                task: Finding(task, "", "", self._best_source, error=UNREADABLE) for task in self._available_tasks
            }
            self._publish(request, present, self._make_findings(present, unreadable))
            return AnalysisOutcome.ANALYSED
        analysis = self._run_models(present, views)
        if analysis is not None:
            self._store_analysis(request, present, views, analysis)
            return AnalysisOutcome.ANALYSED
        if request.again or not self._is_done(noted, present, self.detector.tasks, FALLBACK):
            analysis = self._run_in_process("fallback", views)
            self.observer.count("Fallback")
            self._store_analysis(request, present, views, analysis)
        self.queue.send(request.next_attempt().message, delay_s=backoff_s(request.attempt + 1))
        return AnalysisOutcome.FALLBACK

    def _prepare_views(self, present: CurrentMaster) -> Views | None:
        """Return the images that models analyse; None if the master cannot be decoded.

        Raises Superseded, Unavailable.
        """
        with self.observer.step("prepare"):
            try:
                with present.open_source() as source:
                    limits, most = self.settings.limits, self.settings.max_views
                    views = Deadline(INGEST).run(
                        partial(choose_views, source, limits, self._available_tasks, most=most)
                    )
            except ObjectChanged as error:
                raise Superseded from error
            except DarkroomError as error:
                if error.status >= 500 or error.retryable:
                    raise
                self.observer.log("WARNING", "unreadable", key=present.key, code=error.code, detail=error.detail)
                return None
        if more := len(views.first) + len(views.further) - 1:
            self.observer.count("FurtherViews", more)
        if views.gap:
            self.observer.log("WARNING", "moderation incomplete", key=present.key, gap=views.gap)
        return views

    def _store_analysis(
        self, request: AnalysisRequest, present: CurrentMaster, views: Views, analysis: Analysis
    ) -> None:
        """Store what ``views`` showed, and a sample of the first of them."""
        tried = analysis.tried
        facts = self._publish(
            request, present, self._make_findings(present, self._count_models(tried.result, analysis.found))
        )
        self.samples.record(
            present, facts, views.first[0], tried.result.found, variant=tried.result.variant, trial=tried.comparison
        )

    def _run_models(self, present: CurrentMaster, views: Views) -> Analysis | None:
        """Return the findings of the models that are asked first; None if they do not answer."""
        if self.models is None:
            return self._run_in_process("invoke", views)
        tried = self.models.analyse(views.first[0], self.settings.tasks, self._image_id(present))
        if tried is None:
            return None
        further = list(views.by_tasks(self.settings.tasks))
        others = self.models.analyse_views(further, self._image_id(present), needed=len(views.first) - 1)
        if others is None:
            return None
        gap = views.gap if len(others) == len(further) else views.gap or UNSAMPLED
        return Analysis(tried, combine(tried.result.found, others, gap))

    def _run_in_process(self, step: str, views: Views) -> Analysis:
        """Return the findings of the models within the function; their time counts as ``step``."""
        tasks = self.detector.tasks
        with self.observer.step(step):
            found = self.detector.detect(views.first[0], tasks)
            others = [self.detector.detect(jpeg, asked) for jpeg, asked in views.by_tasks(tasks)]
        tried = ShadowResult(InferenceResult(found, IN_PROCESS, {}, self.observer.timings_ms[step]))
        return Analysis(tried, combine(found, others, views.gap))

    def _count_models(self, told: InferenceResult, found: dict[str, Finding]) -> dict[str, Finding]:
        """Return ``found``, after publishing which models found it."""
        self.observer.count("PicturesAnalysed", variant=told.variant)
        self.observer.annotate("variant", told.variant)
        self.observer.annotate("model_version", model_versions(told.found))
        return found

    def _make_findings(self, present: CurrentMaster, found: dict[str, Finding]) -> Findings:
        pending = tuple(task for task in self.settings.tasks if task not in found) if self.models is not None else ()
        now = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
        return Findings(self.settings.generation, present.etag, found, pending, now)

    def _publish(self, request: AnalysisRequest, present: CurrentMaster, findings: Findings) -> Mapping[str, Any]:
        """Keep ``findings``, and do and tell what follows from them; at last, write down that it was done.

        Returns what the index says of the picture.
        """
        with self.observer.step("store"):
            facts = self._facts(present)
            perceptual_hash = str(facts.get("perceptual_hash", ""))
            kept = self.writer.write(present, self._image_id(present), findings, perceptual_hash)
        self._count_disagreement(kept)
        with self.observer.step("announce"):
            self._send_verdict(present.key, kept.findings)
            self.bus.publish(*build_analysed_event(present.key, kept.record.image_id, kept.findings))
            self.writer.store.write_record(present.key, replace(kept.record, announced=True))
        if request.sequencer and not kept.findings.pending:  # nobody waits for what is only looked at once more
            waited_s = max(0.0, self.clock() - present.head.modified_s)
            self.observer.count("UploadToAnalysed", waited_s * 1000, "Milliseconds")
            count_latency(self.observer, "infer", waited_s)
        return facts

    def _facts(self, present: CurrentMaster) -> Mapping[str, Any]:
        record = self.index.get(present.key)
        if record is None:
            return {}
        return record.held.facts if present.is_held else record.facts

    def _send_verdict(self, key: str, findings: Findings | None) -> None:
        """Have ingest look at the verdict, if there is one that it waits for."""
        if self.settings.blocks_on_moderation and findings is not None and moderation_verdict(findings) is not None:
            self.verdicts.send(build_verdict_message(key))

    def _count_disagreement(self, kept: WrittenFindings) -> None:
        """Tell how far what an uploader said is from what was found."""
        for task, theirs in (kept.before.found if kept.before is not None else {}).items():
            ours = kept.findings.found.get(task)
            if theirs.origin != CLIENT or ours is None or ours.origin == CLIENT:
                continue
            apart = disagreement(theirs, ours)
            if apart is not None:
                self.observer.count("ClientDisagreement", apart, "None", task=task)

    def _image_id(self, present: CurrentMaster) -> str:
        return build_image_id(present.key, present.sequencer, present.version_id)

    def _remove(self, request: AnalysisRequest) -> AnalysisOutcome:
        """Keep nothing of a key that has no master, unless it gets one meanwhile."""
        key = request.key
        archive = self.writer.store
        with self.observer.step("remove"):
            sidecars, noted = archive.list_sidecars(key), archive.read_record(key)
            if self.writer.masters.find_current(key) is not None:
                raise Unavailable(detail=f"{key} has a master again")
            archive.delete(key, sidecars, noted)
            if self.writer.vectors is not None:
                self.writer.vectors.delete(key)
            self.samples.store.delete(key)
        if self.writer.masters.find_current(key) is not None:  # its vector may just have gone with the old one
            self._requeue(request)
        return AnalysisOutcome.REMOVED

    def _requeue(self, request: AnalysisRequest) -> None:
        self.queue.send(request.restart().message, delay_s=SUPERSEDED_DELAY_S)
