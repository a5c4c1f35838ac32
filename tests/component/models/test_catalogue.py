"""``models.toml``: valid values and error messages."""

from __future__ import annotations

from pathlib import Path

import pytest

from darkroom.findings import FACES, MODERATION, SIMILARITY, TASKS, TEXT
from darkroom.models import catalogue
from darkroom.models.catalogue import InputSpec, ModelCatalogue, load_catalogue
from tools.fetch_models import PLACES

ROOT = Path(__file__).parents[3]
TABLES = {"lambda": catalogue.SMALL_MODELS, "endpoint": ROOT / "endpoint" / "models.toml"}
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


def test_the_tasks_of_the_two_tables() -> None:
    assert load_catalogue(TABLES["lambda"]).tasks == (FACES, MODERATION, SIMILARITY)
    assert load_catalogue(TABLES["endpoint"]).tasks == (FACES, TEXT, MODERATION, SIMILARITY)
    assert set(load_catalogue(TABLES["endpoint"]).tasks) < set(TASKS)


@pytest.mark.parametrize("place", TABLES)
def test_what_is_declared_is_fetched_and_has_the_same_digest(place: str) -> None:
    models = load_catalogue(TABLES[place]).models.values()
    assert {file for model in models for file in model.files} == {one.name for one in PLACES[place].artefacts}
    digests = {name: digest for model in models for name, digest in model.sha256.items()}
    assert digests == {one.name: one.digest for one in PLACES[place].artefacts}


def test_both_tables_agree_on_the_same_model() -> None:
    small, large = load_catalogue(TABLES["lambda"]), load_catalogue(TABLES["endpoint"])
    for task, model in small.models.items():
        other = large.get(task)
        assert (model.name, model.version, model.input) == (other.name, other.version, other.input)
        assert (model.thresholds, model.artefact) == (other.thresholds, other.artefact)
