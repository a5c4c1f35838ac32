"""How good each variant of the models is, by pictures of which people have said what is in them.

A picture that gets no answer is asked about once more and then left out. A variant that answered too few of them has no
figures: missing data is published as missing, and the variant stays due.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from ..aws.s3 import S3Bucket
from ..aws.sagemaker import Endpoint
from ..aws.telemetry import Observer
from ..errors import Unavailable
from ..findings import FACES, MODERATION, TEXT, Finding
from .drift_check import JSON
from .endpoint_variants import EndpointVariants
from .golden_set import (
    MIN_ANSWERED,
    Confusion,
    GoldenImage,
    QualityRecord,
    format_history,
    parse_history,
    parse_manifest,
    score_image,
    sum_confusions,
)

MANIFEST = "golden/manifest.jsonl"
"""The object in the media bucket; the pictures lie beside it."""

HISTORY = "watch/quality.json"
"""The object in the media bucket with the time of each variant's last judgement."""

EVALUATED_TASKS = (FACES, MODERATION, TEXT)
"""Tasks that can be judged by labels."""

DEADLINE_S = 600.0
"""How long the endpoint is asked at most, all variants together. The function itself may take 900 s."""

MAX_ATTEMPTS = 2
"""How often a picture is asked about."""

MAX_FAILURES_IN_A_ROW = 10
"""Failures one after the other from which on a variant is not asked any more in this run."""

WORST: Mapping[str, Callable[[Iterable[float]], float]] = {"Precision": min, "Recall": min, "FalsePositiveRate": max}
"""The metrics, and which of several values is the worst."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a variant's answers are worth, by task; ``answered`` pictures of the golden set."""

    confusions: Mapping[str, Confusion]
    answered: int


@dataclass(frozen=True)
class QualityCheck:
    """The golden set in ``media``, and the ``endpoint`` whose ``variants`` are asked about it for ``tasks``.

    With ``only_due`` a variant that was judged within a day is not asked.
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
        """Publish precision, recall and false positives of each variant that takes calls. Raises Unavailable."""
        golden = self._read_golden_set()
        found: dict[str, object] = {"pictures": len(golden)}
        if not golden:
            return found
        history = self._read_history()
        self._publish_age(history, now_s)
        weighted = [name for name, variant in sorted(self.variants.read_all().items()) if variant.weight > 0]
        history = {name: history.get(name, QualityRecord(now_s)) for name in weighted}
        due = [name for name in weighted if not self.only_due or history[name].is_due(now_s)]
        begun_s = self.monotonic()
        figures: list[dict[str, float]] = []
        for number, name in enumerate(due, 1):
            judgement = self._evaluate(golden, name, begun_s + self.deadline_s * number / len(due))
            if judgement.answered < MIN_ANSWERED * len(golden):
                self.observer.log("ERROR", "quality check incomplete", variant=name, answered=judgement.answered)
                found[name] = {"answered": judgement.answered}
                continue
            told = {task: self._publish(name, task, one) for task, one in judgement.confusions.items()}
            figures += told.values()
            found[name] = told
            history[name] = replace(history[name], judged_s=now_s)
        self._publish_worst(figures)
        self.media.put(HISTORY, format_history(history).encode(), headers=JSON, metadata={})
        return found

    def _read_golden_set(self) -> list[GoldenImage]:
        text = self._read(MANIFEST)
        return [] if text is None else list(parse_manifest(text))

    def _read_history(self) -> dict[str, QualityRecord]:
        """Times of judgements; none if there is no history or an unreadable one, so that all variants are due."""
        try:
            return parse_history(self._read(HISTORY) or "{}")
        except ValueError as error:
            self.observer.log("WARNING", "history of quality checks unreadable", cause=str(error))
            return {}

    def _read(self, key: str) -> str | None:
        opened = self.media.open(key)
        if opened is None:
            return None
        with opened.body as body:
            return body.read().decode()

    def _publish_age(self, history: Mapping[str, QualityRecord], now_s: float) -> None:
        """The time since the last judgement of the variant that has waited longest.

        Before anything is asked, and written at once: a run that dies shows in it too.
        """
        if history:
            self.observer.count("QualityAge", max(one.age_s(now_s) for one in history.values()), "Seconds")
            self.observer.flush()

    def _evaluate(self, golden: Sequence[GoldenImage], variant: str, ends_s: float) -> Evaluation:
        tasks = [task for task in EVALUATED_TASKS if task in self.tasks]
        results: list[dict[str, Confusion]] = []
        pending, in_a_row = list(golden), 0
        for attempt in range(1, MAX_ATTEMPTS + 1):
            failed: list[GoldenImage] = []
            for one in pending:
                if in_a_row >= MAX_FAILURES_IN_A_ROW or self.monotonic() > ends_s:
                    failed.append(one)
                    continue
                try:
                    results.append(score_image(one, self._invoke(one, tasks, variant)))
                    in_a_row = 0
                except Unavailable as error:
                    in_a_row += 1
                    failed.append(one)
                    named = {"variant": variant, "picture": one.picture, "attempt": attempt, "cause": error.detail}
                    self.observer.log("WARNING", "golden picture failed", **named)
            pending = failed
        return Evaluation(sum_confusions(results), len(results))

    def _invoke(self, one: GoldenImage, tasks: Sequence[str], variant: str) -> Mapping[str, Finding]:
        opened = self.media.open(one.picture)
        if opened is None:
            raise Unavailable(detail=f"{one.picture} of the golden set is missing")
        with opened.body as body:
            jpeg = body.read()
        return self.endpoint.invoke(jpeg, tasks, sha256(one.picture.encode()).hexdigest()[:32], variant=variant).found

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
        """The worst of all tasks and variants, for alarms: a metric that exists only where something was judged."""
        for name, worst in WORST.items():
            if values := [one[name] for one in figures if name in one]:
                self.observer.count(name, worst(values), "Percent")
