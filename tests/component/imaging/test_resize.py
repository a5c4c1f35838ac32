"""The resize step on images with transparency."""

from __future__ import annotations

import numpy as np
import pytest
import pyvips

from darkroom.imaging.colour.convert import resize_to
from darkroom.plan.geometry.layout import Size


@pytest.mark.parametrize("alpha", [32, 100, 200, 255])
def test_premultiplication_does_not_darken(alpha: int) -> None:
    """Column ``c`` has the colour ``c``: rounding to 8 bits may move it by half a level of alpha, and not in one
    direction."""
    colours = np.tile(np.arange(256, dtype=np.uint8), (16, 1))
    pixels = np.dstack([colours, colours, colours, np.full_like(colours, alpha)])
    result = resize_to(pyvips.Image.new_from_array(pixels).copy(interpretation="srgb"), Size(256, 8)).numpy()
    error = result[..., 0].astype(float) - colours[:8]
    assert np.abs(error).max() <= 0.5 * 255 / alpha + 0.5
    assert abs(error.mean()) < 0.2
