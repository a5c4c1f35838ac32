"""Positions of a repeated watermark, by thumbor 7.8's ``filters/watermark.py``."""

from __future__ import annotations

import pytest

from darkroom.plan.geometry.placement import Size
from darkroom.plan.geometry.watermark_tiles import compute_tile_positions


@pytest.mark.parametrize(
    ("image", "mark", "axes", "across", "down"),
    [
        ((200, 150), (60, 40), "hv", [0, 70, 140], [0, 55, 110]),
        ((200, 150), (60, 40), "h", [0, 70, 140], []),
        ((200, 150), (60, 40), "v", [], [0, 55, 110]),
        ((100, 100), (60, 100), "hv", [0, 70], [0]),  # no room for two: 10 px between
        ((50, 50), (60, 60), "hv", [0], [0]),
        ((120, 50), (60, 50), "h", [0, 60], []),
        ((1000, 1000), (50, 50), "hv", [0, 190, 380, 570, 760, 950], [0, 190, 380, 570, 760, 950]),  # at most 100
        ((1000, 60), (50, 50), "h", [50 * at for at in range(20)], []),
    ],
)
def test_marks_fill_an_axis_with_equal_gaps(
    image: tuple[int, int], mark: tuple[int, int], axes: str, across: list[int], down: list[int]
) -> None:
    assert tuple(map(list, compute_tile_positions(Size(*image), Size(*mark), axes))) == (across, down)
