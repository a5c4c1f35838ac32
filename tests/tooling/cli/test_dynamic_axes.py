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
from darkroom_analysis.models.catalogue import load_catalogue
from tests.component.endpoint.loading import TABLE
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
    graph = onnx.load_model_from_string(model).graph
    assert sum(np.prod(one.dims) for one in graph.initializer) > 1_700_000
    assert [value.name for value in graph.input] == ["input.1"], "weights that callers could replace"


def test_weights_are_no_inputs_and_results_stay() -> None:
    """onnxruntime prepares weights at load only if they cannot be replaced."""
    old = onnx.load_model_from_string(colour_classifier(8))
    [weight] = old.graph.initializer
    old.graph.input.append(onnx.helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    listed = old.SerializeToString()
    rewritten = with_dynamic_axes(listed, "picture")
    assert [value.name for value in onnx.load_model_from_string(rewritten).graph.input] == ["picture"]
    inputs = {"picture": np.random.default_rng(3).random((2, 3, 8, 8), np.float32)}
    before, after = (
        onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, inputs)
        for model in (listed, rewritten)
    )
    np.testing.assert_allclose(after, before, rtol=1e-6)


@pytest.mark.parametrize("name", [model.artefact for model in load_catalogue(TABLE).models.values()])
def test_no_model_of_the_endpoint_has_weights_that_callers_can_replace(name: str) -> None:
    session = onnxruntime.InferenceSession(models_folder() / name, providers=["CPUExecutionProvider"])
    assert session.get_overridable_initializers() == []


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
