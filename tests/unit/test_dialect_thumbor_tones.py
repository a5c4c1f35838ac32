"""thumbor's tone filters as matrices, compared with the integer arithmetic of its C sources."""

from __future__ import annotations

from collections.abc import Callable
from itertools import batched
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkroom.plan.model import Matrix
from darkroom_dialects.common.settings import DialectSettings
from darkroom_dialects.thumbor import parse

type Pixel = tuple[int, ...]

PIXELS = st.tuples(*[st.integers(0, 255)] * 3)
PERCENT = st.integers(-100, 100)


def adjusted(levels: list[float]) -> Pixel:
    """``ADJUST_COLOR`` of thumbor/ext/filters/lib/image_utils.h."""
    return tuple(int(min(255, max(0, level))) for level in levels)


def divided(number: int, by: int) -> int:
    """As C divides: towards zero."""
    return int(number / by)


def brightness(pixel: Pixel, percent: int) -> Pixel:
    """_brightness.c"""
    return adjusted([level + divided(255 * percent, 100) for level in pixel])


def contrast(pixel: Pixel, percent: int) -> Pixel:
    """_contrast.c"""
    delta = divided((percent + 100) ** 2, 100)
    return adjusted([divided(delta * (level - 128), 100) + 128 for level in pixel])


def rgb(pixel: Pixel, *percents: int) -> Pixel:
    """_rgb.c"""
    return adjusted([level + divided(255 * percent, 100) for level, percent in zip(pixel, percents, strict=True)])


def colorize(pixel: Pixel, percents: Pixel, fill: Pixel) -> Pixel:
    """_colorize.c"""
    return adjusted(
        [
            (level * (100.0 - percent) + colour * percent) / 100.0
            for level, percent, colour in zip(pixel, percents, fill, strict=True)
        ]
    )


def saturation(pixel: Pixel, change: float) -> Pixel:
    """_saturation.c"""
    red, green, blue = pixel
    grey = sqrt(red * red * 0.299 + green * green * 0.587 + blue * blue * 0.114)
    return adjusted([grey + (level - grey) * change for level in pixel])


def matrix_of(filters: str) -> Matrix:
    return parse(f"/unsafe/filters:{filters}/a.jpg", DialectSettings()).plan.matrix


def ours(pixel: Pixel, matrix: Matrix) -> list[float]:
    """``pixel`` by each of the matrices in ``matrix``, clipped after each, in levels from 0 to 255."""
    levels = [float(level) for level in pixel]
    for one in batched(matrix, 12, strict=True):
        values = [sum(one[row * 4 + k] * levels[k] for k in range(3)) + one[row * 4 + 3] * 255 for row in range(3)]
        levels = [min(255.0, max(0.0, value)) for value in values]
    return levels


def near(pixel: Pixel, filters: str, theirs: Pixel, within: float = 1.1) -> None:
    """thumbor cuts fractions off; four decimals of a slope are a tenth of a level at the most."""
    assert all(abs(a - b) <= within for a, b in zip(ours(pixel, matrix_of(filters)), theirs, strict=True))


@given(PIXELS, PERCENT)
def test_brightness(pixel: Pixel, percent: int) -> None:
    near(pixel, f"brightness({percent})", brightness(pixel, percent))


@given(PIXELS, PERCENT)
def test_contrast(pixel: Pixel, percent: int) -> None:
    near(pixel, f"contrast({percent})", contrast(pixel, percent))


@given(PIXELS, PERCENT, PERCENT, PERCENT)
def test_rgb(pixel: Pixel, red: int, green: int, blue: int) -> None:
    near(pixel, f"rgb({red},{green},{blue})", rgb(pixel, red, green, blue))


@given(PIXELS, st.tuples(*[st.integers(0, 100)] * 3), PIXELS)
def test_colorize(pixel: Pixel, percents: Pixel, fill: Pixel) -> None:
    call = f"colorize({','.join(map(str, percents))},{bytes(fill).hex()})"
    near(pixel, call, colorize(pixel, percents, fill))


@given(st.integers(0, 255), st.floats(0, 3))
def test_saturation_of_greys(level: int, change: float) -> None:
    pixel = (level,) * 3
    near(pixel, f"saturation({change:.4f})", saturation(pixel, change))


@pytest.mark.parametrize(("change", "within"), [(0.5, 30), (0.9, 6), (1.1, 6), (1.5, 30)])
def test_saturation_of_colours_is_near(change: float, within: float) -> None:
    for pixel in [(200, 120, 80), (90, 140, 200), (60, 160, 90), (240, 200, 180), (30, 40, 60)]:
        near(pixel, f"saturation({change})", saturation(pixel, change), within)


@given(PIXELS, st.integers(-60, 60), st.integers(-60, 60), st.booleans())
def test_filters_follow_one_another(pixel: Pixel, first: int, second: int, bright_first: bool) -> None:
    """Levels are clipped after each filter, as in thumbor."""
    steps: list[tuple[str, Callable[[Pixel, int], Pixel], int]] = [
        ("brightness", brightness, first),
        ("contrast", contrast, second),
    ]
    if not bright_first:
        steps.reverse()
    theirs = pixel
    for _, step, percent in steps:
        theirs = step(theirs, percent)
    near(pixel, ":".join(f"{name}({percent})" for name, _, percent in steps), theirs, 3.6)
