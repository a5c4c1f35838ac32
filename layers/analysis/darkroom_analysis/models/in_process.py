"""Detect with the small models of the layer ``inference`` within this process."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from darkroom.errors import ModelUnavailable
from darkroom.findings import FALLBACK, MODERATION, Explanation, Finding

if TYPE_CHECKING:
    from .catalogue import ModelCatalogue
    from .model_set import ModelSet


class InProcessDetector:
    """Small models for those of ``tasks`` that have one, loaded from ``model_dir`` at first use."""

    def __init__(self, model_dir: Path, tasks: Sequence[str]) -> None:
        self._model_dir = model_dir
        self._wanted = tuple(tasks)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """The tasks that have a small model."""
        return tuple(task for task in self._wanted if task in self._catalogue.tasks)

    def detect(self, jpeg: bytes, tasks: Sequence[str]) -> dict[str, Finding]:
        """Return the findings for those of ``tasks`` that have a model. Raises ModelUnavailable."""
        from darkroom_pipeline.imaging.views import read_rgb

        return self._models.detect(read_rgb(jpeg), [task for task in tasks if task in self.tasks])

    def explain(self, jpeg: bytes) -> Explanation | None:
        """Explain why moderation flags the image; None if it does not, or fails: the verdict counts without it."""
        from darkroom_pipeline.imaging.views import read_rgb

        try:
            return self._models.explain(read_rgb(jpeg), MODERATION)
        except ModelUnavailable:
            return None

    @cached_property
    def _catalogue(self) -> ModelCatalogue:
        from . import catalogue

        return catalogue.load_catalogue(catalogue.SMALL_MODELS)

    @cached_property
    def _models(self) -> ModelSet:
        from .model_set import ModelSet  # loads onnxruntime, which few invocations need

        return ModelSet(self._catalogue, self._model_dir, self.tasks, origin=FALLBACK)
