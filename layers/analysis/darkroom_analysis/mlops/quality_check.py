"""Evaluate each model variant on the golden set.

A failed image is tried once more and then left out. A variant that answers too few images has no scores: they are
missing, and the variant stays due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from darkroom.aws.telemetry import Observer
from darkroom.errors import ObjectChanged, Unavailable
from darkroom.findings import Finding
from darkroom_pipeline.aws.s3 import S3Bucket
from darkroom_pipeline.aws.sagemaker import Endpoint

from .drift_check import JSON
from .endpoint_variants import EndpointVariants
from .golden_set import (
    EVALUATED_TASKS,
    MIN_ANSWERED,
    UNLIMITED,
    Confusion,
    GoldenImage,
    QualityRecord,
    count_labelled,
    format_history,
    parse_history,
    parse_manifest,
    score_classes,
    score_image,
    sum_classes,
    sum_confusions,
)

MANIFEST = "golden/manifest.jsonl"
"""The object in the media bucket; the images are beside it."""

HISTORY = "watch/quality.json"
"""The object in the media bucket with the time of each variant's last evaluation."""

DEADLINE_S = 600.0
"""Time limit of all variants together. The function's timeout is 900 s."""

MAX_ATTEMPTS = 2
"""Attempts per image."""

MAX_WRITES = 5
"""Attempts to store the history while other checks store theirs."""

MAX_FAILURES_IN_A_ROW = 10
"""Consecutive failures after which a variant is abandoned for this run."""

WORST: Mapping[str, Callable[[Iterable[float]], float]] = {"Precision": min, "Recall": min, "FalsePositiveRate": max}
"""The metrics, and the function that returns the worst of several values."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores of a variant by task, and by task and class; ``answered`` is the number of images with a response."""

    confusions: Mapping[str, Confusion]
    classes: Mapping[str, Mapping[str, Confusion]]
    answered: int


@dataclass(frozen=True)
class QualityCheck:
    """Evaluates the ``variants`` of ``endpoint`` on the golden set in ``media`` for ``tasks``.

    With ``only_due``, variants that were evaluated within a day are skipped.
    """

    media: S3Bucket
    endpoint: Endpoint
    variants: EndpointVariants
    tasks: Sequence[str]
    observer: Observer
    deadline_s: float = DEADLINE_S
    monotonic: Callable[[], float] = time.monotonic
    only_due: bool = False

    def run(self, now_s: float) -> Mapping[str, object]:
        """Publish precision, recall and false positives of each variant that takes calls.

        Checks may overlap: each stores its own evaluations, and keeps later ones of others. Raises Unavailable.
        """
        before = read_quality_history(self.media, self.observer)
        self._publish_age(before, now_s)
        golden = self._read_golden_set()
        found: dict[str, object] = {"pictures": len(golden), "not_measured": self._unmeasured(golden)}
        if not golden:
            return found
        variants = self.variants.read_all()
        weighted = [name for name, variant in sorted(variants.items()) if variant.weight > 0]
        history = {name: before.get(name, QualityRecord(now_s)) for name in weighted}
        due = [name for name in weighted if not self.only_due or history[name].is_due(now_s)]
        begun_s = self.monotonic()
        figures: list[dict[str, float]] = []
        for number, name in enumerate(due, 1):
            target = name if len(variants) > 1 else ""  # that of two or more (API reference, InvokeEndpoint)
            judgement = self._evaluate(golden, target, begun_s + self.deadline_s * number / len(due))
            if judgement.answered < MIN_ANSWERED * len(golden):
                self.observer.log("ERROR", "quality check incomplete", variant=name, answered=judgement.answered)
                found[name] = {"answered": judgement.answered}
                continue
            metrics = {task: self._publish(name, task, one) for task, one in judgement.confusions.items()}
            figures += [_limited(task, values) for task, values in metrics.items()]
            found[name] = metrics
            history[name] = replace(
                history[name], judged_s=now_s, scores=judgement.confusions, classes=judgement.classes
            )
        self._publish_worst(figures)
        self._store(history, before.keys())
        return found

    def _store(self, history: Mapping[str, QualityRecord], known: Collection[str]) -> None:
        """Replace the history by ``history`` and by what other checks have stored since it was read.

        ``known`` are the variants that it had then: those of them that take no calls are left out.
        """
        for _ in range(MAX_WRITES):
            stored, etag = _read_history(self.media, self.observer)
            added = {name: one for name, one in stored.items() if name not in known}
            joined = added | {name: one.join(stored.get(name, one)) for name, one in history.items()}
            try:
                self.media.put(HISTORY, format_history(joined).encode(), headers=JSON, metadata={}, replaces=etag)
            except ObjectChanged:
                continue
            return
        raise Unavailable(detail=f"{HISTORY} changed {MAX_WRITES} times")

    def _read_golden_set(self) -> list[GoldenImage]:
        text = self.media.read(MANIFEST)
        return [] if text is None else list(parse_manifest(text.decode()))

    def _unmeasured(self, golden: Sequence[GoldenImage]) -> list[str]:
        """Return the requested tasks for which no image has a label."""
        labelled = count_labelled(golden)
        return [task for task, images in labelled.items() if task in self.tasks and not images]

    def _publish_age(self, history: Mapping[str, QualityRecord], now_s: float) -> None:
        """Publish the longest time since a variant's last evaluation, before anything can fail or be interrupted."""
        if history:
            self.observer.count("QualityAge", max(one.age_s(now_s) for one in history.values()), "Seconds")
            self.observer.flush()

    def _evaluate(self, golden: Sequence[GoldenImage], variant: str, ends_s: float) -> Evaluation:
        tasks = [task for task in EVALUATED_TASKS if task in self.tasks]
        results: list[dict[str, Confusion]] = []
        classes: list[dict[str, dict[str, Confusion]]] = []
        pending, in_a_row = list(golden), 0
        for attempt in range(1, MAX_ATTEMPTS + 1):
            failed: list[GoldenImage] = []
            for one in pending:
                if in_a_row >= MAX_FAILURES_IN_A_ROW or self.monotonic() > ends_s:
                    failed.append(one)
                    continue
                try:
                    found = self._invoke(one, tasks, variant)
                    results.append(score_image(one, found))
                    classes.append(score_classes(one, found))
                    in_a_row = 0
                except Unavailable as error:
                    in_a_row += 1
                    failed.append(one)
                    named = {"variant": variant, "picture": one.key, "attempt": attempt, "cause": error.detail}
                    self.observer.log("WARNING", "golden image failed", **named)
            pending = failed
        return Evaluation(sum_confusions(results), sum_classes(classes), len(results))

    def _invoke(self, one: GoldenImage, tasks: Sequence[str], variant: str) -> Mapping[str, Finding]:
        jpeg = self.media.read(one.key)
        if jpeg is None:
            raise Unavailable(detail=f"{one.key} of the golden set is missing")
        return self.endpoint.invoke(jpeg, tasks, sha256(one.key.encode()).hexdigest()[:32], variant=variant).found

    def _publish(self, variant: str, task: str, confusion: Confusion) -> dict[str, float]:
        shares = {
            "Precision": confusion.precision,
            "Recall": confusion.recall,
            "FalsePositiveRate": confusion.false_positive_rate,
        }
        percents = {name: 100 * share for name, share in shares.items() if share is not None}
        for name, percent in percents.items():
            self.observer.count(name, percent, "Percent", task=task, variant=variant)
        return {name: round(percent, 2) for name, percent in percents.items()}

    def _publish_worst(self, figures: Sequence[Mapping[str, float]]) -> None:
        """Publish the worst value of all tasks and variants, for alarms; nothing without scores."""
        for name, worst in WORST.items():
            if values := [one[name] for one in figures if name in one]:
                self.observer.count(name, worst(values), "Percent")


def read_quality_history(media: S3Bucket, observer: Observer) -> dict[str, QualityRecord]:
    """Return the evaluations by variant; empty without a valid history, so that all variants are due."""
    return _read_history(media, observer)[0]


def _read_history(media: S3Bucket, observer: Observer) -> tuple[dict[str, QualityRecord], str]:
    """Return the history and its entity tag, "" if there is none."""
    opened = media.open(HISTORY)
    if opened is None:
        return {}, ""
    with opened.body as body:
        text = body.read()
    try:
        return parse_history(text.decode()), opened.head.etag
    except ValueError as error:
        observer.log("WARNING", "quality history unreadable", cause=str(error))
        return {}, opened.head.etag


def _limited(task: str, values: Mapping[str, float]) -> dict[str, float]:
    return {name: value for name, value in values.items() if (task, name) not in UNLIMITED}
