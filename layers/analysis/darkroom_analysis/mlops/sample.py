"""Samples: numbers about one analysed image, from which drift and canaries are evaluated.

A sample contains neither the image nor its text. A bounded reservoir of recent samples is stored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import sqrt, sumprod
from typing import Any

from darkroom.findings import (
    CUTOUT,
    FACES,
    LIKENESS,
    MODERATION,
    OBJECTS,
    SIMILARITY,
    TAGS,
    TEXT,
    VECTOR_TASKS,
    Finding,
    Label,
)

SAMPLED = "image sampled"
"""The message of the log line about a sample, which the debug dashboard lists."""

LARGEST = 127
"""The largest component of an embedding is scaled to this signed byte: only the direction is stored."""


@dataclass(frozen=True, slots=True)
class TaskSummary:
    """The confidence (0–1, None if not applicable) of a finding, and whether it is empty."""

    confidence: float | None
    empty: bool


@dataclass(frozen=True, slots=True)
class TaskComparison:
    """Results of two variants for one task and image; pairs are (canary, incumbent).

    ``disagreement`` is from 0 to 1, None if they cannot be compared.
    """

    disagreement: float | None
    empty: tuple[bool, bool]
    confidence: tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class ShadowComparison:
    """An image that the ``canary`` and the ``incumbent`` analysed. ``latency_ms`` is (canary, incumbent)."""

    canary: str
    incumbent: str
    tasks: Mapping[str, TaskComparison]
    latency_ms: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Sample:
    """One image.

    ``at_s`` is Unix time. ``format`` and ``pixels`` are of the upload, ``brightness`` is the mean luma (0–1) of the
    first view. ``by`` is the origin of ``tasks``, ``variant`` the production variant. ``embedding`` has a signed byte
    per dimension, and is empty without one.
    """

    key: str
    source_etag: str
    at_s: float
    format: str
    pixels: int
    brightness: float
    tasks: Mapping[str, TaskSummary]
    by: str
    variant: str = ""
    embedding: bytes = b""
    trial: ShadowComparison | None = None

    @property
    def hash_bucket(self) -> int:
        """A stable number from 0 to 255 of the key, by which samples are split."""
        return sha256(self.key.encode()).digest()[0]

    def describe(self) -> dict[str, Any]:
        """Return the input by its properties and its key, and the output by its confidence, as JSON values."""
        return {
            "key": self.key,
            "format": self.format,
            "pixels": self.pixels,
            "brightness": self.brightness,
            "tasks": {task: {"confidence": said.confidence, "empty": said.empty} for task, said in self.tasks.items()},
            "by": self.by,
            "variant": self.variant,
        }

    def to_document(self) -> dict[str, Any]:
        """Return the sample as plain values; the embedding is bytes."""
        document = self.describe() | {
            "source_etag": self.source_etag,
            "at_s": self.at_s,
            "embedding": self.embedding,
        }
        return document | ({"trial": _comparison_document(self.trial)} if self.trial is not None else {})


def parse_sample(document: Mapping[str, Any]) -> Sample:
    """Parse ``document``. Raises ValueError."""
    try:
        return Sample(
            str(document["key"]),
            str(document["source_etag"]),
            float(document["at_s"]),
            str(document["format"]),
            int(document["pixels"]),
            float(document["brightness"]),
            {
                str(task): TaskSummary(_optional_float(said["confidence"]), bool(said["empty"]))
                for task, said in document["tasks"].items()
            },
            str(document["by"]),
            str(document["variant"]),
            bytes(document["embedding"]),
            _parse_comparison(document["trial"]) if "trial" in document else None,
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"this is no sample: {error!r}") from error


def summarise(finding: Finding) -> TaskSummary:
    """Summarise ``finding``.

    The confidence is the mean score of faces, objects or lines that were read, or that of the best label. A finding
    with an error is empty.
    """
    scores = _SCORES[finding.task](finding)
    found = finding.vector if finding.task in VECTOR_TASKS else finding.raster or scores
    empty = bool(finding.error) or not found
    return TaskSummary(None if empty or not scores else sum(scores) / len(scores), empty)


def quantise(vector: Sequence[float]) -> bytes:
    """Return ``vector`` with a signed byte per dimension, scaled to its largest component; empty for a zero vector."""
    largest = max(map(abs, vector), default=0.0)
    if not largest:
        return b""
    return bytes(round(value / largest * LARGEST) & 0xFF for value in vector)


def unit_vector(embedding: bytes) -> list[float]:
    """Return the unit vector of a quantised ``embedding``. Raises ValueError for a zero vector."""
    numbers = memoryview(embedding).cast("b").tolist()
    length = sqrt(sumprod(numbers, numbers))
    if not length:
        raise ValueError("a vector without length points nowhere")
    return [number / length for number in numbers]


_SCORES: Mapping[str, Callable[[Finding], list[float]]] = {
    FACES: lambda finding: [face.score for face in finding.faces],
    TEXT: lambda finding: [line.score for line in finding.lines if line.text],
    OBJECTS: lambda finding: [found.score for found in finding.objects],
    MODERATION: lambda finding: _best_score(finding.labels),
    TAGS: lambda finding: _best_score(finding.labels),
    SIMILARITY: lambda _: [],
    LIKENESS: lambda _: [],
    CUTOUT: lambda _: [],
}


def _best_score(labels: Sequence[Label]) -> list[float]:
    return sorted((label.score for label in labels), reverse=True)[:1]


def _comparison_document(trial: ShadowComparison) -> dict[str, Any]:
    return {
        "canary": trial.canary,
        "incumbent": trial.incumbent,
        "tasks": {
            task: {
                "disagreement": compared.disagreement,
                "empty": list(compared.empty),
                "confidence": list(compared.confidence),
            }
            for task, compared in trial.tasks.items()
        },
        "latency_ms": list(trial.latency_ms),
    }


def _parse_comparison(document: Mapping[str, Any]) -> ShadowComparison:
    tasks = {}
    for task, compared in document["tasks"].items():
        mine, theirs = compared["empty"]
        sure, surer = compared["confidence"]
        tasks[str(task)] = TaskComparison(
            _optional_float(compared["disagreement"]),
            (bool(mine), bool(theirs)),
            (_optional_float(sure), _optional_float(surer)),
        )
    canary_ms, incumbent_ms = map(float, document["latency_ms"])
    return ShadowComparison(str(document["canary"]), str(document["incumbent"]), tasks, (canary_ms, incumbent_ms))


def _optional_float(value: Any) -> float | None:
    return None if value is None else float(value)
