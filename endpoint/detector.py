"""Object detectors of a deployment, as engine ``onnxruntime`` with ``read = "boxes"``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from darkroom_analysis.models.catalogue import ModelSpec
from darkroom_analysis.models.onnx_model import PREPARE, READ, Device, OnnxModel

from .box_layouts import parse_layout
from .boxes import letterbox, measure, read

READ_BOXES = "boxes"


class Detector(OnnxModel):
    """A loaded detector. Raises ValueError for an invalid table or another output than it names, ModelUnavailable."""

    known_prepare = PREPARE | {"letterbox": letterbox}
    known_read = READ | {READ_BOXES: read}

    def __init__(self, model: ModelSpec, folder: Path, device: Device) -> None:
        self._layout = parse_layout(model)
        super().__init__([model], folder, device)
        self._input = next(one.name for one in self._session.get_inputs() if one.name != self._layout.size_input)

    def _choose_outputs(self, model: ModelSpec) -> Sequence[int]:
        """Return the places of the outputs of the layout's parts, in their order."""
        names = [*self._layout.outputs.values()]
        if missing := {*names} - {*self._names}:
            known = ", ".join(self._names)
            raise ValueError(f"{model.name}: there is no output {', '.join(sorted(missing))}; there are {known}")
        return [self._names.index(name) for name in names] or super()._choose_outputs(model)[:1]

    def _of_image(self, outputs: Sequence[NDArray[np.generic]], place: int) -> Sequence[NDArray[np.generic]]:
        return super()._of_image(outputs, place) if self._layout.batched else outputs

    def _inputs(self, tensors: NDArray[np.generic]) -> dict[str, NDArray[np.generic]]:
        inputs = super()._inputs(tensors)
        if self._layout.size_input:
            inputs[self._layout.size_input] = np.array([measure(tensor) for tensor in tensors], np.int64)
        return inputs
