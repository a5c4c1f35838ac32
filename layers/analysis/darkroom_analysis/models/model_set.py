"""Load models and run them on images."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from darkroom.errors import ModelUnavailable
from darkroom.findings import ENDPOINT, FACES, Explanation, Finding

from .catalogue import ModelCatalogue, ModelSpec
from .explain import explain
from .face_sheet import locate_faces, make_sheet
from .onnx_model import Device, OnnxModel
from .pixels import Pixels


class Engine(Protocol):
    """A loaded network, which is that of one or several models."""

    def detect_batch(self, images: Sequence[Pixels], tasks: Sequence[Sequence[str]]) -> list[dict[str, Finding]]:
        """Return the findings of each image for those of its tasks that the network has. Raises ModelUnavailable."""
        ...


type Engines = Mapping[str, Callable[[Sequence[ModelSpec], Path, Device], Engine]]
"""What loads a network, by the values of ``engine`` in ``models.toml``."""

ENGINES: Engines = {"onnxruntime": OnnxModel}

ALL_CORES = Device()


class _Run(NamedTuple):
    """The images at ``places``, for one network."""

    engine: Engine
    places: Sequence[int]


class ModelSet:
    """The models of ``tasks`` (all that ``catalogue`` has, if none are named), loaded from ``model_dir``.

    ``origin`` is that of the findings. On a device of several runs at once, images are not batched: each run of a
    network is for one image. Raises ValueError for an unknown task, name or engine, ModelUnavailable if a file is
    missing, broken or has another digest than the catalogue's.
    """

    def __init__(
        self,
        catalogue: ModelCatalogue,
        model_dir: Path,
        tasks: Sequence[str] = (),
        *,
        origin: str = ENDPOINT,
        device: Device = ALL_CORES,
        engines: Engines = ENGINES,
    ) -> None:
        self._catalogue, self._origin = catalogue, origin
        self._tasks = tuple(tasks or catalogue.tasks)
        self._threads = ThreadPoolExecutor(device.at_once) if device.at_once > 1 else None
        networks: dict[Hashable, list[ModelSpec]] = {}
        for task in self._tasks:
            networks.setdefault(catalogue.get(task).network, []).append(catalogue.get(task))
        self._engines = [
            (frozenset(model.task for model in models), _engine(models, model_dir, device, engines))
            for models in networks.values()
        ]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that are loaded."""
        return self._tasks

    def detect(self, image: Pixels, tasks: Sequence[str]) -> dict[str, Finding]:
        """Return the findings of one image by task."""
        [found] = self.detect_batch([image], [tasks])
        return found

    def detect_batch(self, images: Sequence[Pixels], tasks: Sequence[Sequence[str]]) -> list[dict[str, Finding]]:
        """Return the findings of each image by its tasks; each network gets its images as one batch, or one by one.

        Raises ModelUnavailable if a model fails, ValueError for a task that is not loaded.
        """
        unknown = {task for asked in tasks for task in asked} - set(self._tasks)
        if unknown:
            raise ValueError(f"not loaded: {', '.join(sorted(unknown))}")
        found: list[dict[str, Finding]] = [{} for _ in images]
        runs = [*self._divide(tasks)]
        run_one = partial(_run, images, tasks)
        results = self._threads.map(run_one, runs) if self._threads else map(run_one, runs)
        for run, of_run in zip(runs, results, strict=True):
            for index, result in zip(run.places, of_run, strict=True):
                found[index].update({task: replace(finding, origin=self._origin) for task, finding in result.items()})
        return found

    def _divide(self, tasks: Sequence[Sequence[str]]) -> Iterator[_Run]:
        """Yield the runs for the ``tasks`` of each image."""
        for own, engine in self._engines:
            asked = [index for index, wanted in enumerate(tasks) if not own.isdisjoint(wanted)]
            divided = [[index] for index in asked] if self._threads else [asked]
            yield from (_Run(engine, places) for places in divided if places)

    def explain(self, image: Pixels, task: str) -> Explanation | None:
        """Explain why the model of ``task`` flags ``image``; None if it does not, or has another engine.

        Raises ModelUnavailable if the model fails.
        """
        engine = next((engine for own, engine in self._engines if task in own), None)
        if not isinstance(engine, OnnxModel):
            return None
        return explain(partial(engine.detect_task, task), image, self._catalogue.get(task))


def _run(images: Sequence[Pixels], tasks: Sequence[Sequence[str]], run: _Run) -> list[dict[str, Finding]]:
    """Return the findings of the images of ``run``, in order."""
    of_run = [images[index] for index in run.places]
    return _search_sheets(run.engine, of_run, run.engine.detect_batch(of_run, [tasks[index] for index in run.places]))


def _search_sheets(
    engine: Engine, images: Sequence[Pixels], results: Sequence[dict[str, Finding]]
) -> list[dict[str, Finding]]:
    """Return ``results``, with the faces that sheets show of images without any."""
    again = [index for index, result in enumerate(results) if FACES in result and not result[FACES].faces]
    again = [index for index in again if not results[index][FACES].error]
    complete = list(results)
    if again:
        sheets = engine.detect_batch([make_sheet(images[index]) for index in again], [(FACES,)] * len(again))
        for index, sheet in zip(again, sheets, strict=True):
            faces = locate_faces(sheet[FACES].faces, images[index])
            complete[index] = {**results[index], FACES: replace(results[index][FACES], faces=faces)}
    return complete


def _engine(models: Sequence[ModelSpec], folder: Path, device: Device, engines: Engines) -> Engine:
    """Load the network of ``models``."""
    for model in models:
        if model.engine not in engines:
            raise ValueError(f"{model.name}: engine is one of {', '.join(engines)}, not {model.engine!r}")
        verify_files(model, folder)
    return engines[models[0].engine](models, folder, device)


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
