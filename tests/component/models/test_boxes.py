"""Run detectors of a deployment's own, in every layout of outputs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from darkroom.errors import ModelUnavailable
from darkroom.findings import FACES, OBJECTS, Finding, Region
from darkroom_analysis.models.catalogue import InputSpec, ModelCatalogue, ModelSpec, load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_analysis.models.pixels import ModelInput, ModelOutput, Pixels
from endpoint.box_layouts import LAYOUTS, BoxLayout, parse_layout
from endpoint.boxes import letterbox, name_class, read
from endpoint.engines import ENDPOINT_ENGINES

from .detector import CLASSES, SCORE, SECOND_SCORE, square_detector

SIDE_PX = 160
COLOURS = {"red": "#ff0000", "green": "#00ff00", "trafficblue": "#0000ff"}
INPUT = InputSpec(SIDE_PX, layout="channels-first", deviation=(255.0, 255.0, 255.0))


def drawn(size: tuple[int, int], **squares: tuple[float, float, float, float]) -> Pixels:
    """Rectangles of a colour each, given in fractions, on grey. ``blue`` is the class ``trafficblue``."""
    image = Image.new("RGB", size, "#808080")
    for colour, (left, top, right, bottom) in squares.items():
        box = (left * size[0], top * size[1], right * size[0] - 1, bottom * size[1] - 1)
        ImageDraw.Draw(image).rectangle(box, COLOURS["trafficblue" if colour == "blue" else colour])
    return np.asarray(image)


def spec(layout: str, **changes: object) -> ModelSpec:
    batch_size = 4 if LAYOUTS[layout].batched else 1
    made = ModelSpec("squares", OBJECTS, "1", "squares.onnx", INPUT, prepare="letterbox", read="boxes")
    made = replace(
        made,
        boxes={"layout": layout},
        labels="squares.txt",
        batch_size=batch_size,
        thresholds={"box": 0.5, "overlap": 0.5},
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def loaded(folder: Path, model: ModelSpec, layout: str, labels: tuple[str, ...] = CLASSES) -> ModelSet:
    (folder / "squares.onnx").write_bytes(square_detector(layout, SIDE_PX))
    (folder / "squares.txt").write_text("\n".join(labels), encoding="utf-8")
    return ModelSet(ModelCatalogue({model.task: model}), folder, engines=ENDPOINT_ENGINES)


def boxes_of(finding: Finding) -> dict[str, Region]:
    assert len({found.name for found in finding.objects}) == len(finding.objects)
    return {found.name: found.region for found in finding.objects}


def is_near(region: Region, edges: tuple[float, float, float, float], size: tuple[int, int], factor: float) -> bool:
    """Whether each edge is within a pixel of the detector's input, which is ``factor`` of the image's."""
    left, top, width, height = region
    apart = np.abs(np.array([left, top, left + width, top + height]) - edges) * (*size, *size) * factor
    return bool((apart <= 1.5).all())


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("size", [(160, 160), (640, 320), (90, 450)])
def test_boxes_are_those_of_the_image(layout: str, size: tuple[int, int], tmp_path: Path) -> None:
    places = {"red": (0.1, 0.2, 0.4, 0.5), "blue": (0.5, 0.6, 0.9, 0.95)}
    models = loaded(tmp_path, spec(layout), layout)
    images = [drawn(size, **places), drawn(size), drawn(size, green=(0.0, 0.0, 1.0, 1.0))]
    found, nothing, whole = (one[OBJECTS] for one in models.detect_batch(images, [[OBJECTS]] * 3))
    boxes = boxes_of(found)
    factor = SIDE_PX / max(size)
    assert boxes.keys() == {"red", "trafficblue"}
    assert is_near(boxes["red"], places["red"], size, factor)
    assert is_near(boxes["trafficblue"], places["blue"], size, factor)
    assert nothing.objects == ()
    assert boxes_of(whole)["green"] == pytest.approx((0, 0, 1, 1), abs=0.02)
    assert found.classes == nothing.classes == ("red", "green", "trafficblue")
    assert (found.model, found.version, found.error) == ("squares", "1", "")
    if layout not in ("yolov5", "detr"):
        assert [one.score for one in found.objects] == pytest.approx([SCORE] * 2, abs=1e-5)


@pytest.mark.parametrize("layout", [name for name, layout in LAYOUTS.items() if layout.overlaps])
def test_of_overlapping_boxes_of_a_class_the_best_is_kept(layout: str, tmp_path: Path) -> None:
    """Boxes of different classes are kept where they overlap."""
    image = drawn((160, 160), red=(0.2, 0.2, 0.8, 0.8), green=(0.25, 0.25, 0.75, 0.75))
    model = spec(layout)
    found = loaded(tmp_path, model, layout).detect(image, [OBJECTS])[OBJECTS]
    assert sorted(one.name for one in found.objects) == ["green", "red"]
    lenient = spec(layout, thresholds={"box": 0.5, "overlap": 1.0})
    assert len(loaded(tmp_path, lenient, layout).detect(image, [OBJECTS])[OBJECTS].objects) == 4


@pytest.mark.parametrize(
    ("thresholds", "names"),
    [
        ({"box": 0.85}, ["red", "trafficblue"]),
        ({"box": 0.95}, []),
        ({"box": 0.95, "trafficblue": 0.3}, ["trafficblue"]),
        ({"box": 0.5, "red": 0.95}, ["trafficblue"]),
    ],
)
@pytest.mark.parametrize("layout", ["yolov8", "end-to-end"])
def test_a_class_may_have_its_own_threshold(
    layout: str, thresholds: dict[str, float], names: list[str], tmp_path: Path
) -> None:
    assert SECOND_SCORE < 0.85 < SCORE
    model = spec(layout, thresholds={"overlap": 0.5} | thresholds)
    image = drawn((160, 160), red=(0.1, 0.1, 0.3, 0.3), blue=(0.5, 0.5, 0.9, 0.9))
    found = loaded(tmp_path, model, layout).detect(image, [OBJECTS])[OBJECTS]
    assert [one.name for one in found.objects] == names


def test_objects_are_sorted_by_score_and_end_within_the_image(tmp_path: Path) -> None:
    image = drawn((200, 100), red=(0.9, 0.0, 1.0, 1.0), green=(0.0, 0.5, 0.2, 1.0))
    found = loaded(tmp_path, spec("yolov5"), "yolov5").detect(image, [OBJECTS])[OBJECTS]
    scores = [one.score for one in found.objects]
    assert scores == sorted(scores, reverse=True)
    for one in found.objects:
        assert one.region.left + one.region.width <= 1
        assert one.region.top + one.region.height <= 1


def test_a_detector_may_have_the_task_faces(tmp_path: Path) -> None:
    model = spec("yolov8", task=FACES)
    image = drawn((160, 160), red=(0.1, 0.1, 0.3, 0.3))
    [face] = loaded(tmp_path, model, "yolov8").detect(image, [FACES])[FACES].faces
    assert face.region == pytest.approx((0.1, 0.1, 0.2, 0.2), abs=0.01)


@pytest.mark.parametrize("layout", ["yolov5", "yolov8", "end-to-end", "detr", "torchvision"])
def test_labels_that_are_not_the_models_end_the_analysis(layout: str, tmp_path: Path) -> None:
    """A class with the name of another would redact the wrong objects."""
    image = drawn((160, 160), red=(0.1, 0.1, 0.3, 0.3), blue=(0.5, 0.5, 0.9, 0.9))
    with pytest.raises(ModelUnavailable) as failure:
        loaded(tmp_path, spec(layout), layout, CLASSES[:2]).detect(image, [OBJECTS])
    assert "2 labels" in failure.value.detail


def test_an_output_of_another_layout_ends_the_analysis(tmp_path: Path) -> None:
    image = drawn((160, 160), red=(0.1, 0.1, 0.3, 0.3))
    with pytest.raises(ModelUnavailable) as failure:
        loaded(tmp_path, spec("end-to-end"), "yolov5").detect(image, [OBJECTS])
    assert failure.value.detail == "squares: the outputs are not those of its layout: 8 columns, not 6"


def test_an_output_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no output logits, pred_boxes; there are scores, boxes"):
        loaded(tmp_path, spec("detr"), "boxes-scores")


def test_numbers_without_a_value_are_no_boxes(tmp_path: Path) -> None:
    """An input of NaN has no colour, and boxes of NaN are not in the findings."""
    rows = np.array([[np.nan, 0, 9, 9, 0.9, 0], [1, 1, 9, 9, 0.9, 0], [5, 5, 5, 9, 0.9, 1]], np.float32)
    prepared = ModelInput(np.zeros((3, 10, 10), np.float32), 10, 10)
    found = read(ModelOutput([rows], prepared, CLASSES), spec("end-to-end"))
    assert [one.region for one in found.objects] == [pytest.approx((0.1, 0.1, 0.8, 0.8))]


def test_the_image_is_in_the_corner_of_a_grey_square() -> None:
    image = np.full((20, 40, 3), (255, 0, 0), np.uint8)
    tensor, width, height = letterbox(image, spec("yolov8"))
    assert (tensor.shape, width, height) == ((3, SIDE_PX, SIDE_PX), SIDE_PX, SIDE_PX // 2)
    assert (tensor[:, : SIDE_PX // 2] == np.array([1, 0, 0], np.float32)[:, None, None]).all()
    assert tensor[:, SIDE_PX // 2 :] == pytest.approx(114 / 255)


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("car", "car"),
        ("x" * 40, "x" * 32),
        ("Traffic light", "trafficlight"),
        (" T-Shirt / XL ", "tshirtxl"),
        ("Straße 7", "strae7"),
    ],
)
def test_classes_are_named_as_urls_spell_them(label: str, name: str) -> None:
    assert name_class(label) == name


GOOD = """
[[model]]
name = "mine"
task = "objects"
version = "3"
artefact = "mine.onnx"
prepare = "letterbox"
read = "boxes"
labels = "mine.txt"
thresholds = { box = 0.25, overlap = 0.45, plate = 0.1 }
input = { side_px = 640, layout = "channels-first", deviation = [255.0, 255.0, 255.0] }
[model.boxes]
layout = "yolov8"
"""


def parsed(text: str, tmp_path: Path) -> BoxLayout:
    path = tmp_path / "models.toml"
    path.write_text(text, encoding="utf-8")
    [model] = load_catalogue(path).models.values()
    return parse_layout(model)


def test_a_layout_is_named_and_may_be_changed(tmp_path: Path) -> None:
    assert parsed(GOOD, tmp_path) == LAYOUTS["yolov8"]
    changed = parsed(GOOD.replace('"yolov8"', '"boxes-scores"\nunit = "fraction"\nbackground = "first"'), tmp_path)
    assert changed == replace(LAYOUTS["boxes-scores"], unit="fraction", background="first")
    own = parsed(GOOD.replace('layout = "yolov8"', 'columns = ["class", "score", "box"]'), tmp_path)
    assert own == BoxLayout(("class", "score", "box"))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (('layout = "yolov8"', 'layout = "yolo"'), "mine: boxes.layout is one of yolov5, yolov8"),
        (('[model.boxes]\nlayout = "yolov8"', ""), "mine: boxes.layout is one of yolov5"),
        (('layout = "yolov8"', 'layout = "ssd"\nunit = "cm"'), "mine: boxes.unit is one of px, fraction, not 'cm'"),
        (('layout = "yolov8"', 'columns = ["box", "score"]'), "mine: boxes needs box with classes, or box with score"),
        (
            ('layout = "yolov8"', 'layout = "yolov8"\ncolour = 1'),
            "mine: there is no 'boxes.colour'; there are layout",
        ),
        (('task = "objects"', 'task = "tags"'), "mine: read = 'boxes' is for the tasks objects and faces, not 'tags'"),
        (('labels = "mine.txt"', ""), "mine: labels is a file with a class for each line"),
        (("overlap = 0.45, ", ""), "mine: thresholds needs overlap"),
        (('layout = "yolov8"', 'layout = "yolov8"\nbatched = "no"'), "mine: boxes.batched is bool, not 'no'"),
        (('layout = "yolov8"', 'layout = "yolov8"\nfirst_class = true'), "mine: boxes.first_class is int, not True"),
        (("side_px = 640", "side_px = 640, scaled_px = 700"), "mine: boxes are of the whole image"),
    ],
)
def test_what_is_wrong_with_a_detector_is_named(change: tuple[str, str], complaint: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=complaint):
        parsed(GOOD.replace(*change), tmp_path)


def test_outputs_without_an_axis_for_the_image_have_no_batches(tmp_path: Path) -> None:
    text = GOOD.replace('"yolov8"', '"torchvision"').replace(
        'labels = "mine.txt"', 'labels = "mine.txt"\nbatch_size = 4'
    )
    with pytest.raises(ValueError, match="mine: outputs without an axis for the image need batch_size = 1"):
        parsed(text, tmp_path)
