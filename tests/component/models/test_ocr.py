"""Check the reading order of lines. The endpoint's tests check recognition, with rapidocr."""

from __future__ import annotations

import random
from math import cos, radians, sin

import pytest

from darkroom.findings import TextLine
from darkroom.models.ocr import sort_reading_order

SIDE_PX = 1000


def line(text: str, x: float, y: float, width: float, degrees: float) -> TextLine:
    """A line 30 px high from (x, y), all turned by ``degrees`` with the clock around the middle of the image."""
    corners = ((x, y), (x + width, y), (x + width, y + 30), (x, y + 30))
    return TextLine(tuple(_turned(corner, degrees) for corner in corners), text, 1.0)


def _turned(corner: tuple[float, float], degrees: float) -> tuple[float, float]:
    x, y = corner[0] - SIDE_PX / 2, corner[1] - SIDE_PX / 2
    c, s = cos(radians(degrees)), sin(radians(degrees))
    return (0.5 + (x * c - y * s) / SIDE_PX, 0.5 + (x * s + y * c) / SIDE_PX)


@pytest.mark.parametrize("degrees", [0, 5, -12, 90, 178, 180, 270])
def test_lines_are_read_from_top_to_bottom_and_from_their_beginning(degrees: float) -> None:
    page = [
        line("1", 200, 200, 250, degrees),
        line("2", 480, 204, 200, degrees),  # the same line of the page, a little lower
        line("3", 200, 250, 500, degrees),
        line("4", 200, 300, 60, degrees),
        line("5", 290, 296, 300, degrees),
    ]
    shuffled = random.Random(7).sample(page, len(page))
    assert [one.text for one in sort_reading_order(shuffled, SIDE_PX, SIDE_PX)] == ["1", "2", "3", "4", "5"]


def test_no_lines_have_no_order() -> None:
    assert sort_reading_order([], 10, 10) == []


def test_lines_that_run_against_each_other_are_all_kept() -> None:
    opposite = [line("a", 200, 200, 100, 0), line("b", 200, 200, 100, 180)]
    assert {one.text for one in sort_reading_order(opposite, SIDE_PX, SIDE_PX)} == {"a", "b"}
