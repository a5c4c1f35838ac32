"""Models for whole images: prepare squares of one size, parse moderation, tags and embeddings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from darkroom.errors import ModelUnavailable
from darkroom.findings import MODERATION, Finding, Label

from .catalogue import InputSpec, ModelSpec
from .pixels import Floats, ModelInput, ModelOutput, Pixels, resize

UNFIT = "nsfw"
"""The label of the second output of open_nsfw (Yahoo, 2016); the first is that of the opposite."""


def moderation(answer: ModelOutput, model: ModelSpec) -> Finding:
    """Return one label, flagged from the threshold ``nsfw`` on."""
    score = float(answer.outputs[0][1])
    flagged = score >= model.thresholds[UNFIT]
    return Finding(MODERATION, model.name, model.version, labels=(Label(UNFIT, score),), flagged=flagged)


def vector(answer: ModelOutput, model: ModelSpec) -> Finding:
    """Return a unit vector: the dot product of two is their cosine, which is near 1 for copies, also cropped ones.

    SSCD: Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection", CVPR 2022.
    """
    values = np.asarray(answer.outputs[0], np.float32)
    unit = values / max(float(np.linalg.norm(values)), float(np.finfo(np.float32).tiny))
    return Finding(model.task, model.name, model.version, vector=tuple(unit.tolist()))


def tags(answer: ModelOutput, model: ModelSpec) -> Finding:
    """Return the labels that reach their threshold (``tag``, if a label has none of its own), highest score first.

    The score of a label is the sum of its classes'. Raises ModelUnavailable for another number of labels.
    """
    scores = np.asarray(answer.outputs[0], np.float32).reshape(-1)
    if model.softmax:
        scores = softmax(scores)
    if len(answer.labels) != len(scores):
        raise ModelUnavailable(detail=f"{model.name}: {len(answer.labels)} lines of labels, {len(scores)} classes")
    sums: dict[str, float] = {}
    for names, score in zip(answer.labels, scores.tolist(), strict=True):
        for name in filter(None, names.split("\t")):
            sums[name] = sums.get(name, 0.0) + score
    least = model.thresholds["tag"]
    found = [Label(name, min(score, 1.0)) for name, score in sums.items() if score >= model.thresholds.get(name, least)]
    return Finding(model.task, model.name, model.version, labels=tuple(sorted(found, key=lambda one: -one.score)))


def softmax(scores: Floats) -> Floats:
    """Return the softmax of ``scores``."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), np.float32)


def prepare(image: Pixels, model: ModelSpec) -> ModelInput:
    """Scale ``image`` to a square, crop, order and normalise it by the model's ``input``."""
    wanted = model.input
    scaled = resize(image, wanted.scaled_px or wanted.side_px, wanted.scaled_px or wanted.side_px)
    edge = (scaled.shape[0] - wanted.side_px) // 2
    square = scaled[edge : edge + wanted.side_px, edge : edge + wanted.side_px]
    return ModelInput(to_tensor(square, wanted), wanted.side_px, wanted.side_px)


def to_tensor(image: Pixels, wanted: InputSpec) -> NDArray[np.generic]:
    """Order and normalise the channels of ``image`` by a model's ``input``."""
    ordered = image[:, :, ::-1] if wanted.order == "bgr" else image
    numbers: NDArray[np.generic] = ordered
    if wanted.type != "uint8":
        mean, deviation = (np.array(three, np.float32) for three in (wanted.mean, wanted.deviation))
        numbers = ((ordered - mean) / deviation).astype(wanted.type)
    if wanted.layout == "channels-first":
        numbers = numbers.transpose(2, 0, 1)
    return np.ascontiguousarray(numbers)
