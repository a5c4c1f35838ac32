"""Sizes left out of a model's file, and what is no model."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest

from darkroom.models.free_axes import with_free_axes
from tests.images.looking import models_folder

from .classifier import colour_classifier


def shapes(model: bytes) -> list[list[object]]:
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return [value.shape for value in (*session.get_inputs(), *session.get_outputs())]


def test_a_fixed_model_takes_any_size() -> None:
    freed = with_free_axes(colour_classifier(8), "picture")
    assert shapes(freed)[0] == [None] * 4
    session = onnxruntime.InferenceSession(freed, providers=["CPUExecutionProvider"])
    [scores] = session.run(None, {"picture": np.ones((2, 3, 5, 7), np.float32)})
    assert scores.shape == (2, 3)


def test_nothing_but_the_sizes_changes() -> None:
    model = (models_folder() / "centerface.onnx").read_bytes()
    assert shapes(model)[0] == [10, 3, 32, 32]
    freed = with_free_axes(model, "input.1")
    assert shapes(freed) == [[None] * 4, *([None, channels, None, None] for channels in (1, 2, 2, 10))]
    assert 0 < len(model) - len(freed) < 200


def test_another_input_keeps_its_sizes() -> None:
    assert shapes(with_free_axes(colour_classifier(8), "other"))[0] == ["n", 3, 8, 8]


@pytest.mark.parametrize("cut", [1, 40, 200, 3])
def test_a_file_that_ends_too_soon_is_refused(cut: int) -> None:
    with pytest.raises(ValueError, match="no ONNX model"):
        with_free_axes(colour_classifier(8)[:-cut], "picture")


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(ValueError, match="no ONNX model"):
        with_free_axes(b"\xff\xd8\xff\xe0" * 9, "picture")
