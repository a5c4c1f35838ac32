"""Watermarks repeated along an axis: the position of each, for any number."""

from __future__ import annotations

import time
from itertools import product

import numpy as np
import pytest

from darkroom.imaging.render.steps.overlay import repeat_watermark
from darkroom.plan.geometry.placement import Box, Size
from darkroom.plan.geometry.watermark_tiles import compute_tile_positions
from tests.images.steps import build_image, draw_noise, read_pixels

MOST_CPU_S = 3


@pytest.mark.parametrize("axes", ["h", "v", "hv"])
@pytest.mark.parametrize("corner", [(0, 0), (13, 7), (-5, -3), (95, 75), (200, 200), (-50, -50)])
@pytest.mark.parametrize("own", [(20, 10), (7, 30), (60, 50), (130, 90)])
def test_each_mark_is_at_its_place(axes: str, corner: tuple[int, int], own: tuple[int, int]) -> None:
    image, mark = Size(100, 80), draw_noise(own[1], own[0], 4)
    across, down = compute_tile_positions(image, Size(*own), axes)
    wanted = np.zeros((image.height, image.width, 4), np.uint8)
    for left, top in product(across or (corner[0],), down or (corner[1],)):
        x, y = max(0, left), max(0, top)
        part = mark[max(0, -top) :, max(0, -left) :][: max(0, image.height - y), : max(0, image.width - x)]
        wanted[y : y + part.shape[0], x : x + part.shape[1]] = part
    found, box = repeat_watermark(build_image(mark), Box(*corner, *own), axes, image)
    assert box == Box(0, 0, *image)
    assert np.array_equal(read_pixels(found), wanted)


@pytest.mark.parametrize("axes", ["h", "v"])
def test_many_marks_take_no_longer_than_few(axes: str) -> None:
    """A pipeline of one insert per mark took 26 s, and its destruction overflowed the stack."""
    started_s = time.process_time()
    found, _ = repeat_watermark(build_image(draw_noise(1, 1, 4)), Box(0, 0, 1, 1), axes, Size(8192, 8192))
    assert (found.width, found.height) == (8192, 8192)
    assert time.process_time() - started_s < MOST_CPU_S
