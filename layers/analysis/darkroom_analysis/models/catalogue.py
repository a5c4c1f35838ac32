"""Read and validate ``models.toml``, the table of models."""

from __future__ import annotations

import tomllib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_origin, get_type_hints

from darkroom.findings import MODEL_TASKS

SMALL_MODELS = Path(__file__).with_name("small.toml")
"""The models that run within a Lambda function; their files are in the layer ``inference``."""

LAYOUTS = {"channels-last", "channels-first"}
ORDERS = {"rgb", "bgr"}
TYPES = {"float32", "float16", "uint8"}
CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"
PROVIDERS = (CUDA, CPU)
"""Default providers of onnxruntime, best first; missing ones are skipped. TensorRT compiles a model for minutes, and
again for each size of image, so that a model has to name it."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """The input of a model.

    ``side_px`` is the side of its square, or for faces the longest side. ``scaled_px``: the size before the centre crop
    to ``side_px``; 0 for none. ``mean`` is subtracted from channels of 0–255 in the model's order, then they are
    divided by ``deviation``. ``type`` is that of each number.
    """

    side_px: int
    scaled_px: int = 0
    layout: str = "channels-last"
    order: str = "rgb"
    type: str = "float32"
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    deviation: tuple[float, ...] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model. Files are named as they lie in the model folder: ``artefact``, and ``parts`` by what they do.

    ``engine``, ``prepare`` and ``read`` are names that :mod:`.model_set` and :mod:`.onnx_model` know. ``batch_size``
    is how many images go through it at once. ``output`` is the name of the output that is read; empty for all.
    ``labels`` is the file with the labels of each class, a line each, separated by tabs; without it they are the
    metadata ``labels`` of the artefact. ``softmax`` makes probabilities of the outputs of classes. ``boxes`` is the
    layout of a detector's outputs.
    ``sha256`` has the SHA-256 of each file by its name, in hexadecimal digits; empty for a model that is not verified.
    ``wheel`` has the path of a file in the wheel that it comes from, whose first folder is named like the wheel; empty
    for a model that is not fetched.
    """

    name: str
    task: str
    version: str
    artefact: str
    input: InputSpec
    engine: str = "onnxruntime"
    prepare: str = "square"
    read: str = ""
    output: str = ""
    batch_size: int = 1
    thresholds: Mapping[str, float] = field(default_factory=dict)
    parts: Mapping[str, str] = field(default_factory=dict)
    labels: str = ""
    softmax: bool = False
    boxes: Mapping[str, Any] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)
    wheel: Mapping[str, str] = field(default_factory=dict)
    providers: tuple[str, ...] = PROVIDERS

    @property
    def files(self) -> tuple[str, ...]:
        """All files of the model."""
        return tuple(name for name in (self.artefact, *self.parts.values(), self.labels) if name)

    @property
    def network(self) -> Hashable:
        """What is run for the model: an image goes once through models of one network. A detector has its own."""
        own = self.task if self.boxes else ""
        parts = tuple(sorted(self.parts.items()))
        return self.engine, self.artefact, parts, self.prepare, self.input, self.batch_size, self.providers, own


@dataclass(frozen=True, slots=True)
class ModelCatalogue:
    """The model of each task."""

    models: Mapping[str, ModelSpec]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The declared tasks, in the order of :data:`darkroom.findings.MODEL_TASKS`."""
        return tuple(task for task in MODEL_TASKS if task in self.models)

    def get(self, task: str) -> ModelSpec:
        """Return the model of ``task``. Raises ValueError without one."""
        if task not in self.models:
            raise ValueError(f"there is no model for {task!r}; there are models for {', '.join(self.tasks)}")
        return self.models[task]


def load_catalogue(path: Path) -> ModelCatalogue:
    """Read a ``models.toml``. Raises ValueError that names the model and the problem."""
    return parse_catalogue(path.read_text(encoding="utf-8"))


def parse_catalogue(text: str) -> ModelCatalogue:
    """Parse the text of a ``models.toml``. Raises ValueError that names the model and the problem."""
    models: dict[str, ModelSpec] = {}
    for table in tomllib.loads(text).get("model", []):
        model = _parse_model(table)
        if model.task in models:
            raise ValueError(f"{model.name}: {models[model.task].name} has the task {model.task} already")
        models[model.task] = model
    return ModelCatalogue(models)


def _parse_model(table: Mapping[str, Any]) -> ModelSpec:
    name = str(table.get("name", "a model without a name"))
    try:
        wanted = _parse_input(table.get("input", {}))
        model = ModelSpec(**_parse_fields(ModelSpec, {**table, "input": wanted}))
    except TypeError as error:
        raise ValueError(f"{name}: {error}") from error
    if model.task not in MODEL_TASKS:
        raise ValueError(f"{name}: task is one of {', '.join(MODEL_TASKS)}, not {model.task!r}")
    if model.batch_size < 1:
        raise ValueError(f"{name}: batch_size is 1 or more, not {model.batch_size}")
    if any(Path(file).name != file for file in model.files):
        raise ValueError(f"{name}: files are named without folders")
    if model.sha256 and model.sha256.keys() != set(model.files):
        raise ValueError(f"{name}: sha256 has an entry for each of {', '.join(model.files)}, or none")
    if not model.wheel.keys() <= set(model.files):
        raise ValueError(f"{name}: wheel has entries for {', '.join(model.files)} alone")
    return model


def _parse_input(table: Mapping[str, Any]) -> InputSpec:
    wanted = InputSpec(**_parse_fields(InputSpec, table))
    for key, allowed in (("layout", LAYOUTS), ("order", ORDERS), ("type", TYPES)):
        if getattr(wanted, key) not in allowed:
            raise TypeError(f"input.{key} is one of {', '.join(sorted(allowed))}, not {getattr(wanted, key)!r}")
    if wanted.side_px < 1 or len(wanted.mean) != 3 or len(wanted.deviation) != 3 or 0 in wanted.deviation:
        raise TypeError("input needs side_px, and three numbers each for mean and deviation (not 0)")
    return wanted


def _parse_fields(kind: type, table: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``table`` as fields of a dataclass. Raises TypeError for an unknown name or a wrong type."""
    hints = get_type_hints(kind)
    values = {key: tuple(value) if isinstance(value, list) else value for key, value in table.items()}
    for key, value in values.items():
        if key not in hints:
            raise TypeError(f"there is no {key!r}; there are {', '.join(hints)}")
        wanted = get_origin(hints[key]) or hints[key]
        if not isinstance(value, wanted):
            raise TypeError(f"{key} is {wanted.__name__.lower()}, not {value!r}")
    return values
