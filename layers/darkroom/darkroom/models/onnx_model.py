"""Run a model with onnxruntime, in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from ..errors import ModelUnavailable
from ..findings import Finding
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


class OnnxModel:
    """A loaded model. Raises ValueError for an unknown name, ModelUnavailable if its file cannot be loaded."""

    def __init__(self, model: ModelSpec, folder: Path, device: int) -> None:
        self._model = model
        self._prepare = _look_up(PREPARE, model, "prepare")
        self._read = _look_up(READ, model, "read")
        onnxruntime.set_default_logger_severity(ERRORS_ONLY)
        wanted = providers(model, device)
        try:
            self._labels = _labels(model, folder)
            self._session = onnxruntime.InferenceSession(str(folder / model.artefact), providers=wanted)
        except Exception as error:  # onnxruntime's have no common base
            raise ModelUnavailable(detail=f"{model.name}: {error}") from error
        if self._session.get_providers()[0] not in wanted[0]:  # it would silently use the CPU
            raise ModelUnavailable(detail=f"{model.name}: the GPU cannot be used; is its driver older than CUDA's?")
        self._input = self._session.get_inputs()[0].name

    def detect_batch(self, images: Sequence[Pixels], batch_size: int = 0) -> list[Finding]:
        """Return the finding of each image. Raises ModelUnavailable if the run fails.

        ``batch_size`` is the maximum of images at once, 0 for the model's own.
        """
        prepared = [self._prepare(image, self._model) for image in images]
        found: dict[int, Finding] = {}
        for batch in batches(prepared, batch_size or self._model.batch_size):
            outputs = self._run(np.stack([prepared[index].tensor for index in batch]))
            for place, index in enumerate(batch):
                answer = ModelOutput([output[place] for output in outputs], prepared[index], self._labels)
                found[index] = self._read(answer, self._model)
        return [found[index] for index in range(len(images))]

    def _run(self, tensors: NDArray[np.generic]) -> list[NDArray[np.generic]]:
        try:
            return list(self._session.run(None, {self._input: tensors}))
        except Exception as error:
            raise ModelUnavailable(detail=f"{self._model.name}: {error}") from error


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


def providers(model: ModelSpec, device: int = 0) -> list[str | tuple[str, dict[str, Any]]]:
    """Return the providers of ``model`` that this machine has, with the GPU ``device``."""
    if not has_gpu():
        return [CPU]
    onnxruntime.preload_dlls(directory="")  # CUDA from its wheels, where they are installed
    there = set(onnxruntime.get_available_providers())
    known = [name for name in model.providers if name in there]
    return [name if name == CPU else (name, {"device_id": device}) for name in known]


def _labels(model: ModelSpec, folder: Path) -> tuple[str, ...]:
    return tuple((folder / model.labels).read_text(encoding="utf-8").splitlines()) if model.labels else ()


def _look_up[T](table: Mapping[str, T], model: ModelSpec, what: str) -> T:
    name = getattr(model, what)
    if name not in table:
        raise ValueError(f"{model.name}: {what} is one of {', '.join(table)}, not {name!r}")
    return table[name]
