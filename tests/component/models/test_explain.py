"""Explain why moderation flags an image: the named cells are the cause of the score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps

from darkroom.findings import FACES, GRID, MODERATION, Explanation, Finding, Label
from darkroom_analysis.models import catalogue
from darkroom_analysis.models.catalogue import ModelCatalogue
from darkroom_analysis.models.explain import CELLS, cover, explain
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.onnx_model import Device, OnnxModel
from darkroom_analysis.models.pixels import Pixels
from tests.images.detectors import models_folder, pixels
from tests.images.hidden import flagged_drawing, widely_flagged_drawing
from tests.images.photographs import photograph

MODEL = catalogue.load_catalogue(catalogue.SMALL_MODELS).get(MODERATION)
THRESHOLD = MODEL.thresholds["nsfw"]

IMAGES = {
    "one figure": flagged_drawing,
    "mirrored": lambda: ImageOps.mirror(flagged_drawing()),
    "large and wide": lambda: flagged_drawing().resize((900, 500)),
    "figures everywhere": widely_flagged_drawing,
}
GREY = (123, 117, 104)


@cache
def real_model() -> OnnxModel:
    return OnnxModel([MODEL], models_folder(), Device())


def detect(images: Sequence[Pixels], batch_size: int = 0) -> list[Finding]:
    return real_model().detect_task(MODERATION, images, batch_size)


@cache
def explained(name: str) -> tuple[Explanation, list[int]]:
    """Return the explanation of an image by the real model, and the number of images in each of its runs."""
    runs: list[int] = []

    def watched(images: Sequence[Pixels], batch_size: int) -> list[Finding]:
        runs.append(len(images))
        assert len(images) <= batch_size
        return detect(images, batch_size)

    explanation = explain(watched, pixels(IMAGES[name]()), MODEL)
    assert explanation is not None
    return explanation, runs


def judge(image: Image.Image) -> tuple[bool, float]:
    [found] = detect([pixels(image)])
    return found.flagged, found.labels[0].score


def covered(image: Image.Image, cells: Sequence[int], colour: tuple[int, int, int]) -> Image.Image:
    """Return ``image`` with cells painted over by an image library, as an operator would."""
    painted = image.copy()
    draw = ImageDraw.Draw(painted)
    for row, column in (divmod(cell, GRID) for cell in cells):
        left, right = (round(image.width * edge / GRID) for edge in (column, column + 1))
        top, bottom = (round(image.height * edge / GRID) for edge in (row, row + 1))
        draw.rectangle((left, top, right - 1, bottom - 1), fill=colour)
    return painted


@pytest.mark.parametrize(
    "name",
    [*(pytest.param(name, marks=pytest.mark.slow) for name in list(IMAGES)[:-1]), "figures everywhere"],
)
def test_covering_the_named_cells_lowers_the_score_below_the_threshold(name: str) -> None:
    image, (explanation, _) = IMAGES[name](), explained(name)
    flagged, score = judge(image)
    assert flagged
    assert explanation.score == pytest.approx(score, abs=0.01)
    assert explanation.threshold == THRESHOLD
    assert 1 <= len(explanation.cells) < CELLS / 2
    assert explanation.covered_score < THRESHOLD
    for colour in (GREY, (0, 0, 0), (255, 255, 255)):
        flagged, score = judge(covered(image, explanation.cells, colour))
        assert (flagged, score < THRESHOLD) == (False, True), colour
    if len(explanation.cells) > 1:
        assert judge(covered(image, explanation.cells[:-1], GREY))[0], "one cell fewer does not suffice"


def test_one_cell_is_not_always_enough() -> None:
    """Otherwise the test above would not see several covered together."""
    explanation, _ = explained("figures everywhere")
    assert len(explanation.cells) > 1
    assert min(explanation.scores) >= THRESHOLD


def test_the_map_has_the_score_with_each_cell_covered() -> None:
    image, (explanation, _) = widely_flagged_drawing(), explained("figures everywhere")
    for cell in (0, explanation.cells[0], 35):
        _, score = judge(covered(image, [cell], GREY))
        assert explanation.scores[cell] == pytest.approx(score, abs=0.03)
    assert explanation.cells[0] == int(np.argmin(explanation.scores))


def test_all_cells_are_one_batch() -> None:
    _, runs = explained("figures everywhere")
    assert runs[:2] == [1, CELLS]
    assert set(runs[2:]) == {1}
    assert len(runs) <= 8


def test_what_is_not_flagged_or_not_loaded_is_not_explained() -> None:
    models = ModelSet(ModelCatalogue({MODERATION: MODEL}), models_folder())
    assert models.explain(pixels(photograph()), MODERATION) is None
    assert models.explain(pixels(widely_flagged_drawing()), FACES) is None


def red_share(images: Sequence[Pixels], _: int) -> list[Finding]:
    """Stand for a model whose score is the share of red, flagged from a tenth on."""
    scores = [float((image == (255, 0, 0)).all(axis=2).mean()) for image in images]
    return [Finding(MODERATION, "m", "1", labels=(Label("red", one),), flagged=one >= 0.1) for one in scores]


RED = replace(MODEL, thresholds={"red": 0.1}, input=replace(MODEL.input, side_px=48, scaled_px=48))


@given(st.dictionaries(st.integers(0, CELLS - 1), st.integers(1, 8), min_size=1))
def test_the_fewest_cells_are_named(red: dict[int, int]) -> None:
    """A cell has 8 × 8 px; ``red`` rows of it are red, so that it counts in proportion."""
    image = np.zeros((48, 48, 3), np.uint8)
    for cell, rows in red.items():
        row, column = divmod(cell, GRID)
        image[row * 8 : row * 8 + rows, column * 8 : column * 8 + 8] = (255, 0, 0)
    total = sum(red.values()) * 8 / 48**2
    found = explain(red_share, image, RED)
    if total < 0.1:
        assert found is None
        return
    assert isinstance(found, Explanation)
    assert found.scores == pytest.approx([total - red.get(cell, 0) * 8 / 48**2 for cell in range(CELLS)])
    assert found.covered_score < 0.1 <= found.score == pytest.approx(total)
    assert found.covered_score == pytest.approx(total - sum(red.get(cell, 0) for cell in found.cells) * 8 / 48**2)
    least, left = 0, total
    for rows in sorted(red.values(), reverse=True):
        if left < 0.1 - 1e-9:
            break
        least, left = least + 1, left - rows * 8 / 48**2
    assert len(found.cells) in (least, least + 1)  # a sum at the threshold itself is rounded either way


def test_an_image_that_stays_flagged_has_no_cells() -> None:
    def always(images: Sequence[Pixels], _: int) -> list[Finding]:
        return [Finding(MODERATION, "m", "1", labels=(Label("x", 0.9),), flagged=True) for _ in images]

    found = explain(always, np.zeros((50, 70, 3), np.uint8), MODEL)
    assert found is not None
    assert (found.cells, found.covered_score, found.scores) == ((), 0.9, (0.9,) * CELLS)


def test_cells_cover_the_whole_image_once() -> None:
    image = np.full((50, 71, 3), 255, np.uint8)
    shares = [(cover(image, [cell], MODEL) != 255).all(axis=2) for cell in range(CELLS)]
    assert (np.sum(shares, axis=0) == 1).all()
    assert cover(image, [0], MODEL)[0, 0].tolist() == [123, 117, 104]
    assert (image == 255).all()
