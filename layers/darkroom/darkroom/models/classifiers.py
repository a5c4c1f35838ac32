"""What models say of a picture as a whole: whether it is fit for all, what is on it, which others it resembles."""

from __future__ import annotations

import numpy as np

from ..findings import MODERATION, SIMILARITY, Finding, Label
from .catalogue import ModelSpec
from .pixels import Floats
from .tensors import ModelOutput

UNFIT = "nsfw"
"""What the second output of open_nsfw (Yahoo, 2016) is the probability of; the first is that of the opposite."""


def moderation(answer: ModelOutput, model: ModelSpec) -> Finding:
    """One label, flagged from the threshold ``nsfw`` on."""
    score = float(answer.outputs[0][1])
    flagged = score >= model.thresholds[UNFIT]
    return Finding(MODERATION, model.name, model.version, labels=(Label(UNFIT, score),), flagged=flagged)


def vector(answer: ModelOutput, model: ModelSpec) -> Finding:
    """A direction of length 1, so that the product of two is their cosine: that of copies, also cut ones, is near 1.

    SSCD: Pizzi et al., "A Self-Supervised Descriptor for Image Copy Detection", CVPR 2022.
    """
    values = np.asarray(answer.outputs[0], np.float32)
    unit = values / max(float(np.linalg.norm(values)), float(np.finfo(np.float32).tiny))
    return Finding(SIMILARITY, model.name, model.version, vector=tuple(unit.tolist()))


def tags(answer: ModelOutput, model: ModelSpec) -> Finding:
    """The labels from the threshold ``tag`` on, the surest first."""
    scores = np.asarray(answer.outputs[0], np.float32).reshape(-1)
    if model.softmax:
        scores = softmax(scores)
    least = model.thresholds["tag"]
    order = np.argsort(-scores, kind="stable")
    found = (Label(answer.labels[index], float(scores[index])) for index in order if scores[index] >= least)
    return Finding(model.task, model.name, model.version, labels=tuple(found))


def softmax(scores: Floats) -> Floats:
    """Probabilities of ``scores`` that are logarithms of them, up to a constant."""
    powers = np.exp(scores - scores.max())
    return np.asarray(powers / powers.sum(), np.float32)
