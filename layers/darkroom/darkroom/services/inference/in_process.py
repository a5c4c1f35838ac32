"""The small models, within this process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pyvips

from ...errors import DarkroomError
from ...findings import FALLBACK, Finding

if TYPE_CHECKING:
    from ...models.catalogue import ModelCatalogue
    from ...models.model_set import ModelSet
    from ...models.pixels import Pixels


class InProcessDetector:
    """The models of the layer ``inference``. Their files, in ``model_dir``, are read when they are first needed."""

    def __init__(self, model_dir: Path, tasks: Sequence[str]) -> None:
        self._model_dir = model_dir
        self._wanted = tuple(tasks)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """Those of the wanted tasks that there is a small model for."""
        return tuple(task for task in self._wanted if task in self._catalogue.tasks)

    def detect(self, jpeg: bytes, tasks: Sequence[str]) -> dict[str, Finding]:
        """What they say of a picture, for those of ``tasks`` that they can do. Raises ModelUnavailable."""
        return self._models.detect(_pixels(jpeg), [task for task in tasks if task in self.tasks])

    @cached_property
    def _catalogue(self) -> ModelCatalogue:
        from ...models import catalogue

        return catalogue.load_catalogue(catalogue.SMALL_MODELS)

    @cached_property
    def _models(self) -> ModelSet:
        from ...models.model_set import ModelSet  # loads onnxruntime, which few invocations need

        return ModelSet(self._catalogue, self._model_dir, self.tasks, by=FALLBACK)


def _pixels(jpeg: bytes) -> Pixels:
    """A picture of our own making as an array (height, width, 3)."""
    try:
        pixels: Pixels = pyvips.Image.new_from_buffer(jpeg, "").colourspace("srgb").numpy()
    except pyvips.Error as error:
        raise DarkroomError(detail=str(error)) from error
    return pixels
