"""``models.toml``: valid values and error messages."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cli.models.fetch_models import PLACES
from darkroom.findings import FACES
from darkroom_analysis.models import catalogue
from darkroom_analysis.models.catalogue import InputSpec, ModelCatalogue, load_catalogue
from tools.small_models import MAKEFILE, insert_files, list_wheels, small_table

GOOD = """
[[model]]
name = "mine"
task = "tags"
version = "3"
artefact = "mine.onnx"
read = "tags"
labels = "mine.txt"
thresholds = { tag = 0.5 }
input = { side_px = 224 }
"""


def of(text: str, tmp_path: Path) -> ModelCatalogue:
    path = tmp_path / "models.toml"
    path.write_text(text, encoding="utf-8")
    return load_catalogue(path)


def test_defaults(tmp_path: Path) -> None:
    model = of(GOOD, tmp_path).get("tags")
    assert model.input == InputSpec(224)
    assert (model.engine, model.prepare, model.batch_size) == ("onnxruntime", "square", 1)
    assert model.files == ("mine.onnx", "mine.txt")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('task = "tags"', 'task = "smells"'), "mine: task is one of faces, text"),
        (('version = "3"', "version = 3"), "mine: version is str, not 3"),
        (('version = "3"', ""), "mine: .*version"),
        (("side_px = 224", "side_px = 0"), "mine: input needs side_px"),
        (("side_px = 224", "side = 224"), "mine: there is no 'side'; there are side_px"),
        (("side_px = 224", 'side_px = 224, order = "rbg"'), "mine: input.order is one of bgr, rgb, not 'rbg'"),
        (("side_px = 224", "side_px = 224, mean = [1.0]"), "mine: input needs"),
        (("side_px = 224", "side_px = 224, deviation = [1, 0, 1]"), "mine: input needs"),
        (('labels = "mine.txt"', "batch_size = 0"), "mine: batch_size is 1 or more"),
        (('labels = "mine.txt"', 'labels = "../mine.txt"'), "mine: files are named without folders"),
        (('labels = "mine.txt"', 'colour = "red"'), "mine: there is no 'colour'"),
        (
            ('labels = "mine.txt"', 'sha256 = { "other.onnx" = "0a" }'),
            "mine: sha256 has an entry for each of",
        ),
        (
            ('labels = "mine.txt"', 'wheel = { "other.onnx" = "other/other.onnx" }'),
            "mine: wheel has entries for mine.onnx alone",
        ),
        (('name = "mine"', ""), "a model without a name"),
    ],
)
def test_what_is_wrong_is_named(change: tuple[str, str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=complaint):
        of(GOOD.replace(*change), tmp_path)


def test_a_task_has_one_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="other: mine has the task tags already"):
        of(GOOD + GOOD.replace('"mine"', '"other"'), tmp_path)


def test_a_task_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no model for 'faces'; there are models for tags"):
        of(GOOD, tmp_path).get(FACES)


@pytest.mark.parametrize("place", PLACES)
def test_every_file_of_a_model_of_the_project_is_fetched_and_verified(place: str) -> None:
    models = load_catalogue(PLACES[place].table).models.values()
    for model in models:
        assert set(model.files) == model.wheel.keys() == model.sha256.keys(), f"{model.name} in endpoint/models.toml"
    assert {one.name for one in PLACES[place].artefacts} == {file for model in models for file in model.files}


def test_the_table_of_the_layer_is_made_from_that_of_the_endpoint() -> None:
    """The layer has the models that are in its wheels."""
    wheels = list_wheels(PLACES["lambda"].requirements.read_text(encoding="utf-8"))
    text = catalogue.SMALL_MODELS.read_text(encoding="utf-8")
    assert small_table(PLACES["endpoint"].table.read_text(encoding="utf-8"), wheels) == text, "make docs"
    makefile = MAKEFILE.read_text(encoding="utf-8")
    assert insert_files(makefile, text) == makefile, "make docs"
    small, large = load_catalogue(catalogue.SMALL_MODELS), load_catalogue(PLACES["endpoint"].table)
    assert {one.partition("/")[0] for model in small.models.values() for one in model.wheel.values()} == wheels
    assert {model.batch_size for model in small.models.values()} == {1}
    for task, model in small.models.items():
        assert replace(model, batch_size=large.get(task).batch_size) == large.get(task)


def test_a_model_for_another_engine_is_not_in_the_layer() -> None:
    """Also where the layer has its wheel, for another model."""
    text = PLACES["endpoint"].table.read_text(encoding="utf-8")
    wheels = {one.wheel for one in PLACES["endpoint"].artefacts}
    assert small_table(text, wheels) == catalogue.SMALL_MODELS.read_text(encoding="utf-8")
    assert "PP-OCRv6" in small_table(text.replace('engine = "rapidocr"', ""), wheels)


def test_a_layer_without_wheels_has_no_models() -> None:
    table = small_table(PLACES["endpoint"].table.read_text(encoding="utf-8"), set())
    assert "[[model]]" not in table
    assert "FILES := \n" in insert_files(MAKEFILE.read_text(encoding="utf-8"), table)
    with pytest.raises(ValueError, match="no list FILES"):
        insert_files("", table)
