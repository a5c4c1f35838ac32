"""Lines of text that are none: outlines of objects that were read as letters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from darkroom.findings import TextLine
from endpoint.shapes import split_shapes

IMAGE_PX = (600, 400)


def line(text: str, score: float, width: float, height: float) -> TextLine:
    """A line of that size in parts of the image, turned by a quarter for a negative height."""
    corners = ((0.0, 0.0), (width, 0.0), (width, abs(height)), (0.0, abs(height)))
    return TextLine(corners if height > 0 else (*corners[1:], corners[0]), text, score)


@pytest.mark.parametrize(
    "found",
    [
        line("8", 0.91, 0.83, 1.0),  # a cup, in the golden set
        line("o", 0.55, 0.5, -0.6),  # a cell, there too, whose line runs down
        line("OD", 0.6, 0.66, 0.98),
        line("福", 0.36, 0.5, 0.8),
        line("", 0.3, 0.5, 0.8),
    ],
)
def test_a_shape_is_no_text(found: TextLine) -> None:
    assert split_shapes([found], *IMAGE_PX) == ([], [replace(found, text="", personal=())])


@pytest.mark.parametrize(
    "found",
    [
        line("P", 0.99, 0.6, 0.9),
        line("8", 0.91, 0.2, 0.3),  # 120 of 400 px
        line("ZOO", 0.7, 0.8, 0.9),
        line("E", 0.55, 0.03, 0.04),
        line("7", 0.4, 1.0, 0.4),  # as wide as several letters, of which one was read
        line("", 0.35, 0.9, 0.5),
    ],
)
def test_what_is_read_surely_is_small_or_has_room_for_more_is_text(found: TextLine) -> None:
    assert split_shapes([found], *IMAGE_PX) == ([found], [])
