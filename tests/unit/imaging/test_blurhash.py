"""BlurHash against its reference implementation."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from darkroom.imaging.blurhash import Components, encode_blurhash

CASES: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "cases" / "blurhash.json").read_text(encoding="utf-8")
)
"""Fourteen images of scikit-image and random pixels, with the results of npm ``blurhash`` 2.0.5."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_the_reference_answers_the_same(case: dict[str, Any]) -> None:
    found = encode_blurhash(case["width"], case["height"], b64decode(case["rgba"]), Components(*case["components"]))
    assert found == case["hash"]


def test_transparent_pixels_are_white() -> None:
    clear, white = bytes([9, 99, 199, 0]) * 64, bytes([255]) * 256
    assert encode_blurhash(8, 8, clear) == encode_blurhash(8, 8, white)


def test_one_component_is_the_mean_colour() -> None:
    assert encode_blurhash(1, 1, bytes([255, 0, 0, 255]), Components(1, 1)) == "00TI:j"
