"""Prepare images as squares of one size, so that all fit into one batch."""

from __future__ import annotations

import numpy as np

from .catalogue import ModelSpec
from .pixels import Floats, Pixels, resize
from .tensors import ModelInput


def prepare(image: Pixels, model: ModelSpec) -> ModelInput:
    """Scale ``image`` to a square, crop, order and normalise it by the model's ``input``."""
    wanted = model.input
    scaled = resize(image, wanted.scaled_px or wanted.side_px, wanted.scaled_px or wanted.side_px)
    edge = (scaled.shape[0] - wanted.side_px) // 2
    square = scaled[edge : edge + wanted.side_px, edge : edge + wanted.side_px]
    if wanted.order == "bgr":
        square = square[:, :, ::-1]
    numbers = square if wanted.type == "uint8" else _normalised(square, model)
    if wanted.layout == "channels-first":
        numbers = numbers.transpose(2, 0, 1)
    return ModelInput(np.ascontiguousarray(numbers), wanted.side_px, wanted.side_px)


def _normalised(square: Pixels, model: ModelSpec) -> Floats:
    mean, deviation = (np.array(three, np.float32) for three in (model.input.mean, model.input.deviation))
    return np.asarray((square - mean) / deviation, np.float32)
