"""The versions to compare: a production variant of an endpoint, or the models of a folder in this process."""

from __future__ import annotations

import io
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from cli.models.model_folders import table_of
from darkroom.findings import Finding
from darkroom_analysis.models.catalogue import ModelCatalogue, load_catalogue
from darkroom_analysis.models.model_set import ModelSet
from darkroom_pipeline.aws.sagemaker import Endpoint
from endpoint.engines import ENDPOINT_ENGINES

ONNX = "onnxruntime"
"""The engine of this process; the other one needs the endpoint's packages."""


class Side(Protocol):
    """One of the two versions."""

    @property
    def name(self) -> str:
        """Name in the report."""
        ...

    def analyse(self, jpeg: bytes, tasks: Sequence[str]) -> tuple[dict[str, Finding], float]:
        """Analyse an image. Return findings and milliseconds. Raises ModelUnavailable."""
        ...


class VariantSide:
    """The variant ``name`` of ``endpoint``, regardless of its weight."""

    def __init__(self, endpoint: Endpoint, name: str) -> None:
        self._endpoint = endpoint
        self.name = name

    def analyse(self, jpeg: bytes, tasks: Sequence[str]) -> tuple[dict[str, Finding], float]:
        """See :meth:`Side.analyse`. The image's hash is the id under which SageMaker logs the call."""
        answer = self._endpoint.invoke(jpeg, tasks, f"replay-{sha256(jpeg).hexdigest()[:24]}", variant=self.name)
        return answer.found, answer.duration_ms


class FolderSide:
    """The models of ``folder``, by its own table or the included one."""

    def __init__(self, folder: Path, tasks: Sequence[str]) -> None:
        self.name = folder.name
        self._models = ModelSet(catalogue_of(folder), folder, tasks, engines=ENDPOINT_ENGINES)

    def analyse(self, jpeg: bytes, tasks: Sequence[str]) -> tuple[dict[str, Finding], float]:
        """See :meth:`Side.analyse`; the time is that of the models alone."""
        with Image.open(io.BytesIO(jpeg)) as image:
            pixels = np.asarray(image.convert("RGB"))
        began_s = time.perf_counter()
        found = self._models.detect(pixels, tasks)
        return found, (time.perf_counter() - began_s) * 1000


def catalogue_of(folder: Path) -> ModelCatalogue:
    """Return the table of models in ``folder``, otherwise the one of the endpoint."""
    return load_catalogue(table_of(folder))


def common_tasks(folders: Sequence[Path]) -> list[str]:
    """Return tasks for which each folder has a model that runs in this process."""
    catalogues = [catalogue_of(folder) for folder in folders]
    return [
        task
        for task in catalogues[0].tasks
        if all(task in one.tasks and one.get(task).engine == ONNX for one in catalogues)
    ]
