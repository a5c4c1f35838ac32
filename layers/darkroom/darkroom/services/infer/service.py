"""From a request to findings that are kept and told. Killed at any step, it is done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Any, NamedTuple

from ...aws.archive import Noted
from ...aws.eventbridge import EventBus
from ...aws.index import Index
from ...aws.model import UNREADABLE, Told
from ...aws.sqs import Queue
from ...aws.telemetry.protocol import Observer
from ...errors import DarkroomError, ObjectChanged, Unavailable
from ...findings import CLIENT, ENDPOINT, FALLBACK, Finding, Findings
from ...plan.limits import Limits
from ...watch.agreement import disagreement
from ..deadline import INGEST, Deadline
from ..ingest.announcements import build_image_id
from ..ingest.events import build_verdict_message
from ..slo_metrics import count_latency
from .announce import analysed, verdict, versions
from .calling import IN_PROCESS, Finder
from .copies import Copies
from .keep import Keeper, Kept, Superseded
from .masters import Present
from .merging import RANKS, rank
from .requests import Kind, Request, wait_s
from .sampling import Sampler
from .trial import Trials, Tried
from .views import MAX_VIEWS, UNSAMPLED, Views, choose_views, combine

OVERTAKEN_DELAY_S = 5
"""Before a key is looked at again whose master changed under us: time for the other worker to end what it is doing."""


class Outcome(StrEnum):
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
class Terms:
    """How findings are made here. ``block``: ingest waits for the verdict of moderation.

    ``max_views``: images of one source that moderation analyses at most.
    """

    generation: str
    tasks: Sequence[str]
    limits: Limits
    block: bool = False
    max_views: int = MAX_VIEWS


class Analysis(NamedTuple):
    """``found`` in all views of a source; ``tried`` is about the first alone, which samples and canaries go by."""

    tried: Tried
    found: dict[str, Finding]


@dataclass(frozen=True)
class Infer:
    """The service, with its adapters. ``caller`` None: there is no endpoint, and what ``finder`` finds is all."""

    terms: Terms
    keeper: Keeper
    copies: Copies
    index: Index
    caller: Trials | None
    finder: Finder
    queue: Queue
    verdicts: Queue
    bus: EventBus
    sampler: Sampler
    observer: Observer
    clock: Callable[[], float] = time.time

    def handle(self, request: Request) -> Outcome:
        """Deal with ``request``. Whatever this raises, it is to be handled again."""
        try:
            outcome = self._handle(request)
        except Superseded:
            self._look_again(request)
            outcome = Outcome.DROPPED
        self.observer.count("Handled", outcome=outcome)
        return outcome

    def _handle(self, request: Request) -> Outcome:
        present = self.keeper.masters.present(request.key)
        if present is None:
            return self._remove(request)
        if request.kind is Kind.REMOVED or (request.sequencer and request.sequencer < present.sequencer):
            return Outcome.DROPPED
        noted = self.keeper.archive.noted(request.key)
        if request.again:
            return self._look(request, present, noted)
        if self._is_done(noted, present) and self.keeper.shows(present, self.terms.generation):
            if request.kind is Kind.HELD and present.held:
                self._judge(present.key, noted.findings)
            return Outcome.DROPPED
        if copied := self.copies.of(present, self.terms.generation, self._possible, self._best):
            self._conclude(request, present, self._findings(present, copied))
            return Outcome.COPIED
        return self._look(request, present, noted)

    def _is_done(self, noted: Noted, present: Present, tasks: Sequence[str] | None = None, by: str = "") -> bool:
        """Whether nobody could add anything: ``tasks`` (all that can be done) have been found by ``by``, or better."""
        if not noted.announced or not noted.speaks_of(self.terms.generation, present.etag) or noted.findings is None:
            return False
        wanted = RANKS[by or self._best]
        every = self._possible if tasks is None else tasks
        return all(rank(noted.findings.found.get(task)) >= wanted for task in every)

    @property
    def _best(self) -> str:
        return ENDPOINT if self.caller is not None else FALLBACK

    @property
    def _possible(self) -> Sequence[str]:
        return self.terms.tasks if self.caller is not None else self.finder.tasks

    def _look(self, request: Request, present: Present, noted: Noted) -> Outcome:
        views = self._prepared(present)
        if views is None:
            unreadable = {task: Finding(task, "", "", self._best, error=UNREADABLE) for task in self._possible}
            self._conclude(request, present, self._findings(present, unreadable))
            return Outcome.ANALYSED
        analysis = self._asked(present, views)
        if analysis is not None:
            self._learn(request, present, views, analysis)
            return Outcome.ANALYSED
        if request.again or not self._is_done(noted, present, self.finder.tasks, FALLBACK):
            analysis = self._in_process("fallback", views)
            self.observer.count("Fallback")
            self._learn(request, present, views, analysis)
        self.queue.send(request.put_off().message, delay_s=wait_s(request.attempt + 1))
        return Outcome.FALLBACK

    def _prepared(self, present: Present) -> Views | None:
        """Return the images that models analyse; None if the master cannot be decoded.

        Raises Superseded, Unavailable.
        """
        with self.observer.step("prepare"):
            try:
                with present.source() as source:
                    limits, most = self.terms.limits, self.terms.max_views
                    views = Deadline(INGEST).run(partial(choose_views, source, limits, self._possible, most=most))
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

    def _learn(self, request: Request, present: Present, views: Views, analysis: Analysis) -> None:
        """Store what ``views`` showed, and a sample of the first of them."""
        tried = analysis.tried
        facts = self._conclude(request, present, self._findings(present, self._analysed(tried.told, analysis.found)))
        self.sampler.take(
            present, facts, views.first[0], tried.told.found, variant=tried.told.variant, trial=tried.trial
        )

    def _asked(self, present: Present, views: Views) -> Analysis | None:
        """Return the findings of the models that are asked first; None if they do not answer."""
        if self.caller is None:
            return self._in_process("invoke", views)
        tried = self.caller.ask(views.first[0], self.terms.tasks, self._image_id(present))
        if tried is None:
            return None
        further = list(views.by_tasks(self.terms.tasks))
        others = self.caller.ask_also(further, self._image_id(present), needed=len(views.first) - 1)
        if others is None:
            return None
        gap = views.gap if len(others) == len(further) else views.gap or UNSAMPLED
        return Analysis(tried, combine(tried.told.found, others, gap))

    def _in_process(self, step: str, views: Views) -> Analysis:
        """Return the findings of the models within the function; their time counts as ``step``."""
        tasks = self.finder.tasks
        with self.observer.step(step):
            found = self.finder.find(views.first[0], tasks)
            others = [self.finder.find(jpeg, asked) for jpeg, asked in views.by_tasks(tasks)]
        tried = Tried(Told(found, IN_PROCESS, {}, self.observer.timings_ms[step]))
        return Analysis(tried, combine(found, others, views.gap))

    def _analysed(self, told: Told, found: dict[str, Finding]) -> dict[str, Finding]:
        """Return ``found``, after publishing which models found it."""
        self.observer.count("PicturesAnalysed", variant=told.variant)
        self.observer.annotate("variant", told.variant)
        self.observer.annotate("model_version", versions(told.found))
        return found

    def _findings(self, present: Present, found: dict[str, Finding]) -> Findings:
        pending = tuple(task for task in self.terms.tasks if task not in found) if self.caller is not None else ()
        now = datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds")
        return Findings(self.terms.generation, present.etag, found, pending, now)

    def _conclude(self, request: Request, present: Present, findings: Findings) -> Mapping[str, Any]:
        """Keep ``findings``, and do and tell what follows from them; at last, write down that it was done.

        Returns what the index says of the picture.
        """
        with self.observer.step("store"):
            facts = self._facts(present)
            perceptual_hash = str(facts.get("perceptual_hash", ""))
            kept = self.keeper.keep(present, self._image_id(present), findings, perceptual_hash)
        self._compare(kept)
        with self.observer.step("announce"):
            self._judge(present.key, kept.findings)
            self.bus.publish(*analysed(present.key, kept.noted.image_id, kept.findings))
            self.keeper.archive.note(present.key, replace(kept.noted, announced=True))
        if request.sequencer and not kept.findings.pending:  # nobody waits for what is only looked at once more
            waited_s = max(0.0, self.clock() - present.kept.modified_s)
            self.observer.count("UploadToAnalysed", waited_s * 1000, "Milliseconds")
            count_latency(self.observer, "infer", waited_s)
        return facts

    def _facts(self, present: Present) -> Mapping[str, Any]:
        record = self.index.get(present.key)
        if record is None:
            return {}
        facts: Mapping[str, Any] = record.held.get("facts", {}) if present.held else record.facts
        return facts

    def _judge(self, key: str, findings: Findings | None) -> None:
        """Have ingest look at the verdict, if there is one that it waits for."""
        if self.terms.block and findings is not None and verdict(findings) is not None:
            self.verdicts.send(build_verdict_message(key))

    def _compare(self, kept: Kept) -> None:
        """Tell how far what an uploader said is from what was found."""
        for task, theirs in (kept.before.found if kept.before is not None else {}).items():
            ours = kept.findings.found.get(task)
            if theirs.origin != CLIENT or ours is None or ours.origin == CLIENT:
                continue
            apart = disagreement(theirs, ours)
            if apart is not None:
                self.observer.count("ClientDisagreement", apart, "None", task=task)

    def _image_id(self, present: Present) -> str:
        return build_image_id(present.key, present.sequencer, present.version_id)

    def _remove(self, request: Request) -> Outcome:
        """Keep nothing of a key that has no master, unless it gets one meanwhile."""
        key = request.key
        archive = self.keeper.archive
        with self.observer.step("remove"):
            sidecars, noted = archive.sidecars(key), archive.noted(key)
            if self.keeper.masters.present(key) is not None:
                raise Unavailable(detail=f"{key} has a master again")
            archive.forget(key, sidecars, noted)
            if self.keeper.vectors is not None:
                self.keeper.vectors.delete(key)
            self.sampler.samples.forget(key)
        if self.keeper.masters.present(key) is not None:  # its vector may just have gone with the old one
            self._look_again(request)
        return Outcome.REMOVED

    def _look_again(self, request: Request) -> None:
        self.queue.send(request.anew().message, delay_s=OVERTAKEN_DELAY_S)
