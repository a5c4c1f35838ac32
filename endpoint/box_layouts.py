"""Layouts of the outputs of object detectors, and the table ``[model.boxes]`` of ``models.toml``.

A layout says what the columns of one output are, or which outputs have the parts. Parts are ``box`` (four numbers),
``objectness`` and ``score`` (a number each), ``class`` (an index), ``classes`` (a score for each class) and ``image``
(an index that is ignored).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from darkroom.findings import FACES, OBJECTS
from darkroom_analysis.models.catalogue import ModelSpec

WORDS = {
    "corners": ("xyxy", "yxyx", "cxcywh"),
    "unit": ("px", "fraction"),
    "activation": ("", "sigmoid", "softmax"),
    "background": ("", "first", "last"),
}
"""Values of the fields of a layout that are words."""

SUFFICIENT = ({"box", "classes"}, {"box", "score", "class"})
"""The parts of a detector, besides ``objectness`` and ``image``."""


@dataclass(frozen=True, slots=True)
class BoxLayout:
    """The layout of a detector's outputs.

    ``columns``: the parts in one output with a row for each box, or with a column if ``transposed``. ``outputs``: the
    names of the outputs by part, if each has its own. ``corners`` of a box are ``xyxy``, ``yxyx`` or ``cxcywh`` (centre
    and size), in ``unit`` ``px`` or ``fraction`` of the input. ``activation`` of ``classes``: ``sigmoid`` or
    ``softmax``, empty for scores from 0 to 1. ``background``: the ``first`` or ``last`` of ``classes`` is none.
    ``first_class``: what ``class`` is for the first label. ``overlaps``: the model leaves non-maximum suppression to
    us. ``batched``: outputs have an axis for the image. ``size_input``: an input that takes width and height.
    """

    columns: tuple[str, ...] = ()
    outputs: Mapping[str, str] = field(default_factory=dict)
    transposed: bool = False
    corners: str = "xyxy"
    unit: str = "px"
    activation: str = ""
    background: str = ""
    first_class: int = 0
    overlaps: bool = False
    batched: bool = True
    size_input: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts, in the order of columns or outputs."""
        return self.columns or tuple(self.outputs)


_TRANSFORMERS = BoxLayout(outputs={"box": "pred_boxes", "classes": "logits"}, corners="cxcywh", unit="fraction")

LAYOUTS: Mapping[str, BoxLayout] = {
    "yolov5": BoxLayout(("box", "objectness", "classes"), corners="cxcywh", overlaps=True),
    "yolov8": BoxLayout(("box", "classes"), transposed=True, corners="cxcywh", overlaps=True),
    "end-to-end": BoxLayout(("box", "score", "class")),
    "yolov7-end-to-end": BoxLayout(("image", "box", "class", "score"), batched=False),
    "boxes-scores": BoxLayout(outputs={"box": "boxes", "classes": "scores"}, overlaps=True),
    "ssd": BoxLayout(
        outputs={"box": "detection_boxes", "score": "detection_scores", "class": "detection_classes"},
        corners="yxyx",
        unit="fraction",
        first_class=1,
    ),
    "torchvision": BoxLayout(outputs={"box": "boxes", "score": "scores", "class": "labels"}, batched=False),
    "detr": replace(_TRANSFORMERS, activation="softmax", background="last"),
    "rt-detr": replace(_TRANSFORMERS, activation="sigmoid"),
    "d-fine": BoxLayout(outputs={"box": "boxes", "score": "scores", "class": "labels"}, size_input="orig_target_sizes"),
}
"""The layouts of common exports, by name: ``yolov5`` (also v7) and ``yolov8`` (also v9, v11) without non-maximum
suppression, ``end-to-end`` (YOLOv10, and exports with ``nms=True``), TensorFlow's object detection API (``ssd``), DETR
and RT-DETR of transformers, the exports of RT-DETR's and D-FINE's own repositories (``d-fine``)."""


def parse_layout(model: ModelSpec) -> BoxLayout:
    """Return the layout in ``model.boxes``: the name of one, and fields that differ from it.

    Raises ValueError for an invalid layout, and for a model without what a detector needs.
    """
    changes = dict(model.boxes)
    name = changes.pop("layout", "")
    if name not in ("", *LAYOUTS) or not model.boxes:
        raise ValueError(f"{model.name}: boxes.layout is one of {', '.join(LAYOUTS)}, not {name!r}")
    layout = replace(LAYOUTS.get(name, BoxLayout()), **_check_fields(model.name, changes))
    for key, words in WORDS.items():
        if getattr(layout, key) not in words:
            raise ValueError(f"{model.name}: boxes.{key} is one of {', '.join(words)}, not {getattr(layout, key)!r}")
    if {*layout.parts} - {"objectness", "image"} not in SUFFICIENT:
        found = ", ".join(layout.parts)
        raise ValueError(f"{model.name}: boxes needs box with classes, or box with score and class, not {found}")
    _check_model(model, layout)
    return layout


def _check_fields(name: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``changes`` with the types of the fields."""
    defaults = {one.name: getattr(BoxLayout(), one.name) for one in fields(BoxLayout)}
    typed = {key: tuple(value) if isinstance(value, list) else value for key, value in changes.items()}
    for key, value in typed.items():
        if key not in defaults:
            raise ValueError(f"{name}: there is no 'boxes.{key}'; there are layout, {', '.join(defaults)}")
        if type(value) is not type(defaults[key]):
            raise ValueError(f"{name}: boxes.{key} is {type(defaults[key]).__name__}, not {value!r}")
    return typed


def _check_model(model: ModelSpec, layout: BoxLayout) -> None:
    if model.task not in (OBJECTS, FACES):
        raise ValueError(f"{model.name}: read = 'boxes' is for the tasks {OBJECTS} and {FACES}, not {model.task!r}")
    if not model.labels:
        raise ValueError(f"{model.name}: labels is a file with a class for each line")
    if missing := {"box", *(["overlap"] if layout.overlaps else [])} - model.thresholds.keys():
        raise ValueError(f"{model.name}: thresholds needs {', '.join(sorted(missing))}")
    if not layout.batched and model.batch_size != 1:
        raise ValueError(f"{model.name}: outputs without an axis for the image need batch_size = 1")
    if model.input.scaled_px:
        raise ValueError(f"{model.name}: boxes are of the whole image, so there is no input.scaled_px")
