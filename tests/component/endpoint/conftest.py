"""One server for all read-only tests, with a custom tagging model and a custom detector besides the four that ship."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from darkroom.findings import SIMILARITY, TASKS
from darkroom_analysis.models import catalogue
from local import tool_venvs
from local.progress import Progress
from tests.component.models.classifier import COLOURS, colour_classifier
from tests.component.models.detector import CLASSES, square_detector
from tests.images.detectors import ROOT, models_folder

from .serving import BATCH_SIZE, Server, select_models, serving

OWN_MODELS = """
[[model]]
name = "colours"
task = "tags"
version = "1"
artefact = "colours.onnx"
labels = "colours.txt"
read = "tags"
softmax = true
batch_size = 8
thresholds = { tag = 0.5 }
input = { side_px = 16, layout = "channels-first", deviation = [255, 255, 255] }

[[model]]
name = "squares"
task = "objects"
version = "2"
artefact = "squares.onnx"
labels = "squares.txt"
prepare = "letterbox"
read = "boxes"
batch_size = 8
thresholds = { box = 0.5, overlap = 0.5 }
input = { side_px = 160, layout = "channels-first", deviation = [255, 255, 255] }
[model.boxes]
layout = "yolov8"
"""


@pytest.fixture(scope="package")
def environment() -> None:
    """The endpoint's virtual environment, made when first needed."""
    asyncio.run(tool_venvs.ensure_one(tool_venvs.ENDPOINT, Progress()))


@pytest.fixture(scope="package")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as SageMaker unpacks it: the model table, the model files and two custom models."""
    folder = tmp_path_factory.mktemp("models")
    for file in models_folder().glob("*.onnx"):
        (folder / file.name).symlink_to(file)
    (folder / "colours.onnx").write_bytes(colour_classifier(16))
    (folder / "colours.txt").write_text("\n".join(COLOURS), encoding="utf-8")
    (folder / "squares.onnx").write_bytes(square_detector("yolov8", 160))
    (folder / "squares.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    shipped = select_models(ROOT / "endpoint" / "models.toml", {*TASKS} - {"tags", "objects"})
    (folder / "models.toml").write_text(shipped + OWN_MODELS, encoding="utf-8")
    return folder


@pytest.fixture(scope="package")
def server(environment: None, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(models, tmp_path_factory.mktemp("endpoint")) as started:
        yield started


@pytest.fixture(scope="package")
def batching(environment: None, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that waits nearly as long as a request may take for a full batch of :data:`BATCH_SIZE`."""
    variables = {"BATCH_SIZE": str(BATCH_SIZE), "BATCH_WAIT_MS": "50000"}
    with serving(models, tmp_path_factory.mktemp("batching"), **variables) as started:
        yield started


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A folder of models with the fewest in it."""
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "models.toml").write_text(select_models(catalogue.SMALL_MODELS, {SIMILARITY}), encoding="utf-8")
    (folder / "sscd.onnx").symlink_to(models_folder() / "sscd.onnx")
    return folder
