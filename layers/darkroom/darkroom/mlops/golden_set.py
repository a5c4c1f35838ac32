"""How good models are, by pictures of which people have said what is in them. Pure.

A golden set is a folder of pictures and a manifest, a JSON object a line::

    {"picture": "golden/a.jpg", "faces": [[0.1, 0.2, 0.3, 0.3]], "unsafe": false, "text": "no entry"}

Faces are ``left, top, width, height`` in fractions of the picture. What a line does not label is not judged.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..findings import FACES, MODERATION, TEXT, Finding, Region
from .agreement import count_line_words, count_matches, count_words

UNSAFE = "unsafe"
"""The label of moderation whose score counts."""

MIN_ANSWERED = 0.95
"""The share of the golden set that a variant must have answered. Of fewer answers no figure is published."""

INTERVAL_S = 84_600.0
"""After how long a variant is due again: a day, less half an hour, since it is checked hourly whether one is due."""


@dataclass(frozen=True, slots=True)
class GoldenImage:
    """A labelled picture: the object's key, and what is in it; None where nobody has said."""

    picture: str
    faces: tuple[Region, ...] | None = None
    unsafe: bool | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts for one task: of boxes for faces, of words for text, of pictures for moderation.

    ``found`` are right, ``wrong`` are not there, ``missed`` are there and were not found. ``blank`` are pictures with
    nothing to find, in ``alarms`` of which something was found all the same.
    """

    true_positives: int = 0
    false_positives: int = 0
    false_negatives: int = 0
    negatives: int = 0
    false_alarms: int = 0

    def __add__(self, other: Confusion) -> Confusion:
        return Confusion(
            self.true_positives + other.true_positives,
            self.false_positives + other.false_positives,
            self.false_negatives + other.false_negatives,
            self.negatives + other.negatives,
            self.false_alarms + other.false_alarms,
        )

    @property
    def precision(self) -> float | None:
        """The share of what was found that is there; None if nothing was found."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """The share of what is there that was found; None if nothing is there."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def false_positive_rate(self) -> float | None:
        """The share of pictures without anything to find in which something was; None if there are none."""
        return _share(self.false_alarms, self.negatives)


@dataclass(frozen=True, slots=True)
class QualityRecord:
    """Unix times: when a variant was first seen, and when it was last judged, 0 if never."""

    seen_s: float
    judged_s: float = 0.0

    def is_due(self, now_s: float) -> bool:
        """Whether it is to be judged, for the first time or again."""
        return now_s - self.judged_s >= INTERVAL_S

    def age_s(self, now_s: float) -> float:
        """For how long there has been no new judgement."""
        return now_s - (self.judged_s or self.seen_s)


def parse_history(text: str) -> dict[str, QualityRecord]:
    """Variants by their names, from what :func:`history_text` wrote; raises ValueError for anything else."""
    try:
        return {
            name: QualityRecord(float(one["seen_s"]), float(one["judged_s"])) for name, one in json.loads(text).items()
        }
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no history of quality checks: {error!r}") from error


def format_history(history: Mapping[str, QualityRecord]) -> str:
    """A history as JSON."""
    return json.dumps({name: {"seen_s": one.seen_s, "judged_s": one.judged_s} for name, one in history.items()})


def parse_manifest(text: str) -> Iterator[GoldenImage]:
    """The pictures of a manifest; raises ValueError, which names the line, for what is none."""
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield _parse_image(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise ValueError(f"line {number} of the golden set: {error!r}") from error


def score_image(
    golden: GoldenImage, found: Mapping[str, Finding], threshold: float | None = None
) -> dict[str, Confusion]:
    """What was ``found`` in a picture against its labels, by task; tasks that were not asked for are missing.

    Moderation goes by the model's own verdict, or by the score of ``unsafe`` from ``threshold`` on.
    """
    results: dict[str, Confusion] = {}
    for task, judge in _SCORERS.items():
        finding = found.get(task)
        confusion = judge(golden, finding, threshold) if finding is not None else None
        if confusion is not None:
            results[task] = confusion
    return results


def sum_confusions(results: Iterable[Mapping[str, Confusion]]) -> dict[str, Confusion]:
    """The sums over all pictures, by task."""
    sums: dict[str, Confusion] = {}
    for result in results:
        for task, confusion in result.items():
            sums[task] = sums.get(task, Confusion()) + confusion
    return sums


def _faces(golden: GoldenImage, finding: Finding, _: float | None) -> Confusion | None:
    if golden.faces is None:
        return None
    right = count_matches([face.region for face in finding.faces], golden.faces)
    return _confusion(right, len(finding.faces), len(golden.faces))


def _moderation(golden: GoldenImage, finding: Finding, threshold: float | None) -> Confusion | None:
    if golden.unsafe is None:
        return None
    flagged = finding.flagged
    if threshold is not None:
        flagged = any(label.name == UNSAFE and label.score >= threshold for label in finding.labels)
    return _confusion(int(flagged and golden.unsafe), int(flagged), int(golden.unsafe))


def _text(golden: GoldenImage, finding: Finding, _: float | None) -> Confusion | None:
    if golden.text is None:
        return None
    read, there = count_line_words(finding.lines), count_words(golden.text)
    return _confusion((read & there).total(), read.total(), there.total())


_SCORERS: Mapping[str, Callable[[GoldenImage, Finding, float | None], Confusion | None]] = {
    FACES: _faces,
    MODERATION: _moderation,
    TEXT: _text,
}


def _confusion(right: int, said: int, there: int) -> Confusion:
    return Confusion(
        right, said - right, there - right, negatives=int(not there), false_alarms=int(not there and said > 0)
    )


def _parse_image(line: Any) -> GoldenImage:
    faces, unsafe, text = line.get("faces"), line.get("unsafe"), line.get("text")
    if not isinstance(unsafe, bool | None) or not isinstance(text, str | None):
        raise TypeError("unsafe is true or false, text is a text")
    return GoldenImage(
        str(line["picture"]),
        tuple(Region(*map(float, face)) for face in faces) if faces is not None else None,
        unsafe,
        text,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
