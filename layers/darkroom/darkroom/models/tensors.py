"""Input and output of a model for one image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class ModelInput(NamedTuple):
    """The input for one image, without the batch axis.

    ``width`` and ``height`` are the size of the image in pixels; the rest is padding.
    """

    tensor: NDArray[np.generic]
    width: int
    height: int


class ModelOutput(NamedTuple):
    """The outputs for one image, without the batch axis, with the input and the model's labels."""

    outputs: Sequence[NDArray[np.generic]]
    prepared: ModelInput
    labels: tuple[str, ...] = ()
