"""Write augmented manifests of SageMaker Ground Truth for retraining, with the images of a day.

A line is a JSON object with ``source-ref`` and, for each task, the label and its ``-metadata`` (SageMaker developer
guide, "Augmented Manifest Files" and "Output Data"). Model outputs are marked as not human, decisions of reviewers as
human. Train and test are split by a hash of the uploaded bytes, so that no image is ever on both sides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any

from darkroom.findings import FACES, MODERATION, OBJECTS, TAGS, TEXT, Finding, Findings, Region
from darkroom.image_keys import HELD_MASTERS, ObjectNames
from darkroom_pipeline.aws.findings_store import FindingsStore
from darkroom_pipeline.aws.index import Index
from darkroom_pipeline.aws.record import HELD, READY, HeldUpload, Record
from darkroom_pipeline.aws.s3 import S3Bucket

from .sample import Sample

FOLDER = "watch/manifests/"
TRAIN, TEST = "train", "test"

TEST_HASH_BUCKETS = 52
"""Of 256: about a fifth of all images are for tests."""

UNSAFE, SAFE = "unsafe", "safe"
_CLASSES = {"0": SAFE, "1": UNSAFE}


@dataclass(frozen=True)
class Manifests:
    """Written into ``media``; the masters are in ``source_bucket`` by ``source_names``."""

    media: S3Bucket
    findings: FindingsStore
    index: Index
    source_bucket: str
    source_names: ObjectNames

    def folder(self, day: date) -> str:
        """Return the folder of the manifests of ``day``."""
        return f"{FOLDER}{day.isoformat()}/"

    def write(self, day: date, samples: Sequence[Sample], now_s: float) -> dict[str, int]:
        """Write both manifests of ``day``; return the number of images of each. Raises Unavailable."""
        sides: dict[str, list[str]] = {TRAIN: [], TEST: []}
        records = self.index.get_many([sample.key for sample in samples])
        for record in sorted(records.values(), key=lambda one: one.key):
            if (line := self._line(record, now_s)) is not None:
                sides[split_of(record)].append(json.dumps(line, ensure_ascii=False) + "\n")
        for name, lines in sides.items():
            self.media.put(
                f"{self.folder(day)}{name}.manifest",
                "".join(lines).encode(),
                headers={"Content-Type": "application/x-ndjson"},
                metadata={},
            )
        return {name: len(lines) for name, lines in sides.items()}

    def _line(self, record: Record, now_s: float) -> dict[str, Any] | None:
        """Return the line of an image; None without a master, or findings about it."""
        found = self.findings.read_record(record.key).findings
        master = self._master(record)
        if found is None or master is None or found.source_etag != _present(record).master.bare_etag:
            return None
        labels = dict(_labels(record, found, _present(record).facts, now_s))
        return {"source-ref": master} | labels if labels else None

    def _master(self, record: Record) -> str | None:
        if record.state == READY:
            return f"s3://{self.source_bucket}/{self.source_names.name(record.key)}"
        if record.state == HELD:
            return f"s3://{self.media.bucket}/{HELD_MASTERS.name(record.key)}"
        return None


def split_of(record: Record) -> str:
    """Return the split of an image by its uploaded bytes, or by its key if they are unknown."""
    digest = upload_digest(record) or sha256(record.key.encode()).hexdigest()
    return TEST if sha256(digest.encode()).digest()[0] < TEST_HASH_BUCKETS else TRAIN


def upload_digest(record: Record) -> str:
    """Return the SHA-256 of the uploaded bytes, empty if it is unknown."""
    return _present(record).sha256


def _present(record: Record) -> Record | HeldUpload:
    """Return what has the facts of the upload that findings are about: the held one, if there is one."""
    return record.held if record.state == HELD else record


def _labels(
    record: Record, findings: Findings, facts: Mapping[str, Any], now_s: float
) -> Iterator[tuple[str, dict[str, Any] | list[int] | int | str]]:
    """Yield the labels, each with its metadata."""
    created = datetime.fromtimestamp(now_s, UTC).isoformat(timespec="seconds").removesuffix("+00:00")
    for task, label in _LABELLERS.items():
        finding = findings.found.get(task)
        if finding is None or finding.error:
            continue
        value, metadata = label(finding, facts)
        job = f"darkroom/{finding.model}-{finding.version}"
        yield task, value
        yield f"{task}-metadata", metadata | {"human-annotated": "no", "creation-date": created, "job-name": job}
    if (unsafe := _reviewed_as_unsafe(record)) is not None:
        yield MODERATION, int(unsafe)
        metadata = _moderation_metadata(unsafe, 1.0) | {"human-annotated": "yes", "creation-date": created}
        yield f"{MODERATION}-metadata", metadata | {"job-name": "darkroom/review"}


def _reviewed_as_unsafe(record: Record) -> bool | None:
    """Whether a reviewer found the image unsafe; None without a review."""
    if record.state == HELD:  # ``released`` is about an earlier upload
        return True if record.held.reviewed else None
    return False if record.released else None


type _Labelled = tuple[dict[str, Any] | list[int] | int | str, dict[str, Any]]


def _faces(finding: Finding, facts: Mapping[str, Any]) -> _Labelled:
    return _boxes([("face", face.region, face.score) for face in finding.faces], ["face"], facts)


def _objects(finding: Finding, facts: Mapping[str, Any]) -> _Labelled:
    return _boxes([(one.name, one.region, one.score) for one in finding.objects], finding.classes, facts)


def _boxes(found: Sequence[tuple[str, Region, float]], classes: Sequence[str], facts: Mapping[str, Any]) -> _Labelled:
    width, height = int(facts.get("width", 0)), int(facts.get("height", 0))
    boxes = [
        {
            "class_id": classes.index(name),
            "left": round(region.left * width),
            "top": round(region.top * height),
            "width": round(region.width * width),
            "height": round(region.height * height),
        }
        for name, region, _ in found
    ]
    value = {"image_size": [{"width": width, "height": height, "depth": 3}], "annotations": boxes}
    metadata = {"objects": [{"confidence": score} for _, _, score in found]}
    names = {str(number): name for number, name in enumerate(classes)}
    return value, metadata | {"class-map": names, "type": "groundtruth/object-detection"}


def _text(finding: Finding, _: Mapping[str, Any]) -> _Labelled:
    lines = [line for line in finding.lines if line.text]
    confidence = sum(line.score for line in lines) / len(lines) if lines else 0.0
    read = "\n".join(line.text for line in lines)
    return read, {"confidence": round(confidence, 4), "type": "groundtruth/custom"}


def _moderation(finding: Finding, _: Mapping[str, Any]) -> _Labelled:
    score = _best(label.score for label in finding.labels if (label.name == UNSAFE) is finding.flagged)
    return int(finding.flagged), _moderation_metadata(finding.flagged, score)


def _moderation_metadata(unsafe: bool, confidence: float) -> dict[str, Any]:
    return {
        "class-name": _CLASSES[str(int(unsafe))],
        "confidence": confidence,
        "type": "groundtruth/image-classification",
    }


def _tags(finding: Finding, _: Mapping[str, Any]) -> _Labelled:
    names = {str(number): label.name for number, label in enumerate(finding.labels)}
    scores = {str(number): label.score for number, label in enumerate(finding.labels)}
    metadata = {"class-map": names, "confidence-map": scores, "type": "groundtruth/image-classification-multilabel"}
    return list(range(len(finding.labels))), metadata


def _best(scores: Iterable[float]) -> float:
    return max(scores, default=0.0)


_LABELLERS: Mapping[str, Callable[[Finding, Mapping[str, Any]], _Labelled]] = {
    FACES: _faces,
    OBJECTS: _objects,
    TEXT: _text,
    MODERATION: _moderation,
    TAGS: _tags,
}
