"""Background re-encoding: fewer bytes at equal similarity to the rendered image."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
import pyvips
from PIL import Image

from darkroom.errors import DamagedSource
from darkroom.findings import Findings
from darkroom.imaging.quality.auto_quality import TARGET_SCORE
from darkroom.imaging.quality.search import SCORE_WINDOW
from darkroom.imaging.quality.ssimulacra2 import Comparator
from darkroom.imaging.render import context
from darkroom.imaging.source import Source
from darkroom.plan.limits import Limits
from darkroom.plan.model import Plan, Watermark
from darkroom_pipeline.reencode.search import (
    MAX_ENCODES,
    MAX_SCORE_LOSS,
    MAX_SIZE_RATIO,
    ReencodeResult,
    reencode,
    should_replace,
)
from tests.images.photographs import jpeg_photo, photograph
from tests.images.rendering import apart, frames, made, seen
from tests.images.sources import SVG, saved


def again(
    source: bytes, stored: bytes, *, mark: bytes | None = None, known: Findings | None = None, **options: Any
) -> ReencodeResult | None:
    plan = Plan("photo", **options)
    return reencode(plan, Source.from_bytes(source), stored, limits=Limits(), watermark=mark, findings=known)


def finished(source: bytes, *, mark: bytes | None = None, **options: Any) -> pyvips.Image:
    """The image that no encoder has lost anything of."""
    return pyvips.Image.new_from_buffer(made(source, mark=mark, **(options | {"format": "png"})).body, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("form", "width", "quality"), [("jpeg", 400, 60), ("webp", 640, None), ("webp", 640, 50), ("avif", 320, None)]
)
def test_a_photograph_takes_fewer_bytes_for_its_score(form: str, width: int, quality: int | None) -> None:
    options: dict[str, Any] = {"width": width, "format": form, "quality": quality}
    stored = made(jpeg_photo(), **options)
    found = again(jpeg_photo(), stored.body, **options)
    assert found is not None
    image = found.image
    assert len(image.body) <= MAX_SIZE_RATIO * len(stored.body)
    assert (image.content_type, image.width, image.height) == (f"image/{form}", stored.width, stored.height)
    comparator = Comparator(finished(jpeg_photo(), width=width))
    assert comparator.score(image.body) >= comparator.score(stored.body) - MAX_SCORE_LOSS
    scores = (comparator.score(stored.body), comparator.score(image.body))
    assert (found.stored_score, found.score) == pytest.approx(scores)


@pytest.mark.slow
@pytest.mark.parametrize("width", [320, 640])
def test_auto_quality_is_searched_again_with_more_options(width: int) -> None:
    options: dict[str, Any] = {"width": width, "format": "webp", "quality": "auto"}
    stored = made(jpeg_photo(), **(options | {"quality": 92}))
    found = again(jpeg_photo(), stored.body, **options)
    assert found is not None
    comparator = Comparator(finished(jpeg_photo(), width=width))
    scores = (comparator.score(stored.body), comparator.score(found.image.body))
    assert (found.stored_score, found.score) == pytest.approx(scores)
    assert found.score == pytest.approx(TARGET_SCORE, abs=SCORE_WINDOW)
    assert again(jpeg_photo(), found.image.body, **options) is None


@pytest.mark.slow
def test_a_first_response_of_low_quality_is_improved() -> None:
    options: dict[str, Any] = {"width": 320, "format": "webp", "quality": "auto"}
    stored = made(jpeg_photo(), **(options | {"quality": 50}))
    found = again(jpeg_photo(), stored.body, **options)
    assert found is not None
    assert len(found.image.body) > len(stored.body)
    assert found.score == pytest.approx(TARGET_SCORE, abs=SCORE_WINDOW)


@pytest.mark.parametrize(
    ("size_bytes", "score", "better"),
    [(1000, 75.0, False), (985, 75.0, True), (995, 75.0, False), (1000, 75.5, True), (900, 73.0, False)],
)
def test_what_suits_is_worth_a_percent_at_an_equal_score(size_bytes: int, score: float, better: bool) -> None:
    assert should_replace((size_bytes, score), (1000, 75.0)) is better
    assert should_replace((size_bytes, score), (1000, 75.0 - SCORE_WINDOW - 0.1))


def test_what_is_lossless_stays_so() -> None:
    wide, tall = np.meshgrid(np.arange(400), np.arange(300))
    grain = np.random.default_rng(1).normal(50, 2, (300, 400, 1))
    slopes = np.stack([wide / 2, tall / 2, (wide + tall) / 4], axis=-1)
    source = saved(Image.fromarray(np.clip(slopes + grain, 0, 255).astype(np.uint8)), "PNG")
    stored = made(source, width=160, format="png")
    found = again(source, stored.body, width=160, format="png")
    assert found is not None
    assert apart(seen(found.image.body), seen(stored.body)) == 0


@pytest.mark.slow
def test_a_drawing_stays_sharp() -> None:
    drawing = saved(Image.open(io.BytesIO(made(SVG, width=700).body)).convert("RGB"), "PNG")
    stored = made(drawing, width=500, format="auto-webp")
    found = again(drawing, stored.body, width=500, format="auto-webp")
    body = found.image.body if found else stored.body
    assert apart(seen(body), seen(stored.body)) == 0


@pytest.mark.slow
def test_an_animation_keeps_its_frames() -> None:
    shots = [photograph().resize((200, 200)).rotate(angle) for angle in (0, 4, 8)]
    source = saved(shots[0], "WEBP", save_all=True, append_images=shots[1:], duration=80, loop=0, quality=95)
    stored = made(source, width=160, format="webp")
    found = again(source, stored.body, width=160, format="webp")
    assert found is not None
    assert found.score is None
    assert found.image.frames == len(frames(found.image.body)) == 3
    for new, old in zip(frames(found.image.body), frames(stored.body), strict=True):
        assert apart(new[..., :3], old[..., :3]) < 4


@pytest.mark.slow
def test_nothing_is_forgotten_that_the_plan_requests() -> None:
    mark = saved(Image.new("RGBA", (60, 60), (255, 0, 0, 255)), "PNG")
    options: dict[str, Any] = {"width": 320, "format": "webp", "grayscale": True, "watermark": Watermark("logo")}
    stored = made(jpeg_photo(), mark=mark, **options)
    found = again(jpeg_photo(), stored.body, mark=mark, **options)
    assert found is not None
    assert apart(seen(found.image.body), seen(stored.body)) < 3
    red = np.asarray(seen(found.image.body)[..., 0], dtype=int) - seen(found.image.body)[..., 1]
    assert red.max() > 150


@pytest.mark.slow
def test_what_is_thorough_already_stays() -> None:
    options: dict[str, Any] = {"width": 640, "format": "webp"}
    first = again(jpeg_photo(), made(jpeg_photo(), **options).body, **options)
    assert first is not None
    assert again(jpeg_photo(), first.image.body, **options) is None


def test_only_what_can_be_compared_is_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    other = made(jpeg_photo(), width=300, format="webp")
    assert again(jpeg_photo(), other.body, width=640, format="webp") is None
    tiny = made(jpeg_photo(), width=12, format="webp")
    assert again(jpeg_photo(), tiny.body, width=12, format="webp") is None
    stored = made(jpeg_photo(), width=640, format="webp")
    monkeypatch.setattr(context, "IN_MEMORY_PIXELS", 1000)
    assert again(jpeg_photo(), stored.body, width=640, format="webp") is None


def test_a_damaged_master_is_reported() -> None:
    stored = made(jpeg_photo(), width=320, format="webp")
    with pytest.raises(DamagedSource):
        again(jpeg_photo()[:20_000], stored.body, width=320, format="webp")


@pytest.mark.slow
def test_a_search_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    scored: list[bytes] = []
    real = Comparator.score

    def score(comparator: Comparator, body: bytes) -> float:
        scored.append(body)
        return real(comparator, body)

    stored = made(jpeg_photo(), width=320, format="webp", quality=99)
    monkeypatch.setattr(Comparator, "score", score)
    again(jpeg_photo(), stored.body, width=320, format="webp", quality=20)
    assert len(scored) <= 1 + MAX_ENCODES
