"""A linear head: logistic regressions over an embedding, one for each tag. Pure.

The strength of regularisation and the thresholds are chosen by cross-validation within the training part. The test part
is only evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from darkroom_analysis.mlops.golden_set import Confusion

from .dataset import Dataset, Flags, Floats

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1)
"""Strengths of the L2 penalty that are compared, for embeddings that are centred and scaled to the mean length 1."""

FOLDS = 5
MIN_THRESHOLD = 0.5
"""Below it, the tag is less probable than not."""

PRECISION = 0.95
"""Precision that a threshold has to reach in cross-validation."""

MAX_STEPS = 500


@dataclass(frozen=True)
class Head:
    """The score of tag ``i`` is ``expit(weights[i] @ embedding + biases[i])``, for an embedding of unit length."""

    tags: tuple[str, ...]
    weights: Floats
    biases: Floats
    thresholds: Floats
    penalty: float

    def score(self, embeddings: Floats) -> Floats:
        """Return the scores (0 to 1), a column for each tag."""
        return np.asarray(expit(embeddings @ self.weights.T + self.biases), np.float64)


@dataclass(frozen=True, slots=True)
class TagEvaluation:
    """Counts of one tag on the test part, and its images in the training part."""

    test: Confusion
    train_images: int


def train(dataset: Dataset, precision: float = PRECISION) -> Head:
    """Fit a head to the training part of ``dataset``. The same data result in the same head."""
    axes = _principal_axes(dataset.embeddings[~dataset.is_test])
    embeddings, targets = dataset.embeddings[~dataset.is_test] @ axes.T, dataset.targets[~dataset.is_test]
    by_penalty = {penalty: _cross_validate(embeddings, targets, penalty) for penalty in PENALTIES}
    penalty = min(PENALTIES, key=lambda one: _log_loss(by_penalty[one], targets))
    weights, biases = fit(embeddings, targets, penalty)
    scores = by_penalty[penalty]
    chosen = [choose_threshold(scores[:, at], targets[:, at], precision) for at in range(len(dataset.tags))]
    return Head(dataset.tags, weights @ axes, biases, np.array(chosen), penalty)


def evaluate(head: Head, dataset: Dataset) -> Mapping[str, TagEvaluation]:
    """Evaluate ``head`` on the test part of ``dataset``, by tag."""
    named = head.score(dataset.embeddings[dataset.is_test]) >= head.thresholds
    wanted = dataset.targets[dataset.is_test]
    train_images = dataset.targets[~dataset.is_test].sum(axis=0)
    return {
        tag: TagEvaluation(
            Confusion(
                int((named[:, at] & wanted[:, at]).sum()),
                int((named[:, at] & ~wanted[:, at]).sum()),
                int((~named[:, at] & wanted[:, at]).sum()),
            ),
            int(train_images[at]),
        )
        for at, tag in enumerate(head.tags)
    }


def fit(embeddings: Floats, targets: Flags, penalty: float) -> tuple[Floats, Floats]:
    """Return weights and biases of least log loss with the L2 ``penalty`` of weights, by L-BFGS.

    Takes fewest steps for embeddings along their principal axes.
    """
    centre = embeddings.mean(axis=0)
    scale = 1 / max(float(np.linalg.norm(embeddings - centre, axis=1).mean()), float(np.finfo(np.float64).tiny))
    inputs, signs = (embeddings - centre) * scale, targets.astype(np.float64)
    (images, width), tags = inputs.shape, targets.shape[1]
    units = _weight_units(inputs, signs, penalty)

    def loss(flat: Floats) -> tuple[float, Floats]:
        table = flat.reshape(tags, width + 1) * units
        weights, biases = table[:, :-1], table[:, -1]
        logits = inputs @ weights.T + biases
        value = (np.logaddexp(0.0, logits) - signs * logits).sum() / images + penalty / 2 * (weights**2).sum()
        errors = (expit(logits) - signs) / images
        slope = np.column_stack([errors.T @ inputs + penalty * weights, errors.sum(axis=0)])
        return float(value), (slope * units).ravel()

    start = np.zeros(tags * (width + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": MAX_STEPS})
    table = found.x.reshape(tags, width + 1) * units
    weights = table[:, :-1] * scale
    return weights, table[:, -1] - weights @ centre


def _principal_axes(embeddings: Floats) -> Floats:
    """Return the axes of a PCA, a row each: along these, features are uncorrelated.

    A fit with an L2 penalty is the same in every orthogonal basis of the embeddings' differences.
    """
    return np.asarray(np.linalg.svd(embeddings - embeddings.mean(axis=0), full_matrices=False)[2], np.float64)


def _weight_units(inputs: Floats, signs: Floats, penalty: float) -> Floats:
    """Return the size of a step of each tag's weights and bias: the inverse root of the loss's curvature at the start.

    The curvature of uncorrelated features is nearly diagonal, so that in these units it is nearly the same everywhere.
    """
    images = len(signs)
    share = (signs.sum(axis=0) + 0.5) / (images + 1)  # of a tag without any image, the curvature is not 0
    features = np.append((inputs**2).mean(axis=0), 1.0)
    penalties = np.append(np.full(inputs.shape[1], penalty), 0.0)
    return np.asarray(1 / np.sqrt(np.outer(share * (1 - share), features) + penalties), np.float64)


def choose_threshold(scores: Floats, targets: Flags, precision: float) -> float:
    """Return the lowest threshold with at least ``precision`` of the found images right, MIN_THRESHOLD or more.

    Without one it is the highest score: nothing is known to be right from a lower one on. It lies in the middle between
    two scores, because new scores vary around these.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.cumsum(targets[order])
    reached = np.flatnonzero(right / np.arange(1, len(right) + 1) >= precision)
    if not len(reached):
        return max(MIN_THRESHOLD, float(ranked[0]))
    last = int(reached[-1])
    below = float(ranked[last + 1]) if last + 1 < len(ranked) else 0.0
    return max(MIN_THRESHOLD, (float(ranked[last]) + below) / 2)


def _cross_validate(embeddings: Floats, targets: Flags, penalty: float) -> Floats:
    """Return the scores of each image by a head that was fitted to the other folds."""
    fold = np.arange(len(targets)) % FOLDS
    scores = np.zeros(targets.shape)
    for number in range(FOLDS):
        own = fold == number
        weights, biases = fit(embeddings[~own], targets[~own], penalty)
        scores[own] = expit(embeddings[own] @ weights.T + biases)
    return scores


def _log_loss(scores: Floats, targets: Flags) -> float:
    right = np.where(targets, scores, 1 - scores)
    return float(-np.log(np.maximum(right, 1e-12)).mean())
