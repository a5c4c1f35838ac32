"""What happens to documents before they are read: light, skew, a low resolution."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image

type Degradation = Callable[[Image.Image], Image.Image]

DESK = (92, 70, 52)
SEED = 5


def skew(degrees: float) -> Degradation:
    """Turn the page against the clock, on a desk."""
    return lambda page: page.rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=DESK)


def fade(darkest: float, lightest: float, noise: float) -> Degradation:
    """Compress lightness into a range of 0–255, and add noise of this standard deviation."""

    def apply(page: Image.Image) -> Image.Image:
        return _image(_add_noise(darkest + _values(page) / 255 * (lightest - darkest), noise))

    return apply


def shade(least: float) -> Degradation:
    """Let a shadow with an edge fall on the lower right."""

    def apply(page: Image.Image) -> Image.Image:
        values = _values(page)
        down, across = np.mgrid[0 : values.shape[0], 0 : values.shape[1]]
        place = 0.6 * across / values.shape[1] + 0.4 * down / values.shape[0]
        depth = 1 / (1 + np.exp(-60 * (place - 0.5)))
        return _image(values * (1 - (1 - least) * depth)[:, :, np.newaxis])

    return apply


def shrink(factor: float) -> Degradation:
    """Reduce to this fraction of the size."""
    return lambda page: page.resize((round(page.width * factor), round(page.height * factor)), Image.Resampling.LANCZOS)


def chain(*steps: Degradation) -> Degradation:
    """Apply several degradations in turn."""

    def apply(page: Image.Image) -> Image.Image:
        for step in steps:
            page = step(page)
        return page

    return apply


DEGRADATIONS: Mapping[str, Degradation] = {
    "contrast of 14, noise": fade(205, 219, 2),
    "contrast of 10, noise": fade(205, 215, 2),
    "contrast of 14, noise, skew of 9°": chain(skew(9), fade(205, 219, 2)),
    "very dark": fade(0, 15, 2),
    "shadow to 8 %, with an edge": shade(0.08),
    "letters of 8 px, skew of 25°": chain(skew(25), shrink(0.28)),
}
"""Letters of the page are 30 px high."""


def _values(page: Image.Image) -> NDArray[np.float32]:
    return np.asarray(page, np.float32)


def _image(values: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _add_noise(values: NDArray[np.floating], deviation: float) -> NDArray[np.floating]:
    return values + np.random.default_rng(SEED).normal(0, deviation, values.shape) if deviation else values
