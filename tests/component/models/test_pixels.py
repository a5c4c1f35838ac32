"""Resize in numpy, compared with Pillow, which the models were trained with."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from darkroom_analysis.models.pixels import fit, pad, resize
from tests.images.detectors import pixels
from tests.images.photographs import photograph


@pytest.mark.parametrize(("width", "height"), [(256, 256), (100, 300), (700, 650), (511, 17), (1, 1)])
def test_it_resizes_as_pillow_does(width: int, height: int) -> None:
    image = photograph()
    theirs = pixels(image.resize((width, height), Image.Resampling.BILINEAR)).astype(int)
    ours = resize(pixels(image), width, height).astype(int)
    assert ours.shape == theirs.shape
    assert abs(ours - theirs).max() <= 2  # Pillow rounds between the two axes


def test_the_same_size_is_the_same_image() -> None:
    image = pixels(photograph())
    assert np.array_equal(resize(image, 512, 512), image)


def test_a_flat_colour_stays_itself() -> None:
    flat = np.full((37, 53, 3), 201, np.uint8)
    assert (resize(flat, 101, 7) == 201).all()


@pytest.mark.parametrize(
    ("shape", "side", "most", "expected"),
    [
        ((400, 800, 3), 200, 1.0, (100, 200, 3)),
        ((800, 400, 3), 200, 1.0, (200, 100, 3)),
        ((100, 50, 3), 400, 1.0, (100, 50, 3)),
        ((100, 50, 3), 400, 2.0, (200, 100, 3)),
        ((100, 50, 3), 150, 2.0, (150, 75, 3)),
        ((5000, 1, 3), 100, 1.0, (100, 1, 3)),
    ],
)
def test_it_fits(shape: tuple[int, ...], side: int, most: float, expected: tuple[int, ...]) -> None:
    assert fit(np.zeros(shape, np.uint8), side, most=most).shape == expected


def test_padding_is_black_and_at_the_end() -> None:
    bigger = pad(np.full((33, 64, 3), 9, np.uint8), 32)
    assert bigger.shape == (64, 64, 3)
    assert (bigger[:33] == 9).all()
    assert not bigger[33:].any()
