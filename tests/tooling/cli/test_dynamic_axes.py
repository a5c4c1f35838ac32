"""Tests of models rewritten for inputs of any size, by the command and by the fetcher."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from cli.models import dynamic_axes
from cli.models.dynamic_axes import with_dynamic_axes
from tests.component.models.classifier import colour_classifier
from tests.images.detectors import models_folder


def shapes(model: bytes) -> list[list[object]]:
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return [value.shape for value in (*session.get_inputs(), *session.get_outputs())]


def test_a_model_of_one_size_accepts_any() -> None:
    rewritten = with_dynamic_axes(colour_classifier(8), "picture")
    assert shapes(rewritten)[0] == [None] * 4
    session = onnxruntime.InferenceSession(rewritten, providers=["CPUExecutionProvider"])
    [scores] = session.run(None, {"picture": np.ones((2, 3, 5, 7), np.float32)})
    assert scores.shape == (2, 3)


def test_the_fetched_model_has_no_sizes_and_all_its_weights() -> None:
    model = (models_folder() / "centerface-dynamic.onnx").read_bytes()
    assert shapes(model) == [[None] * 4, *([None, channels, None, None] for channels in (1, 2, 2, 10))]
    weights = onnx.load_model_from_string(model).graph.initializer
    assert sum(np.prod(one.dims) for one in weights) > 1_700_000


def test_another_input_keeps_its_sizes() -> None:
    assert shapes(with_dynamic_axes(colour_classifier(8), "other"))[0] == ["n", 3, 8, 8]


def test_a_file_that_ends_too_soon_is_refused() -> None:
    with pytest.raises(Exception, match="parsing"):
        with_dynamic_axes(colour_classifier(8)[:-3], "picture")


def test_the_command_of_the_layer_writes_the_same(tmp_path: Path) -> None:
    source, target = tmp_path / "in.onnx", tmp_path / "out.onnx"
    source.write_bytes(colour_classifier(8))
    script = Path(dynamic_axes.__file__).parents[2] / "layers" / "inference" / "dynamic_axes.py"
    subprocess.run([sys.executable, script, source, "picture", target], check=True)
    assert target.read_bytes() == with_dynamic_axes(colour_classifier(8), "picture")
