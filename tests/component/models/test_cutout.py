"""Models of cut-outs: a network as small as possible, and the table of the one that is released."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image

from cli.models.cutout_model import CUTOUT_TABLE
from darkroom.findings import CUTOUT, MAX_RASTER_PX, Finding, finding_from_document, finding_to_document
from darkroom_analysis.models.catalogue import InputSpec, ModelCatalogue, ModelSpec, load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.pixels import Pixels
from endpoint.engines import ENDPOINT_ENGINES

SIDE_PX = 64


@pytest.fixture
def models(tmp_path: Path) -> ModelSet:
    """A network whose coverage is the red channel, among other outputs."""
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, SIDE_PX, SIDE_PX])
    mask = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 1, SIDE_PX, SIDE_PX])
    other = helper.make_tensor_value_info("other", TensorProto.FLOAT, ["n", 2, SIDE_PX, SIDE_PX])
    split = helper.make_node("Split", ["input", "sizes"], ["output", "other"], axis=1)
    sizes = helper.make_tensor("sizes", TensorProto.INT64, [2], [1, 2])
    graph = helper.make_graph([split], "red", [image], [other, mask], [sizes])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    (tmp_path / "red.onnx").write_bytes(model.SerializeToString())
    wanted = InputSpec(SIDE_PX, layout="channels-first", deviation=(255.0, 255.0, 255.0))
    spec = ModelSpec("red", CUTOUT, "1", "red.onnx", wanted, prepare="whole", read="mask", output="output")
    return ModelSet(ModelCatalogue({CUTOUT: spec}), tmp_path, engines=ENDPOINT_ENGINES)


def half_red(width: int, height: int) -> Pixels:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[:, width // 2 :, 0] = 255
    return pixels


def raster(finding: Finding) -> Pixels:
    image = Image.open(io.BytesIO(finding.raster))
    assert (image.format, image.mode) == ("PNG", "L")
    return np.asarray(image)


@pytest.mark.parametrize(
    ("size", "expected"), [((200, 100), (200, 100)), ((2048, 512), (MAX_RASTER_PX, 256)), ((3000, 1), (1024, 1))]
)
def test_a_raster_has_the_shape_of_the_image(
    models: ModelSet, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    found = models.detect(half_red(*size), [CUTOUT])[CUTOUT]
    covered = raster(found)
    assert covered.shape[::-1] == expected
    assert covered[:, : expected[0] // 2 - expected[0] // 20].max(initial=0) == 0
    assert covered[:, expected[0] // 2 + expected[0] // 20 :].min(initial=255) == 255


def test_a_raster_survives_the_response_and_the_sidecar(models: ModelSet) -> None:
    found = models.detect(half_red(80, 60), [CUTOUT])[CUTOUT]
    document = finding_to_document(found)
    assert base64.b64decode(document["raster"]) == found.raster
    assert finding_from_document(CUTOUT, document) == found


def test_the_released_model_is_complete() -> None:
    [model] = load_catalogue(CUTOUT_TABLE).models.values()
    assert model.task == CUTOUT
    assert set(model.sha256) == set(model.files)
    assert (model.prepare, model.read) == ("whole", "mask")
