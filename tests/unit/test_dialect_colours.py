"""Colours as dialects write them, and colour matrices."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageColor

from darkroom.plan.model import IDENTITY
from darkroom.plan.option_types import Colour
from darkroom_dialects.common.colours import TRANSPARENT, format_colour, parse_colour, split_channels
from darkroom_dialects.common.matrices import (
    LUMA_601,
    LUMA_709,
    compose,
    lightness,
    linear,
    round_matrix,
    saturation,
)


@pytest.mark.parametrize("name", sorted(ImageColor.colormap))
def test_names_are_those_of_css(name: str) -> None:
    red, green, blue, *_ = ImageColor.getrgb(name)
    assert parse_colour(name.upper()) == f"{red:02x}{green:02x}{blue:02x}"


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("f80", "ff8800"),
        ("#F80", "ff8800"),
        ("f80c", "ff8800cc"),
        ("ff8800ff", "ff8800"),
        ("#ff880080", "ff880080"),
        ("transparent", TRANSPARENT),
        (" red ", "ff0000"),
        ("rgb(255, 128, 0)", "ff8000"),
        ("rgb(100% 50% 0%)", "ff8000"),
        ("rgba(255,128,0,0.5)", "ff800080"),
        ("rgb(255 128 0 / 50%)", "ff800080"),
        ("rgb(999,-5,0)", "ff0000"),
        ("hsl(120, 100%, 25%)", "008000"),
        ("hsl(-240deg 100% 25% / 1)", "008000"),
        ("hsla(0,0%,100%,.25)", "ffffff40"),
    ],
)
def test_spellings(text: str, digits: str) -> None:
    assert parse_colour(text) == digits


@pytest.mark.parametrize(
    "text", ["", "#", "reddish", "ff", "fffff", "#fffffff", "rgb(1,2)", "rgb(,,)", "hsl()", "rgb(1,2,3"]
)
def test_what_is_no_colour(text: str) -> None:
    assert parse_colour(text) is None


@given(st.text(max_size=30))
def test_any_text(text: str) -> None:
    digits = parse_colour(text)
    assert digits is None or Colour().parse([digits]) == digits


@given(st.tuples(*[st.integers(0, 255)] * 3))
def test_channels_and_back(rgb: tuple[int, int, int]) -> None:
    assert format_colour([channel * 255 for channel in split_channels(format_colour(rgb))]) == format_colour(rgb)


@pytest.mark.parametrize("matrix", [saturation(1), linear(1), compose(linear(-1, 1), linear(-1, 1))])
def test_what_changes_nothing(matrix: tuple[float, ...]) -> None:
    assert round_matrix(matrix) == IDENTITY


def test_the_first_is_done_first() -> None:
    assert compose(linear(2), linear(1, 0.5)) == linear(2, 0.5)
    assert compose(linear(1, 0.5), linear(2)) == linear(2, 1.0)


@pytest.mark.parametrize("luma", [LUMA_601, LUMA_709])
def test_weights_of_lightness(luma: tuple[float, float, float]) -> None:
    assert sum(luma) == pytest.approx(1)
    assert round_matrix(saturation(0, luma)) == round_matrix(lightness(luma))
