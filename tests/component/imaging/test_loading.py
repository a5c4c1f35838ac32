"""Loaders: the part of a reduction that each performs."""

from __future__ import annotations

import io
from typing import get_args

import pytest
from PIL import Image

from darkroom.imaging.formats.image_format import Effort
from darkroom.imaging.formats.load import SPARE_REDUCTION, choose_spare_reduction, load
from darkroom.imaging.formats.probe import probe
from darkroom.imaging.render.pipeline import render, resolve_geometry
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan
from tests.images.sources import photo

LIMITS = Limits()
SIDE_PX = 1600
QUICK = {"jpeg": 4, "avif": 2, "webp": 2, "png": 2, "auto-legacy": 4, "auto-avif": 2, "auto-webp": 2}


@pytest.fixture(scope="module")
def jpeg() -> bytes:
    kept = io.BytesIO()
    photo().convert("RGB").resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC).save(kept, "JPEG", quality=90)
    return kept.getvalue()


@pytest.mark.parametrize(
    ("width", "spare", "shrink"), [(800, 2, 1), (400, 2, 2), (320, 2, 2), (320, 1.25, 4), (60, 2, 8)]
)
def test_a_jpeg_is_decoded_as_small_as_leaves_the_spare_reduction(
    jpeg: bytes, width: int, spare: float, shrink: int
) -> None:
    source = Source.from_bytes(jpeg)
    header = probe(source, LIMITS)
    geometry = resolve_geometry(Plan("photo", width=width, format="webp"), header)
    assert load(source, header, geometry, LIMITS, spare=spare).frames[0].width == SIDE_PX // shrink


@pytest.mark.sample(3)
@pytest.mark.parametrize(("form", "shrink"), QUICK.items())
def test_only_some_formats_are_decoded_fast(
    jpeg: bytes, form: str, shrink: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _shrinks(jpeg, monkeypatch, "fast", format=form) == shrink
    assert _shrinks(jpeg, monkeypatch, "slow", format=form) == 2


def test_an_evaluated_image_is_decoded_in_full_quality(jpeg: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _shrinks(jpeg, monkeypatch, "fast", format="jpeg", quality="auto") == 2


def test_slow_effort_leaves_more_to_the_resize() -> None:
    assert {choose_spare_reduction(form, "slow") for form in ("jpeg", "avif", "webp")} == {SPARE_REDUCTION}
    assert set(get_args(Effort.__value__)) == {"fast", "balanced", "slow"}


def _shrinks(jpeg: bytes, monkeypatch: pytest.MonkeyPatch, pace: Effort, **options: str) -> int:
    """By how much the decoder shrinks for an image of a fifth of the width."""
    widths = []

    def noting(*arguments: object, **named: object) -> object:
        negative = load(*arguments, **named)  # type: ignore[arg-type]
        widths.append(negative.frames[0].width)
        return negative

    monkeypatch.setattr("darkroom.imaging.render.pipeline.load", noting)
    render(Plan("photo", width=SIDE_PX // 5, **options), Source.from_bytes(jpeg), limits=LIMITS, effort=pace)  # type: ignore[arg-type]
    return SIDE_PX // widths[0]
