"""Prepare squares with the image's aspect ratio, and parse the boxes of a detector by its layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import ModelUnavailable
from darkroom.findings import FACES, DetectedObject, Face, Finding, Region
from darkroom_analysis.models.catalogue import ModelSpec
from darkroom_analysis.models.classifiers import to_tensor
from darkroom_analysis.models.faces import suppress_overlaps
from darkroom_analysis.models.pixels import Floats, ModelInput, ModelOutput, Pixels, fit

from .box_layouts import BoxLayout, parse_layout

PADDING = 114
"""Grey of the rest of the square, with which YOLO detectors are trained."""

MAX_NAME = 32
"""Characters of a class in a URL."""

APART = 2.0
"""Distance, in sides of the image, at which boxes of different classes are compared: they never overlap."""


def letterbox(image: Pixels, model: ModelSpec) -> ModelInput:
    """Return ``image`` in the upper left corner of a square of ``side_px``, as large as fits, on grey."""
    side = model.input.side_px
    scaled = fit(image, side, most=float(side))
    height, width = scaled.shape[:2]
    square = np.full((side, side, 3), PADDING, np.uint8)
    square[:height, :width] = scaled
    return ModelInput(to_tensor(square, model.input), width, height)


class _Candidates(NamedTuple):
    """Rows of the outputs that reach the threshold of a class, with the index of the class and the score."""

    rows: NDArray[np.int64]
    classes: NDArray[np.int64]
    scores: Floats


def read(answer: ModelOutput, model: ModelSpec) -> Finding:
    """Return the objects over the threshold ``box``, or over one that is named like their class, best first.

    For the task ``faces`` they are faces. Raises ModelUnavailable if outputs and labels do not match.
    """
    layout, names = parse_layout(model), [name_class(label) for label in answer.labels]
    try:
        parts = _split(answer, layout)
        boxes = _to_fractions(parts["box"], answer.prepared, layout)
        found = _classify(parts, model, layout, names)
    except (ValueError, IndexError) as error:
        raise ModelUnavailable(detail=f"{model.name}: the outputs are not those of its layout: {error}") from error
    chosen = boxes[found.rows]
    order = np.argsort(-found.scores, kind="stable")
    order = order[np.isfinite(chosen[order]).all(axis=1)]
    if layout.overlaps:
        shifted = chosen[order] + np.float32(APART) * found.classes[order, np.newaxis].astype(np.float32)
        order = order[suppress_overlaps(shifted, found.scores[order], model.thresholds["overlap"])]
    objects = [
        DetectedObject(names[found.classes[place]], region, min(1.0, float(found.scores[place])))
        for place in order
        if (region := _clip(chosen[place])) is not None
    ]
    if model.task == FACES:
        return Finding(FACES, model.name, model.version, faces=tuple(Face(one.region, one.score) for one in objects))
    return Finding(model.task, model.name, model.version, objects=tuple(objects), classes=tuple(dict.fromkeys(names)))


def name_class(label: str) -> str:
    """Return ``label`` as URLs spell it: ``trafficlight`` for "Traffic light"."""
    return re.sub(r"[^a-z0-9]+", "", label.lower())[:MAX_NAME]


def measure(tensor: NDArray[np.generic]) -> tuple[int, int]:
    """Return width and height of an image that has its three channels first or last."""
    height, width = tensor.shape[1:] if tensor.shape[0] == 3 else tensor.shape[:2]
    return width, height


def _split(answer: ModelOutput, layout: BoxLayout) -> dict[str, NDArray[Any]]:
    """Return the parts of the outputs, a row each for a candidate."""
    if layout.outputs:
        return dict(zip(layout.parts, answer.outputs, strict=True))
    rows = answer.outputs[0].T if layout.transposed else answer.outputs[0]
    if rows.ndim != 2:
        raise ValueError(f"an output of the shape {rows.shape}")
    parts: dict[str, NDArray[Any]] = {}
    at = 0
    for part in layout.columns:
        width = {"box": 4, "classes": rows.shape[1] - at}.get(part, 1)
        columns = rows[:, at : at + width]
        parts[part] = columns if part in ("box", "classes") else columns[:, 0]
        at += width
    if at != rows.shape[1]:
        raise ValueError(f"{rows.shape[1]} columns, not {at}")
    return parts


def _classify(
    parts: Mapping[str, NDArray[Any]], model: ModelSpec, layout: BoxLayout, names: Sequence[str]
) -> _Candidates:
    """Return the candidates that reach a threshold. Raises ValueError for a class without a label.

    A candidate has its best class, and also those that have a threshold of their own: a low one is for a class that
    must not be missed.
    """
    least = np.array([model.thresholds.get(name, model.thresholds["box"]) for name in names], np.float32)
    if "classes" in parts:
        scores = _activate(np.asarray(parts["classes"], np.float32), layout.activation)
        first, last = (int(layout.background == edge) for edge in ("first", "last"))
        scores = scores[:, first : scores.shape[1] - last]
        if scores.shape[1] != len(names):
            raise ValueError(f"{scores.shape[1]} classes, and {len(names)} labels")
        own = np.array([name in model.thresholds for name in names])
        allowed = own | (scores == scores.max(axis=1, keepdims=True))
        scores = scores * parts.get("objectness", np.ones(len(scores), np.float32))[:, np.newaxis]
        rows, classes = np.nonzero(allowed & (scores >= least))
        return _Candidates(rows, classes, np.asarray(scores[rows, classes], np.float32))
    best = np.asarray(parts["score"], np.float32)
    classes = np.asarray(parts["class"]).astype(np.int64) - layout.first_class
    rows = np.flatnonzero(best >= least.min())  # others may have any class: some models fill their outputs up
    if unknown := set(classes[rows].tolist()) - set(range(len(names))):
        raise ValueError(f"the class {min(unknown)}, and {len(names)} labels")
    rows = rows[best[rows] >= least[classes[rows]]]
    return _Candidates(rows, classes[rows], best[rows])


def _activate(scores: Floats, activation: str) -> Floats:
    if activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-scores)), np.float32)
    if activation == "softmax":
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
    return scores


def _to_fractions(boxes: NDArray[Any], prepared: ModelInput, layout: BoxLayout) -> Floats:
    """Return ``boxes`` (n, 4) as left, top, right and bottom in fractions of the image without its padding."""
    sides = np.array([prepared.width, prepared.height] * 2, np.float32)
    scale = np.array(measure(prepared.tensor) * 2, np.float32) if layout.unit == "fraction" else np.ones(4, np.float32)
    numbers = np.asarray(boxes, np.float32).reshape(-1, 4)
    if layout.corners == "yxyx":
        numbers = numbers[:, [1, 0, 3, 2]]
    if layout.corners == "cxcywh":
        middles, halves = numbers[:, :2], numbers[:, 2:] / 2
        numbers = np.concatenate([middles - halves, middles + halves], axis=1)
    return np.asarray(numbers * scale / sides, np.float32)


def _clip(box: Floats) -> Region | None:
    """Return the part of ``box`` within the image; None if there is none."""
    left, top, right, bottom = (float(edge) for edge in np.clip(box, 0.0, 1.0))
    return Region(left, top, right - left, bottom - top) if left < right and top < bottom else None
