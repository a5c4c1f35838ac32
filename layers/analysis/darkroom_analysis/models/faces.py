"""Prepare inputs and parse outputs of CenterFace.

Xu et al., "CenterFace: Joint Face Detection and Alignment Using Face as Point" (2019). Inputs are float32 planes, red
first, 0–255, with sides that are multiples of 32. Outputs are maps of a quarter of the size: the probability of a face
centre, the logarithm of its height and width, and the offset of the centre. Landmarks are ignored.
"""

from __future__ import annotations

import numpy as np

from darkroom.findings import FACES, Face, Finding, Region

from .catalogue import ModelSpec
from .pixels import Floats, ModelInput, ModelOutput, Pixels, fit, pad

MULTIPLE_PX = 32
STRIDE_PX = 4
"""Pixels of the input per element of the output."""

ENLARGED_MOST = 2.0
"""Faces of a dozen pixels are found at twice the size only; more finds no others."""


def prepare(image: Pixels, model: ModelSpec) -> ModelInput:
    """Return the planes of ``image`` (3, height, width), its longest side at most ``side_px``."""
    small = fit(image, model.input.side_px, most=ENLARGED_MOST)
    height, width = small.shape[:2]
    planes = pad(small, MULTIPLE_PX).transpose(2, 0, 1).astype(np.float32)
    return ModelInput(planes, width, height)


def read(answer: ModelOutput, model: ModelSpec) -> Finding:
    """Return the faces over the threshold ``face``, best first, after non-maximum suppression at ``overlap``."""
    heat, sizes, offsets = (np.asarray(output, np.float32) for output in answer.outputs[:3])
    boxes, scores = _boxes(heat[0], sizes, offsets, model.thresholds["face"])
    kept = suppress_overlaps(boxes, scores, model.thresholds["overlap"])
    faces = (_face(boxes[index], float(scores[index]), answer.prepared) for index in kept)
    return Finding(FACES, model.name, model.version, faces=tuple(face for face in faces if face is not None))


def _boxes(heat: Floats, sizes: Floats, offsets: Floats, threshold: float) -> tuple[Floats, Floats]:
    """Return boxes (n, 4) as left, top, right, bottom in pixels of the input, and scores (n,)."""
    down, across = np.where(heat > threshold)
    heights, widths = np.exp(sizes[:, down, across]) * STRIDE_PX
    y = (down + offsets[0, down, across] + 0.5) * STRIDE_PX
    x = (across + offsets[1, down, across] + 0.5) * STRIDE_PX
    boxes = np.stack([x - widths / 2, y - heights / 2, x + widths / 2, y + heights / 2], axis=1)
    return boxes.astype(np.float32), heat[down, across]


def suppress_overlaps(boxes: Floats, scores: Floats, most: float) -> list[int]:
    """Return the indices of non-maximum suppression: no box overlaps a better one by ``most`` (IoU)."""
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    left = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while left.size:
        best, left = left[0], left[1:]
        kept.append(int(best))
        upper_left = np.maximum(boxes[best, :2], boxes[left, :2])
        lower_right = np.minimum(boxes[best, 2:], boxes[left, 2:])
        shared = np.prod(np.maximum(lower_right - upper_left, 0.0), axis=1)
        left = left[shared < most * (areas[best] + areas[left] - shared)]
    return kept


def _face(box: Floats, score: float, prepared: ModelInput) -> Face | None:
    """Return the part of ``box`` within the image, in fractions of it; None if there is none."""
    size = np.array([prepared.width, prepared.height] * 2, np.float32)
    left, top, right, bottom = (float(edge) for edge in np.clip(box / size, 0.0, 1.0))
    if left >= right or top >= bottom:
        return None
    return Face(Region(left, top, right - left, bottom - top), score)
