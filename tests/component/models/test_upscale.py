"""Models of upscaling: a network as small as possible, and the released one."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper
from PIL import Image
from skimage import data

from cli.models.upscale_model import UPSCALE_TABLE
from darkroom.findings import MAX_UPSCALE_PIXELS, UPSCALE, Finding, finding_from_document, finding_to_document
from darkroom_analysis.models.catalogue import InputSpec, ModelCatalogue, ModelSpec, load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.pixels import Pixels
from endpoint.engines import ENDPOINT_ENGINES
from endpoint.upscale import OVERLAP_PX, TOO_LARGE, list_tiles
from tests.images.upscaling import upscale_folder

SIDE_PX = 2 * OVERLAP_PX + 16
SPEC = ModelSpec(
    "repeat",
    UPSCALE,
    "1",
    "repeat.onnx",
    InputSpec(SIDE_PX, layout="channels-first", deviation=(255.0, 255.0, 255.0)),
    prepare="tile",
    read="image",
)


@pytest.fixture
def models(tmp_path: Path) -> ModelSet:
    """A network that repeats each pixel four times on both axes."""
    image = helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", 3, "h", "w"])
    larger = helper.make_tensor_value_info("output", TensorProto.FLOAT, ["n", 3, "h4", "w4"])
    options = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    node = helper.make_node("Resize", ["input", "", "scales"], ["output"], **options)
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 4, 4])
    graph = helper.make_graph([node], "repeat", [image], [larger], [scales])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "repeat.onnx").write_bytes(model.SerializeToString())
    return ModelSet(ModelCatalogue({UPSCALE: SPEC}), tmp_path, engines=ENDPOINT_ENGINES)


def noise(width: int, height: int) -> Pixels:
    return np.random.default_rng(7).integers(0, 256, (height, width, 3), np.uint8)


def pixels(finding: Finding) -> Pixels:
    image = Image.open(io.BytesIO(finding.raster))
    assert (image.format, image.mode) == ("PNG", "RGB")
    return np.asarray(image)


@pytest.mark.parametrize("size", [(1, 1), (16, 16), (17, 40), (SIDE_PX, SIDE_PX), (150, 33)])
def test_tiles_make_the_whole_image(models: ModelSet, size: tuple[int, int]) -> None:
    image = noise(*size)
    found = models.detect(image, [UPSCALE])[UPSCALE]
    assert np.array_equal(pixels(found), image.repeat(4, 0).repeat(4, 1))
    assert finding_from_document(UPSCALE, finding_to_document(found)) == found


@pytest.mark.parametrize("length", [1, 15, 16, 17, 300])
def test_tiles_cover_an_axis_once(length: int) -> None:
    tiles = list(list_tiles(length, SIDE_PX))
    assert [place for tile in tiles for place in range(tile.start, tile.end)] == list(range(length))
    assert all(0 <= tile.first <= tile.start < tile.end <= tile.last <= length for tile in tiles)
    assert all(tile.last - tile.first <= SIDE_PX for tile in tiles)


def test_only_images_with_the_task_are_enlarged(models: ModelSet) -> None:
    first, second = models.detect_batch([noise(4, 4), noise(5, 4)], [[UPSCALE], []])
    assert pixels(first[UPSCALE]).shape == (16, 16, 3)
    assert second == {}


def test_a_large_image_is_refused(models: ModelSet) -> None:
    side = int(MAX_UPSCALE_PIXELS**0.5) + 1
    found = models.detect(np.zeros((side, side, 3), np.uint8), [UPSCALE])[UPSCALE]
    assert (found.error, found.raster) == (TOO_LARGE, b"")


def test_the_released_model_is_complete() -> None:
    [model] = load_catalogue(UPSCALE_TABLE).models.values()
    assert model.task == UPSCALE
    assert set(model.sha256) == set(model.files)
    assert (model.prepare, model.read) == ("tile", "image")
    assert model.input.side_px > 2 * OVERLAP_PX


@pytest.mark.slow
def test_the_released_model_restores_a_photograph() -> None:
    """It has more of the original than a resampled image has, once it is corrected by the source."""
    from darkroom_pipeline.reencode.upscale import correct, measure_blur
    from tests.images.upscaling import to_vips

    folder = upscale_folder()
    [spec] = load_catalogue(UPSCALE_TABLE).models.values()
    models = ModelSet(ModelCatalogue({UPSCALE: replace(spec)}), folder, engines=ENDPOINT_ENGINES)
    original = to_vips(np.ascontiguousarray(data.chelsea()[40:296, 100:356]))
    source = original.resize(0.25).copy_memory()
    found = models.detect(source.numpy(), [UPSCALE])[UPSCALE]
    assert (found.model, found.error) == ("realesrgan-x4plus", "")
    enlarged, resampled = correct(to_vips(pixels(found)), source), source.resize(4)

    def error(image: object) -> float:
        return float((((image - original) ** 2).avg()) ** 0.5)  # type: ignore[operator]

    assert (enlarged.width, enlarged.height) == (256, 256)
    assert measure_blur(enlarged) < 0.8 * measure_blur(resampled)
    assert error(enlarged) < 1.15 * error(resampled)
