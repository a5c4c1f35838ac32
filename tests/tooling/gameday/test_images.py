"""Tests of drawn images: equal in each run, all different, shifted where required."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from gameday.images import FABRICS, MIXED_FABRICS, PLAIN, SHIFTED, STRIPED, USUAL, draw_image, read_size


def luma(body: bytes) -> float:
    return float(np.asarray(Image.open(io.BytesIO(body)).convert("L")).mean()) / 255


@pytest.mark.sample(9)
@pytest.mark.parametrize("kind", [USUAL, SHIFTED, *FABRICS, MIXED_FABRICS])
def test_an_image_is_repeatable_and_unique(kind: str) -> None:
    assert draw_image(kind, "a", 7) == draw_image(kind, "a", 7)
    bodies = {draw_image(kind, seed, number).body for seed in ("a", "b") for number in range(40)}
    assert len(bodies) == 80


@pytest.mark.slow
def test_shifted_images_are_dark_tiny_or_of_other_formats() -> None:
    usual = [draw_image(USUAL, "a", number) for number in range(60)]
    shifted = [draw_image(SHIFTED, "a", number) for number in range(60)]
    assert {one.suffix for one in usual} == {"jpg", "png"}
    assert min(min(read_size(one)) for one in usual) >= 160
    tiny = [one for one in shifted if max(read_size(one)) <= 48]
    others = [one for one in shifted if one.suffix in ("webp", "gif")]
    dark = [one for one in shifted if one not in tiny and one not in others]
    assert min(map(len, (tiny, others, dark))) > 8
    assert max(luma(one.body) for one in dark) < np.median([luma(one.body) for one in usual]) / 2


def test_a_pattern_is_what_differs_between_fabrics() -> None:
    """Stripes vary across and not along; a plain fabric varies by noise and light alone."""
    steps = {}
    for kind in FABRICS:
        pixels = [
            np.asarray(Image.open(io.BytesIO(draw_image(kind, "a", n).body)).convert("L"), float) for n in range(8)
        ]
        steps[kind] = [float(np.median([np.abs(np.diff(one, axis=axis)).mean() for one in pixels])) for axis in (0, 1)]
    assert steps[STRIPED][1] > 1.3 * steps[STRIPED][0]
    assert all(sum(steps[PLAIN]) < sum(steps[kind]) for kind in FABRICS if kind != PLAIN)
