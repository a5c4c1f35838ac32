"""Tests of SSIMULACRA2 against the results of libjxl's tool."""

from __future__ import annotations

import io

import numpy as np
import pytest
import skimage
from PIL import Image, ImageFilter

from bench.quality import ssimulacra2
from bench.ssimulacra2 import Original

type Pair = tuple[str, int, int, str, int]

BINARY: dict[Pair, float] = {
    ("coffee", 600, 400, "levels", 8): 84.7379,
    ("coffee", 600, 400, "levels", 32): 23.5210,
    ("coffee", 599, 397, "noise", 6): 81.9537,
    ("chelsea", 451, 300, "blur", 1): 64.5111,
    ("chelsea", 451, 299, "levels", 16): 64.2621,
    ("astronaut", 512, 512, "noise", 12): 64.4052,
    ("astronaut", 131, 257, "blur", 2): 50.7152,
    ("rocket", 640, 427, "levels", 12): 13.8356,
    ("rocket", 333, 222, "noise", 3): 86.2851,
    ("camera", 256, 256, "levels", 24): 6.6795,
}
"""Scores of Debian's ``ssimulacra2`` 0.11.2, by photograph, width and height in px, change and amount."""

PAIRS = list(BINARY)
TOLERANCE = 0.12


def pair(name: str, width: int, height: int, change: str, much: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a photograph and a degraded copy, by arithmetic that is equal on every machine."""
    image = Image.fromarray(getattr(skimage.data, name)()).convert("RGB").crop((0, 0, width, height))
    pixels = np.asarray(image)
    if change == "levels":
        return pixels, (pixels // much * much + much // 2).clip(0, 255).astype(np.uint8)
    if change == "blur":
        return pixels, np.asarray(image.filter(ImageFilter.BoxBlur(much)))
    noise = np.random.RandomState(much).randint(-much, much + 1, pixels.shape)
    return pixels, (pixels.astype(int) + noise).clip(0, 255).astype(np.uint8)


@pytest.mark.sample(3)
@pytest.mark.parametrize("made", PAIRS, ids=str)
def test_it_says_what_the_reference_says(made: Pair) -> None:
    original, worse = pair(*made)
    assert ssimulacra2(worse, original) == pytest.approx(BINARY[made], abs=TOLERANCE)


def test_an_image_is_like_itself() -> None:
    original, _ = pair("coffee", 120, 80, "blur", 1)
    assert Original(original).score(original) == 100
    out = io.BytesIO()
    Image.fromarray(original).save(out, "PNG")
    assert ssimulacra2(out.getvalue(), original) == 100


def test_another_size_is_refused() -> None:
    original, _ = pair("coffee", 120, 80, "blur", 1)
    with pytest.raises(ValueError, match="not"):
        ssimulacra2(original[:-1], original)
