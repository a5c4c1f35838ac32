"""Run a model with onnxruntime, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from darkroom.errors import ModelUnavailable
from darkroom.findings import Finding

from . import classifiers, faces
from .catalogue import CPU, CUDA, ModelSpec
from .pixels import ModelInput, ModelOutput, Pixels

ERRORS_ONLY = 3
"""Log severity of onnxruntime: two of the models log hundreds of warnings at load."""

PREPARE = {"square": classifiers.prepare, "planes": faces.prepare}
READ = {
    "faces": faces.read,
    "moderation": classifiers.moderation,
    "vector": classifiers.vector,
    "tags": classifiers.tags,
}
"""Values of ``prepare`` and ``read`` in ``models.toml``."""

LABELS = "labels"
"""The metadata of an ONNX file with the labels of its classes, as a file of labels has them."""

type Read = Callable[[ModelOutput, ModelSpec], Finding]


@dataclass(frozen=True, slots=True)
class Device:
    """What a network runs on: the GPU with this ``number`` if there is one, else ``threads`` of the CPU.

    0 threads are one for each core. ``at_once`` runs share the CPU.
    """

    number: int = 0
    threads: int = 0
    at_once: int = 1


class OnnxModel:
    """The network of ``models``, loaded: one for each task, of the same artefact and input.

    Subclasses add to ``known_prepare`` and ``known_read``. Raises ValueError for an unknown name, ModelUnavailable if
    its file cannot be loaded.
    """

    known_prepare: Mapping[str, Callable[[Pixels, ModelSpec], ModelInput]] = PREPARE
    known_read: Mapping[str, Read] = READ

    def __init__(self, models: Sequence[ModelSpec], folder: Path, device: Device) -> None:
        self._model = model = models[0]
        self._prepare = _look_up(self.known_prepare, model, "prepare")
        read = {model.task: _look_up(self.known_read, model, "read") for model in models}
        onnxruntime.set_default_logger_severity(ERRORS_ONLY)
        wanted = providers(model, device.number)
        try:
            self._session = onnxruntime.InferenceSession(
                str(folder / model.artefact), _session_options(device.threads), providers=wanted
            )
            labels = {model.task: _labels(model, folder, self._session) for model in models}
        except Exception as error:  # onnxruntime's have no common base
            raise ModelUnavailable(detail=f"{model.name}: {error}") from error
        if self._session.get_providers()[0] not in wanted[0]:  # it would silently use the CPU
            raise ModelUnavailable(detail=f"{model.name}: the GPU cannot be used; is its driver older than CUDA's?")
        self._input = self._session.get_inputs()[0].name
        self._names = [output.name for output in self._session.get_outputs()]
        self._heads = {
            model.task: _Head(model, read[model.task], labels[model.task], self._choose_outputs(model))
            for model in models
        }

    def detect_batch(
        self, images: Sequence[Pixels], tasks: Sequence[Sequence[str]], batch_size: int = 0
    ) -> list[dict[str, Finding]]:
        """Return the findings of each image for its tasks. Raises ModelUnavailable if the run fails.

        ``batch_size`` is the maximum of images at once, 0 for the model's own.
        """
        prepared = [self._prepare(image, self._model) for image in images]
        found: list[dict[str, Finding]] = [{} for _ in images]
        for batch in batches(prepared, batch_size or self._model.batch_size):
            outputs = self._run(np.stack([prepared[index].tensor for index in batch]))
            for place, index in enumerate(batch):
                own = self._of_image(outputs, place)
                for task, head in self._heads.items():
                    if task in tasks[index]:
                        found[index][task] = head.parse(own, prepared[index])
        return found

    def detect_task(self, task: str, images: Sequence[Pixels], batch_size: int = 0) -> list[Finding]:
        """Return the finding of each image for ``task``, as :meth:`detect_batch` does."""
        return [found[task] for found in self.detect_batch(images, [(task,)] * len(images), batch_size)]

    def _choose_outputs(self, model: ModelSpec) -> Sequence[int]:
        """Return the places of the outputs that are read for ``model``. Raises ValueError for an unknown one."""
        if not model.output:
            return range(len(self._names))
        if model.output not in self._names:
            raise ValueError(f"{model.name}: output is one of {', '.join(self._names)}, not {model.output!r}")
        return [self._names.index(model.output)]

    def _of_image(self, outputs: Sequence[NDArray[np.generic]], place: int) -> Sequence[NDArray[np.generic]]:
        """Return the part of ``outputs`` for the image at ``place`` of a batch."""
        return [output[place] for output in outputs]

    def _inputs(self, tensors: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
        """Return the inputs of a run by name."""
        return {self._input: tensors}

    def _run(self, tensors: NDArray[np.generic]) -> list[NDArray[np.generic]]:
        try:
            return list(self._session.run(None, self._inputs(tensors)))
        except Exception as error:
            raise ModelUnavailable(detail=f"{self._model.name}: {error}") from error


class _Head:
    """Parses the outputs at ``places`` for the task of ``model``."""

    def __init__(self, model: ModelSpec, read: Read, labels: tuple[str, ...], places: Sequence[int]) -> None:
        self._model, self._read, self._labels, self._places = model, read, labels, places

    def parse(self, outputs: Sequence[NDArray[np.generic]], prepared: ModelInput) -> Finding:
        """Return the finding of one image."""
        return self._read(ModelOutput([outputs[at] for at in self._places], prepared, self._labels), self._model)


def batches(prepared: Sequence[ModelInput], most: int) -> Iterator[list[int]]:
    """Yield the indices of each batch: images of one shape, at most ``most``."""
    shapes: dict[tuple[int, ...], list[int]] = {}
    for index, one in enumerate(prepared):
        shapes.setdefault(one.tensor.shape, []).append(index)
    for alike in shapes.values():
        for start in range(0, len(alike), most):
            yield alike[start : start + most]


def has_gpu() -> bool:
    """Whether this machine has an NVIDIA GPU that this onnxruntime can use."""
    return CUDA in onnxruntime.get_available_providers() and any(Path("/dev").glob("nvidia[0-9]*"))


def _session_options(threads: int) -> onnxruntime.SessionOptions:
    """Return the options of a session. Idle threads sleep: by default they use up CPU time of the other networks."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


def providers(model: ModelSpec, number: int = 0) -> list[str | tuple[str, dict[str, Any]]]:
    """Return the providers of ``model`` that this machine has, with the GPU ``number``."""
    if not has_gpu():
        return [CPU]
    onnxruntime.preload_dlls(directory="")  # CUDA from its wheels, where they are installed
    there = set(onnxruntime.get_available_providers())
    known = [name for name in model.providers if name in there]
    return [name if name == CPU else (name, {"device_id": number}) for name in known]


def _labels(model: ModelSpec, folder: Path, session: onnxruntime.InferenceSession) -> tuple[str, ...]:
    """Return the labels of each class: of the model's file of labels, else of the artefact's metadata."""
    if model.labels:
        return tuple((folder / model.labels).read_text(encoding="utf-8").splitlines())
    return tuple(session.get_modelmeta().custom_metadata_map.get(LABELS, "").splitlines())


def _look_up[T](table: Mapping[str, T], model: ModelSpec, what: str) -> T:
    name = getattr(model, what)
    if name not in table:
        raise ValueError(f"{model.name}: {what} is one of {', '.join(table)}, not {name!r}")
    return table[name]
