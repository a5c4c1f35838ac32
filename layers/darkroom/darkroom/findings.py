"""Findings: results of image analysis, and their JSON form.

Positions are fractions (0–1) of the upright image's width and height, so that they apply to every size of it. A
:class:`Finding` is the result of one model for one task; :class:`Findings` are those of an image, stored in a sidecar.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

SCHEMA = 1
"""Version of the JSON. Readers reject any other."""

FACES, TEXT, MODERATION, SIMILARITY, TAGS = "faces", "text", "moderation", "similarity", "tags"
LIKENESS, OBJECTS, CUTOUT = "likeness", "objects", "cutout"
TASKS = (FACES, TEXT, MODERATION, SIMILARITY, TAGS, LIKENESS, OBJECTS, CUTOUT)
UPSCALE = "upscale"
"""A task of the endpoint whose result is not stored with the findings: it is an image of a derivative."""
MODEL_TASKS = (*TASKS, UPSCALE)
MAX_UPSCALE_PIXELS = 640 * 640
"""Pixels of an image to be enlarged: with 4 times its sides, its PNG fits into a response of SageMaker (25 MB, in
base64)."""
VECTOR_TASKS = (SIMILARITY, LIKENESS)
"""Tasks whose findings are embeddings: similarity finds copies of an image, likeness images of the same kind."""

ENDPOINT, FALLBACK, CLIENT = "endpoint", "fallback", "client"
"""Where a finding comes from: the GPU endpoint, the small models in the function, or the client that uploaded."""

RANKS = {CLIENT: 1, FALLBACK: 2, ENDPOINT: 3}
"""Precedence of these origins, for the same master and generation."""

GRID = 6
"""Rows, and columns, of the cells of an :class:`Explanation`."""

FAILED = "failed"
"""The error of a finding whose analysis did not succeed, whatever the cause. Any other finding replaces it."""

UNSURE = "unsure"
"""The class of a line that resembles personal data, or that could not be read."""

MAX_RASTER_PX = 1024
"""Longest side of a raster in px."""

_PLACES = 5
"""Decimals of a fraction: a tenth of a pixel in 8192."""


class Region(NamedTuple):
    """A rectangle in fractions of the upright image."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Face:
    """A face, ``score`` from 0 to 1."""

    region: Region
    score: float


@dataclass(frozen=True, slots=True)
class TextLine:
    """A line of text: its four ``corners`` clockwise from the upper left one of the text, as (x, y) in fractions.

    ``text`` is empty if the model found a line that it could not read. ``personal``: the classes of personal data in
    it, UNSURE if it may have some, None if it was not searched.
    """

    corners: tuple[tuple[float, float], ...]
    text: str
    score: float
    personal: tuple[str, ...] | None = None

    @property
    def region(self) -> Region:
        """The bounding box."""
        across, down = zip(*self.corners, strict=True)
        return Region(min(across), min(down), max(across) - min(across), max(down) - min(down))


@dataclass(frozen=True, slots=True)
class DetectedObject:
    """An object of the class ``name``, ``score`` from 0 to 1."""

    name: str
    region: Region
    score: float


@dataclass(frozen=True, slots=True)
class Label:
    """A label for the whole image, ``score`` from 0 to 1."""

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """Where in an image a score comes from: an occlusion map of :data:`GRID` by :data:`GRID` cells.

    ``score`` is that of the analysed view number ``view`` (0: the first frame on white), ``scores`` are those with one
    cell covered, in rows from the upper left. ``cells`` are the numbers of cells that are covered together for a score
    of ``covered_score``, below ``threshold``; none if no set of cells was found. Cells have equal sizes in fractions of
    the upright image.
    """

    score: float
    threshold: float
    scores: tuple[float, ...]
    cells: tuple[int, ...] = ()
    covered_score: float = 0.0
    view: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of ``model`` in ``version`` for ``task``.

    ``faces`` for faces, ``lines`` for text, ``labels`` for moderation and tags, ``flagged`` for moderation (a label
    exceeds its threshold) with its ``explanation``, ``vector`` (unit length) for similarity and likeness, ``objects``
    and ``classes`` (all that the model detects) for objects, ``raster`` for cut-outs. ``error`` is a code, if the model
    could not read the image, or FAILED.

    A ``raster`` is a map of the upright image: a PNG with one band of 8 bits and the image's aspect ratio, no side over
    :data:`MAX_RASTER_PX`. That of a cut-out is the coverage by the foreground, 255 for all of a pixel. That of UPSCALE
    is the image itself, enlarged, in sRGB.
    """

    task: str
    model: str
    version: str
    origin: str = ENDPOINT
    faces: tuple[Face, ...] = ()
    lines: tuple[TextLine, ...] = ()
    labels: tuple[Label, ...] = ()
    flagged: bool = False
    vector: tuple[float, ...] = ()
    error: str = ""
    explanation: Explanation | None = None
    objects: tuple[DetectedObject, ...] = ()
    classes: tuple[str, ...] = ()
    raster: bytes = b""


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings of an image. ``source_etag`` (without quotes) is that of the analysed master.

    ``generation`` is the set of models that they belong to, ``pending`` the tasks that are not finished.
    """

    generation: str
    source_etag: str
    found: Mapping[str, Finding] = field(default_factory=dict)
    pending: tuple[str, ...] = ()
    analysed_at: str = ""

    def is_awaited(self, task: str) -> bool:
        """Return whether ``task`` may get its first finding: it is pending, or only the client has sent findings."""
        sent = all(finding.origin == CLIENT for finding in self.found.values())
        return task not in self.found and (sent or task in self.pending)


def rank(finding: Finding | None) -> int:
    """Return the precedence of ``finding``; 0 for None and for a failure, which counts as no finding."""
    return 0 if finding is None or finding.error == FAILED else RANKS.get(finding.origin, 0)


def get_face_regions(findings: Findings | None) -> list[Region]:
    """Return the regions of the detected faces."""
    finding = findings.found.get(FACES) if findings else None
    return [face.region for face in finding.faces] if finding else []


def findings_to_document(findings: Findings) -> dict[str, Any]:
    """Convert ``findings`` to JSON, without vectors: the similarity index stores them."""
    return {
        "schema": SCHEMA,
        "generation": findings.generation,
        "source_etag": findings.source_etag,
        "analysed_at": findings.analysed_at,
        "pending": list(findings.pending),
        "tasks": {task: finding_to_document(finding) for task, finding in findings.found.items()},
    }


def findings_from_document(document: Mapping[str, Any]) -> Findings:
    """Convert a JSON document to findings; raises ValueError if it is invalid."""
    try:
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']!r}")
        return Findings(
            str(document["generation"]),
            str(document["source_etag"]),
            {str(task): finding_from_document(str(task), found) for task, found in document["tasks"].items()},
            tuple(map(str, document["pending"])),
            str(document["analysed_at"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"invalid findings: {error!r}") from error


def finding_to_document(finding: Finding, *, vectors: bool = False) -> dict[str, Any]:
    """Convert a finding to JSON, with its vector (base64 of little-endian float32) if ``vectors``."""
    document: dict[str, Any] = {"model": finding.model, "version": finding.version, "by": finding.origin}
    if finding.error:
        return document | {"error": finding.error}
    if finding.task == FACES:
        document["faces"] = [{"box": _rounded(face.region), "score": _score(face.score)} for face in finding.faces]
    if finding.task == TEXT:
        document["lines"] = [
            {"corners": [_rounded(corner) for corner in line.corners], "text": line.text, "score": _score(line.score)}
            | ({} if line.personal is None else {"personal": list(line.personal)})
            for line in finding.lines
        ]
    if finding.task == OBJECTS:
        document["objects"] = [
            {"class": one.name, "box": _rounded(one.region), "score": _score(one.score)} for one in finding.objects
        ]
        document["classes"] = list(finding.classes)
    if finding.task in (MODERATION, TAGS):
        document["labels"] = [{"name": label.name, "score": _score(label.score)} for label in finding.labels]
    if finding.task == MODERATION:
        document["flagged"] = finding.flagged
    if finding.explanation is not None:
        document["explanation"] = explanation_to_document(finding.explanation)
    if finding.raster:
        document["raster"] = base64.b64encode(finding.raster).decode("ascii")
    if vectors and finding.vector:
        packed = struct.pack(f"<{len(finding.vector)}f", *finding.vector)
        document["vector"] = base64.b64encode(packed).decode("ascii")
    return document


def explanation_to_document(explanation: Explanation) -> dict[str, Any]:
    """Convert an explanation to JSON, of at most 500 characters."""
    return {
        "grid": GRID,
        "score": _score(explanation.score),
        "threshold": _score(explanation.threshold),
        "scores": [_score(score) for score in explanation.scores],
        "cells": list(explanation.cells),
        "covered_score": _score(explanation.covered_score),
        "view": explanation.view,
    }


def explanation_from_document(document: Mapping[str, Any]) -> Explanation:
    """Convert JSON to an explanation; raises ValueError, KeyError or TypeError if it is invalid."""
    scores, cells = tuple(map(float, document["scores"])), tuple(map(int, document["cells"]))
    if document["grid"] != GRID or len(scores) != GRID**2 or not set(cells) <= set(range(GRID**2)):
        raise ValueError(f"an explanation must have {GRID} by {GRID} cells")
    score, threshold, covered = (float(document[name]) for name in ("score", "threshold", "covered_score"))
    return Explanation(score, threshold, scores, cells, covered, int(document["view"]))


def finding_from_document(task: str, document: Mapping[str, Any]) -> Finding:
    """Convert JSON to a finding; raises ValueError, KeyError or TypeError if it is invalid."""
    if task not in MODEL_TASKS:
        raise ValueError(f"unknown task {task!r}")
    packed = base64.b64decode(document.get("vector", ""))
    if len(packed) % 4:
        raise ValueError("a vector must consist of float32")
    return Finding(
        task,
        str(document["model"]),
        str(document["version"]),
        str(document.get("by", ENDPOINT)),
        tuple(Face(_region(face["box"]), float(face["score"])) for face in document.get("faces", ())),
        tuple(
            TextLine(_corners(line["corners"]), str(line["text"]), float(line["score"]), _texts(line, "personal"))
            for line in document.get("lines", ())
        ),
        tuple(Label(str(label["name"]), float(label["score"])) for label in document.get("labels", ())),
        bool(document.get("flagged", False)),
        struct.unpack(f"<{len(packed) // 4}f", packed),
        str(document.get("error", "")),
        explanation_from_document(document["explanation"]) if "explanation" in document else None,
        tuple(
            DetectedObject(str(one["class"]), _region(one["box"]), float(one["score"]))
            for one in document.get("objects", ())
        ),
        _texts(document, "classes") or (),
        base64.b64decode(document.get("raster", "")),
    )


def _texts(document: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    return tuple(map(str, document[name])) if name in document else None


def _region(numbers: Any) -> Region:
    left, top, width, height = map(float, numbers)
    return Region(left, top, width, height)


def _corners(numbers: Any) -> tuple[tuple[float, float], ...]:
    corners = tuple((float(x), float(y)) for x, y in numbers)
    if len(corners) != 4:
        raise ValueError("a line of text must have four corners")
    return corners


def _rounded(numbers: tuple[float, ...]) -> list[float]:
    return [round(number, _PLACES) for number in numbers]


def _score(score: float) -> float:
    return round(score, 4)
