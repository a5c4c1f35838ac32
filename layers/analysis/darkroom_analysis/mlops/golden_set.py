"""Score models on the golden set, a set of labelled images. Pure.

It is a folder of images and a manifest with one JSON object per line::

    {"picture": "golden/a.jpg", "faces": [[0.1, 0.2, 0.3, 0.3]], "unsafe": false, "text": "no entry",
     "tags": ["bridge", "river?"], "objects": [["car", 0.5, 0.6, 0.2, 0.1]]}

Faces are ``left, top, width, height`` in fractions of the image, objects have their class before. Objects of classes
that the model does not detect are not scored. A tag with a question mark may be found or not. Tasks without a label are
not scored.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from darkroom.findings import FACES, MODERATION, OBJECTS, TAGS, TEXT, DetectedObject, Finding, Region

from .agreement import count_line_words, count_matches, count_object_matches, count_words

LABELS: Mapping[str, str] = {FACES: "faces", OBJECTS: "objects", MODERATION: "unsafe", TEXT: "text", TAGS: "tags"}
"""Fields of :class:`GoldenImage` by the task that they label."""

EVALUATED_TASKS = tuple(LABELS)
"""Tasks with labels."""

UNLIMITED = {(TAGS, "Recall")}
"""Metrics without a limit, by task: thresholds of tags are chosen for precision, and recall is what they cost."""

UNSAFE = "unsafe"
"""The label of moderation that is scored."""

OPTIONAL = "?"
"""The end of a tag that counts neither way: it may be found or not."""

MIN_ANSWERED = 0.95
"""Share of the golden set that a variant must answer for its scores to be published."""

INTERVAL_S = 84_600.0
"""Interval of checks: a day less half an hour, since the schedule is hourly."""


@dataclass(frozen=True, slots=True)
class GoldenImage:
    """A labelled image: the object's key and the labels; None without a label."""

    key: str
    faces: tuple[Region, ...] | None = None
    unsafe: bool | None = None
    text: str | None = None
    tags: tuple[str, ...] | None = None
    objects: tuple[DetectedObject, ...] | None = None


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts for one task: of boxes for faces and objects, of words for text, of tags, of images for moderation.

    ``negatives`` are images with nothing to find; in ``false_alarms`` of them something was found.
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
        """The precision; None if nothing was found."""
        return _share(self.true_positives, self.true_positives + self.false_positives)

    @property
    def recall(self) -> float | None:
        """The recall; None if there is nothing to find."""
        return _share(self.true_positives, self.true_positives + self.false_negatives)

    @property
    def false_positive_rate(self) -> float | None:
        """The share of negative images with a false alarm; None without negatives."""
        return _share(self.false_alarms, self.negatives)


@dataclass(frozen=True, slots=True)
class QualityRecord:
    """Unix times of a variant: first seen, and last evaluated, 0 if never.

    ``scores`` are those of the evaluation by task; ``classes`` those by task and class, for tasks with classes.
    """

    seen_s: float
    judged_s: float = 0.0
    scores: Mapping[str, Confusion] = field(default_factory=dict)
    classes: Mapping[str, Mapping[str, Confusion]] = field(default_factory=dict)

    def is_due(self, now_s: float) -> bool:
        """Whether an evaluation is due."""
        return now_s - self.judged_s >= INTERVAL_S

    def age_s(self, now_s: float) -> float:
        """Return the time since the last evaluation, or since it was first seen."""
        return now_s - (self.judged_s or self.seen_s)

    def join(self, other: QualityRecord) -> QualityRecord:
        """Return the later evaluation of the two, with the time at which the variant was first seen."""
        latest = max(self, other, key=lambda one: one.judged_s)
        return replace(latest, seen_s=min(self.seen_s, other.seen_s))


def parse_history(text: str) -> dict[str, QualityRecord]:
    """Parse the output of :func:`format_history`. Raises ValueError."""
    try:
        return {name: _parse_record(one) for name, one in json.loads(text).items()}
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no history of quality checks: {error!r}") from error


def format_history(history: Mapping[str, QualityRecord]) -> str:
    """Return a history as JSON."""
    return json.dumps({name: asdict(one) for name, one in history.items()})


def _parse_record(one: Mapping[str, Any]) -> QualityRecord:
    classes = {str(task): _parse_scores(found) for task, found in one.get("classes", {}).items()}
    return QualityRecord(float(one["seen_s"]), float(one["judged_s"]), _parse_scores(one.get("scores", {})), classes)


def _parse_scores(scores: Mapping[str, Any]) -> dict[str, Confusion]:
    return {str(name): Confusion(**counts) for name, counts in scores.items()}


def parse_manifest(text: str) -> Iterator[GoldenImage]:
    """Parse a manifest. Raises ValueError, which names the line."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                yield _parse_image(json.loads(line))
            except (ValueError, TypeError, KeyError, AttributeError) as error:
                raise ValueError(f"line {number} of the golden set: {error!r}") from error


def count_labelled(golden: Collection[GoldenImage]) -> dict[str, int]:
    """Return the number of images with a label by task; a task with 0 is not measured."""
    return {task: sum(getattr(one, name) is not None for one in golden) for task, name in LABELS.items()}


def score_image(
    golden: GoldenImage, found: Mapping[str, Finding], threshold: float | None = None
) -> dict[str, Confusion]:
    """Score ``found`` against the labels of an image, by task.

    Moderation uses the model's verdict, or with ``threshold`` the score of ``unsafe``.
    """
    results: dict[str, Confusion] = {}
    for task, judge in _SCORERS.items():
        finding = found.get(task)
        confusion = judge(golden, finding, threshold) if finding is not None else None
        if confusion is not None:
            results[task] = confusion
    return results


def score_classes(golden: GoldenImage, found: Mapping[str, Finding]) -> dict[str, dict[str, Confusion]]:
    """Count which of an image's labels were found, by task and class: true positives and false negatives only.

    A class that a model does not know at all is one that it does not find.
    """
    results: dict[str, dict[str, Confusion]] = {}
    if golden.objects and (finding := found.get(OBJECTS)) is not None:
        results[OBJECTS] = dict(_object_classes(golden.objects, finding.objects))
    if golden.tags and (finding := found.get(TAGS)) is not None:
        named = {label.name.casefold() for label in finding.labels}
        wanted = {tag.casefold() for tag in golden.tags if not tag.endswith(OPTIONAL)}
        results[TAGS] = {tag: _recalled(int(tag in named), 1) for tag in sorted(wanted)}
    return results


def _object_classes(
    labelled: Sequence[DetectedObject], found: Sequence[DetectedObject]
) -> Iterator[tuple[str, Confusion]]:
    for name in sorted({one.name for one in labelled}):
        ours, theirs = ([one for one in some if one.name == name] for some in (labelled, found))
        yield name, _recalled(count_object_matches(theirs, ours), len(ours))


def _recalled(right: int, there: int) -> Confusion:
    return Confusion(true_positives=right, false_negatives=there - right)


def sum_classes(results: Iterable[Mapping[str, Mapping[str, Confusion]]]) -> dict[str, dict[str, Confusion]]:
    """Return the sums over all images by task and class."""
    every = list(results)
    tasks = dict.fromkeys(task for result in every for task in result)
    return {task: sum_confusions(result[task] for result in every if task in result) for task in tasks}


def sum_confusions(results: Iterable[Mapping[str, Confusion]]) -> dict[str, Confusion]:
    """Return the sums of all results by name."""
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


def _objects(golden: GoldenImage, finding: Finding, _: float | None) -> Confusion | None:
    if golden.objects is None:
        return None
    there = [one for one in golden.objects if one.name in finding.classes]
    return _confusion(count_object_matches(finding.objects, there), len(finding.objects), len(there))


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


def _tags(golden: GoldenImage, finding: Finding, _: float | None) -> Confusion | None:
    if golden.tags is None:
        return None
    named = {label.name.casefold() for label in finding.labels}
    wanted = {tag.casefold() for tag in golden.tags if not tag.endswith(OPTIONAL)}
    allowed = {tag.casefold().removesuffix(OPTIONAL) for tag in golden.tags}
    return _confusion(len(named & wanted), len(named & wanted) + len(named - allowed), len(wanted))


_SCORERS: Mapping[str, Callable[[GoldenImage, Finding, float | None], Confusion | None]] = {
    FACES: _faces,
    OBJECTS: _objects,
    MODERATION: _moderation,
    TEXT: _text,
    TAGS: _tags,
}


def _confusion(right: int, said: int, there: int) -> Confusion:
    return Confusion(
        right, said - right, there - right, negatives=int(not there), false_alarms=int(not there and said > 0)
    )


def _parse_image(line: Any) -> GoldenImage:
    faces, unsafe, text, tags, objects = (line.get(name) for name in ("faces", "unsafe", "text", "tags", "objects"))
    if not isinstance(unsafe, bool | None) or not isinstance(text, str | None):
        raise TypeError("unsafe is true or false, text is a text")
    if tags is not None and not (isinstance(tags, list) and all(isinstance(tag, str) for tag in tags)):
        raise TypeError("tags is a list of texts")
    return GoldenImage(
        str(line["picture"]),
        tuple(Region(*map(float, face)) for face in faces) if faces is not None else None,
        unsafe,
        text,
        tuple(tags) if tags is not None else None,
        tuple(DetectedObject(str(name), Region(*map(float, box)), 1.0) for name, *box in objects)
        if objects is not None
        else None,
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
