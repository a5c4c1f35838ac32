"""Datasets and heads: what can be learnt is learnt, what cannot is reported, and the same data give the same head."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize

from cli.models.model_folders import SHIPPED, link_files
from cli.training import head as head_module
from cli.training.dataset import MIN_TEST, MIN_TRAIN, Dataset, Example, build_dataset
from cli.training.head import FOLDS, PENALTIES, Head, TagEvaluation, choose_threshold, evaluate, fit, train
from cli.training.head_model import format_table, known_tags, network_of, trained_spec, write_models
from cli.training.report import MAX_TAG_METRICS, TrainedModel, format_card, format_lines, to_document, to_metrics
from darkroom.findings import FACES, LIKENESS, TAGS
from darkroom_analysis.mlops.golden_set import Confusion
from darkroom_analysis.models.catalogue import load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from tests.images.detectors import models_folder, pixels
from tests.images.photographs import photograph

WIDTH = 12
TAG_SETS = (("striped",), ("dotted", "wool"), ("wool",), ())


def unit(vector: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple((vector / np.linalg.norm(vector)).tolist())


def examples(count: int = 200, *, noise: float = 0.1, seed: int = 0) -> Iterator[Example]:
    """Images whose tags are directions of their embedding, one of five of them for the test."""
    rng = np.random.default_rng(seed)
    directions = {tag: rng.normal(size=WIDTH) for tag in ("striped", "dotted", "wool")}
    base = np.abs(rng.normal(size=WIDTH)) * 2
    for number in range(count):
        tags = TAG_SETS[number % len(TAG_SETS)]
        vector = base + sum((directions[tag] for tag in tags), start=np.zeros(WIDTH)) + noise * rng.normal(size=WIDTH)
        digest = sha256(f"{seed} {number}".encode()).hexdigest()
        yield Example(f"{number}.jpg", digest, frozenset(tags), number % 5 == 4, unit(vector), "day")


DATASET = build_dataset(examples(), (), ())
HEAD = train(DATASET)


def test_tags_that_the_embedding_tells_apart_are_learnt() -> None:
    assert HEAD.tags == ("dotted", "striped", "wool")
    assert evaluate(HEAD, DATASET) == {
        "dotted": TagEvaluation(Confusion(10, 0, 0), 40),
        "striped": TagEvaluation(Confusion(10, 0, 0), 40),
        "wool": TagEvaluation(Confusion(20, 0, 0), 80),
    }


def test_a_training_can_be_repeated() -> None:
    again = train(build_dataset(reversed(list(examples())), (), ()))
    assert np.array_equal(again.weights, HEAD.weights)
    assert np.array_equal(again.thresholds, HEAD.thresholds)
    assert again.penalty == HEAD.penalty


def test_the_test_part_is_not_used_for_training() -> None:
    others = [replace(one, tags=frozenset()) if one.is_test and "wool" in one.tags else one for one in examples()]
    dataset = build_dataset(others, ["striped"], ())
    full = build_dataset(examples(), ["striped"], ())
    assert np.array_equal(train(dataset).weights, train(full).weights)


def test_what_is_not_in_the_embedding_is_not_learnt() -> None:
    rng = np.random.default_rng(1)
    shuffled = [
        replace(one, tags=frozenset({"luck"} if rng.random() < 0.5 else ())) for one in examples(400, noise=0.5)
    ]
    dataset = build_dataset(shuffled, (), ())
    one = evaluate(train(dataset, precision=0.95), dataset)["luck"].test
    assert one.true_positives + one.false_positives < 0.2 * dataset.is_test.sum()


def test_the_fit_is_the_minimum() -> None:
    """The slope of the loss is zero there; without a penalty of the bias, the mean score is the share of the tag."""
    rows, targets = DATASET.embeddings, DATASET.targets
    weights, biases = fit(rows, targets, 1e-2)
    scores = 1 / (1 + np.exp(-(rows @ weights.T + biases)))
    assert scores.mean(axis=0) == pytest.approx(targets.mean(axis=0), abs=1e-3)
    assert np.linalg.norm(fit(rows, targets, 1e-1)[0]) < np.linalg.norm(weights)


def draw_dataset(images: int, tags: int, width: int) -> Dataset:
    """Correlated embeddings and tags that are directions of them, 3 % of each wrong; a fifth is for the test."""
    rng = np.random.default_rng(0)
    count, independent = images * 5 // 4, 200
    factors = rng.normal(size=(count, independent)) / np.sqrt(np.arange(1, independent + 1))
    has_tag = rng.random((count, tags)) < 0.3
    embeddings = np.abs(rng.normal(size=width)) * 2 + rng.normal(size=(count, width)) / 2
    embeddings += factors @ rng.normal(size=(independent, width)) * 0.4
    embeddings += has_tag @ rng.normal(size=(tags, width)) * 0.35
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    targets = has_tag ^ (rng.random(has_tag.shape) < 0.03)
    return Dataset(tuple(map(str, range(tags))), embeddings, targets, np.arange(count) % 5 == 4)


def test_correlated_features_take_few_steps_to_the_same_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features of embeddings are correlated: along these, L-BFGS takes several times as many steps."""
    dataset = draw_dataset(120, 3, width=150)
    used: list[int] = []

    def count(*arguments: Any, **options: Any) -> Any:
        found = minimize(*arguments, **options)
        used.append(found.nfev)
        return found

    monkeypatch.setattr(head_module, "minimize", count)
    found = train(dataset)
    assert len(used) == FOLDS * len(PENALTIES) + 1
    assert sum(used) < 15 * len(used)
    weights, biases = solve(dataset.embeddings[~dataset.is_test], dataset.targets[~dataset.is_test], found.penalty)
    expected = Head(found.tags, weights, biases, found.thresholds, found.penalty)
    assert found.score(dataset.embeddings) == pytest.approx(expected.score(dataset.embeddings), abs=1e-3)


def solve(embeddings: NDArray[np.float64], targets: NDArray[np.bool_], penalty: float) -> tuple[Any, Any]:
    """Weights and biases by Newton's method, a tag after the other, in the embeddings' own features."""
    centre = embeddings.mean(axis=0)
    scale = 1 / np.linalg.norm(embeddings - centre, axis=1).mean()
    inputs = np.column_stack([(embeddings - centre) * scale, np.ones(len(embeddings))])
    penalties = np.diag([penalty] * embeddings.shape[1] + [0.0])
    tables = []
    for column in targets.T:
        table = np.zeros(inputs.shape[1])
        for _ in range(30):
            scores = 1 / (1 + np.exp(-inputs @ table))
            slope = inputs.T @ (scores - column) / len(inputs) + penalties @ table
            curvature = (inputs.T * (scores * (1 - scores))) @ inputs / len(inputs) + penalties
            table -= np.linalg.solve(curvature, slope)
        tables.append(table)
    weights = np.array(tables)[:, :-1] * scale
    return weights, np.array(tables)[:, -1] - weights @ centre


@pytest.mark.parametrize(
    ("scores", "targets", "expected"),
    [
        ([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0], 0.5),
        ([0.9, 0.8, 0.7, 0.1], [1, 1, 0, 0], 0.75),
        ([0.9, 0.8, 0.7, 0.6], [1, 1, 1, 1], 0.5),
        ([0.95, 0.9, 0.8], [0, 1, 1], 0.95),
        ([0.4, 0.3], [0, 0], 0.5),
        ([0.1, 0.9, 0.8], [0, 1, 1], 0.5),
    ],
)
def test_a_threshold_is_the_lowest_of_the_precision(scores: list[float], targets: list[int], expected: float) -> None:
    assert choose_threshold(np.array(scores), np.array(targets, np.bool_), 0.95) == pytest.approx(expected)


def test_a_lower_precision_finds_more() -> None:
    scores, targets = np.array([0.9, 0.8, 0.7, 0.6]), np.array([1, 0, 1, 1], np.bool_)
    assert choose_threshold(scores, targets, 0.75) == 0.5
    assert choose_threshold(scores, targets, 0.9) == pytest.approx(0.85)


def test_copies_count_once_and_have_to_agree() -> None:
    some = list(examples())
    assert len(build_dataset([*some, replace(some[0], key="copy.jpg")], (), ()).targets) == len(some)
    other = replace(some[0], key="copy.jpg", tags=frozenset({"wool"}), origin="other day")
    with pytest.raises(
        ValueError, match=r"different tags: 0\.jpg \(striped, day\) and copy\.jpg \(wool, other day\)\. "
    ):
        build_dataset([*some, other], (), ())
    assert build_dataset([*some, other], ["dotted"], ()).tags == ("dotted",)  # about which they agree


def test_tags_that_the_model_knows_are_trained_on_request_only() -> None:
    assert build_dataset(examples(), (), ["wool"]).tags == ("dotted", "striped")
    assert build_dataset(examples(), ["wool"], ["wool"]).tags == ("wool",)
    with pytest.raises(ValueError, match="no tag that the model does not know"):
        build_dataset(examples(), (), ["wool", "dotted", "striped"])


def test_too_few_images_are_named_by_tag_and_part() -> None:
    few = list(examples(40))
    with pytest.raises(ValueError, match="striped: 8 images with it for training, of 10; ") as refused:
        build_dataset(few, (), ())
    assert f"dotted: 2 images with it for test, of {MIN_TEST}" in str(refused.value)
    always = [replace(one, tags=one.tags | {"cloth"}) for one in examples()]
    with pytest.raises(ValueError, match=f"cloth: 0 images without it for training, of {MIN_TRAIN}"):
        build_dataset(always, ["cloth"], ())
    with pytest.raises(ValueError, match="silk: 0 images with it for training"):
        build_dataset(examples(), ["silk"], ())


def trained(head: Head = HEAD) -> TrainedModel:
    spec = load_catalogue(Path("endpoint/models.toml")).get(TAGS)
    return TrainedModel(spec, head, DATASET, evaluate(head, DATASET), ["one", "two"])


def test_the_report_has_the_counts_of_the_test() -> None:
    lines = list(format_lines(trained()))
    assert lines[0] == "160 images for training, 40 for the test"
    assert lines[2].split() == ["dotted", "40", "10", "10", "0", "0", "100%", "100%", f"{HEAD.thresholds[0]:.2f}"]
    assert lines[-1].split() == ["all", "40", "40", "0", "0", "100%", "100%"]
    assert to_metrics(trained())["recall-wool"] == 1.0
    assert to_document(trained())["wool"] == {
        "train_images": 80, "test_images": 20, "right": 20, "wrong": 0, "missed": 0, "precision": 1.0, "recall": 1.0,
        "threshold": HEAD.thresholds[2],
    }  # fmt: skip
    assert f"| wool | 80 | 20 | 0 | 0 | 100% | 100% | {HEAD.thresholds[2]:.2f} |" in format_card(trained())


def test_a_precision_of_nothing_is_missing() -> None:
    """Nothing reaches the threshold, so that there is no precision, and a recall of 0."""
    strict = replace(HEAD, thresholds=np.full(3, 2.0))
    metrics = to_metrics(trained(strict))
    assert "precision" not in metrics
    assert metrics["recall"] == 0.0
    assert list(format_lines(trained(strict)))[-1].split()[-2:] == ["–", "0%"]


def test_the_registry_gets_as_many_metrics_as_it_stores() -> None:
    model = trained()
    many = {f"men's {number}": one for number in range(60) for one in model.by_tag.values()}
    metrics = to_metrics(replace(model, by_tag=many))
    assert len(metrics) == 4 + 2 * MAX_TAG_METRICS
    assert "precision-men_s 0" in metrics


@pytest.fixture(scope="module")
def head_of_two() -> Head:
    """A head over the real embedding: the photograph has the first tag, and not the second, which the model knows."""
    _, spec = network_of(models_folder())
    vector = embedding(ModelSet(load_catalogue(Path("endpoint/models.toml")), models_folder(), (spec.task, LIKENESS)))
    weights = np.stack([vector * 4, -vector * 4])
    return Head(("portrait", "cat"), weights, np.array([-1.0, 1.0]), np.array([0.61234, 0.7]), 1e-3)


def embedding(models: ModelSet) -> NDArray[np.float64]:
    return np.array(models.detect(pixels(photograph()), (LIKENESS,))[LIKENESS].vector)


@pytest.mark.slow
def test_the_written_model_scores_as_the_head_does(head_of_two: Head, tmp_path: Path) -> None:
    spec = write_models(models_folder(), tmp_path, head_of_two)
    write_models(models_folder(), tmp_path, head_of_two)  # over the first
    catalogue = load_catalogue(tmp_path / "models.toml")
    assert catalogue.get(TAGS) == spec
    assert spec.thresholds["portrait"] == 0.6123
    assert spec.thresholds["tag"] == 0.9
    before = ModelSet(load_catalogue(Path("endpoint/models.toml")), models_folder(), (TAGS, LIKENESS))
    after = ModelSet(catalogue, tmp_path, (TAGS, LIKENESS))
    image = pixels(photograph())
    found = after.detect(image, (TAGS, LIKENESS))
    assert found[LIKENESS] == before.detect(image, (LIKENESS,))[LIKENESS]
    labels = {label.name: label.score for label in found[TAGS].labels}
    known = {label.name: label.score for label in before.detect(image, (TAGS,))[TAGS].labels}
    expected = head_of_two.score(embedding(before)[np.newaxis])[0]
    assert labels.pop("portrait") == pytest.approx(expected[0], abs=1e-5)
    assert labels == pytest.approx(known, abs=1e-5)
    assert found[TAGS].version.startswith("pytorch-model-0.1.0-1-trained-")
    trained_tags = known_tags((tmp_path / spec.artefact).read_bytes())
    assert {"portrait", "cat", "dog"} <= set(trained_tags)


def test_the_table_of_a_model_has_tags_of_all_planes(head_of_two: Head, tmp_path: Path) -> None:
    """JSON in ASCII spells them with surrogate pairs, which TOML refuses."""
    _, tags = network_of(models_folder())
    wanted = trained_spec(tags, replace(head_of_two, tags=("\U0001f984", 'a "b" \\')), "0" * 64)
    (tmp_path / "models.toml").write_text(format_table(SHIPPED.read_text(), tags, wanted), encoding="utf-8")
    thresholds = load_catalogue(tmp_path / "models.toml").get(TAGS).thresholds
    assert (thresholds["\U0001f984"], thresholds['a "b" \\']) == (0.6123, 0.7)


def test_a_table_of_another_layout_is_refused_before_anything_is_written(head_of_two: Head, tmp_path: Path) -> None:
    models, folder = tmp_path / "models", tmp_path / "folder"
    _, spec = network_of(models_folder())
    link_files([spec.artefact], models_folder(), models)
    (models / "models.toml").write_text(SHIPPED.read_text().replace("softmax = true", "softmax=true"))
    with pytest.raises(ValueError, match="has another layout than expected"):
        write_models(models, folder, head_of_two)
    assert not folder.exists()


def test_all_other_models_are_those_that_are_served(head_of_two: Head, tmp_path: Path) -> None:
    spec = write_models(models_folder(), tmp_path, head_of_two)
    catalogue, shipped = load_catalogue(tmp_path / "models.toml"), load_catalogue(Path("endpoint/models.toml"))
    assert catalogue.tasks == shipped.tasks
    assert catalogue.get(FACES) == shipped.get(FACES)
    assert catalogue.get(LIKENESS).version == shipped.get(LIKENESS).version
    files = {file for task in shipped.tasks for file in shipped.get(task).files}
    assert {file.name for file in tmp_path.iterdir() if file.is_symlink()} == files - {spec.artefact}
    with pytest.raises(ValueError, match="Train from the models of the project, not from trained ones"):
        network_of(tmp_path)
