"""Images of pages for recognition: contrast stretched, light evened out, lines levelled.

OpenCV comes with rapidocr, which only the endpoint's environment has. Thresholds are those of decision 65.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from darkroom_analysis.models.pixels import Pixels

NARROW = 64
"""Of 255, the range of lightness from the first to the last percent below which it is stretched."""

SAMPLE_PX = 960
"""Longest side of the copy in which light is measured and blurred."""

SHADED = 0.7
"""Lightness of shaded paper, as a fraction of the lightest paper of the image."""

INK = 0.8
"""Lightness of ink, as a fraction of the paper around it."""

LEAST_INK = 0.016
"""Fraction of shaded paper that is ink if there is text on it. A table on which a page lies has less (0.002)."""

PAPER_PARTS = 24
"""Of the longest side: a square that is larger than letters, whose lightest part is taken for paper."""


class Turned(NamedTuple):
    """An image that was turned, and the matrix (2, 3) from it back to the original, in px."""

    image: Pixels
    back: NDArray[np.float64]


def stretch_contrast(image: Pixels) -> Pixels:
    """Stretch the lightness of an image that uses little of its range; return others as they are."""
    low, high = np.percentile(_grey(image), (1, 99))
    if high - low >= NARROW or high - low < 1:
        return image
    return np.asarray(np.clip((image - low) * (255 / (high - low)), 0, 255), np.uint8)


def has_shaded_text(image: Pixels) -> bool:
    """Return whether there is ink on paper that is much darker than the lightest paper of the image."""
    scale = min(1.0, SAMPLE_PX / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    grey = _grey(small)
    paper = _find_paper(grey)
    shaded = paper < SHADED * np.percentile(paper, 95)
    return bool(shaded.any() and (grey < INK * paper)[shaded].mean() > LEAST_INK)


def even_light(image: Pixels) -> Pixels:
    """Divide an image by the lightness of the paper around each pixel, in grey, and stretch the result."""
    grey = _grey(image)
    paper = _blur(_find_paper(grey), _paper_px(grey) / 2)
    ratio = np.minimum(grey.astype(np.float32) / np.maximum(paper, 1), 1.0)
    low, high = np.percentile(ratio, (1, 95))
    even = np.clip((ratio - low) * (255 / max(float(high - low), 1e-3)), 0, 255).astype(np.uint8)
    return np.repeat(even[:, :, np.newaxis], 3, axis=2)


def turn(image: Pixels, degrees: float) -> Turned:
    """Turn ``image`` by ``degrees`` against the clock; the canvas grows to hold all of it."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    across, down = abs(matrix[0, 0]), abs(matrix[0, 1])
    size = (int(height * down + width * across), int(height * across + width * down))
    matrix[:, 2] += (size[0] / 2 - width / 2, size[1] / 2 - height / 2)
    turned = cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return Turned(turned, np.asarray(cv2.invertAffineTransform(matrix), np.float64))


def _grey(image: Pixels) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def _blur(paper: NDArray[np.uint8], sigma_px: float) -> NDArray[np.uint8]:
    """Blur by much more than a pixel, in a copy of at most SAMPLE_PX: the full size takes ten times as long."""
    height, width = paper.shape
    scale = min(1.0, SAMPLE_PX / max(height, width))
    small = cv2.resize(paper, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma_px * scale), (width, height)), np.uint8)


def _paper_px(grey: NDArray[np.uint8]) -> int:
    return max(3, int(max(grey.shape) / PAPER_PARTS) | 1)


def _find_paper(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the lightness of the paper at each pixel: a morphological closing, which removes dark letters."""
    side = _paper_px(grey)
    return np.asarray(cv2.morphologyEx(grey, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8)), np.uint8)
