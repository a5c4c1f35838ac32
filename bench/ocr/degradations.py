"""What happens to documents before they are read: light, cameras, scanners, compression."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

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


def shade(least: float, *, sharp: bool) -> Degradation:
    """Let a shadow fall on the lower right: gradually, or with an edge."""

    def apply(page: Image.Image) -> Image.Image:
        values = _values(page)
        down, across = np.mgrid[0 : values.shape[0], 0 : values.shape[1]]
        place = 0.6 * across / values.shape[1] + 0.4 * down / values.shape[0]
        depth = 1 / (1 + np.exp(-60 * (place - 0.5))) if sharp else place
        return _image(values * (1 - (1 - least) * depth)[:, :, np.newaxis])

    return apply


def add_noise(deviation: float) -> Degradation:
    """Add noise of this standard deviation."""
    return lambda page: _image(_add_noise(_values(page), deviation))


def blur(radius: float) -> Degradation:
    """Blur by a Gaussian."""
    return lambda page: page.filter(ImageFilter.GaussianBlur(radius))


def shrink(factor: float) -> Degradation:
    """Reduce to this fraction of the size."""
    return lambda page: page.resize((round(page.width * factor), round(page.height * factor)), Image.Resampling.LANCZOS)


def compress(quality: int) -> Degradation:
    """Save as a JPEG of this quality."""

    def apply(page: Image.Image) -> Image.Image:
        with io.BytesIO() as file:
            page.save(file, "JPEG", quality=quality)
            return Image.open(file).convert("RGB")

    return apply


def chain(*steps: Degradation) -> Degradation:
    """Apply several degradations in turn."""

    def apply(page: Image.Image) -> Image.Image:
        for step in steps:
            page = step(page)
        return page

    return apply


DEGRADATIONS: Mapping[str, Degradation] = {
    "none": chain(),
    "skew of 8°": skew(-8),
    "skew of 25°": skew(25),
    "contrast of 25 of 255": fade(195, 220, 0),
    "contrast of 14, noise": fade(205, 219, 2),
    "contrast of 10, noise": fade(205, 215, 2),
    "contrast of 14, noise, skew of 9°": chain(skew(9), fade(205, 219, 2)),
    "dark": fade(0, 38, 4),
    "very dark": fade(0, 15, 2),
    "shadow to 15 %": shade(0.15, sharp=False),
    "shadow to 8 %, with an edge": shade(0.08, sharp=True),
    "blur, radius 3": blur(3),
    "noise, deviation 80": add_noise(80),
    "JPEG of quality 5": compress(5),
    "letters of 9 px": shrink(0.3),
    "letters of 8 px": shrink(0.28),
    "letters of 8 px, skew of 5°": chain(skew(-5), shrink(0.28)),
    "letters of 8 px, skew of 12°": chain(skew(12), shrink(0.28)),
    "letters of 8 px, skew of 25°": chain(skew(25), shrink(0.28)),
    "photograph": chain(skew(6), shade(0.2, sharp=False), blur(1.2), add_noise(6), compress(40)),
    "bad photograph": chain(skew(-4), fade(90, 130, 0), shade(0.3, sharp=False), blur(1.5), add_noise(4), compress(40)),
}
"""The degradations that are measured, by name. Letters of the page are 30 px high."""

PHOTOGRAPHED = ("none", "contrast of 14, noise", "shadow to 8 %, with an edge", "blur, radius 3", "photograph")
"""Those for personal data."""


def _values(page: Image.Image) -> NDArray[np.float32]:
    return np.asarray(page, np.float32)


def _image(values: NDArray[np.floating]) -> Image.Image:
    return Image.fromarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _add_noise(values: NDArray[np.floating], deviation: float) -> NDArray[np.floating]:
    return values + np.random.default_rng(SEED).normal(0, deviation, values.shape) if deviation else values
