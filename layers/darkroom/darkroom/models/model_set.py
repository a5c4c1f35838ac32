"""Load models and run them on images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ..errors import ModelUnavailable
from ..findings import ENDPOINT, Explanation, Finding
from .catalogue import ModelCatalogue, ModelSpec
from .explain import explain
from .onnx_model import OnnxModel
from .pixels import Pixels


class Engine(Protocol):
    """A loaded model."""

    def detect_batch(self, images: Sequence[Pixels]) -> list[Finding]:
        """Return the finding of each image. Raises ModelUnavailable."""
        ...


def _rapidocr(model: ModelSpec, folder: Path, device: int) -> Engine:
    from .ocr import RapidOcr  # and with it a package that only the endpoint has

    return RapidOcr(model, folder, device)


ENGINES: Mapping[str, Callable[[ModelSpec, Path, int], Engine]] = {"onnxruntime": OnnxModel, "rapidocr": _rapidocr}
"""Values of ``engine`` in ``models.toml``."""


class ModelSet:
    """The models of ``tasks`` (all that ``catalogue`` has, if none are named), loaded from ``model_dir``.

    ``origin`` is that of the findings; ``device`` is the number of the GPU. Raises ValueError for an unknown task, name
    or engine, ModelUnavailable if a file is missing, broken or has another digest than the catalogue's.
    """

    def __init__(
        self,
        catalogue: ModelCatalogue,
        model_dir: Path,
        tasks: Sequence[str] = (),
        *,
        origin: str = ENDPOINT,
        device: int = 0,
    ) -> None:
        self._catalogue, self._origin = catalogue, origin
        self._engines = {task: _engine(catalogue.get(task), model_dir, device) for task in tasks or catalogue.tasks}

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that are loaded."""
        return tuple(self._engines)

    def detect(self, image: Pixels, tasks: Sequence[str]) -> dict[str, Finding]:
        """Return the findings of one image by task."""
        [found] = self.detect_batch([image], [tasks])
        return found

    def detect_batch(self, images: Sequence[Pixels], tasks: Sequence[Sequence[str]]) -> list[dict[str, Finding]]:
        """Return the findings of each image by its tasks; each model gets its images as one batch.

        Raises ModelUnavailable if a model fails, ValueError for a task that is not loaded.
        """
        unknown = {task for asked in tasks for task in asked} - set(self._engines)
        if unknown:
            raise ValueError(f"not loaded: {', '.join(sorted(unknown))}")
        found: list[dict[str, Finding]] = [{} for _ in images]
        for task, engine in self._engines.items():
            asked = [index for index, wanted in enumerate(tasks) if task in wanted]
            if not asked:
                continue
            findings = engine.detect_batch([images[index] for index in asked])
            for index, finding in zip(asked, findings, strict=True):
                found[index][task] = replace(finding, origin=self._origin)
        return found

    def explain(self, image: Pixels, task: str) -> Explanation | None:
        """Explain why the model of ``task`` flags ``image``; None if it does not, or has another engine.

        Raises ModelUnavailable if the model fails.
        """
        engine = self._engines.get(task)
        return explain(engine.detect_batch, image, self._catalogue.get(task)) if isinstance(engine, OnnxModel) else None


def _engine(model: ModelSpec, folder: Path, device: int) -> Engine:
    if model.engine not in ENGINES:
        raise ValueError(f"{model.name}: engine is one of {', '.join(ENGINES)}, not {model.engine!r}")
    verify_files(model, folder)
    return ENGINES[model.engine](model, folder, device)


def verify_files(model: ModelSpec, folder: Path) -> None:
    """Compare the files of ``model`` with its digests; raises ModelUnavailable for another file, or for none.

    It takes some 40 ms for the 34 MB of the layer.
    """
    for name, expected in model.sha256.items():
        try:
            with (folder / name).open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise ModelUnavailable(detail=f"{model.name}: {error}") from error
        if found != expected.lower():
            raise ModelUnavailable(detail=f"{model.name}: {name} has the SHA-256 {found}, not {expected}")
