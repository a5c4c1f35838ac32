"""Images as arrays of pixels, resized and padded, and as input and output of a model.

An image is sRGB, ``uint8`` of shape (height, width, 3), upright.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class ModelInput(NamedTuple):
    """The input for one image, without the batch axis.

    ``width`` and ``height`` are the size of the image in pixels; the rest is padding.
    """

    tensor: NDArray[np.generic]
    width: int
    height: int


class ModelOutput(NamedTuple):
    """The outputs for one image, without the batch axis, with the input and the model's labels."""

    outputs: Sequence[NDArray[np.generic]]
    prepared: ModelInput
    labels: tuple[str, ...] = ()


type Pixels = NDArray[np.uint8]
"""(height, width, 3), red first."""

type Floats = NDArray[np.float32]


def resize(image: Pixels, width: int, height: int) -> Pixels:
    """Resize ``image`` by a triangle filter as wide as a new pixel, which Pillow calls bilinear."""
    if image.shape[:2] == (height, width):
        return image
    lower = _resample_axis(image, 0, height)  # first, since whole rows are summed faster than pixels of a row
    return np.clip(np.rint(_resample_axis(lower, 1, width)), 0, 255).astype(np.uint8)


def fit(image: Pixels, side_px: int, *, most: float = 1.0) -> Pixels:
    """Resize ``image`` to the longest side ``side_px``, enlarged at most ``most`` times."""
    height, width = image.shape[:2]
    scale = min(side_px / max(height, width), most)
    return resize(image, max(1, round(width * scale)), max(1, round(height * scale)))


def pad(image: Pixels, multiple: int) -> Pixels:
    """Pad ``image`` with black at the right and lower edge, so that both sides are multiples of ``multiple``."""
    height, width = image.shape[:2]
    more = [(0, ceil(side / multiple) * multiple - side) for side in (height, width)]
    return np.pad(image, [*more, (0, 0)])


def _resample_axis(values: NDArray[np.generic], axis: int, length: int) -> Floats:
    """Resample one axis of ``values`` to ``length``, as a weighted sum of shifted copies."""
    was = values.shape[axis]
    if was == length:
        return values.astype(np.float32)
    places, weights = _taps(was, length)
    shape = [1] * values.ndim
    shape[axis] = length
    total = np.zeros([*values.shape[:axis], length, *values.shape[axis + 1 :]], np.float32)
    part = np.empty_like(total)
    for place, weight in zip(places, weights, strict=True):
        if weight.any():
            np.multiply(np.take(values, place, axis), weight.reshape(shape), out=part)
            total += part
    return total


def _taps(was: int, length: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the source pixels of each new pixel, and their weights: both (taps, length)."""
    step = was / length
    radius = max(step, 1.0)
    centres = (np.arange(length) + 0.5) * step
    first = np.floor(centres - radius).astype(np.int64)
    places = first + np.arange(ceil(2 * radius) + 1)[:, np.newaxis]
    weights = np.maximum(0.0, 1.0 - np.abs(places + 0.5 - centres) / radius)
    weights[(places < 0) | (places >= was)] = 0.0
    return np.clip(places, 0, was - 1), (weights / weights.sum(axis=0)).astype(np.float32)
