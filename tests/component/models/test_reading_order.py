"""Check the reading order of lines. The endpoint's tests check recognition, with rapidocr."""

from __future__ import annotations

import random
from math import cos, radians, sin

import pytest

from darkroom.findings import TextLine
from endpoint.reading_order import sort_reading_order

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


def column(prefix: str, x: float, width: float, rows: int, degrees: float = 0, top: float = 200) -> list[TextLine]:
    """Lines of running text below each other."""
    return [line(f"{prefix}{row}", x, top + 50 * row, width, degrees) for row in range(rows)]


def order(lines: list[TextLine]) -> list[str]:
    shuffled = random.Random(7).sample(lines, len(lines))
    return [one.text for one in sort_reading_order(shuffled, SIDE_PX, SIDE_PX)]


@pytest.mark.parametrize("degrees", [0, 6, -20, 90, 180, 270])
def test_columns_are_read_one_after_the_other(degrees: float) -> None:
    left, right = column("a", 50, 400, 8, degrees), column("b", 500, 400, 7, degrees)
    assert order([*left, *right]) == [one.text for one in (*left, *right)]


def test_three_columns_of_other_heights() -> None:
    columns = [column("a", 20, 290, 9), column("b", 340, 290, 4), column("c", 660, 290, 7, top=220)]
    assert order([one for each in columns for one in each]) == [one.text for each in columns for one in each]


def test_a_heading_is_read_before_the_columns_below_it_and_after_those_above() -> None:
    lines = [
        line("title", 50, 100, 850, 0),
        *column("a", 50, 400, 4),
        *column("b", 500, 400, 4),
        line("section", 300, 420, 300, 0),
        *column("c", 50, 400, 4, top=500),
        *column("d", 500, 400, 4, top=500),
    ]
    assert order(lines) == [one.text for one in lines]


def test_the_cells_of_a_table_are_read_row_by_row() -> None:
    """Names are short, and values may be long."""
    cells = [
        cell
        for row in range(8)
        for cell in (line(f"name{row}", 50, 200 + 50 * row, 120, 0), line(f"value{row}", 400, 200 + 50 * row, 450, 0))
    ]
    assert order(cells) == [one.text for one in cells]


def test_two_lines_beside_each_other_are_no_columns() -> None:
    lines = [line("a", 50, 200, 400, 0), line("b", 500, 200, 400, 0), line("c", 50, 250, 400, 0)]
    assert order(lines) == ["a", "b", "c"]


def test_the_end_of_a_paragraph_is_no_gutter() -> None:
    lines = [line(str(row), 50, 100 + 50 * row, 300 if row % 4 == 3 else 850, 0) for row in range(12)]
    assert order(lines) == [str(row) for row in range(12)]
